"""What claims say: whether a token is good for this gateway, now, and who its user is."""

import re
from collections.abc import Mapping

from waystation.identity.user import Caller, User, text_of
from waystation.identity_settings import Claim, ClaimSettings, JwtSettings

LEEWAY_S = 60
MAX_SUBJECT_LENGTH = 255  # Source: https://openid.net/specs/openid-connect-core-1_0.html, 2026-11

_SEPARATORS = re.compile(r"[\s,]+")

Claims = Mapping[str, object]


class ClaimError(ValueError):
    """The claims make no caller; the text is fixed and holds none of them."""


def check_claims(claims: Claims, settings: JwtSettings, *, now: float) -> float:
    """Return when a token ends, in seconds of UTC like `now`. Raises ClaimError."""
    if claims.get("iss") != settings.issuer:
        raise ClaimError("another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(given in settings.audiences for given in audiences):
        raise ClaimError("another audience")
    ends = _time(claims, "exp")
    if ends is None or ends + LEEWAY_S <= now:
        raise ClaimError("expired, or without an end")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins - LEEWAY_S > now:
            raise ClaimError("not yet good")
    return ends


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ClaimError(f"{name} is no number")
    return value


class ClaimRules:
    """Makes callers out of claims whose source has been checked."""

    def __init__(self, settings: ClaimSettings) -> None:
        self._settings = settings

    @property
    def fields(self) -> Mapping[str, str] | None:
        """Return the configured claims by the user's field."""
        return self._settings.fields

    def caller(
        self,
        claims: Claims,
        subject: object,
        *,
        fields: Mapping[str, str],
        source: str,
        has_lists_as_text: bool = False,
    ) -> Caller:
        """Return the caller of `subject`, whose other `fields` come from `claims`.

        Claims that are neither text, whole number nor boolean are left out. API Gateway writes
        lists as text: `a,b` or `[a b]`. Raises ClaimError.
        """
        user_id = subject if isinstance(subject, str) else ""
        if not 0 < len(user_id) <= MAX_SUBJECT_LENGTH or not user_id.isprintable():
            raise ClaimError("no usable subject")
        try:
            texts = {name: _scalar(claims.get(claim)) for name, claim in fields.items()}
            is_trusted = _holds(claims, self._settings.trusted, is_split=has_lists_as_text)
            is_admin = _holds(claims, self._settings.admin, is_split=has_lists_as_text)
        except ValueError:
            raise ClaimError("a claim is too long") from None
        texts.pop("id", None)
        return Caller(
            user=User(
                f"{self._settings.id_prefix}{user_id}",
                {n: text for n, text in texts.items() if text},
            ),
            key_id=source,
            is_trusted=is_trusted,
            is_admin=is_admin,
        )


def _scalar(value: object) -> str:
    return text_of("claim", value) if isinstance(value, str | int) else ""


def _holds(claims: Claims, wanted: Claim | None, *, is_split: bool) -> bool:
    """Tell whether a claim is the wanted value, or a list with it."""
    if wanted is None:
        return False
    name, value = wanted
    given = claims.get(name)
    if isinstance(given, list):
        return value in given
    if not isinstance(given, str | int):
        return False
    text = text_of(name, given)
    return value == text or (is_split and value in _SEPARATORS.split(text.strip("[]")))
