"""Requests as LibreChat was recorded to send them, and where this gateway differs.

Every case is asserted: as recorded, or as `deliberate/openai_requests.json` says. That file names,
for each of its cases, the differences of docs/differences.md that it shows.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_recorded_config import cases, placeholder_values
from tests.support.calls import build_call
from tests.support.fakes import StaticSecrets, StaticUserKeys
from waystation.calls.target import resolve_target
from waystation.config.schema import Endpoint
from waystation.config.snapshot import build_snapshot
from waystation.credentials.own import OwnCredentials
from waystation.errors import GatewayError
from waystation.providers.registry import provider_of
from waystation.wire.chat_request import parse_chat_request
from waystation.wire.upstream_request import UpstreamRequest

HERE = Path(__file__).parent
DELIBERATE = json.loads((HERE / "deliberate" / "openai_requests.json").read_text("utf-8"))
DOCUMENTED = set(
    re.findall(
        r"^\| `([a-z-]+)` \|",
        (HERE.parents[1] / "docs" / "differences.md").read_text("utf-8"),
        re.MULTILINE,
    )
)

# Refused when the host's address is known, which is after the request has been shaped.
_WHEN_CONNECTING = {"oai-341"}

# Headers of the HTTP client of the recording.
_UNCOMPARED = {"accept", "anthropic-dangerous-direct-browser-access"}


def as_asked(case: dict[str, Any]) -> dict[str, Any]:
    """Return the request that a case leads to, or `{"refused": code}`."""
    given = case["input"]
    entry = given["endpoint"] | {"waystation": {"uiDefaults": True}}
    model = given["params"].get("model")
    if model and model not in entry["models"]["default"]:
        entry["models"] = entry["models"] | {"default": [*entry["models"]["default"], model]}
    snapshot = build_snapshot(json.dumps({"endpoints": {"custom": [entry]}}).encode())
    name = given.get("requestedEndpoint") or entry["name"]
    endpoint = snapshot.endpoint(name)
    if endpoint is None:
        return {"refused": "endpoint_misconfigured" if snapshot.problem(name) else "not_found"}
    try:
        return told(asyncio.run(shaped(endpoint, given)))
    except GatewayError as error:
        return {"refused": error.code or error.type}


async def shaped(endpoint: Endpoint, given: dict[str, Any]) -> UpstreamRequest:
    # A run of LibreChat's puts the instructions before the messages; without one they are lost.
    lead = given["stream"] and given.get("instructions")
    messages = [{"role": "system", "content": lead}] if lead else []
    body = {"messages": messages + given["messages"], "stream": given["stream"]}
    request = parse_chat_request(body | given["params"])
    user = (given.get("user") or {}) | {"id": (given.get("user") or {}).get("id") or "nobody"}
    values = placeholder_values(user, given.get("body"))
    call = build_call(entry=endpoint, placeholders=values)
    call = replace(call, model=request.model, user_id=user["id"], request=request)
    context = await resolve_target(
        call, StaticSecrets(**given["env"]), StaticUserKeys(own_of(given))
    )
    return provider_of(endpoint).shape(request, context).request


def own_of(given: dict[str, Any]) -> OwnCredentials | None:
    """Return what the user of a case has stored."""
    stored = given.get("userKeys")
    return OwnCredentials(stored.get("apiKey"), stored.get("baseURL")) if stored else None


def told(request: UpstreamRequest) -> dict[str, Any]:
    """Return a request in the form of the records."""
    return {
        "url": request.url,
        "headers": compared(dict(request.headers)),
        "body": json.loads(request.body),
    }


def compared(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _UNCOMPARED}


def as_recorded(case: dict[str, Any]) -> dict[str, Any]:
    """Return what LibreChat did, but that usage is asked for on streams (`usage-asked`)."""
    if not case["expected"].get("requests"):
        return {"refused": True}
    (request,) = case["expected"]["requests"]
    body = request["body"]
    is_asked = body.get("stream") is True and "messages" in body
    if is_asked and not request["url"].startswith("https://api.mistral.ai/"):
        body = {**body, "stream_options": {"include_usage": True}}
    return {"url": request["url"], "headers": compared(request["headers"]), "body": body}


def is_same(ours: dict[str, Any], recorded: dict[str, Any]) -> bool:
    return "refused" in ours if "refused" in recorded else ours == recorded


@pytest.mark.parametrize("case", cases("openai_requests"))
def test_the_upstream_sees_what_was_recorded_or_what_differs_on_purpose(case):
    ours, deliberate = as_asked(case), DELIBERATE.get(case["id"])
    if case["id"] in _WHEN_CONNECTING:
        assert ours["url"] == "https://user.acme.test/v1/chat/completions"
    elif deliberate is None:
        assert is_same(ours, as_recorded(case)), ours
    else:
        assert ours == deliberate["ours"]
        assert not is_same(ours, as_recorded(case)), "it does not differ any more"


def test_every_difference_is_documented():
    named = {name for case in DELIBERATE.values() for name in case["differences"]}
    assert named <= DOCUMENTED
