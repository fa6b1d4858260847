"""Streamed answers read for tests: the events of a parser, and what they tell."""

from collections.abc import Sequence
from typing import Any

from waystation.errors import UpstreamError
from waystation.providers.provider import AnswerReader
from waystation.wire.events import Delta, Failed, Finished, StreamEvent


def read_stream(reader: AnswerReader, *pieces: bytes) -> list[StreamEvent]:
    """Return all events of an answer that comes in these pieces."""
    parser = reader.stream_parser()
    told = [event for piece in pieces for event in parser.feed(piece)]
    return told + parser.finish()


def pieces(events: Sequence[StreamEvent]) -> list[dict[str, Any]]:
    """Return the deltas, after a look at how they are wrapped: the last one ends the choice.

    The role, and the content null, that every answer begins with are left out.
    """
    assert isinstance(events[-1], Finished)
    *deltas, last = [event for event in events if isinstance(event, Delta)]
    found: list[dict[str, Any]] = []
    for delta in deltas:
        (choice,) = delta.choices
        assert choice == {"index": 0, "delta": choice["delta"], "finish_reason": None}
        found.append(choice["delta"])  # type: ignore[arg-type]
    assert last.choices[0]["delta"] == {}
    assert found[0].pop("role") == "assistant"
    if found[0]["content"] is None:  # it is there whatever comes first
        del found[0]["content"]
    assert not any("role" in piece for piece in found)
    return found


def failure(events: Sequence[StreamEvent]) -> tuple[type[UpstreamError], str]:
    """Return the error, and its message, of an answer that ends with one."""
    *others, last = events
    assert isinstance(last, Failed)
    assert not [event for event in others if isinstance(event, Failed | Finished)]
    return type(last.error), last.error.message
