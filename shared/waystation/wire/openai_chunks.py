"""OpenAI's streamed chat completion, as it goes to a client."""

from collections.abc import Mapping
from dataclasses import dataclass

from waystation.wire.events import Delta, UsageReport
from waystation.wire.sse import encode_event


@dataclass(frozen=True, slots=True)
class ChunkEncoder:
    """Serialises events; id, model and time stand in where the upstream sent none."""

    id: str
    model: str
    created: int

    def delta(self, event: Delta) -> bytes:
        """Choices as they came, with the upstream's own extra fields."""
        return self._encode(event.extra, choices=event.choices)

    def usage(self, report: UsageReport) -> bytes:
        """Encode the last chunk: no choices, the usage of the whole answer."""
        return self._encode(report.extra, choices=[], usage=report.raw)

    def _encode(self, extra: Mapping[str, object], **fields: object) -> bytes:
        head = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }
        return encode_event({**head, **extra, **fields})
