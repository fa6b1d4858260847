"""How callers identify themselves, as the environment says it. Pure; `settings` reads for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from waystation.config.schema import USER_FIELDS

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
DEFAULT_ALGORITHMS = ("RS256", "ES256")
DEFAULT_CLAIMS = {
    "email": "email",
    "emailVerified": "email_verified",
    "name": "name",
    "username": "preferred_username",
    "role": "role",
    "openidId": "sub",
}
MAX_PREFIX_LENGTH = 64

_MODES = ("keys", "jwt", "authorizer")
_ON_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")

Claim = tuple[str, str]


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """Which tokens are good.

    `jwks_url` is a key set, by default `<issuer>/.well-known/jwks.json`, or an OpenID configuration
    that names one.
    """

    issuer: str
    audiences: tuple[str, ...]
    jwks_url: str
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """What claims mean. `fields` are claims by the user's field; `admin`, `trusted`: name, value.

    `fields` is None where nothing is configured: `DEFAULT_CLAIMS` for tokens, LibreChat's own names
    for the context that a Lambda authorizer gives.
    """

    fields: Mapping[str, str] | None = None
    admin: Claim | None = None
    trusted: Claim | None = None
    id_prefix: str = ""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """`jwt` is there if, and only if, the mode is."""

    modes: frozenset[str] = frozenset({"keys"})
    jwt: JwtSettings | None = None
    claims: ClaimSettings = ClaimSettings()


KEYS_ONLY = IdentitySettings()


def read_identity(env: Mapping[str, str], faults: list[str]) -> IdentitySettings:
    """Read who may call; whatever cannot be used is added to `faults`."""
    modes = frozenset(names_in(env.get("AUTH_MODES", "keys")))
    if not modes or not modes <= set(_MODES):
        faults.append(f"AUTH_MODES must name some of: {', '.join(_MODES)}")
    elif "authorizer" in modes and len(modes) > 1:
        faults.append("AUTH_MODES: authorizer excludes the other modes")
    return IdentitySettings(
        modes=modes,
        jwt=_read_jwt(env, faults) if "jwt" in modes else None,
        claims=_read_claims(env, modes, faults),
    )


def names_in(text: str) -> tuple[str, ...]:
    """Return what commas separate."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _read_jwt(env: Mapping[str, str], faults: list[str]) -> JwtSettings:
    issuer, audiences = env.get("JWT_ISSUER", ""), names_in(env.get("JWT_AUDIENCE", ""))
    algorithms = names_in(env.get("JWT_ALGORITHMS", "")) or DEFAULT_ALGORITHMS
    url = env.get("JWT_JWKS_URL") or f"{issuer.rstrip('/')}/.well-known/jwks.json"
    if not issuer:
        faults.append("JWT_ISSUER is not set")
    if not audiences:
        faults.append("JWT_AUDIENCE is not set")
    if not set(algorithms) <= set(ALGORITHMS):
        faults.append(f"JWT_ALGORITHMS must name some of: {', '.join(ALGORITHMS)}")
    if issuer and not is_safe_url(url):
        faults.append("JWT_JWKS_URL, or JWT_ISSUER without it, must be an https URL")
    return JwtSettings(issuer, audiences, url, algorithms)


def is_safe_url(url: str) -> bool:
    """Tell whether keys may be read from a URL: by https, or on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _ON_THIS_MACHINE)


def _read_claims(env: Mapping[str, str], modes: frozenset[str], faults: list[str]) -> ClaimSettings:
    prefix = env.get("USER_ID_PREFIX", "")
    if not prefix.isprintable() or len(prefix) > MAX_PREFIX_LENGTH:
        faults.append(f"USER_ID_PREFIX must be at most {MAX_PREFIX_LENGTH} printable characters")
    return ClaimSettings(
        fields=_read_fields(env, modes, faults),
        admin=_read_claim("ADMIN_CLAIM", env, faults),
        trusted=_read_claim("TRUSTED_CLAIM", env, faults),
        id_prefix=prefix,
    )


def _read_fields(
    env: Mapping[str, str], modes: frozenset[str], faults: list[str]
) -> Mapping[str, str] | None:
    """Read `field=claim,...`. The id is the token's subject, and nobody's e-mail address."""
    pairs = [part.partition("=") for part in names_in(env.get("USER_CLAIMS", ""))]
    fields = {field.strip(): claim.strip() for field, _, claim in pairs}
    if len(fields) < len(pairs) or not all(fields.values()) or not fields.keys() <= {*USER_FIELDS}:
        faults.append("USER_CLAIMS must be field=claim,... with LibreChat's user fields, each once")
    elif "id" in fields and ("jwt" in modes or fields["id"] == "email"):
        faults.append("USER_CLAIMS cannot say whose id it is: that is the token's sub")
    return fields or None


def _read_claim(name: str, env: Mapping[str, str], faults: list[str]) -> Claim | None:
    text = env.get(name, "")
    claim, _, value = (part.strip() for part in text.partition("="))
    if text and not (claim and value):
        faults.append(f"{name} must be claim=value")
    return (claim, value) if text else None
