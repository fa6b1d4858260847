"""Lets browsers call from the origins that the operator lists, and from no other.

Answers never allow credentials: a caller's key or token is a header that the app itself sets.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

MAX_AGE_S = 600
METHODS = "GET, POST, PUT, DELETE"
EXPOSED = "x-request-id, request-id, retry-after, x-should-retry"
ALLOWED = frozenset(
    {
        "authorization",
        "content-type",
        "x-api-key",
        "anthropic-version",
        "anthropic-beta",
        "anthropic-dangerous-direct-browser-access",  # Anthropic's SDK sends it from browsers
        "x-request-id",
        "idempotency-key",
        "user-agent",
    }
)
ALLOWED_PREFIXES = ("x-endpoint", "x-stainless-")


class Cors:
    """Without origins it does nothing."""

    def __init__(self, origins: frozenset[str] = frozenset()) -> None:
        self._origins = origins

    def headers_for(self, scope: Scope) -> Mapping[str, str]:
        """Return the headers that an answer gets, an error's too."""
        if not self._origins:
            return {}
        varying = {"vary": "Origin"}
        origin = self._listed_origin(Headers(scope=scope))
        if origin is None:
            return varying
        return varying | {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": EXPOSED,
        }

    def preflight(self, scope: Scope) -> Response | None:
        """Return the answer to a listed origin's preflight, None for any other request."""
        if scope["method"] != "OPTIONS":
            return None
        headers = Headers(scope=scope)
        if self._listed_origin(headers) is None or "access-control-request-method" not in headers:
            return None
        asked = headers.get("access-control-request-headers", "").lower().split(",")
        allowed = [name for part in asked if _is_allowed(name := part.strip())]
        return Response(
            status_code=204,
            headers={
                "access-control-allow-methods": METHODS,
                "access-control-allow-headers": ", ".join(allowed),
                "access-control-max-age": str(MAX_AGE_S),
            },
        )

    def _listed_origin(self, headers: Headers) -> str | None:
        origins = headers.getlist("origin")
        return origins[0] if len(origins) == 1 and origins[0] in self._origins else None


def _is_allowed(name: str) -> bool:
    return name in ALLOWED or name.startswith(ALLOWED_PREFIXES)
