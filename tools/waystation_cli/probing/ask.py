"""Asks one way, and turns whatever happens into an outcome."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx2

from waystation.config.templates import find_variables
from waystation.errors import GatewayError
from waystation_cli.probing.answers import (
    NotAnAnswerError,
    Piece,
    ask_chat,
    ask_messages,
    ask_responses,
    collect,
)
from waystation_cli.probing.diagnosis import Suspects, diagnose, told_by
from waystation_cli.probing.exchange import Exchange
from waystation_cli.probing.models_list import explain_not_found
from waystation_cli.probing.outcome import Diagnosis, Outcome
from waystation_cli.probing.plan import Api, Asked, DirectPlan
from waystation_cli.probing.sdk import anthropic_client, exchange_of, openai_client, sdk_error
from waystation_cli.probing.told import showable

_CREDENTIAL_HEADERS = frozenset({"authorization", "x-api-key", "api-key"})
_NOT_FOUND = 404


def ask_upstream(plan: DirectPlan, timeout_s: float) -> Outcome:
    """Ask the upstream itself, by the official SDK of its dialect."""
    outcome, exchange = Outcome(), exchange_of(plan.context, timeout_s)
    suspects = _suspects_of(plan)
    if not plan.context.api_key.isascii():
        text = f"The SDK sends keys of ASCII alone, and this one, from {suspects.key}, has more."
        outcome.diagnoses.append(Diagnosis("key", text))
        return outcome
    error = _run(
        _direct_pieces(plan, exchange), exchange, outcome, plan.api, plan.fields.get("stream")
    )
    if error is not None:
        found = diagnose(error, exchange, suspects)
        if exchange.status == _NOT_FOUND and found.cause in {"url", "model"}:
            told = told_by(error, exchange, suspects)
            found = explain_not_found(plan, told, suspects, timeout_s)
        outcome.diagnoses.append(found)
    return _cleaned(outcome, suspects)


def ask_gateway(asked: Asked, url: str, suspects: Suspects, key: str, timeout_s: float) -> Outcome:
    """Ask the gateway at `url`, as OpenAI's SDK does for its clients."""
    outcome, exchange = Outcome(), Exchange(timeout_s)
    fields = {name: value for name, value in asked.body.items() if name != "messages"}

    def pieces() -> Iterator[Piece]:
        with openai_client(f"{url}/v1", key, exchange) as client:
            yield from ask_chat(client, fields)

    error = _run(pieces(), exchange, outcome, "chat completions", asked.stream)
    if error is not None:
        outcome.diagnoses.append(diagnose(error, exchange, suspects))
    return _cleaned(outcome, suspects)


def _direct_pieces(plan: DirectPlan, exchange: Exchange) -> Iterator[Piece]:
    context = plan.context
    if plan.api == "messages":
        with anthropic_client(context, exchange) as client:
            yield from ask_messages(client, plan.fields)
    else:
        ask = ask_responses if plan.api == "responses" else ask_chat
        with openai_client(context.base_url, context.api_key, exchange) as other:
            yield from ask(other, plan.fields)


def _run(
    pieces: Iterator[Piece], exchange: Exchange, outcome: Outcome, api: Api, stream: object
) -> Exception | None:
    """Fill the outcome in; return what went wrong."""
    try:
        collect(pieces, exchange, outcome, stream=stream is True)
    except (
        sdk_error(api),
        httpx2.RequestError,
        httpx2.InvalidURL,
        json.JSONDecodeError,
        UnicodeError,
        NotAnAnswerError,
        GatewayError,
    ) as error:
        return error
    return None


def _suspects_of(plan: DirectPlan) -> Suspects:
    endpoint = plan.context.endpoint
    places = [("apiKey", endpoint.api_key)] if endpoint.api_key else []
    places += [item for item in endpoint.headers.items() if item[0].lower() in _CREDENTIAL_HEADERS]
    return Suspects(
        way="direct",
        url=_place("baseURL", endpoint.base_url),
        key=" or ".join(_place(name, text) for name, text in places) or "nowhere",
        api=plan.api,
        model=str(plan.fields["model"]),
        sent=frozenset(plan.fields),
        secrets=plan.context.secrets,
    )


def _place(name: str, text: str) -> str:
    """Name a key of the file, and the variables that its text is made of."""
    variables = ", ".join(f"${{{variable}}}" for variable in find_variables(text))
    return f"{name} ({variables})" if variables else name


def _cleaned(outcome: Outcome, suspects: Suspects) -> Outcome:
    """Take secrets out of what the other side chose to tell."""
    model, reason = (
        None if text is None else showable(text, suspects.secrets)
        for text in (outcome.model, outcome.finish_reason)
    )
    return replace(outcome, model=model, finish_reason=reason)
