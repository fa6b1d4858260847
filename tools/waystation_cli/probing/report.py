"""Both outcomes side by side: as a table, or as JSON of a stable shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.table import Table

from waystation.ledger.pricing import NANOUSD_PER_USD
from waystation_cli.probing.outcome import Diagnosis, Outcome, Way
from waystation_cli.probing.plan import Asked

_NOTHING = "-"
_MUST_EQUAL = frozenset({"model", "finish_reason", "has_text"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that the two ways tell otherwise. One that matters is a fault."""

    name: str
    direct: object
    gateway: object

    @property
    def matters(self) -> bool:
        return self.name in _MUST_EQUAL


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a probe; an outcome is None where nothing was asked that way."""

    asked: Asked
    direct: Outcome | None
    gateway: Outcome | None
    notes: tuple[tuple[Way, Diagnosis], ...] = ()
    may_skip_direct: bool = False

    @property
    def diagnoses(self) -> list[tuple[Way, Diagnosis]]:
        ways: tuple[tuple[Way, Outcome | None], ...] = (
            ("direct", self.direct),
            ("gateway", self.gateway),
        )
        found = [(way, one) for way, outcome in ways if outcome for one in outcome.diagnoses]
        return [*found, *self.notes]

    @property
    def differences(self) -> list[Difference]:
        if not (self.direct and self.gateway):
            return []
        pairs = zip(_compared(self.direct).items(), _compared(self.gateway).values(), strict=True)
        return [
            Difference(name, one, other)
            for (name, one), other in pairs
            if one != other and None not in (one, other)
        ]

    @property
    def is_ok(self) -> bool:
        is_direct_ok = self.direct.is_ok if self.direct else self.may_skip_direct
        is_gateway_ok = self.gateway is not None and self.gateway.is_ok
        return is_direct_ok and is_gateway_ok and not any(d.matters for d in self.differences)

    def to_json(self) -> dict[str, object]:
        return {
            "ok": self.is_ok,
            "endpoint": self.asked.endpoint,
            "model": self.asked.model,
            "stream": self.asked.stream,
            "direct": _outcome_json(self.direct),
            "gateway": _outcome_json(self.gateway),
            "differences": [
                {
                    "name": one.name,
                    "direct": one.direct,
                    "gateway": one.gateway,
                    "matters": one.matters,
                }
                for one in self.differences
            ],
            "diagnoses": [
                {"way": way, "cause": one.cause, "message": one.message}
                for way, one in self.diagnoses
            ],
        }

    def to_table(self) -> Table:
        table = Table("", "direct", "gateway", "")
        differ = {one.name for one in self.differences}
        for label, name, show in _ROWS:
            cells = [show(one) if one else _NOTHING for one in (self.direct, self.gateway)]
            if set(cells) != {_NOTHING}:
                table.add_row(label, *cells, "differs" if name in differ else "")
        return table


def _compared(outcome: Outcome) -> dict[str, object]:
    """Return what is compared; times and cost are not, as two calls are never alike."""
    length = outcome.text_length
    return {
        "status": outcome.status,
        "model": outcome.model,
        "finish_reason": outcome.finish_reason,
        "has_text": None if length is None else length > 0,
        **_tokens(outcome if not outcome.is_estimated else Outcome()),
    }


def _tokens(outcome: Outcome) -> dict[str, int | None]:
    usage = outcome.usage
    return {
        "input_tokens": usage.input_tokens if usage else None,
        "cached_tokens": usage.cache_read_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
    }


def _outcome_json(outcome: Outcome | None) -> Mapping[str, object] | None:
    if outcome is None:
        return None
    return {
        "ok": outcome.is_ok,
        "status": outcome.status,
        "first_token_ms": outcome.first_token_ms,
        "total_ms": outcome.total_ms,
        "model": outcome.model,
        "finish_reason": outcome.finish_reason,
        "text_length": outcome.text_length,
        **_tokens(outcome),
        "tokens_estimated": outcome.is_estimated,
        "cost_nanousd": outcome.cost_nanousd,
    }


def _shown(value: object, unit: str = "") -> str:
    return _NOTHING if value is None else f"{value}{unit}"


def _cost(outcome: Outcome) -> str:
    cost = outcome.cost_nanousd
    if cost is None:
        return _NOTHING
    return f"{cost // NANOUSD_PER_USD}.{cost % NANOUSD_PER_USD:09d} USD"


def _token_row(name: str) -> tuple[str, str, Callable[[Outcome], str]]:
    def show(outcome: Outcome) -> str:
        count = _tokens(outcome)[name]
        return f"about {count}" if outcome.is_estimated and count is not None else _shown(count)

    return name.replace("_", " "), name, show


_ROWS: tuple[tuple[str, str, Callable[[Outcome], str]], ...] = (
    ("status", "status", lambda one: _shown(one.status)),
    ("first token", "", lambda one: _shown(one.first_token_ms, " ms")),
    ("total", "", lambda one: _shown(one.total_ms, " ms")),
    ("model", "model", lambda one: _shown(one.model)),
    ("finish reason", "finish_reason", lambda one: _shown(one.finish_reason)),
    ("text", "has_text", lambda one: _shown(one.text_length, " characters")),
    *map(_token_row, ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")),
    ("cost", "", _cost),
)
