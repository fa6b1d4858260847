"""Translates a chat's messages into the input items of the Responses API.

An assistant's message becomes several items: its reasoning, what it said, each of its calls.
Source: https://developers.openai.com/api/reference/resources/responses, 2026-11.
"""

from collections.abc import Iterator

from waystation.errors import InvalidBodyError
from waystation.providers.openai_compatible.responses.content import (
    build_content,
    build_output_parts,
    joined_text,
    output_text,
    refusal,
)
from waystation.providers.openai_compatible.responses.shapes import inexpressible
from waystation.wire.checks import list_at, object_at, text_in, without

Item = dict[str, object]

_SPEAKERS = frozenset({"system", "developer", "user"})
_TRANSLATED = frozenset({"role", "content", "name"})
_TRANSLATED_OF_ASSISTANT = _TRANSLATED | {
    "refusal",
    "audio",
    "tool_calls",
    "function_call",
    "reasoning_items",
    # Told to clients only: the API takes reasoning back as items, and no citations.
    "reasoning_content",
    "reasoning",
    "thinking_blocks",
    "annotations",
}


def build_input(messages: list[dict[str, object]], *, is_stored: bool) -> list[Item]:
    """Return the `input` items.

    Texts of reasoning (`reasoning_content` and the like) cannot be given back to this API, which
    takes reasoning as the items it once handed out: a message's `reasoning_items` go before what
    the message said and called. Where the upstream stores nothing (`is_stored` false), only those
    with `encrypted_content` do.

    A message's `name` is refused, as the API refuses it; on answers of tools it says again what
    the call said, and is left out. Other fields that neither API names pass as they are.

    Raises InvalidBodyError, naming the field.
    """
    builder = _InputBuilder(is_stored=is_stored)
    return [
        item
        for index, message in enumerate(messages)
        for item in builder.items_of(message, f"messages[{index}]")
    ]


class _InputBuilder:
    """Remembers the calls that later messages answer."""

    def __init__(self, *, is_stored: bool) -> None:
        self._is_stored = is_stored
        self._custom_calls: set[str] = set()
        self._function_calls = 0  # those of the older way, which have no ids of their own

    def items_of(self, message: dict[str, object], where: str) -> list[Item]:
        present = object_at(message, where)
        role = present.get("role")
        if role == "assistant":
            return [*self._assistant(present, where)]
        if role == "tool":
            return [self._tool_answer(present, where)]
        if role == "function":
            return [self._function_answer(present, where)]
        if not isinstance(role, str) or role not in _SPEAKERS:
            raise InvalidBodyError(f"{where}.role is not known.", param=f"{where}.role")
        _refuse_name(present, where)
        content = build_content(present.get("content"), where)
        return [{**_rest(present), "type": "message", "role": role, "content": content}]

    def _assistant(self, message: Item, where: str) -> Iterator[Item]:
        _refuse_name(message, where)
        if "audio" in message:
            raise inexpressible(f"{where}.audio")
        yield from self._reasoning(message, where)
        calls = list_at(message.get("tool_calls", []), f"{where}.tool_calls")
        has_calls = bool(calls) or "function_call" in message
        content = _said(message, where)
        if content or (content is not None and not has_calls):
            rest = without(message, *_TRANSLATED_OF_ASSISTANT)
            yield {**rest, "type": "message", "role": "assistant", "content": content}
        for index, call in enumerate(calls):
            yield self._call(call, f"{where}.tool_calls[{index}]")
        if "function_call" in message:
            yield self._older_call(message["function_call"], where)

    def _reasoning(self, message: Item, where: str) -> Iterator[Item]:
        place = f"{where}.reasoning_items"
        for index, value in enumerate(list_at(message.get("reasoning_items", []), place)):
            place = f"{where}.reasoning_items[{index}]"
            item = object_at(value, place)
            if item.get("type") != "reasoning":
                raise InvalidBodyError(f"{place}.type must be reasoning.", param=f"{place}.type")
            item.pop("index", None)  # only streamed ones carry it
            if self._is_stored or "encrypted_content" in item:
                yield item

    def _call(self, value: object, where: str) -> Item:
        call = object_at(value, where)
        kind = call.pop("type", "function")
        call.pop("index", None)
        if kind not in ("function", "custom"):
            raise InvalidBodyError(f"{where}.type is not known.", param=f"{where}.type")
        call_id = text_in(call, "id", where)
        own = object_at(call.get(str(kind)), f"{where}.{kind}")
        rest = without(call, "id", str(kind))
        told = "arguments" if kind == "function" else "input"
        if kind == "custom":
            self._custom_calls.add(call_id)
        return {
            **rest,
            "type": "function_call" if kind == "function" else "custom_tool_call",
            "call_id": call_id,
            "name": text_in(own, "name", f"{where}.{kind}"),
            told: text_in(own, told, f"{where}.{kind}"),
        }

    def _older_call(self, value: object, where: str) -> Item:
        place = f"{where}.function_call"
        call = object_at(value, place)
        self._function_calls += 1
        return {
            "type": "function_call",
            "call_id": self._function_call_id(),
            "name": text_in(call, "name", place),
            "arguments": text_in(call, "arguments", place),
        }

    def _tool_answer(self, message: Item, where: str) -> Item:
        call_id = text_in(message, "tool_call_id", where)
        kind = "custom_tool_call" if call_id in self._custom_calls else "function_call"
        return {
            **without(_rest(message), "tool_call_id"),
            "type": f"{kind}_output",
            "call_id": call_id,
            "output": _output(message, where),
        }

    def _function_answer(self, message: Item, where: str) -> Item:
        if not self._function_calls:
            raise InvalidBodyError(
                f"{where} answers a function that no message before it calls.",
                param=f"{where}.role",
            )
        return {
            **_rest(message),
            "type": "function_call_output",
            "call_id": self._function_call_id(),
            "output": _output(message, where),
        }

    def _function_call_id(self) -> str:
        return f"call_function_{self._function_calls}"


def _said(message: Item, where: str) -> str | list[Item] | None:
    """Return what an assistant said; a refusal makes it a list of parts."""
    content = message.get("content")
    said = "" if content is None else content
    refused = text_in(message, "refusal", where) if message.get("refusal") is not None else ""
    if isinstance(said, str) and not refused:
        return content if isinstance(content, str) else None
    parts = [output_text(said)] if isinstance(said, str) else build_output_parts(said, where)
    parts = [part for part in parts if part.get("text") != ""]
    return [*parts, refusal(refused)] if refused else parts


def _output(message: Item, where: str) -> object:
    content = build_content(message.get("content"), where)
    if isinstance(content, str):
        return content
    text = joined_text(content)
    return content if text is None else text


def _refuse_name(message: Item, where: str) -> None:
    if message.get("name"):
        raise inexpressible(f"{where}.name")


def _rest(message: Item) -> Item:
    return without(message, *_TRANSLATED)
