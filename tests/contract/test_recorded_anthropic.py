"""Messages requests as LibreChat was recorded to send them, and where this gateway differs.

Every case is asserted: as recorded, or as `deliberate/anthropic_requests.json` says, which names
the differences of docs/differences.md that each of its cases shows.
"""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_recorded_config import cases, placeholder_values
from tests.contract.test_recorded_requests import DOCUMENTED, compared, is_same, own_of, told
from tests.support.calls import build_call
from tests.support.fakes import StaticSecrets, StaticUserKeys
from waystation.calls.target import resolve_target
from waystation.config.schema import Endpoint
from waystation.config.snapshot import build_snapshot
from waystation.errors import GatewayError
from waystation.providers.anthropic.answer import AnthropicAnswerReader
from waystation.providers.anthropic.shape import shape_messages
from waystation.wire.chat_request import parse_chat_request
from waystation.wire.upstream_request import UpstreamRequest

HERE = Path(__file__).parent
DELIBERATE = json.loads((HERE / "deliberate" / "anthropic_requests.json").read_text("utf-8"))


def as_asked(case: dict[str, Any]) -> dict[str, Any]:
    """Return the request that a case leads to, or `{"refused": code}`."""
    given = case["input"]
    entry = given["endpoint"] | {"waystation": {"uiDefaults": True}}
    model = given["params"].get("model")
    if model and model not in entry["models"]["default"]:
        entry["models"] = entry["models"] | {"default": [*entry["models"]["default"], model]}
    snapshot = build_snapshot(json.dumps({"endpoints": {"custom": [entry]}}).encode())
    endpoint = snapshot.endpoint(entry["name"])
    if endpoint is None:
        return {"refused": "endpoint_misconfigured"}
    try:
        return unmarked(told(asyncio.run(shaped(endpoint, given))), case)
    except GatewayError as error:
        return {"refused": error.code or error.type}


async def shaped(endpoint: Endpoint, given: dict[str, Any]) -> UpstreamRequest:
    lead = given.get("instructions")
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
    return shape_messages(request, context, AnthropicAnswerReader()).request


def as_recorded(case: dict[str, Any]) -> dict[str, Any]:
    """Return what LibreChat did."""
    if not case["expected"].get("requests"):
        return {"refused": True}
    (request,) = case["expected"]["requests"]
    headers = compared(request["headers"])
    return {"url": request["url"], "headers": headers, "body": request["body"]}


def unmarked(request: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """Take out the cache marks of calls that are not streamed: they were recorded without."""
    if case["input"]["stream"]:
        return request
    return request | {"body": {name: _bare(value) for name, value in request["body"].items()}}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(v) for name, v in value.items() if name != "cache_control"}
    if isinstance(value, list):
        bare = [_bare(item) for item in value]
        is_text = (
            len(bare) == 1 and isinstance(bare[0], dict) and bare[0].keys() == {"type", "text"}
        )
        return bare[0]["text"] if is_text else bare
    return value


@pytest.mark.parametrize("case", cases("anthropic_requests"))
def test_the_upstream_sees_what_was_recorded_or_what_differs_on_purpose(case):
    ours, deliberate = as_asked(case), DELIBERATE.get(case["id"])
    if deliberate is None:
        assert is_same(ours, as_recorded(case)), ours
    else:
        assert ours == deliberate["ours"]
        assert not is_same(ours, as_recorded(case)), "it does not differ any more"


def test_every_difference_is_documented():
    named = {name for case in DELIBERATE.values() for name in case["differences"]}
    assert named <= DOCUMENTED
