"""When the events of a stream came, and whether they came one by one."""

import json
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import httpx2

from waystation.wire.sse import SseDecoder

Verdict: TypeAlias = Literal["one by one", "in batches", "at once", "too few events to tell"]

MIN_EVENTS = 5


@dataclass(frozen=True, slots=True)
class Stream:
    """A streamed answer. Times are in seconds since it was asked for.

    `events_s` are those of the events with text; `first_byte_s` is that of the status.
    """

    status: int
    request_id: str
    first_byte_s: float
    events_s: tuple[float, ...]
    is_complete: bool
    problem: str = ""

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """Return the times between events."""
        return tuple(later - earlier for earlier, later in pairwise(self.events_s))

    def verdict(self, spacing_s: float | None = None) -> Verdict:
        """Say how the events came, from an upstream that sends one each `spacing_s`.

        Without a known pace, it is judged by the time that the stream took as a whole: an answer
        that waited to be whole comes at its end.
        """
        if len(self.events_s) < MIN_EVENTS:
            return "too few events to tell"
        first, last = self.events_s[0], self.events_s[-1]
        pace = (last - first) / len(self.gaps_s)
        is_late = pace < spacing_s / 2 if spacing_s else last - first < last / 10
        if is_late:
            return "at once"
        is_uneven = statistics.median(self.gaps_s) < (spacing_s / 2 if spacing_s else pace / 4)
        return "in batches" if is_uneven else "one by one"


def stream_chat(client: httpx2.Client, url: str, headers: dict[str, str], body: object) -> Stream:
    """Ask for a stream and read it to its end. Raises httpx2.HTTPError."""
    began = time.perf_counter()
    with client.stream("POST", url, headers=headers, json=body) as answer:
        first_byte_s = time.perf_counter() - began
        request_id = answer.headers.get("x-request-id", "")
        if not answer.is_success:
            problem = answer.read().decode(errors="replace")
            return Stream(answer.status_code, request_id, first_byte_s, (), False, problem)
        decoder, events_s, last = SseDecoder(), list[float](), ""
        for piece in answer.iter_bytes():
            now = time.perf_counter() - began
            for event in decoder.feed(piece):
                last = event.data
                events_s += [now] if _has_text(last) else []
    is_complete = last == "[DONE]"
    problem = "" if is_complete else f"it ends with {last[:200]!r}"
    return Stream(
        answer.status_code, request_id, first_byte_s, tuple(events_s), is_complete, problem
    )


def _has_text(data: str) -> bool:
    try:
        chunk: Any = json.loads(data)
        delta = chunk["choices"][0]["delta"]
        return bool(delta.get("content") or delta.get("reasoning_content"))
    except (ValueError, LookupError, TypeError):
        return False  # an error, usage alone, or the end
