"""Marks what the upstream is to keep in its cache: tools, instructions, and the conversation.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching, 2026-11.
"""

from waystation.providers.anthropic.content import text_blocks
from waystation.providers.cache_marks import has_marks

Body = dict[str, object]
Mark = dict[str, str]

# The API takes no marks on these.
_UNMARKABLE = ("thinking", "redacted_thinking")


def mark_for_caching(body: Body, ttl: str | None) -> None:
    """Mark the last tool, the last instructions and the end of the last message.

    A single message after instructions is not marked. `ttl` is `5m`, or whatever else for an hour.
    Where the client or the operator has marked anything themselves, nothing is added: the API takes
    four marks at most, the longer-lived ones first. Values in the body are replaced, not changed.
    """
    if has_marks(body):
        return
    mark: Mark = {"type": "ephemeral"} | ({} if ttl == "5m" else {"ttl": "1h"})
    system, messages, tools = body.get("system"), body.get("messages"), body.get("tools")
    if system:
        body["system"] = _marked_content(system, mark)
    if isinstance(messages, list) and messages and (len(messages) > 1 or not system):
        last = messages[-1]
        if isinstance(last, dict):
            marked = {**last, "content": _marked_content(last.get("content"), mark)}
            body["messages"] = [*messages[:-1], marked]
    if isinstance(tools, list):
        body["tools"] = _marked_tools(tools, mark)


def _marked_content(content: object, mark: Mark) -> object:
    blocks: object = text_blocks(content) if isinstance(content, str) else content
    if not isinstance(blocks, list):
        return content
    for index in reversed(range(len(blocks))):
        block = blocks[index]
        if isinstance(block, dict) and block.get("type") not in _UNMARKABLE:
            return [*blocks[:index], {**block, "cache_control": mark}, *blocks[index + 1 :]]
    return content


def _marked_tools(tools: list[object], mark: Mark) -> list[object]:
    """Mark the last tool that is loaded from the start."""
    for index in reversed(range(len(tools))):
        tool = tools[index]
        if isinstance(tool, dict) and tool.get("defer_loading") is not True:
            return [*tools[:index], {**tool, "cache_control": mark}, *tools[index + 1 :]]
    return tools
