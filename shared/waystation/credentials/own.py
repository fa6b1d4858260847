"""A user's own credentials for an endpoint whose entry says `user_provided`."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OwnCredentials:
    """What a user brings; either may be missing."""

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)


class OwnCredentialsSource(Protocol):
    async def find(self, user_id: str, endpoint: str) -> OwnCredentials | None:
        """Return what a user has stored for an endpoint, None if nothing.

        Raises ExpiredUserKeyError, InvalidUserKeyError, SecretUnavailableError.
        """
