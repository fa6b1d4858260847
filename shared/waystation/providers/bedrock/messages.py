"""Translates a chat's messages into instructions and the turns of user and assistant.

Instructions go before the conversation, wherever they stood in it. Neighbours of one role become
one message, the results of tools first in theirs. A message of which nothing is left is left out.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html, 2026-11.
"""

import base64
from dataclasses import dataclass, field

from waystation.errors import InvalidBodyError
from waystation.providers.bedrock.calls import build_calls, build_older_call, build_result
from waystation.providers.bedrock.content import (
    Block,
    ContentBuilder,
    cache_points,
    text_blocks,
)
from waystation.providers.bedrock.inexpressible import inexpressible, refuse_others
from waystation.providers.claude.thinking_blocks import build_thinking
from waystation.providers.turn_builder import Message, TurnBuilder
from waystation.wire.checks import text_in

_KNOWN = frozenset({"role", "content", "cache_control"})
_KNOWN_OF_ASSISTANT = _KNOWN | {
    "refusal",
    "tool_calls",
    "function_call",
    "thinking_blocks",
    # Told to clients only: the API takes reasoning with its signature, and citations in texts.
    "reasoning_content",
    "reasoning",
    "reasoning_items",
    "annotations",
}
_INSTRUCTIONS = ("text", "cachePoint")


@dataclass(frozen=True, slots=True)
class Conversation:
    """`system` is the instructions; `messages` alternate between the roles."""

    system: list[Block]
    messages: list[Message]


@dataclass(slots=True)
class _Turn:
    role: str
    results: list[Block] = field(default_factory=list)  # what tools answered
    said: list[Block] = field(default_factory=list)


def build_conversation(messages: list[dict[str, object]]) -> Conversation:
    """Return the conversation as the API takes it.

    `thinking_blocks`, as this gateway answers them, go before what an assistant said. The API knows
    no names of people: a message's `name` is refused, but on the answers of tools. Where
    instructions are all there is, the last of them are asked.

    Raises InvalidBodyError, naming the field.
    """
    builder = _Builder()
    for index, message in enumerate(messages):
        builder.add(message, f"messages[{index}]")
    return builder.conversation()


class _Builder(TurnBuilder):
    """Gathers turns."""

    def __init__(self) -> None:
        super().__init__()
        self._contents = ContentBuilder()
        self._instructions: list[list[Block]] = []
        self._turns: list[_Turn] = []

    def conversation(self) -> Conversation:
        turns, instructions = self._turns, [*self._instructions]
        if not turns and instructions:
            turns = [_Turn("user", said=instructions.pop())]
        if not turns:
            raise InvalidBodyError("messages hold no text.", param="messages")
        system = [block for blocks in instructions for block in blocks]
        messages: list[Message] = [
            {"role": turn.role, "content": [*turn.results, *turn.said]} for turn in turns
        ]
        return Conversation(system, messages)

    def _add_instructions(self, message: Message, where: str) -> None:
        refuse_others(message, _KNOWN, where)
        blocks = self._content(message, where)
        for block in blocks:
            if not any(kind in block for kind in _INSTRUCTIONS):
                raise inexpressible(f"{where}.content")
        if blocks:
            self._instructions.append(blocks)

    def _add_user(self, message: Message, where: str) -> None:
        refuse_others(message, _KNOWN, where)
        self._say("user", self._content(message, where))

    def _add_assistant(self, message: Message, where: str) -> None:
        refuse_others(message, _KNOWN_OF_ASSISTANT, where)
        said = _reasoning(message, where)
        said += self._contents.build(message.get("content", ""), where)
        if "refusal" in message:
            said += text_blocks(text_in(message, "refusal", where))
        said += build_calls(message, where)
        if "function_call" in message:
            place = f"{where}.function_call"
            said.append(build_older_call(message["function_call"], self._next_call_id(), place))
        self._say("assistant", _marked(said, message, where))

    def _add_result(self, message: Message, call_id: str, where: str) -> None:
        self._turn("user").results += build_result(message, call_id, where, self._contents)

    def _content(self, message: Message, where: str) -> list[Block]:
        return _marked(self._contents.build(message.get("content"), where), message, where)

    def _say(self, role: str, blocks: list[Block]) -> None:
        if blocks:
            self._turn(role).said += blocks

    def _turn(self, role: str) -> _Turn:
        if not self._turns or self._turns[-1].role != role:
            self._turns.append(_Turn(role))
        return self._turns[-1]


def _marked(blocks: list[Block], message: Message, where: str) -> list[Block]:
    """Return the blocks, behind them the message's own mark unless the last part has one."""
    mark = cache_points(message.get("cache_control"), where)
    return blocks if not blocks or "cachePoint" in blocks[-1] else blocks + mark


def _reasoning(message: Message, where: str) -> list[Block]:
    """Return the reasoning of `thinking_blocks`; what has no signature proves nothing."""
    blocks: list[Block] = []
    for index, block in enumerate(build_thinking(message, where)):
        if block["type"] == "thinking":
            told = {"text": block["thinking"], "signature": block["signature"]}
            blocks.append({"reasoningContent": {"reasoningText": told}})
        else:
            data = text_in(block, "data", where)
            _check_redacted(data, f"{where}.thinking_blocks[{index}].data")
            blocks.append({"reasoningContent": {"redactedContent": data}})
    return blocks


def _check_redacted(data: str, path: str) -> None:
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        raise InvalidBodyError(f"{path} is not base64.", param=path) from None
