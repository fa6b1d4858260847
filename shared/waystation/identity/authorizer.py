"""Reads who calls from what API Gateway's authorizer found out.

It is in the event's `requestContext`, which only API Gateway writes:

    REST API   authorizer.claims           Cognito user pool: claims of the token
               authorizer                  Lambda: a flat map, with principalId
    HTTP API   authorizer.jwt.claims       JWT authorizer
               authorizer.lambda           Lambda: a map

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/, 2026-11.
"""

import logging
from collections.abc import Mapping

from waystation.config.schema import USER_FIELDS
from waystation.errors import InvalidApiKeyError
from waystation.identity.claims import ClaimError, ClaimRules
from waystation.identity.user import Caller
from waystation.identity_settings import DEFAULT_CLAIMS

_SAME_NAMES = {name: name for name in USER_FIELDS}
_log = logging.getLogger("waystation.identity")

Map = Mapping[str, object]


class AuthorizerContext:
    """Tells the caller of an event; without the context there is none."""

    def __init__(self, rules: ClaimRules) -> None:
        self._rules = rules

    def identify(self, event: Map | None) -> Caller:
        """Return the caller. Raises InvalidApiKeyError."""
        try:
            return self._caller(_map(_map(event or {}, "requestContext"), "authorizer"))
        except ClaimError as error:
            _log.info("context_refused", extra={"cause": str(error)})
            raise InvalidApiKeyError from error

    def _caller(self, found: Map) -> Caller:
        if claims := _map(found, "claims") or _map(_map(found, "jwt"), "claims"):
            fields = DEFAULT_CLAIMS if self._rules.fields is None else self._rules.fields
            subject = claims.get(fields.get("id", "sub"))
        else:
            claims = _map(found, "lambda") or found
            fields = _SAME_NAMES if self._rules.fields is None else self._rules.fields
            subject = claims.get(fields.get("id", "id")) or claims.get("principalId")
        return self._rules.caller(
            claims, subject, fields=fields, source="authorizer", has_lists_as_text=True
        )


def _map(found: Map, name: str) -> Map:
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}
