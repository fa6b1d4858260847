"""Translates the other fields of a chat: limits and sampling pass, formats change their place.

Fields that neither API names pass as they are: the upstream judges them.

Sources: https://platform.claude.com/docs/en/api/messages and
https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Mapping

from waystation.providers.anthropic.inexpressible import inexpressible
from waystation.providers.impossible_fields import IMPOSSIBLE, take_impossible
from waystation.providers.messages_names import OTHER_APIS
from waystation.wire.checks import object_at, text_in

# What the API cannot do, with the values that ask for nothing.
_IMPOSSIBLE: Mapping[str, tuple[object, ...]] = {
    **IMPOSSIBLE,
    "system": (),  # it is made of the messages
}
# They change nothing about an answer: the user is named otherwise, usage is always told, and the
# API keeps its cache by itself.
_NEEDLESS = frozenset(
    {
        "user",
        "safety_identifier",
        "stream_options",
        "prompt_cache_key",
        "prompt_cache_retention",
    }
)
# Translated elsewhere, with what belongs to them.
_ELSEWHERE = frozenset(
    {
        "thinking",
        "tools",
        "functions",
        "web_search_options",
        "tool_choice",
        "function_call",
        "parallel_tool_calls",
    }
)
_TRANSLATED = frozenset({"response_format", "stop_sequences", "service_tier", "metadata"})


def build_fields(
    fields: Mapping[str, object], *, user_id: object, ui_defaults: bool
) -> dict[str, object]:
    """Return the fields of the body but for model, conversation, tools and thinking.

    With `ui_defaults` the entry serves LibreChat's interface, whose settings for other APIs are
    left out. Raises InvalidBodyError, naming what cannot be expressed.
    """
    given = {name: value for name, value in fields.items() if name not in _ELSEWHERE | _NEEDLESS}
    if name := take_impossible(given, _IMPOSSIBLE, ignored=OTHER_APIS if ui_defaults else ()):
        raise inexpressible(name)
    body = {name: value for name, value in given.items() if name not in _TRANSLATED}
    if "stop_sequences" in given:
        stop = given["stop_sequences"]
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if "service_tier" in given:
        tier = given["service_tier"]
        body["service_tier"] = "standard_only" if tier == "default" else tier
    body["metadata"] = {**object_at(given.get("metadata", {}), "metadata"), "user_id": user_id}
    if "response_format" in given:
        _put_format(body, object_at(given["response_format"], "response_format"))
    return body


def _put_format(body: dict[str, object], asked: dict[str, object]) -> None:
    """Put the schema that an answer has to follow; its name means nothing to the API."""
    kind = text_in(asked, "type", "response_format")
    if kind == "text":
        return
    if kind != "json_schema":
        raise inexpressible("response_format.type")
    place = "response_format.json_schema"
    nested = object_at(asked.get("json_schema"), place)
    schema = object_at(nested.get("schema"), f"{place}.schema")
    output = object_at(body.get("output_config", {}), "output_config")
    body["output_config"] = {"format": {"type": "json_schema", "schema": schema}, **output}
