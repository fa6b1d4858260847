"""An issuer of tokens: real keys, tokens as one likes them, and a server of its key set."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.support.fake_upstream import FakeUpstream, json_reply
from tests.support.reaching import dial_local
from waystation.egress.client import Egress
from waystation.identity.bearer_tokens import BearerTokens
from waystation.identity.claims import ClaimRules
from waystation.identity.signing_keys import SigningKeys
from waystation.identity_settings import ALGORITHMS, ClaimSettings, JwtSettings

ISSUER = "https://login.example.com/"
AUDIENCE = "waystation"
NOW = 1_800_000_000
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA_KEY),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def claims(**changes: object) -> dict[str, object]:
    """Return good claims of alice; a change to None takes one away."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW, "exp": NOW + 300}
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(
    algorithm: str = "RS256",
    *,
    key: Any = None,
    headers: Mapping[str, object] = {},
    **changes: object,
) -> str:
    """Return a signed token; its `kid` is the algorithm's name. `headers` of None are left out."""
    head = {"kid": algorithm, **headers}
    signer = KEYS.get(algorithm) if key is None else key
    return sign({"alg": algorithm, **head}, json.dumps(claims(**changes)).encode(), signer)


def fresh_token(algorithm: str = "ES256", **changes: object) -> str:
    """Return a token that is good by the clock of this machine."""
    now = int(time.time())
    times: dict[str, Any] = {"iat": now, "exp": now + 300}
    return token(algorithm, **(times | changes))


def sign(header: Mapping[str, object], payload: bytes, key: Any) -> str:
    """Sign whatever is given, as no library would."""
    header = {name: value for name, value in header.items() if value is not None}
    signed = b".".join([_encode(json.dumps(header).encode()), _encode(payload)])
    name = str(header.get("alg"))
    signature = get_default_algorithms()[name].sign(signed, key) if key else b"no signature"
    return b".".join([signed, _encode(signature)]).decode()


def jwk(algorithm: str = "RS256", **changes: object) -> dict[str, object]:
    """Return the public key that `token` signs with; a change to None takes a member away."""
    shown = get_default_algorithms()[algorithm].to_jwk(KEYS[algorithm].public_key(), as_dict=True)
    shown.pop("key_ops", None)
    members = {**shown, "kid": algorithm, "alg": algorithm, "use": "sig", **changes}
    return {name: value for name, value in members.items() if value is not None}


def key_set(*keys: Mapping[str, object]) -> list[Any]:
    """Return the answer that tells a key set; without keys, that of every algorithm."""
    return json_reply({"keys": list(keys) or [jwk(name) for name in ALGORITHMS]})


def settings_of(server: FakeUpstream, *algorithms: str, path: str = "/jwks.json") -> JwtSettings:
    """Return settings that know `server` as the place of the keys."""
    return JwtSettings(
        ISSUER, (AUDIENCE,), f"http://{server.address}{path}", algorithms or ALGORITHMS
    )


def loopback_egress() -> Egress:
    """Return a way out that reaches this machine."""
    return Egress(dialler=dial_local)


class Times:
    """A clock of both kinds: seconds of UTC, and seconds to measure by."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return 5.0 + self.passed

    def utc_now(self) -> float:
        return NOW + self.passed


def bearer_tokens(
    settings: JwtSettings, times: Times, rules: ClaimSettings | None = None
) -> BearerTokens:
    """Return what checks tokens by the keys of a real server."""
    keys = SigningKeys(loopback_egress(), settings, now=times.now)
    return BearerTokens(
        settings, ClaimRules(rules or ClaimSettings()), keys, now=times.now, utc_now=times.utc_now
    )


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
