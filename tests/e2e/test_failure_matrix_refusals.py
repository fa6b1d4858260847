"""The failure matrix: upstreams that refuse, or cannot be reached. Nothing is charged."""

import socket
from typing import Any

import pytest

from tests.support.failure_matrix import NOT_AGAIN, WAYS, Row, Way, new_asker
from tests.support.fake_upstream import FakeUpstream
from tests.support.matrix_gateway import API_KEY, MatrixGateway

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
RELEASED: dict[str, Any] = {"state": "RELEASED", "usage_source": None}


@every_way
@either_way
@pytest.mark.parametrize(
    ("status", "headers", "row"),
    [
        (
            429,
            [("Retry-After", "7")],
            Row(
                429,
                "upstream_rate_limited",
                headers={"retry-after": "7", "x-should-retry": None},
                **RELEASED,
            ),
        ),
        (429, [], Row(429, "upstream_rate_limited", **RELEASED)),
        *(
            (status, headers, Row(502, "upstream_error", headers=NOT_AGAIN, **RELEASED))
            for status, headers in [
                (500, []),
                (502, []),
                (503, [("Retry-After", "1")]),
                (529, []),
            ]
        ),
        *(
            (status, [], Row(502, "upstream_auth_failed", headers=NOT_AGAIN, **RELEASED))
            for status in (401, 403)
        ),
    ],
    ids=["429 with a time", "429", "500", "502", "503", "529", "401", "403"],
)
def test_upstream_that_refuses(
    matrix: MatrixGateway,
    upstream: FakeUpstream,
    way: Way,
    status: int,
    *,
    headers: list[tuple[str, str]],
    row: Row,
    stream: bool,
) -> None:
    upstream.answer(way.dialect.refusal(status, f"Not with {API_KEY}.", headers))
    asker = new_asker(matrix, upstream)
    asker.expect(row, asker.ask(way, stream=stream))


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@either_way
@pytest.mark.parametrize("endpoint", ["Refusing", "Nowhere", "Encrypted"])
def test_upstream_that_cannot_be_reached(
    matrix: MatrixGateway,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    *,
    path: str,
    endpoint: str,
    stream: bool,
) -> None:
    """Its port is closed, its name is unknown, it speaks no TLS."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in {"upstream.test", b"upstream.test"}:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    way = Way(path, f"{endpoint}/acme-large", WAYS[0].dialect)
    asker = new_asker(matrix, upstream)
    reached = int(endpoint == "Encrypted")  # and left after its first bytes
    row = Row(
        502,
        "upstream_unreachable",
        headers=NOT_AGAIN,
        received=0,
        connections=reached,
        **RELEASED,
    )
    answer = asker.ask(way, stream=stream)
    asker.expect(row, answer)
    assert "upstream.test" not in matrix.log.text + answer.text


@every_way
@either_way
def test_key_of_what_was_refused_may_be_used_again(
    matrix: MatrixGateway, upstream: FakeUpstream, way: Way, *, stream: bool
) -> None:
    upstream.answer(way.dialect.refusal(500), way.dialect.answer(stream=stream))
    asker = new_asker(matrix, upstream)
    asker.ask(way, stream=stream)
    answer = asker.ask(way, stream=stream)
    asker.expect_answer(Row(200), answer, stream=stream)
    assert len(upstream.received) == 2
    records = sorted(asker.items("REQ#"), key=lambda one: str(one["SK"]))
    assert [one["state"] for one in records] == ["RELEASED", "SETTLED"]
    asker.expect_agreement(records)
