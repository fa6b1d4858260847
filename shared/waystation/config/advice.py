"""What an entry may say but hardly means: unknown keys, settings without effect, pasted secrets.

All of it is advice; what stops an entry from working is in the schema.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TypeAlias

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from waystation.config.references import PLACEHOLDER, VARIABLE, has_almost_placeholder
from waystation.config.schema import (
    BUILT_IN_NAMES,
    USER_PROVIDED,
    Endpoint,
    Models,
    ParamDefinition,
    TokenRates,
)
from waystation.config.schema_titles import TitleSettings

Path: TypeAlias = tuple[str | int, ...]
Advice: TypeAlias = tuple[Path, str]

# The public root keys of librechat.yaml.
ROOT_KEYS = frozenset(
    {
        "version",
        "cache",
        "ocr",
        "webSearch",
        "langfuse",
        "memory",
        "summarization",
        "skillSync",
        "secureImageLinks",
        "imageOutputType",
        "includedTools",
        "filteredTools",
        "mcpServers",
        "mcpSettings",
        "interface",
        "turnstile",
        "fileStrategy",
        "fileStrategies",
        "cloudfront",
        "actions",
        "registration",
        "balance",
        "transactions",
        "speech",
        "rateLimits",
        "fileConfig",
        "modelSpecs",
        "filters",
        "messageFilter",
        "endpoints",
    }
)
_HIDDEN = TitleSettings.model_fields.keys() - {"title_convo", "title_timing"}
_SECRET = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_.~+/=-]{20,}")
_SECRET_PREFIXES = ("sk-", "sk_", "gsk_", "xai-", "hf_", "pplx-", "AIza", "r8_", "nvapi-")
_MIN_SECRET_LENGTH = 12


def find_unknown_keys(entry: Mapping[str, object]) -> Iterator[Advice]:
    """Yield the keys of an entry, checked or not, that nobody reads."""
    yield from _unknown(entry, Endpoint, ())
    yield from _unknown(entry.get("models"), Models, ("models",))
    rates = entry.get("tokenConfig")
    for model, rate in rates.items() if isinstance(rates, dict) else ():
        yield from _unknown(rate, TokenRates, ("tokenConfig", model))
    params = entry.get("customParams")
    definitions = params.get("paramDefinitions") if isinstance(params, dict) else None
    for index, definition in enumerate(definitions if isinstance(definitions, list) else ()):
        path = ("customParams", "paramDefinitions", index)
        yield from _unknown(definition, ParamDefinition, path)


def advise(
    endpoint: Endpoint, names: Collection[str], *, titles_for_all: bool = False
) -> Iterator[Advice]:
    """Yield what to look at in a valid `endpoint`; `names` are those of all entries.

    `titles_for_all` tells that the file has `endpoints.all`.
    """
    if endpoint.name != endpoint.name.strip():
        yield ("name",), "has blanks at its ends, and they count"
    if "" in endpoint.models.default:
        yield ("models", "default"), "has an empty model name"
    yield from _advise_on_destination(endpoint)
    yield from _advise_on_headers(endpoint)
    known = {*names, *(BUILT_IN_NAMES - {"custom"})}
    if endpoint.title_endpoint and endpoint.title_endpoint not in known:
        yield ("titleEndpoint",), "there is no such endpoint; titles use this one"
    if titles_for_all:
        for name in sorted(_HIDDEN & endpoint.model_fields_set):
            yield (to_camel(name),), "without effect: endpoints.all is there, and hides it"


def _advise_on_destination(endpoint: Endpoint) -> Iterator[Advice]:
    key, url = endpoint.api_key.strip(), endpoint.base_url.strip()
    if _looks_like_secret(key):
        yield ("apiKey",), "looks like a secret; write ${NAME} and keep it out of the file"
    for name, text in (("apiKey", key), ("baseURL", url)):
        if PLACEHOLDER.search(text):
            yield (name,), "sent as it stands: placeholders work in headers only"
    if url == USER_PROVIDED:
        if key != USER_PROVIDED:
            yield ("apiKey",), "never sent: with baseURL user_provided users bring their own key"
        if endpoint.headers:
            yield ("headers",), "never sent: baseURL is user_provided"
    elif not url.startswith(("http://", "https://", "${")):
        yield ("baseURL",), "expected a URL that begins with https:// or http://"
    if endpoint.provider and endpoint.models.fetch:
        yield ("models", "fetch"), "has no effect with a provider; models.default is the list"


def _advise_on_headers(endpoint: Endpoint) -> Iterator[Advice]:
    for name, text in endpoint.headers.items():
        if has_almost_placeholder(text):
            yield ("headers", name), "almost a placeholder, but sent as it stands"


def _looks_like_secret(key: str) -> bool:
    if key == USER_PROVIDED or VARIABLE.search(key):
        return False
    has_prefix = key.startswith(_SECRET_PREFIXES) and len(key) >= _MIN_SECRET_LENGTH
    return has_prefix or _SECRET.fullmatch(key) is not None


def _unknown(part: object, model: type[BaseModel], path: Path) -> Iterator[Advice]:
    if not isinstance(part, dict):
        return
    known = _known_keys(model)
    for key in part:
        if known.get(_simplify(key)) != key:
            yield (*path, key), "unknown key, ignored" + _suggest(known.get(_simplify(key)))


@cache
def _known_keys(model: type[BaseModel]) -> dict[str, str]:
    keys = (field.alias or name for name, field in model.model_fields.items())
    return {_simplify(key): key for key in keys}


def _simplify(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _suggest(key: str | None) -> str:
    return f"; did you mean {key}?" if key else ""
