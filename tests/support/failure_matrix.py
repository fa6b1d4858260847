"""What must be true of a request when something has failed, and whatever did.

A row of the matrix is a `Row`. `Asker.expect` looks at all that a failure may spoil: the answer,
what the upstream got, the record, the sums, the balance, the idempotency key, and the log.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.support.dialects import ANTHROPIC, OPENAI, RESPONSES, TEXTS, Dialect
from tests.support.fake_upstream import FakeUpstream
from tests.support.matrix_gateway import API_KEY, GRANTED, MatrixGateway
from tests.support.served_gateway import CHAT, MESSAGES
from waystation.aws.table import Item

PROMPT = "a canary of a prompt"
PRICES = (2000, 6000)  # nUSD a token, of input and of output
USED = 10 * PRICES[0] + 5 * PRICES[1]


@dataclass(frozen=True, slots=True)
class Way:
    """A route in, and an entry whose upstream speaks a dialect."""

    path: str
    model: str
    dialect: Dialect

    def __str__(self) -> str:
        route = self.path.removeprefix("/v1/").removesuffix("/completions")
        return f"{route} to {self.model.split('/')[0]}"


WAYS = [
    Way(CHAT, "Acme/acme-large", OPENAI),
    Way(CHAT, "Claude/claude-sonnet-4-5", ANTHROPIC),
    Way(CHAT, "Responding/acme-large", RESPONSES),
    Way(MESSAGES, "Claude/claude-sonnet-4-5", ANTHROPIC),
    Way(MESSAGES, "Acme/acme-large", OPENAI),
    Way(MESSAGES, "Responding/acme-large", RESPONSES),
]


@dataclass(frozen=True, slots=True)
class Row:
    """What is promised of a request. `code` is that of the error, None where there is none.

    `is_told_inside` says that a stream tells the error; `state` None, that there is no record.
    """

    status: int
    code: str | None = None
    state: str | None = "SETTLED"
    usage_source: str | None = "upstream"
    headers: Mapping[str, str | None] = field(
        default_factory=lambda: {"retry-after": None, "x-should-retry": None}
    )
    is_told_inside: bool = False
    received: int = 1
    connections: int = 1
    lines: tuple[str, ...] = ()


NOT_AGAIN = {"retry-after": None, "x-should-retry": "false"}


def new_asker(gateway: MatrixGateway, upstream: FakeUpstream) -> "Asker":
    """Make a user who has not asked for anything."""
    user_id, key = gateway.add_user()
    counts = upstream.connections, len(upstream.received)
    return Asker(gateway, upstream, user_id, key, gateway.reserves, *counts)


@dataclass(slots=True)
class Asker:
    """One user of the gateway, who makes one request, or the same one again.

    It has an idempotency key if it `is_keyed`: by default, where requests are reserved.
    """

    gateway: MatrixGateway
    upstream: FakeUpstream
    user_id: str
    key: str
    is_keyed: bool
    connections_before: int
    received_before: int

    def ask(self, way: Way, *, stream: bool = False, key: str = "k1", **body: Any) -> Any:
        """Ask, with the idempotency key `key` if the user has one."""
        return self.gateway.client.send(self._request(way, key, body | {"stream": stream}))

    def leave(self, way: Way) -> httpx2.Response:
        """Ask for a stream, and leave when it has begun."""
        request = self._request(way, "k1", {"stream": True})
        answer = self.gateway.client.send(request, stream=True)
        assert answer.status_code == httpx2.codes.OK
        next(answer.iter_bytes())
        answer.close()
        return answer

    def _request(self, way: Way, key: str, body: Mapping[str, Any]) -> httpx2.Request:
        headers = {"authorization": f"Bearer {self.key}"}
        if self.is_keyed and key:
            headers["idempotency-key"] = key
        said = {"model": way.model, "max_tokens": 100, **body}
        said["messages"] = [{"role": "user", "content": PROMPT}]
        return self.gateway.client.build_request("POST", way.path, json=said, headers=headers)

    def items(self, prefix: str, pk: str = "U#") -> list[Item]:
        """Return items of this user's."""
        found = self.gateway.run(self.gateway.table.scan(prefix))
        mine = f"{pk}{self.user_id}"
        return [item for item in found if str(item["PK"]) == mine or _is_sum(item, mine)]

    def record_of(self, answer: httpx2.Response) -> Item | None:
        """Return the record of a request."""
        found = self.items(f"REQ#{answer.headers['x-request-id']}")
        return found[0] if found else None

    def expect(self, row: Row, answer: httpx2.Response, *, stream: bool = False) -> None:
        """Expect of a user's one request all that a row promises."""
        self.expect_answer(row, answer, stream=stream)
        assert len(self.upstream.received) - self.received_before == row.received
        assert self.upstream.connections - self.connections_before == row.connections
        self.expect_ledger(row, answer)
        self.expect_log(row, answer)

    def expect_answer(self, row: Row, answer: httpx2.Response, *, stream: bool) -> None:
        """Expect a status, headers, and an error in the route's own envelope, or none."""
        assert answer.status_code == row.status, answer.text
        for name, value in row.headers.items():
            assert answer.headers.get(name) == value, name
        assert API_KEY not in answer.text
        is_messages = answer.request.url.path == MESSAGES
        if stream and row.status == 200:
            last = answer.text.rstrip("\n").split("\n\n")[-1]
            if not row.is_told_inside:
                assert last.endswith("[DONE]" if not is_messages else '{"type":"message_stop"}')
            else:
                assert "[DONE]" not in answer.text
                assert "message_stop" not in answer.text
                told = json.loads(last.split("data: ", 1)[1])
                _expect_envelope(told, row, is_messages=is_messages)
            assert all(json.dumps(text)[1:-1] in answer.text for text in TEXTS)
        elif row.code is not None:
            _expect_envelope(answer.json(), row, is_messages=is_messages)
        else:
            assert "".join(TEXTS) in answer.text

    def expect_ledger(self, row: Row, answer: httpx2.Response) -> None:
        """Expect one final record, and sums, a balance and a key that agree with it."""
        record = self.record_of(answer)
        if row.state is None:
            assert record is None
            self.expect_nothing_kept()
            return
        assert record is not None
        assert (record["state"], record.get("usage_source")) == (row.state, row.usage_source)
        assert record.get("error_code") == row.code
        assert "GSI1PK" not in record
        assert record["cost"] == _cost_of(record)
        if row.usage_source == "upstream":
            assert record["cost"] == USED
        elif row.usage_source == "estimated":
            assert _whole(record, "cost") > 0
        self.expect_agreement([record])

    def expect_nothing_kept(self) -> None:
        """Expect no record, no sum, no hold, no key."""
        assert self.items("REQ#") == self.items("M#", "A#") == self.items("IDM#") == []
        self.expect_agreement([])

    def expect_agreement(self, records: Sequence[Item]) -> None:
        """Expect sums, balance and key to be what these records make them, the last one last."""
        self.expect_sums(records)
        self.expect_balance(records)
        if records and self.is_keyed:
            (key,) = self.items("IDM#")
            last = records[-1]
            assert key["request_id"] == str(last["SK"]).removeprefix("REQ#")
            assert key["state"] == ("free" if last["state"] == "RELEASED" else "done")

    def expect_sums(self, records: Sequence[Item]) -> None:
        """Expect sums to be what these records make them."""
        counted = [one for one in records if one["state"] != "RELEASED"]
        estimated = [one for one in records if one.get("usage_source") == "estimated"]
        sums = self.items("M#", "A#")
        assert _total(sums, "requests") == len(counted)
        assert _total(sums, "errors") == len(records) - len(counted)
        assert _total(sums, "cost") == _total(records, "cost")
        assert _total(sums, "estimated") == len(estimated)

    def expect_balance(self, records: Sequence[Item]) -> None:
        """Expect a balance of which these records were paid, if there are balances."""
        balances = self.items("BAL")
        assert len(balances) == int(self.gateway.reserves)
        for balance in balances:
            spent = _total(records, "cost")
            parts = [balance[name] for name in ("avail", "held", "spent", "inflight")]
            assert parts == [GRANTED - spent, 0, spent, 0]
            assert balance["granted"] == GRANTED

    def expect_log(self, row: Row, answer: httpx2.Response) -> None:
        """Expect the line of the request, others that are promised, and no canary in any."""
        line = self.line_of(answer)
        assert (line["status"], line.get("error_code")) == (row.status, row.code)
        mine = self.lines(answer)
        missing = ("usage_missing",) if row.usage_source == "estimated" else ()
        assert sorted(one["message"] for one in mine) == sorted(
            ("request", *row.lines, *missing)
        ), mine
        self.expect_no_canary()

    def lines(self, answer: httpx2.Response) -> list[dict[str, Any]]:
        """Return what was logged of a request so far."""
        request_id = answer.headers["x-request-id"]
        return [one for one in self.gateway.log.lines() if one.get("request_id") == request_id]

    def line_of(self, answer: httpx2.Response) -> dict[str, Any]:
        """Return the line of a request, which is written when its answer has been sent."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for line in self.lines(answer):
                if line["message"] == "request":
                    return line
            time.sleep(0.01)
        raise AssertionError("there is no line")

    def expect_no_canary(self) -> None:
        """Expect no key, no prompt and no answer in the log."""
        assert "canary" not in self.gateway.log.text


def _expect_envelope(told: dict[str, Any], row: Row, *, is_messages: bool) -> None:
    if is_messages:
        assert told["type"] == "error"
        assert set(told["error"]) >= {"type", "message"}
    else:
        assert told["error"]["code"] == row.code


def _is_sum(item: Item, mine: str) -> bool:
    return str(item["PK"]).rpartition("#")[0] == mine and mine.startswith("A#")


def _cost_of(record: Item) -> int:
    tokens = record.get("tokens", {})
    assert isinstance(tokens, Mapping)
    counts = (tokens.get("in", 0), tokens.get("out", 0))
    return sum(n * price for n, price in zip(counts, PRICES, strict=True))


def _total(items: Sequence[Item], name: str) -> int:
    return sum(_whole(item, name) for item in items)


def _whole(item: Item, name: str) -> int:
    value = item.get(name, 0)
    assert isinstance(value, int)
    return value
