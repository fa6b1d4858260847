"""A streamed message, as it goes to a client of Anthropic's API.

The events of an upstream that speaks the same API go on as they came. Its last ones are held until
the cost is known, which goes in the `usage` of `message_delta`.
"""

from collections.abc import Iterable, Mapping

from waystation.errors import UpstreamError
from waystation.wire.anthropic_answer import events_of_message
from waystation.wire.anthropic_blocks import Event
from waystation.wire.anthropic_errors import anthropic_envelope
from waystation.wire.anthropic_teller import MessageTeller
from waystation.wire.anthropic_usage import with_cost
from waystation.wire.events import Delta, Failed, Finished, Native, StreamEvent, UsageReport
from waystation.wire.sse import encode_event

_ENDING, _STOP = "message_delta", "message_stop"


class MessageEncoder:
    """Serialises the events of one answer; id and model stand in where the upstream sent none."""

    def __init__(self, *, request_id: str, model: str) -> None:
        self._request_id = request_id
        self._teller = MessageTeller(id=f"msg_{request_id}", model=model)
        self._usage: Mapping[str, object] = {}
        self._is_native = False
        self._held: list[tuple[str, Event]] = []  # the last events of an upstream's own

    def encode(self, event: StreamEvent) -> bytes:
        match event:
            case Delta():
                return _encoded(self._teller.delta(event))
            case Native():
                return self._native(event)
            case UsageReport():
                self._usage = event.raw
                return b""
            case Finished():
                return self._finished()
            case Failed():
                return self._failed(event.error)

    def _native(self, event: Native) -> bytes:
        self._is_native = True
        if event.name == "message":
            told = [(str(part["type"]), part) for part in events_of_message(event.data)]
        else:
            told = [(event.name, event.data)]
        return b"".join([self._pass_on(name, data) for name, data in told])

    def _pass_on(self, name: str, data: Event) -> bytes:
        if name in (_ENDING, _STOP):
            before = self._release() if name == _ENDING else b""
            self._held.append((name, data))
            return before
        return self._release() + encode_event(data, name)

    def _release(self) -> bytes:
        held, self._held = self._held, []
        return b"".join([encode_event(data, name) for name, data in held])

    def _finished(self) -> bytes:
        if not self._is_native:
            return _encoded(self._teller.finish(self._usage))
        names = [name for name, _ in self._held]
        if _ENDING in names:
            at = names.index(_ENDING)
            self._held[at] = (_ENDING, self._with_cost(self._held[at][1]))
        if _STOP not in names:
            self._held.append((_STOP, {"type": _STOP}))
        return self._release()

    def _with_cost(self, ending: Event) -> Event:
        usage = ending.get("usage")
        return {**ending, "usage": with_cost(usage if isinstance(usage, dict) else {}, self._usage)}

    def _failed(self, error: UpstreamError) -> bytes:
        envelope = anthropic_envelope(error, self._request_id)
        return self._release() + encode_event(envelope, "error")


def _encoded(events: Iterable[Event]) -> bytes:
    return b"".join([encode_event(event, str(event["type"])) for event in events])
