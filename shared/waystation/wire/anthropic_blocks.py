"""The content blocks of a streamed message: numbered, one open at a time.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming, 2026-11.
"""

Event = dict[str, object]
Block = dict[str, object]


class BlockWriter:
    """Makes the events of blocks. One per message."""

    def __init__(self) -> None:
        self.kind: str | None = None  # of the block that is open
        self._index = -1

    def open(self, block: Block) -> list[Event]:
        """Begin a block; the one that is open ends."""
        events = self.close()
        self._index += 1
        self.kind = str(block["type"])
        return [*events, self._event("content_block_start", content_block=block)]

    def add(self, kind: str, **fields: object) -> Event:
        """Add a piece to the block that is open."""
        return self._event("content_block_delta", delta={"type": kind, **fields})

    def close(self) -> list[Event]:
        """End the block that is open, if there is one."""
        if self.kind is None:
            return []
        self.kind = None
        return [self._event("content_block_stop")]

    def _event(self, kind: str, **fields: object) -> Event:
        return {"type": kind, "index": self._index, **fields}
