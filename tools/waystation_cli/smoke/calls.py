"""What `make smoke-aws` asks of the deployed gateway, and what it prints of it."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2

from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.table import Item, TableError
from waystation_cli.deployment import Deployment
from waystation_cli.smoke.timing import Stream, stream_chat
from waystation_cli.stack import clients_for

USER = "smoke"
READY_WITHIN_S = 90.0  # a new API, its new key and the pushed file are seen by then

_QUESTION = "Count slowly from one to twenty, in words, one a line."


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    told: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: a model, and what is known of its upstream.

    `spacing_s` is the time between its events, `cost_nanousd` what each chat must cost; None is
    not known. `has_to_stream` is false where answers are whole by design.
    """

    gateway: Deployment
    key: str
    model: str
    spacing_s: float | None = None
    cost_nanousd: int | None = None
    has_to_stream: bool = True

    def headers(self) -> dict[str, str]:
        """Return the headers of a request."""
        return {"Authorization": f"Bearer {self.key}"}

    def body(self, *, stream: bool) -> dict[str, object]:
        """Return a chat."""
        messages = [{"role": "user", "content": _QUESTION}]
        return {"model": self.model, "messages": messages, "stream": stream}


def check(target: Target, client: httpx2.Client) -> Iterator[Finding]:
    """Ask for everything, a finding each. Raises httpx2.HTTPError."""
    yield _models(target, client)
    url = f"{target.gateway.api_url}/v1/chat/completions"
    for kind in ("stream, cold", "stream, warm"):
        stream = stream_chat(client, url, target.headers(), target.body(stream=True))
        yield _streamed(target, kind, stream)
        yield _record(target, stream.request_id)
    began = time.perf_counter()
    answer = client.post(url, headers=target.headers(), json=target.body(stream=False))
    took_ms = (time.perf_counter() - began) * 1000
    is_good = answer.is_success and bool(answer.json()["choices"][0]["message"]["content"])
    told = f"{answer.status_code} after {took_ms:.0f} ms" + _problem(answer, is_good=is_good)
    yield Finding("whole chat", told, is_good)
    yield _record(target, answer.headers.get("x-request-id", ""))


def _models(target: Target, client: httpx2.Client) -> Finding:
    """Ask until the list has the model: what is new takes a while to be known everywhere."""
    until = time.monotonic() + READY_WITHIN_S
    url = f"{target.gateway.api_url}/v1/models"
    while True:
        answer = client.get(url, headers=target.headers())
        listed = [one["id"] for one in answer.json()["data"]] if answer.is_success else []
        is_good = target.model in listed
        if is_good or time.monotonic() > until:
            break
        time.sleep(3)
    told = f"{answer.status_code}, {len(listed)} listed"
    if answer.is_success and not is_good:
        told += f", but not {target.model}"
    return Finding("models", told + _problem(answer, is_good=answer.is_success), is_good)


def _streamed(target: Target, kind: str, stream: Stream) -> Finding:
    told = f"{stream.status}, first byte after {stream.first_byte_s * 1000:.0f} ms"
    verdict = stream.verdict(target.spacing_s)
    if stream.gaps_s:
        gaps = (min(stream.gaps_s), statistics.median(stream.gaps_s), max(stream.gaps_s))
        times = " / ".join(f"{gap * 1000:.0f}" for gap in gaps)
        told += f"; {len(stream.events_s)} events, {times} ms between them (min / median / max)"
        told += f": {verdict}"
    is_good = stream.is_complete and (verdict == "one by one" or not target.has_to_stream)
    return Finding(kind, f"{told}. {stream.problem}" if stream.problem else told, is_good)


def _record(target: Target, request_id: str) -> Finding:
    """Read what the ledger has of a chat; it must be settled, and by the upstream's own usage."""
    aws, what = target.gateway.aws, "its record"
    clients = clients_for("dynamodb", aws.session(), aws.url)
    table = DynamoTable(clients.service("dynamodb"), target.gateway.outputs["TableName"])

    async def read() -> Item | None:
        try:
            return await table.get(f"U#{USER}", f"REQ#{request_id}")
        finally:
            clients.close()

    try:
        record = asyncio.run(read())
    except TableError as error:
        return Finding(what, str(error), is_good=False)
    if record is None:
        return Finding(what, f"there is none of {request_id!r}", is_good=False)
    cost, tokens = record.get("cost"), record.get("tokens")
    is_good = record["state"] == "SETTLED" and target.cost_nanousd in (None, cost)
    told = f"{record['state']}, tokens {tokens}, cost {cost} nano-USD"
    if target.cost_nanousd is not None and not is_good:
        told += f", but {target.cost_nanousd} is right"
    return Finding(what, told, is_good)


def _problem(answer: httpx2.Response, *, is_good: bool) -> str:
    return "" if is_good else f": {answer.text[:500]}"
