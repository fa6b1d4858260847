"""One HTTP request to an upstream, as a value."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Via: TypeAlias = Literal["https", "bedrock"]


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What signs calls to AWS in place of the role that the process has."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose URL a request goes to, and what the operator lets it reach beyond the rules.

    `allowed` holds exact `host:port` pairs: `llm.test:8080`, or `[::1]:9` for an IPv6 address.
    """

    is_users: bool = False
    allowed: frozenset[str] = frozenset()


OPERATORS = Reach()
"""The reach of a URL that the operator wrote, with nothing allowed beyond the rules."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """`headers` and `aws` hold secrets, so they are left out of the representation.

    `via` says who sends it: over HTTP, or as a call of Bedrock's API, whose `url` is
    `bedrock:<region>/<operation>` and whose `body` is the JSON of its parameters.
    """

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"
    via: Via = "https"
    aws: AwsCredentials | None = None
    reach: Reach = OPERATORS

    def __repr__(self) -> str:
        return f"UpstreamRequest({self.method}, {len(self.body)} bytes)"
