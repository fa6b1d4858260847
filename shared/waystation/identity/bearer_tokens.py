"""Checks signed tokens (JWT) against the issuer's keys.

The signature is PyJWT's work. A token's header chooses among the configured algorithms and the
issuer's keys, and nothing else in it counts: `jku`, `x5u`, `x5c` and `jwk` are not looked at, and
one with `crit` is refused.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence

import jwt

from waystation.errors import InvalidApiKeyError
from waystation.identity.claims import ClaimError, ClaimRules, check_claims
from waystation.identity.jose import read_header, read_object
from waystation.identity.signing_keys import SigningKey, SigningKeys
from waystation.identity.user import Caller
from waystation.identity_settings import DEFAULT_CLAIMS, JwtSettings

CACHE_S = 60.0
MAX_CACHED = 1024

_log = logging.getLogger("waystation.identity")
# What a key must be for an algorithm: its type, and its curve.
_KINDS: Mapping[str, tuple[str, str | None]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
_PUBLIC = ("kty", "crv", "n", "e", "x", "y")


class BearerTokens:
    """Tells whose a token is. Good ones are remembered, for a minute at the most."""

    def __init__(
        self,
        settings: JwtSettings,
        rules: ClaimRules,
        keys: SigningKeys,
        *,
        now: Callable[[], float],
        utc_now: Callable[[], float],
    ) -> None:
        """Take `now` to measure by, and `utc_now` in seconds, to compare with tokens."""
        self._settings = settings
        self._rules = rules
        self._keys = keys
        self._now = now
        self._utc_now = utc_now
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def identify(self, credential: str) -> Caller:
        """Return the caller. Raises InvalidApiKeyError, SigningKeysUnavailableError."""
        digest = hashlib.sha256(credential.encode()).digest()
        known, until = self._known.get(digest, (None, 0.0))
        if known is not None and self._now() < until:
            return known
        self._known.pop(digest, None)
        try:
            claims = await self._verified(credential)
            now = self._utc_now()
            ends = check_claims(claims, self._settings, now=now)
            caller = self._rules.caller(
                claims, claims.get("sub"), fields=self._fields(), source="jwt"
            )
        except ClaimError as error:
            _log.info("token_refused", extra={"cause": str(error)})
            raise InvalidApiKeyError from error
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[digest] = (caller, self._now() + min(CACHE_S, ends - now))
        return caller

    def _fields(self) -> Mapping[str, str]:
        return DEFAULT_CLAIMS if self._rules.fields is None else self._rules.fields

    async def _verified(self, token: str) -> Mapping[str, object]:
        header = read_header(token)
        if header is None:
            raise ClaimError("not a token")
        algorithm, key_id = header["alg"], header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._settings.algorithms:
            raise ClaimError("another algorithm")
        if "crit" in header or not isinstance(key_id, str):
            raise ClaimError("crit, or no kid")
        key = _only(await self._keys.find(key_id), algorithm)
        try:
            payload = _JWS.decode(token, jwt.PyJWK(key, algorithm), algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise ClaimError("the signature is not the key's") from error
        claims = read_object(payload)
        if claims is None:
            raise ClaimError("the claims are no JSON object")
        return claims


_JWS = jwt.PyJWS(options={"enforce_minimum_key_length": True})


def _only(keys: Sequence[SigningKey], algorithm: str) -> dict[str, object]:
    """Return the public part of the one key that is meant for the algorithm."""
    fitting = [key for key in keys if _is_for(key, algorithm)]
    if len(fitting) != 1:
        raise ClaimError("no key of that kid for that algorithm")
    return {name: fitting[0][name] for name in _PUBLIC if name in fitting[0]}


def _is_for(key: SigningKey, algorithm: str) -> bool:
    kind, curve = _KINDS[algorithm]
    operations = key.get("key_ops")
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )
