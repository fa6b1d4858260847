"""The body of a request to Anthropic's Messages API, read as a chat.

What a chat has no place for rides along as it is, and the upstream judges it. `metadata.user_id` is
left out: who the user is, the gateway knows.

Source: https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

import re
from collections.abc import Mapping

from waystation.errors import InvalidBodyError, InvalidHeaderValueError
from waystation.wire.anthropic_input import read_messages, read_system
from waystation.wire.anthropic_tools import read_tool_choice, read_tools
from waystation.wire.chat_request import (
    LIMITS,
    ChatRequest,
    check_count,
    check_messages,
    forwarded,
    present_fields,
    take_routing,
)
from waystation.wire.checks import object_at, text_in, without

BETA_HEADER, VERSION_HEADER = "anthropic-beta", "anthropic-version"
MAX_BETAS = 32

_LIMIT = "max_tokens"
_TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
# Source: https://platform.claude.com/docs/en/api/service-tiers, 2026-11.
_TIERS = {"standard_only": "default"}


def parse_messages_request(
    body: object, headers: Mapping[str, str], *, is_answered: bool = True
) -> ChatRequest:
    """Check the shape of a Messages body; header names are in lower case.

    Without `is_answered` the request is not for an answer, and needs no limit of tokens.
    Raises InvalidBodyError, naming the field, and InvalidHeaderValueError.
    """
    fields = present_fields(body)
    routing = take_routing(fields)
    native = forwarded(fields)
    given = dict(native)
    _check_limits(given, is_answered=is_answered)
    messages = check_messages(given.pop("messages", None))
    system = read_system(given.pop("system", None))
    return ChatRequest(
        model=routing.model,
        messages=[*system, *read_messages(messages)],
        stream=routing.stream,
        endpoint=routing.endpoint,
        params=_params(given),
        conversation=routing.conversation,
        wants_usage=True,
        native=native,
        native_headers=_native_headers(headers),
        key_expires_at_ms=routing.key_expires_at_ms,
    )


def _check_limits(given: Mapping[str, object], *, is_answered: bool) -> None:
    limit = given.get(_LIMIT)
    if limit is None and is_answered:
        raise InvalidBodyError("max_tokens is required: a whole number.", param=_LIMIT)
    if limit is not None and (type(limit) is not int or limit < 0):  # 0 only fills the cache
        raise InvalidBodyError("max_tokens must be a whole number of at least 0.", param=_LIMIT)
    for name in LIMITS:
        if name != _LIMIT:
            check_count(given, name, 1, None)
    check_count(given, "n", 1, 1)


def _params(given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields by a chat's names."""
    names = ("tools", "tool_choice", "output_config", "metadata", "service_tier", "stop_sequences")
    params = without(given, *names)
    if "tools" in given:
        params["tools"] = read_tools(given["tools"])
    if "tool_choice" in given:
        params |= read_tool_choice(given["tool_choice"])
    if "stop_sequences" in given:
        params["stop"] = given["stop_sequences"]
    if "service_tier" in given:
        tier = given["service_tier"]
        params["service_tier"] = _TIERS.get(tier, tier) if isinstance(tier, str) else tier
    if metadata := without(object_at(given.get("metadata", {}), "metadata"), "user_id"):
        params["metadata"] = metadata
    if "output_config" in given:
        params |= _output(object_at(given["output_config"], "output_config"), params)
    return params


def _output(config: dict[str, object], params: Mapping[str, object]) -> dict[str, object]:
    """Return the effort and the format that an answer is asked for."""
    told: dict[str, object] = {}
    if isinstance(config.get("effort"), str) and "reasoning_effort" not in params:
        told["reasoning_effort"] = config.pop("effort")
    if "format" in config and "response_format" not in params:
        place = "output_config.format"
        asked = object_at(config["format"], place)
        if text_in(asked, "type", place) == "json_schema":
            del config["format"]
            schema = {"name": "answer", **without(asked, "type")}
            told["response_format"] = {"type": "json_schema", "json_schema": schema}
    return told | ({"output_config": config} if config else {})


def _native_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that choose a version and betas of the API."""
    found = {}
    betas = [token for text in headers.get(BETA_HEADER, "").split(",") if (token := text.strip())]
    if len(betas) > MAX_BETAS or not all(map(_TOKEN.fullmatch, betas)):
        raise InvalidHeaderValueError(
            f"{BETA_HEADER} must be at most {MAX_BETAS} names, with commas between.",
            param=BETA_HEADER,
        )
    if betas:
        found[BETA_HEADER] = ",".join(dict.fromkeys(betas))
    if version := headers.get(VERSION_HEADER, "").strip():
        if not _TOKEN.fullmatch(version):
            raise InvalidHeaderValueError(
                f"{VERSION_HEADER} must be the date of a version.", param=VERSION_HEADER
            )
        found[VERSION_HEADER] = version
    return found
