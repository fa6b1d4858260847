"""Merges what is asked of the upstream: the client's values, then defaults, then addParams.

addParams beats any value of a client. dropParams comes last, after all that the values lead to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from waystation.config.schema import Endpoint
from waystation.providers.equivalents import (
    is_web_search,
    remove_equivalents,
)
from waystation.providers.librechat_names import INTERFACE_ONLY, STEERING, THINKING
from waystation.providers.openai_compatible.names import (
    CLIENT_ONLY,
    FIXED,
    LIMITS,
    SET_ALIASES,
    aliases_of,
)
from waystation.providers.parameters import Chosen
from waystation.wire.checks import list_at

# addParams that clear what the client chose if they are null; for others, null is a value.
_CLEARED_BY_NULL = frozenset({"temperature", "n", "stop", "logprobs", "reasoning"})
# addParams for which null says nothing.
_NULL_IS_NOTHING = frozenset(
    {
        *LIMITS,
        "model",
        "user",
        "verbosity",
        "seed",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "stream_options",
        "functions",
        "function_call",
        "prediction",
        "truncation",
        "include",
        "text",
        "previous_response_id",
        "prompt_cache_key",
        "prompt_cache_retention",
        "organization",
    }
)
# They say how to think; without them a client may still say that the model shall.
_PARTS_OF_THINKING = frozenset({"thinkingBudget", "thinkingDisplay"})
# Keys of Bedrock's sets that no chat completion has.
_BEDROCK_ONLY = frozenset({"region", "system"})
_REASONING = ("reasoning_effort", "reasoning_summary", "reasoning_mode", "reasoning_context")


@dataclass(slots=True)
class Parameters(Chosen):
    """What is asked of the upstream, `fields` by the names of the chat completions API.

    `chosen` names the fields that the client has set, `added` those that addParams has, `verbatim`
    the ones among these that it gives by the field's own name; `operator_searches` tells that web
    search was asked for by the entry itself.
    """

    chosen: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    verbatim: set[str] = field(default_factory=set)
    operator_searches: bool = False

    def limit(self) -> object:
        """Return the limit of output tokens, None if nobody set one."""
        return next((self.fields[name] for name in LIMITS if name in self.fields), None)

    def set_limit(self, name: str, value: object) -> None:
        """Keep one limit, under one name."""
        for other in LIMITS:
            self.fields.pop(other, None)
        self.fields[name] = value

    def add_search_tool(self, tool: Mapping[str, object]) -> None:
        """Add a tool to those of the client, unless one of them searches the web already.

        Raises InvalidBodyError for tools that are no list.
        """
        tools = list_at(self.fields.get("tools", []), "tools")
        if not any(map(is_web_search, tools)):
            self.fields["tools"] = [*tools, dict(tool)]

    def drop(self) -> None:
        """Take out every field that dropParams names."""
        for name in self.dropped:
            self.fields.pop(name, None)


def merge_parameters(
    params: Mapping[str, object], endpoint: Endpoint, params_endpoint: str
) -> Parameters:
    """Merge the values of a client with the defaults and the addParams of an entry."""
    aliases = aliases_of(params_endpoint)
    merged = Parameters({}, dropped=_dropped(endpoint.drop_params, aliases))
    _take_chosen(merged, params, aliases, params_endpoint)
    _take_defaults(merged, endpoint.param_defaults, aliases)
    _take_added(merged, endpoint.add_params, aliases, params_endpoint)
    for name in endpoint.drop_params:
        merged.steering.pop(name, None)
        if name not in _PARTS_OF_THINKING:
            remove_equivalents(merged.fields, aliases.get(name, name))
    return merged


def _take_chosen(
    merged: Parameters, params: Mapping[str, object], aliases: Mapping[str, str], of_set: str
) -> None:
    """Take a client's values; where it gives one twice, LibreChat's name counts."""
    for name in sorted(params, key=lambda name: _rank(name, aliases, of_set)):
        value, canonical = params[name], aliases.get(name, name)
        if value is None or value == "" or canonical == "model":
            continue
        if canonical in LIMITS and value == 0:
            continue  # the model's own
        _put(merged, canonical, value)
        merged.chosen.add(canonical)


def _rank(name: str, aliases: Mapping[str, str], of_set: str) -> int:
    if of_set == "google" and name == "topP":
        return 0  # LibreChat sends both here, and the field's own name wins
    return 2 if name in aliases else 1


def _take_defaults(
    merged: Parameters, defaults: Mapping[str, object], aliases: Mapping[str, str]
) -> None:
    for name, value in defaults.items():
        if name in _BEDROCK_ONLY:
            continue
        canonical = aliases.get(name, name)
        if name == "web_search":
            merged.operator_searches = value is True
        is_chosen = canonical in merged.fields or canonical in merged.steering
        if is_chosen or (canonical in LIMITS and merged.limit() is not None):
            continue
        _put(merged, canonical, list(value) if isinstance(value, tuple) else value)


def _put(merged: Parameters, name: str, value: object) -> None:
    """Put a value of a client, or a default, where it belongs."""
    is_choice = name in THINKING and not isinstance(value, dict)  # an object is an API's own
    if name in STEERING or is_choice:
        merged.steering[name] = value
    elif name not in INTERFACE_ONLY:
        merged.fields[name] = value


def _take_added(
    merged: Parameters, added: Mapping[str, object], aliases: Mapping[str, str], of_set: str
) -> None:
    for name in sorted(added, key=lambda name: _added_rank(name, aliases)):
        value, canonical = added[name], aliases.get(name, name)
        if canonical in FIXED or canonical in CLIENT_ONLY:
            continue
        if canonical in STEERING or (of_set == "anthropic" and _steers_thinking(name, value)):
            _steer(merged, canonical, value)
        elif value is None and (canonical in _CLEARED_BY_NULL or name in aliases):
            merged.fields.pop(canonical, None)
        elif value is not None or canonical not in _NULL_IS_NOTHING:
            if canonical in LIMITS:
                _forget_limits(merged)
            remove_equivalents(merged.fields, canonical, spare=merged.added)
            merged.fields[canonical] = value
            merged.added.add(canonical)
            if name == canonical:
                merged.verbatim.add(name)
    if "reasoning" in added:  # it takes the place of all that would make one
        for name in _REASONING:
            merged.steering.pop(name, None)


def _added_rank(name: str, aliases: Mapping[str, str]) -> int:
    """Order addParams: where one is given twice, the field's own name counts."""
    return 0 if name == "maxOutputTokens" else 1 if name in aliases else 2


def _steers_thinking(name: str, value: object) -> bool:
    return name in THINKING and not isinstance(value, dict)


def _steer(merged: Parameters, name: str, value: object) -> None:
    if name == "web_search":
        merged.operator_searches = value is True
    if value is None:
        merged.steering.pop(name, None)
    else:
        merged.steering[name] = value
    if name != "web_search" or value is not True:
        remove_equivalents(merged.fields, name, spare=merged.added)


def _forget_limits(merged: Parameters) -> None:
    for name in LIMITS:
        if name not in merged.added:
            merged.fields.pop(name, None)


def _dropped(names: Iterable[str], aliases: Mapping[str, str]) -> frozenset[str]:
    known = {**aliases, **SET_ALIASES}
    dropped = {either for name in names for either in (name, known.get(name, name))}
    dropped -= FIXED | {"model"}
    if dropped & {"max_tokens"}:
        dropped |= set(LIMITS)
    if dropped & {"reasoning", "reasoning_effort"}:
        dropped |= {"reasoning", "reasoning_effort"}
    return frozenset(dropped)
