"""Merges what is asked of the upstream: the client's values, then defaults, then addParams.

What a client asks for is translated later; what addParams gives goes into the body as it is, but
for LibreChat's names. dropParams takes effect here, so that nothing is made of what it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.config.schema import Endpoint
from waystation.errors import InvalidBodyError
from waystation.providers.equivalents import remove_equivalents
from waystation.providers.librechat_names import INTERFACE_ONLY, STEERING, THINKING
from waystation.providers.messages_names import (
    ADDED_LIMITS,
    ALIASES,
    CLIENT_ONLY,
    DROPPED_ALIASES,
    FIXED,
    LIMITS,
    OTHER_APIS,
)
from waystation.providers.parameters import Chosen

_CLEARED_BY_NULL = frozenset({"temperature", "top_p", "top_k", "stop_sequences", "model"})
# Keys of Bedrock's sets that no Messages request has.
_BEDROCK_ONLY = frozenset({"region", "system"})
_IGNORED_IF_ADDED = FIXED | CLIENT_ONLY | OTHER_APIS | INTERFACE_ONLY | {"n"}


@dataclass(slots=True)
class Parameters(Chosen):
    """What is asked of the upstream.

    `fields` are the client's and the defaults', the limit as `max_tokens`; `verbatim` is what
    addParams puts into the body, `user` whom it names there. `renamed` holds the fields that the
    client gave by LibreChat's names.
    """

    verbatim: dict[str, object] = field(default_factory=dict)
    user: object = None
    renamed: set[str] = field(default_factory=set)


def merge_parameters(params: Mapping[str, object], endpoint: Endpoint) -> Parameters:
    """Merge the values of a client with the defaults and the addParams of an entry.

    Raises InvalidBodyError for a client's limit that is no positive number.
    """
    dropped = {DROPPED_ALIASES.get(name, name) for name in endpoint.drop_params}
    merged = Parameters({}, dropped=frozenset(dropped - FIXED - {"model"}))
    _take_chosen(merged, params)
    _take_defaults(merged, endpoint.param_defaults)
    _take_added(merged, endpoint.add_params)
    for name in merged.dropped:
        merged.fields.pop(name, None)
        merged.verbatim.pop(name, None)
        if name != "promptCache":  # it decides more than the marks, which are what is dropped
            merged.steering.pop(name, None)
        remove_equivalents(merged.fields, name)
    return merged


def _take_chosen(merged: Parameters, params: Mapping[str, object]) -> None:
    """Take a client's values; where it gives one twice, the API's own name counts."""
    given = {name: value for name, value in params.items() if value is not None and value != ""}
    for name in LIMITS:
        limit = given.pop(name, None)
        if "max_tokens" in merged.fields or limit is None or _is_zero(limit):
            continue
        if type(limit) is not int or limit < 1:
            raise InvalidBodyError(f"{name} must be a positive whole number.", param=name)
        merged.fields["max_tokens"] = limit
    for name in sorted(given, key=lambda name: name not in ALIASES):
        if ALIASES.get(name, name) != "model":  # which is chosen by the route
            _put(merged, name, given[name])
    merged.renamed = {ALIASES[name] for name in given.keys() & ALIASES.keys()} - given.keys()


def _is_zero(limit: object) -> bool:
    """Tell whether a limit says nothing: LibreChat's interface sends 0 for the model's own."""
    return type(limit) is int and limit == 0


def _take_defaults(merged: Parameters, defaults: Mapping[str, object]) -> None:
    for name, value in defaults.items():
        if name in LIMITS:
            if value:
                merged.fields.setdefault("max_tokens", value)
            continue
        canonical = ALIASES.get(name, name)
        is_chosen = canonical in merged.fields or canonical in merged.steering
        if not is_chosen and canonical not in _BEDROCK_ONLY | OTHER_APIS:
            _put(merged, name, list(value) if isinstance(value, tuple) else value)


def _put(merged: Parameters, name: str, value: object) -> None:
    """Put a value of a client, or a default, where it belongs."""
    canonical = ALIASES.get(name, name)
    if _steers(canonical, value):
        merged.steering[canonical] = value
    elif canonical not in INTERFACE_ONLY:
        merged.fields[canonical] = value


def _steers(name: str, value: object) -> bool:
    # An object is the API's own form of thinking.
    return name in STEERING or (name in THINKING and not isinstance(value, dict))


def _take_added(merged: Parameters, added: Mapping[str, object]) -> None:
    if limit := next((added[name] for name in ADDED_LIMITS if added.get(name)), None):
        merged.verbatim["max_tokens"] = limit
    others = added.keys() - {*ADDED_LIMITS}
    for name in sorted(others, key=lambda name: name not in ALIASES):
        value, canonical = added[name], ALIASES.get(name, name)
        if _steers(canonical, value):
            _steer(merged, canonical, value)
        elif canonical == "user":
            merged.user = value
        elif canonical not in _IGNORED_IF_ADDED:
            _add(merged, canonical, value)


def _steer(merged: Parameters, name: str, value: object) -> None:
    if value is None:
        merged.steering.pop(name, None)
    else:
        merged.steering[name] = value
    if name != "web_search" or value is not True:
        remove_equivalents(merged.fields, name)


def _add(merged: Parameters, canonical: str, value: object) -> None:
    merged.fields.pop(canonical, None)
    remove_equivalents(merged.fields, canonical)
    merged.renamed.discard(canonical)
    if value is None and canonical in _CLEARED_BY_NULL:
        merged.verbatim.pop(canonical, None)
        return
    merged.verbatim[canonical] = value
