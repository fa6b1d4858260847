"""Streams as LibreChat's client was recorded to read them, and where this gateway differs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_recorded_config import cases
from tests.contract.test_recorded_requests import DOCUMENTED
from tests.support.shaping import shape
from waystation.errors import UpstreamError
from waystation.providers.provider import AnswerReader
from waystation.providers.upstream_errors import error_from_response
from waystation.wire.events import Delta, Failed, StreamEvent, UsageReport, stream_of
from waystation.wire.usage import Usage

# By case: the difference of docs/differences.md, and what is told instead.
DELIBERATE: dict[str, tuple[str, dict[str, Any]]] = {
    "sse-006": ("streams-end", {"error": True}),
    "sse-020": (
        "usage-elsewhere",
        {"usage": {"input": 10, "output": 5, "cached": 0, "reasoning": 0}},
    ),
    "sse-025": ("reasoning-key", {"reasoning": ""}),
    "sse-073": ("content-parts", {"text": "A"}),
    "sse-075": ("errors-are-errors", {"error": True}),
}
REFUSED_STATUS = 300


def reader_of(entry: dict[str, Any], **extension: object) -> AnswerReader:
    return shape(is_stream=True, **entry, waystation=extension).reader


def read(case: dict[str, Any], reader: AnswerReader) -> list[StreamEvent]:
    """Return the events of a recorded answer, in pieces of the recorded size."""
    given = case["input"]
    body = given["sse"].encode()
    if given["status"] >= REFUSED_STATUS:
        return [Failed(error_from_response(given["status"], {}, body, ()))]
    if "json" in given["contentType"]:
        try:
            return stream_of(reader.parse(body))
        except UpstreamError as error:
            return [Failed(error)]
    size = given["chunkBytes"] or len(body)
    parser = reader.stream_parser()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


def folded(events: list[StreamEvent]) -> dict[str, Any]:
    """Return what a stream comes to, in the form of the records."""
    told: dict[str, Any] = {"text": "", "reasoning": "", "usage": None}
    calls: dict[int, dict[str, Any]] = {}
    for delta in _deltas(events):
        told["text"] += _text(delta.get("content"))
        told["reasoning"] += delta.get("reasoning_content") or ""
        for place, call in enumerate(delta.get("tool_calls") or []):
            whole = calls.setdefault(call.get("index", place), {"id": None, "name": "", "args": ""})
            function = call.get("function") or {}
            whole["id"] = whole["id"] or call.get("id")
            whole["name"] += function.get("name") or ""
            whole["args"] += function.get("arguments") or ""
    for event in events:
        if isinstance(event, UsageReport):
            told["usage"] = _counted(event.usage)
    told["toolCalls"] = [{**call, "args": _read(call["args"])} for call in calls.values()]
    told["error"] = isinstance(events[-1], Failed)
    return told


def _deltas(events: list[StreamEvent]) -> Iterator[dict[str, Any]]:
    for event in events:
        for choice in event.choices if isinstance(event, Delta) else ():
            delta = choice.get("delta")
            yield delta if isinstance(delta, dict) else {}


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(part["text"] for part in content)
    return str(content or "")


def _counted(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.cache_read_tokens or 0,
        "reasoning": usage.reasoning_tokens or 0,
    }


def _read(arguments: str) -> object:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {}


def recorded(case: dict[str, Any]) -> dict[str, Any]:
    client = case["expected"]["client"]
    usage = client["usage"]
    return {
        "text": client["text"],
        "reasoning": client["reasoning"],
        "usage": usage
        and {
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "cached": usage["input_token_details"].get("cache_read", 0),
            "reasoning": usage["output_token_details"].get("reasoning", 0),
        },
        "toolCalls": client["toolCalls"],
        "error": "error" in client,
    }


@pytest.mark.parametrize("case", cases("stream_parsing"))
def test_a_stream_is_read_as_recorded_or_differs_on_purpose(case):
    told = folded(read(case, reader_of(case["input"]["endpoint"], thinkTags="keep")))
    name, change = DELIBERATE.get(case["id"], ("", {}))
    assert told == recorded(case) | change
    assert not change or (told != recorded(case) and name in DOCUMENTED)


def _shown(case: dict[str, Any]) -> dict[str, str]:
    """Return reasoning and text as LibreChat's interface shows them in the end."""
    parts = case["expected"].get("run", {}).get("contentParts", [])
    return {
        "text": "".join(part.get("text", "") for part in parts),
        "reasoning": "".join(part.get("think", "") for part in parts),
    }


@pytest.mark.parametrize(
    "case", [c for c in cases("stream_parsing") if "<think>" in str(c.values[0])]
)
def test_think_tags_are_split_as_the_interface_does(case):
    told = folded(read(case, reader_of(case["input"]["endpoint"])))
    assert {name: told[name] for name in ("text", "reasoning")} == _shown(case)
