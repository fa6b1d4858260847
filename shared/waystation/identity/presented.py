"""What a request says of its caller, before any of it is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_CREDENTIAL_LENGTH = 8192
QUERY_NAMES = frozenset({"key", "api_key", "api-key", "access_token"})


@dataclass(frozen=True, slots=True)
class Presented:
    """`headers` have lower-case names, `query` are pairs, `event` is what API Gateway sent."""

    headers: Mapping[str, str] = field(repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    event: Mapping[str, object] | None = field(default=None, repr=False)

    def credential(self) -> str | None:
        """Return the one credential; None if there is none, several, or no possible one.

        It comes as a bearer token or in `x-api-key`. One in the query string is never enough, for
        URLs are logged everywhere; it must agree all the same.
        """
        scheme, _, bearer = self.headers.get("authorization", "").partition(" ")
        given = {value for name, value in self.query if name.lower() in QUERY_NAMES and value}
        sent = {self.headers["x-api-key"]} if self.headers.get("x-api-key") else set()
        if bearer and scheme.lower() == "bearer":
            sent.add(bearer.strip())
        elif scheme:
            return None
        if len(sent) != 1 or not given <= sent:
            return None
        credential = sent.pop()
        is_possible = credential.isascii() and credential.isprintable()
        return credential if is_possible and 0 < len(credential) <= MAX_CREDENTIAL_LENGTH else None
