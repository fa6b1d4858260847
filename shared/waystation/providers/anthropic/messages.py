"""Translates a chat's messages into instructions and the turns of user and assistant.

Instructions go before the conversation, wherever they stood in it. Neighbours of one role become
one message, the results of tools first in theirs. A message of which nothing is left is left out.

Source: https://platform.claude.com/docs/en/api/messages, 2026-11.
"""

from dataclasses import dataclass

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.calls import build_calls, build_older_call, build_result
from waystation.providers.anthropic.content import (
    Block,
    as_blocks,
    build_content,
    build_text_blocks,
    text_blocks,
)
from waystation.providers.anthropic.inexpressible import inexpressible
from waystation.providers.claude.thinking_blocks import build_server_blocks, build_thinking
from waystation.providers.turn_builder import Message, TurnBuilder
from waystation.wire.checks import text_in, without

_TRANSLATED = frozenset({"role", "content", "name", "cache_control"})
_TRANSLATED_OF_ASSISTANT = _TRANSLATED | {
    "refusal",
    "audio",
    "tool_calls",
    "function_call",
    "thinking_blocks",
    "server_tool_blocks",
    # Told to clients only: the API takes thinking with its signature, and citations in texts.
    "reasoning_content",
    "reasoning",
    "reasoning_items",
    "annotations",
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """`system` is the instructions as text blocks; `messages` alternate between the roles."""

    system: list[Block]
    messages: list[Message]


def build_conversation(messages: list[dict[str, object]]) -> Conversation:
    """Return the conversation as the API takes it.

    `thinking_blocks` and `server_tool_blocks`, as this gateway answers them, go before what an
    assistant said. The API knows no names of people: a message's `name` is refused, but on the
    answers of tools. Where instructions are all there is, the last of them are asked.

    Raises InvalidBodyError, naming the field.
    """
    builder = _Builder()
    for index, message in enumerate(messages):
        builder.add(message, f"messages[{index}]")
    return builder.conversation()


def render_system(blocks: list[Block]) -> str | list[Block]:
    """Return the instructions as one text, or as blocks where they are more than text."""
    if all(block.keys() == {"type", "text"} for block in blocks):
        return "\n\n".join(str(block["text"]) for block in blocks)
    return blocks


class _Builder(TurnBuilder):
    """Gathers turns."""

    def __init__(self) -> None:
        super().__init__()
        self._instructions: list[list[Block]] = []
        self._turns: list[Message] = []

    def conversation(self) -> Conversation:
        turns, instructions = self._turns, [*self._instructions]
        if not turns and instructions:
            turns = [{"role": "user", "content": instructions.pop()}]
        if not turns:
            raise InvalidBodyError("messages hold no text.", param="messages")
        system = [block for blocks in instructions for block in blocks]
        return Conversation(system, [_results_first(turn) for turn in turns])

    def _add_instructions(self, message: Message, where: str) -> None:
        _refuse_name(message, where)
        blocks = build_text_blocks(message.get("content"), where)
        if blocks:
            self._instructions.append(_marked(blocks, message))

    def _add_user(self, message: Message, where: str) -> None:
        _refuse_name(message, where)
        content = build_content(message.get("content"), where)
        self._add_turn("user", content, message, without(message, *_TRANSLATED))

    def _add_assistant(self, message: Message, where: str) -> None:
        _refuse_name(message, where)
        if "audio" in message:
            raise inexpressible(f"{where}.audio")
        before = build_thinking(message, where) + build_server_blocks(message, where)
        said = build_content(message.get("content", ""), where)
        after = text_blocks(text_in(message, "refusal", where)) if "refusal" in message else []
        after += build_calls(message, where)
        if "function_call" in message:
            place = f"{where}.function_call"
            after.append(build_older_call(message["function_call"], self._next_call_id(), place))
        if before or after:
            said = [*before, *as_blocks(said), *after]
        rest = without(message, *_TRANSLATED_OF_ASSISTANT)
        self._add_turn("assistant", said, message, rest)

    def _add_result(self, message: Message, call_id: str, where: str) -> None:
        self._add_turn("user", [build_result(message, call_id, where)], {}, {})

    def _add_turn(
        self, role: str, content: str | list[Block], message: Message, rest: Message
    ) -> None:
        blocks = as_blocks(content)
        if not blocks:
            return
        if "cache_control" in message:
            content = blocks = _marked(blocks, message)
        last = self._turns[-1] if self._turns else None
        if last is None or last["role"] != role:
            self._turns.append({**rest, "role": role, "content": content})
        else:
            self._turns[-1] = {**last, **rest, "content": [*_blocks_of(last), *blocks]}


def _marked(blocks: list[Block], message: Message) -> list[Block]:
    """Return the blocks with a message's own `cache_control` on the last of them."""
    if "cache_control" not in message:
        return blocks
    return [*blocks[:-1], {"cache_control": message["cache_control"], **blocks[-1]}]


def _blocks_of(turn: Message) -> list[Block]:
    content = turn["content"]
    return content if isinstance(content, list) else text_blocks(str(content))


def _results_first(turn: Message) -> Message:
    content = turn["content"]
    if not isinstance(content, list) or turn["role"] != "user":
        return turn
    ordered = sorted(content, key=lambda block: block.get("type") != "tool_result")
    return {**turn, "content": ordered}


def _refuse_name(message: Message, where: str) -> None:
    if message.get("name"):
        raise inexpressible(f"{where}.name")
