"""What an entry may say but hardly means: unknown keys, settings without effect, pasted secrets.

All of it is advice; what stops an entry from working is in the schema.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import TypeAlias

from waystation.config.parts import Part, camel_case
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
_TITLES = TitleSettings.keys_of.keys() - {"title_convo"}
_HIDDEN = _TITLES - {"title_timing"}
# Keys of an entry that only LibreChat's own server and interface use.
_LIBRECHATS = frozenset(
    name
    for name in Endpoint.keys_of
    if name.startswith(("activity_", "reasoning_label"))
    or name in {"api_key_preview", "stream_rate", "max_tool_result_chars"}
)
_THIS_MACHINE = re.compile(
    r"https?://((?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?)(?:[/?]|$)", re.IGNORECASE
)
_SECRET = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_.~+/=-]{20,}")
_SECRET_PREFIXES = ("sk-", "sk_", "gsk_", "xai-", "hf_", "pplx-", "AIza", "r8_", "nvapi-")
_MIN_SECRET_LENGTH = 12
_CLOSE = 0.8  # of difflib's ratio: one letter more, less or elsewhere


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
    endpoint: Endpoint,
    names: Collection[str],
    *,
    titles_for_all: bool = False,
    allowed_addresses: Collection[str] = (),
) -> Iterator[Advice]:
    """Yield what to look at in a valid `endpoint`; `names` are those of all entries.

    `titles_for_all` tells that the file has `endpoints.all`; `allowed_addresses` are its own.
    """
    if endpoint.name != endpoint.name.strip():
        yield ("name",), "has blanks at its ends, and they count"
    yield from _advise_on_destination(endpoint)
    local = _THIS_MACHINE.match(endpoint.base_url.strip())
    if local and local[1].lower() not in allowed_addresses:
        yield ("baseURL",), "this machine: only `waystation dev` asks it"
    yield from _advise_on_models(endpoint)
    yield from _advise_on_headers(endpoint)
    known = {*names, *(BUILT_IN_NAMES - {"custom"})}
    if endpoint.title_endpoint and endpoint.title_endpoint not in known:
        yield ("titleEndpoint",), "there is no such endpoint; titles use this one"
    yield from _advise_on_titles(endpoint, titles_for_all=titles_for_all)
    for name in sorted(_LIBRECHATS & endpoint.given):
        yield (camel_case(name),), "without effect: only LibreChat itself reads it"


def advise_on_section(name: str, section: object, *, titles_for_all: bool) -> Iterator[Advice]:
    """Yield what has no effect in a section beside the entries, such as `endpoints.openAI`."""
    if titles_for_all and name != "all":
        yield (), "without effect: endpoints.all is there, and hides it"
        return
    known = _known_keys(TitleSettings).values()
    for key in section if isinstance(section, dict) else ():
        if key not in known:
            yield (key,), "without effect: only the keys of titles are read here"


def _advise_on_titles(endpoint: Endpoint, *, titles_for_all: bool) -> Iterator[Advice]:
    if titles_for_all:
        names, message = _HIDDEN, "without effect: endpoints.all is there, and hides it"
    elif not endpoint.title_convo:
        names, message = _TITLES, "without effect: titleConvo is not true"
    else:
        return
    for name in sorted(names & endpoint.given):
        yield (camel_case(name),), message


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


def _advise_on_models(endpoint: Endpoint) -> Iterator[Advice]:
    if "" in endpoint.models.default:
        yield ("models", "default"), "has an empty model name"
    if endpoint.provider and endpoint.models.fetch:
        yield ("models", "fetch"), "has no effect with a provider; models.default is the list"
    if endpoint.models.user_id_query and not endpoint.models.fetch:
        yield ("models", "userIdQuery"), "without effect: models.fetch is not true"


def _advise_on_headers(endpoint: Endpoint) -> Iterator[Advice]:
    for name, text in endpoint.headers.items():
        if has_almost_placeholder(text):
            yield ("headers", name), "almost a placeholder, but sent as it stands"


def _looks_like_secret(key: str) -> bool:
    if key == USER_PROVIDED or VARIABLE.search(key):
        return False
    has_prefix = key.startswith(_SECRET_PREFIXES) and len(key) >= _MIN_SECRET_LENGTH
    return has_prefix or _SECRET.fullmatch(key) is not None


def _unknown(part: object, model: type[Part], path: Path) -> Iterator[Advice]:
    if not isinstance(part, dict):
        return
    known = _known_keys(model)
    for key in part:
        if known.get(_simplify(key)) != key:
            meant = get_close_matches(_simplify(key), known, 1, _CLOSE)
            yield (
                (*path, key),
                "unknown key, ignored" + _suggest(known[meant[0]] if meant else None),
            )


def _known_keys(model: type[Part]) -> dict[str, str]:
    return {_simplify(key.name): key.name for key in model.keys_of.values()}


def _simplify(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _suggest(key: str | None) -> str:
    return f"; did you mean {key}?" if key else ""
