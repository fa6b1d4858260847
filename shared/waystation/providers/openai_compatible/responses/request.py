"""Builds the body of a request to OpenAI's Responses API out of a chat completion's.

Field names and meanings. Source: https://developers.openai.com/api/reference/resources/responses,
2026-11. Messages are translated in `items`, tools in `tools`.
"""

from collections.abc import Mapping

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.items import build_input
from waystation.providers.openai_compatible.responses.shapes import inexpressible
from waystation.providers.openai_compatible.responses.tools import build_tool_choice, build_tools
from waystation.wire.checks import list_at, object_at, without

_LOGPROBS = "message.output_text.logprobs"
# From the one that wins to the one that is asked last.
_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")
# What the API cannot do, with the values that ask for nothing.
_IMPOSSIBLE: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "stop": ([], ""),
    "modalities": (["text"], []),
    "audio": (),
    "prediction": (),
}
_TRANSLATED = frozenset(
    {
        *_LIMITS,
        *_IMPOSSIBLE,
        "text",
        "response_format",
        "verbosity",
        "reasoning",
        "reasoning_effort",
        "stream_options",
        "include",
        "logprobs",
        "tools",
        "functions",
        "web_search_options",
        "tool_choice",
        "function_call",
    }
)


def build_responses_body(
    messages: list[dict[str, object]], params: Mapping[str, object]
) -> dict[str, object]:
    """Return the body for `/responses`.

    `params` are the other fields of a chat completion by their OpenAI names. Nulls are absent.
    Fields that both APIs name alike pass as they are, and so do those that neither names: the
    upstream judges them. `reasoning`, `text` and `max_output_tokens` may be given as the Responses
    API has them; their members win over what a chat's own fields say. Usage is never asked for:
    every response tells it.

    Raises InvalidBodyError, naming the field, for what the API cannot do and for wrong shapes.
    """
    given = {name: value for name, value in params.items() if value is not None}
    _refuse_impossible(given)
    body = {name: value for name, value in given.items() if name not in _TRANSLATED}
    limit = next((given[name] for name in _LIMITS if name in given), None)
    may_be_empty = {
        "max_output_tokens": limit,
        "reasoning": _reasoning(given),
        "stream_options": _stream_options(given),
        "include": _include(given),
        "tools": build_tools(given),
        "tool_choice": build_tool_choice(given),
    }
    body |= {name: value for name, value in may_be_empty.items() if value not in (None, {}, [])}
    body["text"] = _text(given)
    body["input"] = build_input(messages, is_stored=given.get("store") is not False)
    return body


def _refuse_impossible(given: Mapping[str, object]) -> None:
    if "input" in given:
        raise InvalidBodyError("input is made of the messages.", param="input")
    for name, harmless in _IMPOSSIBLE.items():
        if name not in given:
            continue
        value = given[name]
        if not any(type(value) is type(known) and value == known for known in harmless):
            raise inexpressible(name)


def _reasoning(given: Mapping[str, object]) -> dict[str, object]:
    own = object_at(given.get("reasoning", {}), "reasoning")
    effort = given.get("reasoning_effort")
    return own if effort is None else {"effort": effort, **own}


def _stream_options(given: Mapping[str, object]) -> dict[str, object]:
    return without(object_at(given.get("stream_options", {}), "stream_options"), "include_usage")


def _include(given: Mapping[str, object]) -> list[object]:
    include = list_at(given.get("include", []), "include")
    logprobs = given.get("logprobs", False)
    if not isinstance(logprobs, bool):
        raise InvalidBodyError("logprobs must be true or false.", param="logprobs")
    return [*include, _LOGPROBS] if logprobs and _LOGPROBS not in include else include


def _text(given: Mapping[str, object]) -> dict[str, object]:
    text: dict[str, object] = {}
    if "response_format" in given:
        text["format"] = _format(object_at(given["response_format"], "response_format"))
    if "verbosity" in given:
        text["verbosity"] = given["verbosity"]
    return {**text, **object_at(given.get("text", {}), "text")}


def _format(given: dict[str, object]) -> dict[str, object]:
    if given.get("type") != "json_schema" or "json_schema" not in given:
        return given
    nested = object_at(given["json_schema"], "response_format.json_schema")
    return {**nested, **without(given, "json_schema")}
