"""Sorts the other fields of a chat: the API's own parameters, those of the model, and the rest.

Fields that nobody here names are the model's: the upstream judges them.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.inexpressible import inexpressible
from waystation.providers.impossible_fields import IMPOSSIBLE, take_impossible
from waystation.wire.checks import object_at

Fields: TypeAlias = dict[str, object]

# Objects of the API whose members have names of their own in a chat, or are the model's.
_OPENED = ("inferenceConfig", "additionalModelRequestFields")
_FROM_INFERENCE = {
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "stopSequences": "stop_sequences",
}
# What the API cannot do, with the values that ask for nothing.
_IMPOSSIBLE: Mapping[str, tuple[object, ...]] = {
    **IMPOSSIBLE,
    "response_format": ({"type": "text"},),
    "web_search_options": (),
    # They are made of the model, the messages and the tools.
    "modelId": (),
    "system": (),
    "toolConfig": (),
}
# LibreChat's settings that its own client never sends to Bedrock.
_FOREIGN = frozenset({"frequency_penalty", "presence_penalty", "verbosity", "system"})
# They change nothing about an answer: usage is always told, and the role or key says who asks.
# A region is not for clients to choose.
_NEEDLESS = frozenset(
    {
        "user",
        "user_id",
        "safety_identifier",
        "stream_options",
        "prompt_cache_key",
        "prompt_cache_retention",
        "region",
    }
)
# Translated elsewhere.
_ELSEWHERE = frozenset(
    {"tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"}
)
_OWN = frozenset(
    {
        "guardrailConfig",
        "performanceConfig",
        "serviceTier",
        "requestMetadata",
        "promptVariables",
        "additionalModelResponseFieldPaths",
        "outputConfig",
    }
)


def open_objects(given: Mapping[str, object]) -> Fields:
    """Return the fields with what the API's own objects hold among them.

    A field by its own name counts before a member of such an object. Raises InvalidBodyError.
    """
    opened: Fields = {}
    for name in _OPENED:
        for member, value in object_at(given.get(name, {}), name).items():
            opened[_FROM_INFERENCE.get(member, member)] = value
    return opened | {name: v for name, v in given.items() if name not in _OPENED and v is not None}


def select_fields(given: Mapping[str, object], *, ui_defaults: bool) -> Fields:
    """Return what of a client's fields goes on, tools aside.

    With `ui_defaults` the entry serves LibreChat's interface, whose settings for other APIs are
    left out. Raises InvalidBodyError, naming what cannot be expressed.
    """
    selected = {name: v for name, v in given.items() if name not in _ELSEWHERE | _NEEDLESS}
    if name := take_impossible(selected, _IMPOSSIBLE, ignored=_FOREIGN if ui_defaults else ()):
        raise inexpressible(name)
    return selected


def sort_fields(fields: Mapping[str, object], *, model: str) -> Fields:
    """Return the members of a request: the API's own, and those that only the model knows.

    Raises InvalidBodyError for sampling and limits of the wrong type.
    """
    rest = dict(fields)
    if "top_k" in rest and is_nova(model):
        given = rest.get("inferenceConfig")
        held = given if isinstance(given, dict) else {}
        rest["inferenceConfig"] = {**held, "topK": rest.pop("top_k")}
    if "metadata" in rest:
        rest.setdefault("requestMetadata", _metadata(rest.pop("metadata")))
    tier = rest.pop("service_tier", "auto")
    if tier != "auto":
        rest.setdefault("serviceTier", {"type": _tier(tier)})
    inference: Fields = {}
    if "max_tokens" in rest:
        inference["maxTokens"] = _count(rest.pop("max_tokens"))
    for name, theirs in (("temperature", "temperature"), ("top_p", "topP")):
        if name in rest:
            inference[theirs] = _number(rest.pop(name), name)
    if "stop_sequences" in rest:
        inference["stopSequences"] = _texts(rest.pop("stop_sequences"))
    body: Fields = {"inferenceConfig": inference} if inference else {}
    body |= {name: rest.pop(name) for name in _OWN & rest.keys()}
    return body | ({"additionalModelRequestFields": rest} if rest else {})


def is_nova(model: str) -> bool:
    """Tell whether a model is one of Amazon's Nova family, which names some fields its own way.

    Source: https://docs.aws.amazon.com/nova/latest/userguide/using-converse-api.html, 2026-11.
    """
    return "nova" in model


def without_names(fields: Mapping[str, object], names: Iterable[str]) -> Fields:
    gone = frozenset(names)
    return {name: value for name, value in fields.items() if name not in gone}


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise InvalidBodyError("max_tokens must be a positive whole number.", param="max_tokens")
    return value


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InvalidBodyError(f"{name} must be a number of at least 0.", param=name)
    return value


def _metadata(value: object) -> Fields:
    metadata = object_at(value, "metadata")
    if not all(isinstance(text, str) for text in metadata.values()):
        raise InvalidBodyError("metadata must hold strings.", param="metadata")
    return metadata


def _tier(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidBodyError("service_tier must be a string.", param="service_tier")
    return value


def _texts(value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidBodyError("stop must be a string or a list of strings.", param="stop")
    return texts
