"""Tells a wrong URL from a wrong model, after a 404, by the upstream's list of models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from waystation_cli.probing.diagnosis import Suspects, names_model
from waystation_cli.probing.outcome import Cause, Diagnosis
from waystation_cli.probing.plan import DirectPlan
from waystation_cli.probing.sdk import anthropic_client, exchange_of, openai_client, sdk_error
from waystation_cli.probing.told import Told

_PATHS = ("/chat/completions", "/responses", "/messages")
_ABSENT = frozenset({404, 405})


@dataclass(frozen=True, slots=True)
class Listing:
    """`names` is None if no list came; `status` None if no answer did."""

    status: int | None
    names: frozenset[str] | None


def explain_not_found(
    plan: DirectPlan, told: Told, suspects: Suspects, timeout_s: float
) -> Diagnosis:
    """Say which of URL and model a 404 is about. Asks the upstream for its models."""
    if plan.context.endpoint.direct_endpoint and plan.api != "messages":
        about: Cause = "model" if names_model(told, suspects.model) else "url"
        text = "Status 404. With directEndpoint there is no list of models that would tell more."
        return Diagnosis(about, f"{text} baseURL or the model is wrong.{told.quoted}")
    listing = fetch_models(plan, timeout_s)
    model, count = suspects.model, len(listing.names or ())
    if listing.names is not None and model in listing.names:
        text = (
            f"Status 404, although /models lists the model: {suspects.url} does not serve the "
            f"{plan.api} API, or the model not by it."
        )
        return Diagnosis("url", text + told.quoted)
    if listing.names:
        text = f"There is no such model: /models answers, and it is not among the {count} listed."
        return Diagnosis("model", text + told.quoted)
    if names_model(told, model):
        return Diagnosis("model", f"There is no such model.{told.quoted}")
    if listing.status in _ABSENT:
        text = f"{suspects.url} is wrong: there is neither a path for chats nor /models below it."
        return Diagnosis("url", text + _hint(plan) + told.quoted)
    text = f"Status 404: {suspects.url} or the model is wrong, and /models does not tell which."
    return Diagnosis("url", text + _hint(plan) + told.quoted)


def fetch_models(plan: DirectPlan, timeout_s: float) -> Listing:
    """Ask an upstream for its models, by the SDK of its dialect."""
    exchange = exchange_of(plan.context, timeout_s)
    try:
        if plan.api == "messages":
            with anthropic_client(plan.context, exchange) as client:
                answer = client.get("/v1/models?limit=1000", cast_to=httpx2.Response)
        else:
            context = plan.context
            with openai_client(context.base_url, context.api_key, exchange) as other:
                answer = other.get("/models", cast_to=httpx2.Response)
        return Listing(exchange.status, _names(answer.json()))
    except (sdk_error(plan.api), json.JSONDecodeError, UnicodeDecodeError):
        return Listing(exchange.status, None)


def _names(document: object) -> frozenset[str] | None:
    data = document.get("data") if isinstance(document, Mapping) else None
    if not isinstance(data, list):
        return None
    return frozenset(str(one["id"]) for one in data if isinstance(one, Mapping) and "id" in one)


def _hint(plan: DirectPlan) -> str:
    path = urlsplit(plan.context.base_url).path.rstrip("/")
    ending = next((known for known in _PATHS if path.endswith(known)), None)
    if ending and plan.api != "messages":
        return f" It already ends in {ending}: take that off, or set directEndpoint: true."
    if ending:
        return f" It already ends in {ending}: take that off."
    if "/v1" not in path and plan.api != "messages":
        return " It has no /v1, which most APIs have."
    return ""
