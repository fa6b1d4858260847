"""What a use case answers, before it is HTTP: JSON, or server-sent events as they come."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    body: object


@dataclass(frozen=True, slots=True)
class EventStream:
    """Encoded events; the generator never raises once the answer has begun."""

    chunks: AsyncGenerator[bytes, None]


@dataclass(slots=True)
class Client:
    """Who waits for an answer, as far as sending to it has told."""

    is_gone: bool = False


Answer: TypeAlias = JsonAnswer | EventStream
