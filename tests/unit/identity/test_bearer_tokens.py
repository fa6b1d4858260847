"""Which tokens are good."""

import asyncio
import base64
import json
import logging

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.fake_upstream import FakeUpstream
from tests.support.logs import kept_lines
from tests.support.tokens import (
    KEYS,
    NOW,
    OTHER_RSA_KEY,
    RSA_KEY,
    Times,
    bearer_tokens,
    claims,
    jwk,
    key_set,
    settings_of,
    sign,
    token,
)
from waystation.errors import InvalidApiKeyError
from waystation.identity.user import Caller, User
from waystation.identity_settings import ALGORITHMS

ALICE = Caller(User("alice", {"openidId": "alice"}), "jwt")
WEAK_KEY = rsa.generate_private_key(65537, 1024)
PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_every_configured_algorithm_is_taken(issuer: FakeUpstream, times, algorithm):
    tokens = bearer_tokens(settings_of(issuer, algorithm), times)
    assert await tokens.identify(token(algorithm)) == ALICE
    (request,) = issuer.received
    assert request.request_line == "GET /jwks.json HTTP/1.1"


def raw(header: dict[str, object], payload: bytes | None = None) -> str:
    body = json.dumps(claims()).encode() if payload is None else payload
    return sign({"alg": "RS256", "kid": "RS256", **header}, body, RSA_KEY)


def with_header_text(text: str) -> str:
    encoded = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{encoded}.{token().partition('.')[2]}"


REFUSED = {
    "no token": "sk-way-1",
    "two parts": token().rpartition(".")[0],
    "four parts": token() + ".x",
    "padded": token() + "=",
    "two tokens": f"{token()}, Bearer {token()}",
    "header is no JSON": "AAAA." + token().partition(".")[2],
    "header twice the key": with_header_text('{"alg":"none","alg":"RS256","kid":"RS256"}'),
    "header is a list": with_header_text('["alg"]'),
    "alg none": sign({"alg": "none", "kid": "RS256"}, json.dumps(claims()).encode(), None),
    "alg NONE": sign({"alg": "NONE", "kid": "RS256"}, json.dumps(claims()).encode(), None),
    "alg is no text": with_header_text('{"alg":["RS256"],"kid":"RS256"}'),
    "HS256 by the public key": token("HS256", key=PEM, headers={"kid": "RS256"}),
    "algorithm not configured": token("RS512"),
    "algorithm of another family": token("PS256", headers={"kid": "RS256"}),
    "no kid": token(headers={"kid": None}),
    "empty kid": token(headers={"kid": ""}),
    "kid is a number": token(headers={"kid": 1}),
    "unknown kid": token(headers={"kid": "RS257"}),
    "key of another kid": token(key=OTHER_RSA_KEY),
    "crit": token(headers={"crit": ["exp"], "exp": NOW}),
    "crit b64": token(headers={"crit": ["b64"], "b64": True}),
    "empty crit": token(headers={"crit": []}),
    "b64 false": token(headers={"b64": False}),
    "other signature": token()[:-8] + "AAAAAAAA",
    "other claims": ".".join(
        [token().split(".")[0], token(sub="bob").split(".")[1], token().split(".")[2]]
    ),
    "claims are no JSON": raw({}, b"{"),
    "claims are a list": raw({}, b"[]"),
    "a claim twice": raw({}, json.dumps(claims()).encode()[:-1] + b',"sub":"bob"}'),
    "NaN": raw({}, json.dumps(claims(exp=float("nan"))).encode()),
    "infinity": raw({}, json.dumps(claims()).encode()[:-1] + b',"nbf":-1e999}'),
    "other issuer": token(iss="https://login.example.com"),
    "issuer in capitals": token(iss="HTTPS://LOGIN.EXAMPLE.COM/"),
    "no issuer": token(iss=None),
    "issuers": token(iss=["https://login.example.com/"]),
    "other audience": token(aud="waystation2"),
    "no audience": token(aud=None),
    "other audiences": token(aud=["a", "b"]),
    "audience is an object": token(aud={"waystation": 1}),
    "expired": token(exp=NOW - 60),
    "no exp": token(exp=None),
    "exp is text": token(exp=str(NOW + 300)),
    "exp is true": token(exp=True),
    "nbf to come": token(nbf=NOW + 61),
    "nbf is text": token(nbf="0"),
    "nbf is true": token(nbf=True),
    "iat to come": token(iat=NOW + 61),
    "iat is a list": token(iat=[NOW]),
    "no sub": token(sub=None),
    "empty sub": token(sub=""),
    "sub is a number": token(sub=7),
    "long sub": token(sub="a" * 256),
    "sub with a line break": token(sub="a\nb"),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
async def test_anything_else_is_refused(issuer: FakeUpstream, times, given):
    tokens = bearer_tokens(settings_of(issuer, "RS256", "PS256"), times)
    with pytest.raises(InvalidApiKeyError):
        await tokens.identify(given)


GOOD = {
    "audiences": token(aud=["other", "waystation"]),
    "just not expired": token(exp=NOW - 59),
    "nbf nearly reached": token(nbf=NOW + 60),
    "iat nearly reached": token(iat=NOW + 60),
    "fractions": token(exp=NOW + 0.5, iat=NOW - 0.5),
    "255 characters": token(sub="a" * 255),
    "keys of its own": token(
        headers={"jku": "http://127.0.0.1:1/x", "x5u": "http://127.0.0.1:1/y", "x5c": ["AAAA"]}
    ),
    "a key of its own": token(headers={"jwk": jwk("RS256", n="AQAB")}),
    "type": token(headers={"typ": "at+jwt"}),
}


@pytest.mark.parametrize("given", GOOD.values(), ids=GOOD)
async def test_good_tokens_at_the_edge(issuer: FakeUpstream, times, given):
    tokens = bearer_tokens(settings_of(issuer, "RS256"), times)
    assert (await tokens.identify(given)).key_id == "jwt"
    assert len(issuer.received) == 1


KEYS_REFUSED = {
    "its alg is another": [jwk(alg="RS512")],
    "for encryption": [jwk(use="enc")],
    "for other operations": [jwk(use=None, key_ops=["encrypt"])],
    "operations are text": [jwk(use=None, key_ops="verify")],
    "of another type": [jwk("ES256", kid="RS256", alg="RS256")],
    "symmetric": [{"kty": "oct", "k": "c2VjcmV0", "kid": "RS256"}],
    "without a modulus": [jwk(n=None)],
    "modulus is a number": [jwk(n=5)],
    "two of one kid": [jwk(), jwk()],
    "too short": [jwk(n=jwk("RS256")["n"][:100])],  # type: ignore[index]
    "no objects": ["RS256", None],
}


@pytest.mark.parametrize("keys", KEYS_REFUSED.values(), ids=KEYS_REFUSED)
async def test_key_must_be_meant_for_the_signature(issuer: FakeUpstream, times, keys):
    issuer.answer(key_set(*keys))
    with pytest.raises(InvalidApiKeyError):
        await bearer_tokens(settings_of(issuer, "RS256"), times).identify(token())


async def test_short_rsa_key_is_refused_though_it_signed(issuer: FakeUpstream, times, monkeypatch):
    monkeypatch.setitem(KEYS, "RS256", WEAK_KEY)
    issuer.answer(key_set(jwk()))
    with pytest.raises(InvalidApiKeyError):
        await bearer_tokens(settings_of(issuer, "RS256"), times).identify(token())


@pytest.mark.parametrize("changes", [{"alg": None, "use": None}, {"key_ops": ["verify"]}])
async def test_key_need_not_say_what_it_is_for(issuer: FakeUpstream, times, changes):
    issuer.answer(key_set(jwk(**changes), jwk("ES256", kid="RS256", alg=None)))
    assert await bearer_tokens(settings_of(issuer, "RS256"), times).identify(token()) == ALICE


async def test_keys_of_one_kid_are_told_apart_by_curve(issuer: FakeUpstream, times):
    issuer.answer(key_set(jwk("ES384", kid="ES256", alg=None), jwk("ES256", alg=None)))
    assert await bearer_tokens(settings_of(issuer), times).identify(token("ES256")) == ALICE


@pytest.mark.parametrize("curve", ["ES384", "ES512"])
async def test_curve_must_be_the_algorithms(issuer: FakeUpstream, times, curve):
    issuer.answer(key_set(jwk(curve, kid="ES256", alg=None)))
    with pytest.raises(InvalidApiKeyError):
        await bearer_tokens(settings_of(issuer), times).identify(token("ES256"))


async def test_good_token_is_remembered_for_a_minute(issuer: FakeUpstream, times: Times):
    tokens = bearer_tokens(settings_of(issuer), times)
    given = token(exp=NOW + 100_000)
    first = await tokens.identify(given)
    times.passed = 59
    assert await tokens.identify(given) is first
    times.passed = 60
    again = await tokens.identify(given)
    assert again == first
    assert again is not first


async def test_token_is_not_remembered_beyond_its_end(issuer: FakeUpstream, times: Times):
    tokens = bearer_tokens(settings_of(issuer), times)
    given = token(exp=NOW + 10)
    first = await tokens.identify(given)
    times.passed = 9
    assert await tokens.identify(given) is first
    times.passed = 10
    assert await tokens.identify(given) is not first  # within the leeway it is checked anew
    times.passed = 70
    with pytest.raises(InvalidApiKeyError):
        await tokens.identify(given)


async def test_remembered_token_does_not_vouch_for_one_that_begins_alike(
    issuer: FakeUpstream, times: Times
):
    tokens = bearer_tokens(settings_of(issuer), times)
    given = token()
    await tokens.identify(given)
    with pytest.raises(InvalidApiKeyError):
        await tokens.identify(given[:-4] + "AAAA")


async def test_many_tokens_are_not_all_remembered(issuer: FakeUpstream, times, monkeypatch):
    monkeypatch.setattr("waystation.identity.bearer_tokens.MAX_CACHED", 2)
    tokens = bearer_tokens(settings_of(issuer), times)
    users = [await tokens.identify(token("ES256", sub=f"u{n}")) for n in range(5)]
    assert [caller.user.id for caller in users] == ["u0", "u1", "u2", "u3", "u4"]
    assert len(tokens._known) <= 2


async def test_log_says_why_and_shows_nothing_of_the_token(issuer: FakeUpstream, times, caplog):
    given = token(aud="a-secret-audience")
    caplog.set_level(logging.INFO, "waystation.identity")
    with kept_lines("waystation.identity") as lines, pytest.raises(InvalidApiKeyError):
        await bearer_tokens(settings_of(issuer), times).identify(given)
    (line,) = lines
    assert line.getMessage() == "token_refused"
    assert vars(line)["cause"] == "another audience"
    assert given not in str(vars(line))
    assert "a-secret" not in str(vars(line))


async def test_interleaved_users_are_never_mixed_up(issuer: FakeUpstream, times: Times):
    issuer.answer([0.05, *key_set()])
    tokens = bearer_tokens(settings_of(issuer), times)
    users = [f"user-{n}" for n in range(20)] * 10
    given = {user: token("ES256", sub=user, email=f"{user}@example.com") for user in users}
    callers = await asyncio.gather(*(tokens.identify(given[user]) for user in users))
    assert [caller.user.id for caller in callers] == users
    assert [caller.user.fields["email"] for caller in callers] == [
        f"{user}@example.com" for user in users
    ]
    assert len(issuer.received) == 1
