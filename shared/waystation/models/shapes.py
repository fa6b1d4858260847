"""The JSON of the lists, as OpenAI's clients and LibreChat's know them."""

from collections.abc import Iterable

from waystation.calls.target import UsersPart
from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Rates, rates_of
from waystation.ledger.public_prices import Known, PublicPrices
from waystation.models.custom_params import shown_params
from waystation.models.lists import Listing

_OLLAMA = "ollama"
_ORDER = 9999  # LibreChat's place for custom endpoints
# LibreChat's places of its built-in endpoints, where ENDPOINTS says nothing else.
# Source: LibreChat's data provider 0.8.521, 2026-08.
_PLACES = {"openAI": 0, "azureOpenAI": 4, "google": 5, "anthropic": 6, "bedrock": 7}


def openai_models(listing: Listing, public: PublicPrices | None = None) -> list[dict[str, object]]:
    """Return the entries of OpenAI's list; each `id` is what a chat takes as its model.

    What neither the entry nor the upstream tells of a model is that of `public`, and said to be.
    """
    return [_openai_model(listing, model, public) for model in listing.models.ids]


def names_by_endpoint(listings: Iterable[Listing]) -> dict[str, list[str]]:
    """Return LibreChat's `/api/models`: endpoint → ids. An endpoint of the file wins."""
    shown: dict[str, list[str]] = {}
    for listing in listings:
        shown.setdefault(librechat_name(listing.endpoint.name), list(listing.models.ids))
    return shown


def token_config(
    listings: Iterable[Listing], *, shows_prices: bool
) -> dict[str, dict[str, dict[str, object]]]:
    """Return LibreChat's `/api/endpoints/token-config`: endpoint → model → what is known of it.

    A context window is that of the model, else of the longest name in the tokenConfig that the
    model's name contains. Endpoints without models are left out.
    """
    return {
        librechat_name(listing.endpoint.name): {
            model: _tokenomics(listing, model, shows_prices=shows_prices)
            for model in listing.models.ids
        }
        for listing in listings
        if listing.models.ids
    }


def shown_endpoint(endpoint: Endpoint, users: UsersPart) -> dict[str, object]:
    """Return how LibreChat's `/api/endpoints` shows an entry. Nothing in it is secret.

    What the entry does not say is left out. `iconURL` is as it was written: an image's URL or
    path, or a built-in endpoint's name, which the client knows.
    """
    if endpoint.name in _PLACES:
        proxy = {"userProvideURL": users.url} if endpoint.base_url.startswith("${") else {}
        return {"userProvide": users.key, **proxy, "order": _PLACES[endpoint.name]}
    shown: dict[str, object] = {
        "type": "custom",
        "userProvide": users.key,
        "userProvideURL": users.url,
    }
    if (params := shown_params(endpoint)) is not None:
        shown["customParams"] = params
    given = endpoint.model_fields_set
    if "model_display_label" in given:
        shown["modelDisplayLabel"] = endpoint.model_display_label
    if "icon_url" in given:
        shown["iconURL"] = endpoint.icon_url
    return shown | {"order": _ORDER}


def librechat_name(name: str) -> str:
    """Return the name that LibreChat knows an endpoint by: Ollama's is always in lower case."""
    return _OLLAMA if name.lower() == _OLLAMA else name


def _openai_model(listing: Listing, model: str, public: PublicPrices | None) -> dict[str, object]:
    endpoint = listing.endpoint
    entry: dict[str, object] = {
        "id": f"{endpoint.name}/{model}",
        "object": "model",
        "created": 0,
        "owned_by": endpoint.name,
        "endpoint": endpoint.name,
    }
    configured, rates = endpoint.token_config.get(model), _rates(listing, model)
    context = configured.context if configured else listing.models.contexts.get(model)
    known = Known(None, None)
    if public is not None and (context is None or rates is None):
        known = public.look_up(endpoint.base_url, model)
    context, rates = context or known.context, rates or known.rates
    if context is not None:
        entry["context_length"] = context
    if rates is not None:
        entry["pricing"] = {"prompt": float(rates.prompt), "completion": float(rates.completion)}
        if rates is known.rates:
            entry["pricing_source"] = rates.source
    return entry


def _rates(listing: Listing, model: str) -> Rates | None:
    """Return what a model costs; with a tokenConfig, that alone counts."""
    if listing.endpoint.token_config:
        return rates_of(listing.endpoint, model)
    return listing.models.rates.get(model)


def _tokenomics(listing: Listing, model: str, *, shows_prices: bool) -> dict[str, object]:
    context = _context(listing, model)
    known: dict[str, object] = {} if context is None else {"context": context}
    return known | (_prices(listing, model) if shows_prices else {})


def _context(listing: Listing, model: str) -> int | None:
    configured = listing.endpoint.token_config
    if model in configured:
        return configured[model].context
    if not configured:
        return listing.models.contexts.get(model)
    contained = [name for name in configured if name in model]
    return configured[max(contained, key=len)].context if contained else None


def _prices(listing: Listing, model: str) -> dict[str, object]:
    """Return the rates that are known, in USD per million tokens; cached tokens' own ones only."""
    configured = listing.endpoint.token_config.get(model)
    rates = _rates(listing, model)
    if rates is None:
        return {}
    shown = {"prompt": rates.prompt, "completion": rates.completion}
    own = (
        {"cacheWrite": configured.cache_write, "cacheRead": configured.cache_read}
        if configured
        else {}
    )
    return {name: float(rate) for name, rate in {**shown, **own}.items() if rate is not None}
