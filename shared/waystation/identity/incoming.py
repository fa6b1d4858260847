"""A request whose caller is known, as a use case sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.identity.user import Caller


@dataclass(frozen=True, slots=True)
class Incoming:
    """`headers` have lower-case names; `body` is checked JSON; `ends_at` is on the loop's clock.

    `notes` are the fields a use case adds to the one log line of the request.
    """

    request_id: str
    caller: Caller
    headers: Mapping[str, str] = field(repr=False)
    body: object = field(repr=False)
    ends_at: float
    notes: dict[str, object]
