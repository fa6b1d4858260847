"""What came of asking, one way or the other."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from waystation.wire.usage import Usage

Way: TypeAlias = Literal["direct", "gateway"]
Cause: TypeAlias = Literal[
    "config",
    "variable",
    "key",
    "network",
    "url",
    "model",
    "request",
    "quota",
    "upstream",
    "gateway",
]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, in which respect. The message holds no key, header or variable's value."""

    cause: Cause
    message: str


@dataclass(slots=True)
class Outcome:
    """One answer, measured from the moment its request was sent; None is not known.

    `first_token_ms` is of streams alone. Without a diagnosis the call went well.
    """

    status: int | None = None
    first_token_ms: int | None = None
    total_ms: int | None = None
    model: str | None = None
    finish_reason: str | None = None
    text_length: int | None = None
    usage: Usage | None = None
    is_estimated: bool = False
    cost_nanousd: int | None = None
    diagnoses: list[Diagnosis] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return not self.diagnoses
