"""The header Idempotency-Key."""

import pytest

from waystation.calls.idempotency import read_idempotency
from waystation.errors import InvalidHeaderValueError
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.ledger.records import Idempotency

ROUTE = "/v1/chat/completions"


def read(
    key: str | None = "k", body: object = None, route: str = ROUTE, **headers: str
) -> Idempotency | None:
    given = headers | ({} if key is None else {"idempotency-key": key})
    caller = Caller(User("alice"), "k1")
    return read_idempotency(Incoming("R1", caller, given, body, 0, {}), route)


def test_request_without_a_key_has_none():
    assert read(None) is None


@pytest.mark.parametrize("key", ["", "a b", "é", "a\n", "\x7f", "k" * 256])
def test_key_that_cannot_be_is_refused(key: str):
    with pytest.raises(InvalidHeaderValueError) as error:
        read(key)
    assert error.value.param == "idempotency-key"


def test_key_counts_for_one_route_and_is_not_stored():
    found = read("~" * 255)
    assert found is not None
    assert found.sk.startswith("IDM#")
    assert "~" not in found.sk
    assert found == read("~" * 255)
    assert len({found, read("~" * 254), read("~" * 255, route="/v1/messages")}) == 3


def test_body_is_told_apart_by_what_it_asks_for():
    body = {"model": "m", "messages": [{"role": "user"}]}
    one = read(body=body)
    assert one == read(body={"messages": [{"role": "user"}], "model": "m"})
    assert one != read(body={"model": "m", "messages": []})
    assert one != read(body=body, **{"x-endpoint": "E"})
    assert one != read(body=body, **{"anthropic-beta": "context-1m-2025-08-07"})
