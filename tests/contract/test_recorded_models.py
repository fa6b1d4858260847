"""Model lists as LibreChat was recorded to fetch them, and where this gateway differs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.contract.test_recorded_config import cases, placeholder_values
from tests.contract.test_recorded_requests import DOCUMENTED
from tests.support.fakes import Reply, ScriptedResponse
from tests.support.listing import build_lists
from waystation.config.snapshot import build_snapshot
from waystation.credentials.own import OwnCredentials
from waystation.egress.client import Egress, UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.errors import SecretUnavailableError, UpstreamTimeoutError
from waystation.identity.user import User
from waystation.models.lists import Listing
from waystation.models.shapes import names_by_endpoint
from waystation.wire.upstream_request import UpstreamRequest

# By case: the difference of docs/differences.md, and what is listed or asked for instead.
DELIBERATE: dict[str, tuple[str, dict[str, Any]]] = {
    "mdl-013": ("list-ids", {"models": {"Acme": ["d-1", "d-2"]}}),
    "mdl-014": ("list-ids", {"models": {"Acme": ["y"]}}),
    "mdl-015": ("list-ids", {"models": {"Acme": ["y"]}}),
    "mdl-016": ("list-ids", {"models": {"Acme": ["y"]}}),
    "mdl-018": ("list-ids", {"models": {"Acme": ["y"]}}),
    "mdl-028": (
        "no-redirects",
        {"models": {"Acme": ["d-1", "d-2"]}, "urls": ["https://llm.acme.test/v1/models"]},
    ),
    "mdl-036": ("callers-have-ids", {"urls": ["https://llm.acme.test/v1/models?user=nobody"]}),
    "mdl-037": (
        "path-before-query",
        {"urls": ["https://llm.acme.test/v1/models?x=1&user=user-123"]},
    ),
    "mdl-057": ("variables", {"models": {"Acme": ["d-1", "d-2"]}, "urls": []}),
    "mdl-071": ("anthropic-lists", {"models": {"Acme": ["claude-sonnet-4-5"]}, "urls": []}),
}


class RecordedUpstream(Egress):
    """Answers every request as the recording's upstream did; keeps what was asked for."""

    def __init__(self, plan: dict[str, Any]) -> None:
        super().__init__()
        self._plan = plan
        self.sent: list[UpstreamRequest] = []

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        self.sent.append(request)
        parts = urlsplit(request.url)
        by_path, by_host = self._plan.get("byPath", {}), self._plan.get("byHost", {})
        plan = by_path.get(parts.path) or by_host.get(parts.hostname) or self._plan
        if plan.get("delay", 0) / 1000 > deadline.first_byte_s:
            raise UpstreamTimeoutError("The upstream took too long to answer.")
        text = plan["text"] if "text" in plan else json.dumps(plan.get("body"))
        yield ScriptedResponse(Reply(plan["status"], {}, [text.encode()]))


def stored(keys: dict[str, Any] | None) -> OwnCredentials | Exception | None:
    if keys is None:
        return None
    if keys.get("lookupFails"):
        return SecretUnavailableError("down")
    return OwnCredentials(keys.get("apiKey"), keys.get("baseURL"))


async def listed(case: dict[str, Any]) -> tuple[list[Listing], RecordedUpstream]:
    given = case["input"]
    endpoints = {"custom": given["endpoints"]}
    if given.get("allowedAddresses"):
        endpoints["allowedAddresses"] = given["allowedAddresses"]
    snapshot = build_snapshot(json.dumps({"version": "1.2.8", "endpoints": endpoints}).encode())
    values = placeholder_values(given.get("user"), None)
    fields = {name.removeprefix("USER_"): text for name, text in values.items()}
    user = User(fields.pop("ID", "nobody"), fields)
    upstream = RecordedUpstream(given["upstreamReply"])
    lists = build_lists(upstream, own=stored(given.get("userKeys")), secrets=given.get("env") or {})
    return await lists.list_all(snapshot.endpoints, snapshot, user), upstream


def asks_the_same(case: dict[str, Any]) -> bool:
    """Whether there were requests, and there are as many of ours."""
    _, ours = DELIBERATE.get(case["id"], ("", {}))
    recorded = case["expected"]["requests"]
    return bool(recorded) and len(ours.get("urls", recorded)) == len(recorded)


def in_parts(url: str) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = url.partition("?")
    return path, parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize("case", cases("model_fetch"))
async def test_lists_are_fetched_as_recorded(case):
    recorded = case["expected"]
    difference, ours = DELIBERATE.get(case["id"], ("", {}))
    assert not difference or difference in DOCUMENTED
    listings, upstream = await listed(case)
    urls = ours.get("urls", [request["url"] for request in recorded["requests"]])
    assert names_by_endpoint(listings) == ours.get("models", recorded["models"])
    asked = [in_parts(request.url) for request in upstream.sent]
    assert sorted(asked) == sorted(map(in_parts, urls))


@pytest.mark.parametrize("case", cases("model_fetch", asks_the_same))
async def test_headers_are_those_that_were_recorded(case):
    recorded = [request["headers"] for request in case["expected"]["requests"]]
    _, upstream = await listed(case)
    sent = [dict(request.headers) for request in upstream.sent]
    for headers in (*sent, *recorded):
        headers.pop("accept", None)
    assert sorted(map(str, sent)) == sorted(map(str, recorded))


@pytest.mark.parametrize("case", cases("model_fetch", lambda case: case["id"] == "mdl-031"))
async def test_prices_are_learned_as_recorded(case):
    (listing,), _ = await listed(case)
    learned = {
        model: {
            "prompt": float(rates.prompt),
            "completion": float(rates.completion),
            "context": listing.models.contexts[model],
        }
        for model, rates in listing.models.rates.items()
    }
    assert learned == case["expected"]["tokenConfig"]["Acme"]
