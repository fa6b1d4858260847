"""Opens the record of a call, by the rules of its user's balance, and ends it.

Without a balance to draw on, and without an idempotency key, the record is opened beside the
connection to the upstream, and is durable before the client gets a byte. Else it is reserved first.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from waystation.calls.call import Call
from waystation.calls.outcome import Outcome
from waystation.config.schema_balance import BalanceSettings, in_nanousd
from waystation.egress.deadlines import Deadline
from waystation.ledger.balances import BalanceRules
from waystation.ledger.errors import ModelNotPricedError
from waystation.ledger.estimates import estimate_input_tokens
from waystation.ledger.holds import hold_nanousd, output_limit, upper_bound_input_tokens
from waystation.ledger.intervals import Interval
from waystation.ledger.ledger import Ledger
from waystation.ledger.prices import PriceBook
from waystation.ledger.pricing import Rates
from waystation.ledger.records import LedgerRecord, Opening
from waystation.ledger.retries import to_its_end
from waystation.providers.provider import CallContext, Shaped
from waystation.wire.chat_request import ChatRequest

GRACE_MS = 120_000  # after its deadline, a call that is not settled is one that was cut off

OnSettled = Callable[[LedgerRecord], None]

_log = logging.getLogger("waystation.calls")


@dataclass(frozen=True, slots=True)
class Account:
    """The record of one call, open or being opened, and where the call goes."""

    context: CallContext
    _opening: "asyncio.Future[Opening]"

    async def opened(self) -> Opening:
        """Return the opening as soon as it is durable; it goes on if the waiting is cancelled."""
        if self._opening.done():
            return self._opening.result()
        return await asyncio.shield(self._opening)


class Accounting:
    """Keeps the records of calls. One per process; keeps nothing of a call."""

    def __init__(
        self,
        ledger: Ledger,
        prices: PriceBook,
        now_ms: Callable[[], int],
        *,
        own_keys_draw: bool = False,
    ) -> None:
        """Take whether calls with a user's own key draw on balances."""
        self._ledger = ledger
        self._prices = prices
        self._now_ms = now_ms
        self._own_keys_draw = own_keys_draw

    async def open(
        self, call: Call, context: CallContext, request: ChatRequest, shaped: Shaped
    ) -> Account:
        """Open the record of a call that is about to be sent.

        Raises ModelNotPricedError and what `Ledger.reserve` does; then nothing is to be sent.
        """
        draws = call.balance is not None and (self._own_keys_draw or not context.is_users_key)
        if not draws and call.idempotency is None:
            beside = asyncio.ensure_future(self._open_beside(call, context, shaped))
            return Account(context, beside)
        rates = await self._rates(context, shaped.model)
        hold = 0
        if draws:
            if rates is None:
                raise ModelNotPricedError(
                    f"Nobody knows what '{shaped.model}' costs, so no balance can pay for it: "
                    "it needs a price in tokenConfig."
                )
            bound = upper_bound_input_tokens(request)
            hold = hold_nanousd(bound, output_limit(shaped.request.body), rates)
        opening = self._opening(call, shaped, rates, hold=hold, draws=draws)
        rules = None if call.balance is None else _rules_of(call.balance)
        await self._ledger.reserve(opening, rules)
        opened: asyncio.Future[Opening] = asyncio.get_running_loop().create_future()
        opened.set_result(opening)
        return Account(context, opened)

    async def settle(
        self, account: Account, outcome: Outcome, on_settled: OnSettled
    ) -> LedgerRecord:
        """End the record of a call, also when this is cancelled meanwhile."""
        return await to_its_end(self._settle(account, outcome, on_settled))

    async def _settle(
        self, account: Account, outcome: Outcome, on_settled: OnSettled
    ) -> LedgerRecord:
        opening = await account.opened()
        found = {model: await self._rates(account.context, model) for model in outcome.other_models}
        others = {model: rates for model, rates in found.items() if rates is not None}
        record = outcome.record(opening, others)
        on_settled(record)
        if record.usage is not None and record.usage.source == "estimated":
            told = {"endpoint": record.endpoint, "error_code": record.error_code}
            _log.warning("usage_missing", extra=told)
        await self._ledger.settle(record)
        return record

    async def _open_beside(self, call: Call, context: CallContext, shaped: Shaped) -> Opening:
        opening = self._opening(call, shaped, await self._rates(context, shaped.model))
        await self._ledger.open(opening)
        return opening

    async def _rates(self, context: CallContext, model: str) -> Rates | None:
        return await self._prices.find(context.endpoint, context.base_url, model)

    def _opening(
        self, call: Call, shaped: Shaped, rates: Rates | None, *, hold: int = 0, draws: bool = False
    ) -> Opening:
        return Opening(
            request_id=call.request_id,
            user_id=call.user_id,
            key_id=call.key_id,
            endpoint=call.endpoint.name,
            model=shaped.model,
            kind=call.kind,
            config_version=call.config_version,
            created_at_ms=call.created_at_ms,
            expires_at_ms=self._now_ms() + _remaining_ms(call.deadline) + GRACE_MS,
            estimated_input_tokens=estimate_input_tokens(call.request),
            rates=rates,
            conversation_id=call.request.conversation.get("conversationId"),
            is_stream=call.request.stream,
            hold_nanousd=hold,
            draws=draws,
            idempotency=call.idempotency,
        )


def _rules_of(settings: BalanceSettings) -> BalanceRules:
    refill = in_nanousd(settings.refill_amount) if settings.auto_refill_enabled else None
    return BalanceRules(
        start_nanousd=in_nanousd(settings.start_balance),
        refill_nanousd=refill,
        refill_every=Interval(settings.refill_interval_value, settings.refill_interval_unit),
    )


def _remaining_ms(deadline: Deadline) -> int:
    left = deadline.ends_at - asyncio.get_running_loop().time()
    return max(0, round(left * 1000))
