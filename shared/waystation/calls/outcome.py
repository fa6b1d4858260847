"""What a call has come to: counted while the answer passes by, written down once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from waystation.calls.call import Call
from waystation.ledger.extras import extras_of
from waystation.ledger.pricing import (
    NANOUSD_PER_USD,
    Rates,
    cost_nanousd,
    estimate_usage,
    with_estimated_output,
)
from waystation.ledger.records import LedgerRecord, Opening, State
from waystation.wire.events import (
    HEAD_FIELDS,
    Completion,
    Delta,
    Native,
    StreamEvent,
    UsageReport,
    stream_of,
    visible_bytes,
)
from waystation.wire.usage import Usage


@dataclass(slots=True)
class Outcome:
    """What a call has come to so far; settled once, when it is over."""

    call: Call
    sent_model: str
    now_ms: Callable[[], int]
    is_billable: bool = False
    usage: Usage | None = None
    raw_usage: Mapping[str, object] = field(default_factory=dict)
    head: Mapping[str, object] = field(default_factory=dict)
    output_bytes: int = 0
    counts_output: bool = True
    service_tier: object = None
    error_code: str | None = None

    def observe(self, batch: list[StreamEvent]) -> list[StreamEvent]:
        """Count what a batch tells; return the pieces of the answer, which go on at once."""
        for event in batch:
            if isinstance(event, Delta):
                self.output_bytes += visible_bytes(event.choices)
                self.head = self.head or _head(event.extra)
            elif isinstance(event, Native):
                self.output_bytes += event.visible_bytes
            elif isinstance(event, UsageReport):
                self.usage, self.raw_usage = event.usage, event.raw
                self.counts_output = event.counts_output
                self.service_tier = event.extra.get("service_tier")
                self.head = self.head or _head(event.extra)
        return [event for event in batch if isinstance(event, Delta | Native)]

    def observe_whole(self, completion: Completion) -> None:
        """Count what a whole answer tells."""
        self.observe(stream_of(completion))

    @property
    def other_models(self) -> list[str]:
        """The models that took a share of the tokens beside the one that was asked."""
        shares = self.usage.shares if self.usage else ()
        return sorted({share.model for share in shares} - {self.sent_model})

    def record(
        self, opening: Opening, by_model: Mapping[str, Rates] = MappingProxyType({})
    ) -> LedgerRecord:
        """Return the record, its missing usage estimated if the upstream may have worked.

        `by_model` holds the rates of other models, as far as they are known.
        """
        call, usage, rates = self.call, self.usage, opening.rates
        if usage is None and self.is_billable:
            usage = estimate_usage(opening.estimated_input_tokens, self.output_bytes)
        elif usage is not None and not self.counts_output:
            usage = with_estimated_output(usage, self.output_bytes)
        upstream_id = self.head.get("id")
        state: State = "SETTLED" if usage else "RELEASED"
        tier = self.service_tier or call.request.params.get("service_tier")
        cost = cost_nanousd(usage, rates, by_model) if usage and rates else None
        return LedgerRecord(
            request_id=call.request_id,
            user_id=call.user_id,
            key_id=call.key_id,
            endpoint=call.endpoint.name,
            model=self.sent_model,
            kind=call.kind,
            state=state,
            config_version=call.config_version,
            created_at_ms=call.created_at_ms,
            settled_at_ms=self.now_ms(),
            usage=usage,
            rates=rates if usage else None,
            rates_by_model=by_model if rates else {},
            extras=extras_of(self.raw_usage, tier) if usage and rates else (),
            cost_nanousd=cost if usage else 0,
            conversation_id=call.request.conversation.get("conversationId"),
            upstream_id=upstream_id if isinstance(upstream_id, str) else None,
            error_code=self.error_code,
            is_stream=call.request.stream,
            client_disconnected=call.client.is_gone,
            hold_nanousd=opening.hold_nanousd,
            draws=opening.draws,
            idempotency=opening.idempotency,
        )


def usage_for_client(raw: Mapping[str, object], record: LedgerRecord) -> dict[str, object]:
    """Return the upstream's usage with the cost beside it: `cost` in USD, `cost_nanousd` exactly.

    Neither is added when no price is known. An upstream that reports no usage gets the estimate.
    """
    usage = {name: value for name, value in raw.items() if name != "estimated"}  # that is ours
    counted = record.usage
    if counted and counted.source == "estimated":
        usage |= {
            "prompt_tokens": counted.input_tokens,
            "completion_tokens": counted.output_tokens,
            "total_tokens": counted.input_tokens + counted.output_tokens,
            "estimated": True,
        }
    if record.cost_nanousd is not None:
        usage |= {
            "cost": record.cost_nanousd / NANOUSD_PER_USD,
            "cost_nanousd": record.cost_nanousd,
        }
    return usage


def _head(extra: Mapping[str, object]) -> dict[str, object]:
    return {name: extra[name] for name in HEAD_FIELDS if name in extra}
