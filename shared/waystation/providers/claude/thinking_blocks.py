"""What an assistant's message carries beyond a chat's fields: thinking, the upstream's own tools.

Streamed blocks have an `index` in their list, which the API does not know.
"""

from waystation.errors import InvalidBodyError
from waystation.wire.checks import list_at, object_at, text_in, without

Block = dict[str, object]

_KINDS = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}


def build_thinking(message: Block, where: str) -> list[Block]:
    """Return the `thinking_blocks` of a message; one that was never signed proves nothing.

    Raises InvalidBodyError.
    """
    blocks = []
    for block, place in _listed(message, "thinking_blocks", where):
        kind = block.get("type")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise InvalidBodyError(f"{place}.type is not known.", param=f"{place}.type")
        if kind == "thinking" and not block.get("signature"):
            continue
        for name in _KINDS[kind]:
            text_in(block, name, place)
        blocks.append(block)
    return blocks


def build_server_blocks(message: Block, where: str) -> list[Block]:
    """Return the `server_tool_blocks` of a message. Raises InvalidBodyError."""
    return [block for block, _ in _listed(message, "server_tool_blocks", where)]


def _listed(message: Block, name: str, where: str) -> list[tuple[Block, str]]:
    path = f"{where}.{name}"
    listed = []
    for index, value in enumerate(list_at(message.get(name, []), path)):
        place = f"{path}[{index}]"
        block = object_at(value, place)
        text_in(block, "type", place)
        listed.append((without(block, "index"), place))
    return listed
