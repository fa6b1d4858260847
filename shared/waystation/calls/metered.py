"""Asks an upstream once, and settles what it cost before the caller has the last byte."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from waystation.calls.accounting import Account, Accounting, OnSettled
from waystation.calls.call import Call
from waystation.calls.counting import count_tokens
from waystation.calls.outcome import Outcome, usage_for_client
from waystation.calls.refusals import (
    as_the_users,
    brings_stream_options,
    names_schema_option,
    names_usage_option,
)
from waystation.calls.senders import Sender, UpstreamAnswer
from waystation.calls.target import resolve_target
from waystation.config.templates import VariableResolver
from waystation.credentials.own import OwnCredentialsSource
from waystation.egress.client import MAX_COMPLETION_BYTES, MAX_ERROR_BYTES
from waystation.egress.deadlines import Patience
from waystation.errors import InvalidBaseUrlError, UpstreamError
from waystation.ledger.ledger import Ledger
from waystation.ledger.prices import ConfiguredPrices, PriceBook
from waystation.ledger.records import LedgerRecord
from waystation.providers.provider import CallContext, Provider, Shaped
from waystation.providers.registry import provider_of
from waystation.providers.upstream_errors import clean_message, error_from_response
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import (
    Completion,
    Failed,
    Finished,
    StreamEvent,
    UsageReport,
    stream_of,
)
from waystation.wire.upstream_request import Reach

OnAccepted = Callable[[], None]

_REDIRECT = 300


def _accepted() -> None:
    """Do nothing more than to make the call."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A call that is ready to be sent."""

    call: Call
    provider: Provider
    context: CallContext
    request: ChatRequest
    shaped: Shaped

    def without_asking_usage(self) -> "_Prepared":
        context = replace(self.context, asks_usage=False)
        shaped = self.provider.shape(self.request, context)
        return replace(self, context=context, shaped=shaped)

    def in_other_words(self, request: ChatRequest) -> "_Prepared":
        shaped = self.provider.shape(request, self.context)
        return replace(self, request=request, shaped=shaped)


class MeteredCalls:
    """Makes metered calls. One per process; keeps nothing of a request."""

    def __init__(
        self,
        *,
        egress: Sender,
        secrets: VariableResolver,
        user_keys: OwnCredentialsSource,
        ledger: Ledger,
        now_ms: Callable[[], int],
        prices: PriceBook | None = None,
        own_keys_draw: bool = False,
    ) -> None:
        """Take, of `prices`, what models cost; without it, tokenConfig alone tells.

        `own_keys_draw` is whether calls with a user's own key draw on balances.
        """
        self._accounting = Accounting(
            ledger, prices or ConfiguredPrices(), now_ms, own_keys_draw=own_keys_draw
        )
        self._egress = egress
        self._secrets = secrets
        self._user_keys = user_keys
        self._now_ms = now_ms
        self._refuse_usage: set[tuple[str, str]] = set()  # (config version, endpoint)
        self._refuse_schema: set[tuple[str, str, str]] = set()  # and model

    async def complete(
        self, call: Call, on_settled: OnSettled, on_accepted: OnAccepted = _accepted
    ) -> Completion:
        """Return the whole answer, its usage with the cost beside it. Raises GatewayError.

        `on_accepted` is called when nothing of ours is in the way of the call any more.
        """
        call = replace(call, deadline=call.deadline.of_whole_answer())
        prepared = await self._prepare(call)
        account = await self._open(prepared)
        outcome = self._outcome(prepared)
        try:
            on_accepted()
            async with call.deadline.total(), self._answer(prepared, outcome) as response:
                completion = prepared.shaped.reader.parse(await response.read(MAX_COMPLETION_BYTES))
            outcome.observe_whole(completion)
        except UpstreamError as error:
            raise self._note(error, outcome, prepared) from error.__cause__
        finally:
            record = await self._accounting.settle(account, outcome, on_settled)
        usage = usage_for_client(outcome.raw_usage, record)
        return replace(completion, body={**completion.body, "usage": usage})

    async def stream(
        self, call: Call, on_settled: OnSettled, on_accepted: OnAccepted = _accepted
    ) -> AsyncGenerator[list[StreamEvent], None]:
        """Yield events in batches as they come.

        Raises GatewayError before the first batch only; a later error comes as a `Failed` event.
        The last batch ends with a `UsageReport` that tells the cost, and `Finished`; or with
        `Failed`.
        """
        prepared = await self._prepare(call)
        account = await self._open(prepared)
        outcome = self._outcome(prepared)
        has_begun = is_settled = False
        try:
            on_accepted()
            async with aclosing(self._batches(prepared, outcome)) as batches:
                async for batch in batches:
                    seen, last = outcome.observe(batch), batch[-1]
                    if isinstance(last, Failed):
                        last = Failed(self._note(last.error, outcome, prepared))
                        if not has_begun and not seen:
                            raise last.error
                    if isinstance(last, Finished | Failed):
                        is_settled = True
                        record = await self._accounting.settle(account, outcome, on_settled)
                        yield [*seen, *_ending(last, outcome, record)]
                        return
                    if seen:
                        if not has_begun:
                            await account.opened()
                        has_begun = True
                        yield seen
        finally:
            if not is_settled:
                await self._accounting.settle(account, outcome, on_settled)

    async def count_tokens(self, call: Call) -> dict[str, object]:
        """Return how many tokens a call would take, unmetered. Raises GatewayError."""
        return await count_tokens(call, self._egress, self._secrets, self._user_keys)

    async def _prepare(self, call: Call) -> _Prepared:
        provider = provider_of(call.endpoint)
        context = await resolve_target(call, self._secrets, self._user_keys)
        if (call.config_version, call.endpoint.name) in self._refuse_usage:
            context = replace(context, asks_usage=False)
        request = call.request
        if call.plainer is not None and _place_of(call) in self._refuse_schema:
            request = call.plainer
        return _Prepared(call, provider, context, request, provider.shape(request, context))

    async def _open(self, prepared: _Prepared) -> Account:
        return await self._accounting.open(
            prepared.call, prepared.context, prepared.request, prepared.shaped
        )

    def _outcome(self, prepared: _Prepared) -> Outcome:
        return Outcome(prepared.call, prepared.shaped.model, self._now_ms)

    async def _batches(
        self, prepared: _Prepared, outcome: Outcome
    ) -> AsyncGenerator[list[StreamEvent], None]:
        """Yield non-empty batches; the last event of all is `Finished` or `Failed`."""
        begin_by = asyncio.get_running_loop().time() + prepared.call.deadline.first_byte_s
        try:
            async with self._answer(prepared, outcome) as response:
                if response.media_type == "application/json":  # some answer whole, asked or not
                    async with prepared.call.deadline.total():
                        body = await response.read(MAX_COMPLETION_BYTES)
                    yield stream_of(prepared.shaped.reader.parse(body))
                    return
                parser = prepared.shaped.reader.stream_parser()
                with Patience(prepared.call.deadline, begin_by) as patience:
                    while data := await patience.wait(response.receive()):
                        if events := parser.feed(data):
                            patience.has_begun()
                            yield events
                            if isinstance(events[-1], Finished | Failed):
                                return
                if events := parser.finish():
                    yield events
        except UpstreamError as error:
            yield [Failed(error)]

    @asynccontextmanager
    async def _answer(self, prepared: _Prepared, outcome: Outcome) -> AsyncIterator[UpstreamAnswer]:
        """Yield an answer of status 2xx; asked once more where one option was the fault."""
        call = prepared.call
        outcome.is_billable = True  # from here on the upstream may have begun to work
        reach = Reach(prepared.context.is_users_url, call.allowed_addresses)
        request = replace(prepared.shaped.request, reach=reach)
        try:
            async with self._egress.send(request, call.deadline) as response:
                if response.status < _REDIRECT:
                    yield response
                    return
                outcome.is_billable = False
                error = await _refusal(response, prepared)
        except InvalidBaseUrlError as refusal:
            outcome.is_billable, outcome.error_code = False, refusal.code  # nothing was sent
            raise
        again = self._without_the_fault(error, prepared)
        if again is None:
            raise error
        async with self._answer(again, outcome) as response:
            self._remember(prepared, again)
            yield response

    def _without_the_fault(self, error: UpstreamError, prepared: _Prepared) -> _Prepared | None:
        """Return the call without the option that an upstream refuses; None if it names another."""
        call = prepared.call
        if call.request.stream and prepared.context.asks_usage and names_usage_option(error):
            return prepared.without_asking_usage()
        is_plain = call.plainer is None or prepared.request is call.plainer
        if call.plainer is not None and not is_plain and names_schema_option(error):
            return prepared.in_other_words(call.plainer)
        return None

    def _remember(self, refused: _Prepared, answered: _Prepared) -> None:
        """Remember what an upstream answers without; not where a user may have been the reason.

        Upstreams of users are each another; and options of a client's own may be the fault.
        """
        call = refused.call
        if refused.context.is_users_url:
            return
        if answered.request is not refused.request:
            self._refuse_schema.add(_place_of(call))
        elif not brings_stream_options(call.request):
            self._refuse_usage.add((call.config_version, call.endpoint.name))

    def _note(self, error: UpstreamError, outcome: Outcome, prepared: _Prepared) -> UpstreamError:
        """Write an error down, and take secrets out of what it tells."""
        error = as_the_users(error, prepared.context)
        outcome.error_code = error.code or error.type
        error.message = clean_message(error.message, prepared.context.secrets)
        if not error.is_sent:
            outcome.is_billable = False
        return error


def _ending(last: Finished | Failed, outcome: Outcome, record: LedgerRecord) -> list[StreamEvent]:
    if isinstance(last, Failed):
        return [last]
    usage = usage_for_client(outcome.raw_usage, record)
    return [UsageReport(record.usage, usage, outcome.head), last]


async def _refusal(response: UpstreamAnswer, prepared: _Prepared) -> UpstreamError:
    try:
        async with prepared.call.deadline.total():
            body = await response.read(MAX_ERROR_BYTES)
    except UpstreamError:
        body = b""  # the status alone has to do
    secrets = prepared.context.secrets
    return error_from_response(response.status, response.headers, body, secrets)


def _place_of(call: Call) -> tuple[str, str, str]:
    return call.config_version, call.endpoint.name, call.model
