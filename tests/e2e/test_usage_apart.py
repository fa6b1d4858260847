"""Usage and balances through the account function: two users, and every place of an id."""

import asyncio
import base64
import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_events import EventMaker, http_event, rest_event, url_event
from tests.support.lambda_gateway import (
    TABLE,
    Answer,
    LambdaGateway,
    build_config,
    make_gateway_key,
)
from tests.support.tables import open_table
from waystation.identity.user import User
from waystation.ledger.balances import grant

EVENTS: list[EventMaker] = [rest_event, http_event, url_event]
BALANCE = {"enabled": True, "startBalance": 1_000_000}
USERS = ("usage-carol", "usage-dave", "usage/é#1")
CONVERSATIONS = {user: f"conversation-of-{n}" for n, user in enumerate(USERS)}
GROUPS = "day,month,user,endpoint,model,conversation"


@pytest.fixture(scope="module")
def _gateway(aws: str, acme: dict[str, object], _upstream: FakeUpstream) -> Iterator[LambdaGateway]:
    for user in USERS:
        make_gateway_key(f"key-of-{quote(user)}", User(user))
    make_gateway_key("key-of-trusted", User("librechat"), is_trusted=True)
    make_gateway_key("key-of-admin", User("boss"), is_admin=True)
    currency = {"currency": {"code": "EUR", "rate": 0.92}}
    gateway = LambdaGateway(build_config(acme, balance=BALANCE, interface=currency), key=aws)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(_gateway: LambdaGateway, upstream: FakeUpstream) -> LambdaGateway:
    """A gateway through which each of the users has chatted, the second twice as often."""
    _gateway.log.clear()
    if not getattr(_gateway, "has_chatted", False):
        for user, times in zip(USERS, (1, 2, 1), strict=True):
            for _ in range(times):
                answer = _gateway.chat(
                    key=f"key-of-{quote(user)}", conversationId=CONVERSATIONS[user]
                )
                assert answer.status == 200
        vars(_gateway)["has_chatted"] = True
    return _gateway


def ask(
    gateway: LambdaGateway,
    path: str,
    key: str,
    *,
    event: EventMaker = rest_event,
    headers: Mapping[str, str] = {},
    **query: str,
) -> Answer:
    made = event("GET", path, {"Authorization": f"Bearer {key}", **headers}, None)
    if made.get("version") == "2.0":
        made["rawQueryString"] = "&".join(f"{n}={quote(v, safe='')}" for n, v in query.items())
    else:
        made["queryStringParameters"] = query or None
        made["multiValueQueryStringParameters"] = {n: [v] for n, v in query.items()} or None
    return gateway.call("account", made)


def key_of(user: str) -> str:
    return f"key-of-{quote(user)}"


def total(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200
    found: dict[str, Any] = answer.json["total"]
    return found


@pytest.mark.parametrize("event", EVENTS, ids=["REST", "HTTP", "URL"])
def test_chats_are_in_the_usage_and_balance_of_who_made_them(
    gateway: LambdaGateway, event: EventMaker
) -> None:
    costs = []
    for user, times in zip(USERS, (1, 2, 1), strict=True):
        used = ask(gateway, "/v1/usage", key_of(user), event=event, user=user)
        assert total(used)["requests"] == times
        cost = total(used)["cost_nanousd"]
        costs.append(cost / times)
        left = ask(gateway, "/v1/balance", key_of(user), event=event, user=user).json
        assert (left["enabled"], left["spent_nanousd"], left["held_nanousd"]) == (True, cost, 0)
        assert left["available_nanousd"] == 10**9 - cost
        assert left["currency"] == {"code": "EUR", "rate": "0.92"}
    assert costs[0] == costs[1] == costs[2] > 0


def test_no_place_of_a_request_names_another_user(gateway: LambdaGateway) -> None:
    """The answer is that of somebody who does not exist, or the caller's own."""
    for caller in USERS:
        for other in (*USERS, "nobody", "boss", "librechat"):
            if other == caller:
                continue
            for path in ("/v1/usage", "/v1/balance"):
                refused = ask(gateway, path, key_of(caller), user=other)
                assert (refused.status, refused.error["code"]) == (404, "not_found")
                assert refused.error["message"] == "There is no such user."
                told = {"x-librechat-user-id": other, "x-user-id": other}
                own = ask(gateway, path, key_of(caller), headers=told)
                assert own.text == ask(gateway, path, key_of(caller)).text
                for strange in (
                    ask(gateway, path, key_of(caller), userId=other),
                    ask(gateway, path, key_of(caller), user_id=other),
                    ask(gateway, path, key_of(caller), uid=other),
                ):
                    assert (strange.status, strange.error["code"]) == (400, "invalid_body")
            hidden = CONVERSATIONS.get(other, "no-conversation")
            for user in ("", caller):
                empty = ask(gateway, "/v1/usage", key_of(caller), conversation=hidden, user=user)
                assert (empty.status, empty.json["data"]) == (200, [])


def test_every_group_of_a_user_is_of_that_user_alone(gateway: LambdaGateway) -> None:
    for user in USERS:
        for by in ("day", "month", "endpoint", "model", "conversation", "endpoint,model,day"):
            used = ask(gateway, "/v1/usage", key_of(user), group_by=by)
            others = {other for other in USERS if other != user}
            assert total(used)["requests"] == (2 if user == USERS[1] else 1)
            texts = [CONVERSATIONS[other] for other in others]
            assert not any(text in used.text for text in texts)
        refused = ask(gateway, "/v1/usage", key_of(user), group_by="user")
        assert (refused.status, refused.error["param"]) == (400, "group_by")


def test_admins_see_all_and_whom_they_name(gateway: LambdaGateway) -> None:
    everybody = ask(gateway, "/v1/usage", "key-of-admin", group_by="user").json["data"]
    found = {row["user"]: row["requests"] for row in everybody if row["user"] in USERS}
    assert found == {USERS[0]: 1, USERS[1]: 2, USERS[2]: 1}
    for user in USERS:
        one = ask(gateway, "/v1/usage", "key-of-admin", user=user, group_by=GROUPS).json["data"]
        assert {(row["user"], row["conversation"]) for row in one} == {(user, CONVERSATIONS[user])}
        left = ask(gateway, "/v1/balance", "key-of-admin", user=user).json
        assert left == ask(gateway, "/v1/balance", key_of(user)).json


def test_trusted_caller_gets_what_the_user_gets_it_names(gateway: LambdaGateway) -> None:
    for user in USERS:
        encoded = base64.b64encode(user.encode()).decode()
        headers = {"x-librechat-user-id": f"b64:{encoded}", "x-librechat-user-role": "ADMIN"}
        for path in ("/v1/usage", "/v1/balance"):
            asserted = ask(gateway, path, "key-of-trusted", headers=headers)
            assert asserted.json == ask(gateway, path, key_of(user)).json
            refused = ask(gateway, path, "key-of-trusted", headers=headers, user="librechat")
            assert refused.status == 404
    assert total(ask(gateway, "/v1/usage", "key-of-trusted"))["requests"] == 0


def test_csv_comes_as_text(gateway: LambdaGateway) -> None:
    for answer in (
        ask(gateway, "/v1/usage", key_of(USERS[0]), format="csv"),
        ask(gateway, "/v1/usage", key_of(USERS[0]), headers={"Accept": "text/csv"}),
    ):
        assert answer.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert list(row)[:3] == ["endpoint", "model", "requests"]
        assert (row["endpoint"], row["model"], row["requests"]) == ("Acme", "acme-large", "1")
        assert "cost_eur" in row


def test_csv_tells_where_it_goes_on(gateway: LambdaGateway) -> None:
    asked: dict[str, Any] = {"format": "csv", "group_by": "user", "limit": "1"}
    first = ask(gateway, "/v1/usage", "key-of-admin", **asked)
    following = first.headers["link"]
    assert following == '<?format=csv&group_by=user&limit=1&offset=1>; rel="next"'
    last = ask(gateway, "/v1/usage", "key-of-admin", **{**asked, "limit": "1000"})
    assert "link" not in last.headers


def test_grant_is_seen_at_once(gateway: LambdaGateway) -> None:
    before = ask(gateway, "/v1/balance", key_of(USERS[0])).json
    given = grant(open_table(TABLE), USERS[0], 5, grant_id="g-1", actor="me", reason="", now_ms=0)
    asyncio.run(given)
    after = ask(gateway, "/v1/balance", key_of(USERS[0])).json
    assert after["available_nanousd"] == before["available_nanousd"] + 5
    assert after["granted_nanousd"] == before["granted_nanousd"] + 5


def test_nothing_of_a_query_is_logged(gateway: LambdaGateway) -> None:
    ask(gateway, "/v1/usage", key_of(USERS[0]), model="canary-model", user="canary-user")
    assert "canary" not in gateway.log.text
