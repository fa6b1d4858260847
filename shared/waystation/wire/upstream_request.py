"""One HTTP request to an upstream, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """`headers` hold secrets, so they are left out of the representation."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"

    def __repr__(self) -> str:
        return f"UpstreamRequest({self.method}, {len(self.body)} bytes)"
