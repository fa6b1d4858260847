"""Secrets taken out of texts."""

import base64
import json
import time
from urllib.parse import quote

import pytest

from waystation.wire.redaction import MIN_SECRET_LENGTH, redact

SECRET = 'pass/word+"of\\acme'

SPELLINGS = {
    "plain": SECRET,
    "URL-encoded": quote(SECRET, safe=""),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "in JSON": json.dumps(SECRET)[1:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_secret_is_replaced_however_spelt(spelling):
    assert redact(f"a {spelling} b{spelling}", [SECRET]) == "a [REDACTED] b[REDACTED]"


KEYS = {
    "OpenAI's": "sk-proj-abc_DEF-123",
    "bearer": "Bearer abc.def-123~+/=",
    "AWS": "AKIAIOSFODNN7EXAMPLE",
    "AWS, temporary": "ASIAIOSFODNN7EXAMPLE",
    "JWT": "eyJhbGciOiJub25l.eyJzdWIiOiIx.c2ln",
    "JSON in base64": "eyJhbGciOiJub25l",
    "JWT without signature": "eyJhbGciOiJub25l.eyJzdWIiOiIx.",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_text_like_a_key_is_replaced(key):
    assert redact(f"<{key}>") == "<[REDACTED]>"


@pytest.mark.parametrize("text", ["sk-short", "Bearer token", "AKIA", "eyJ", "risk-averse", ""])
def test_other_text_stays(text):
    assert redact(text, ["", "short"]) == text


def test_short_secret_is_no_secret():
    secret = "x" * MIN_SECRET_LENGTH
    assert redact(secret, [secret]) == "[REDACTED]"
    assert redact(secret[1:], [secret[1:]]) == secret[1:]


def test_secret_that_holds_another_is_replaced_whole():
    inner, outer = "inner-secret-0", "inner-secret-0-and-more"
    for secrets in ([inner, outer], [outer, inner]):
        assert redact(f"{outer} {inner}", secrets) == "[REDACTED] [REDACTED]"


HEAVY = {
    "sk-": "sk-" * 350_000,
    "Bearer ": "Bearer " * 150_000,
    "AKIA": "AKIA" * 250_000,
    "eyJ": "eyJ" * 350_000,
    "eyJ.": "eyJaaaa." * 125_000,
    "dots": "eyJ" + "a." * 500_000,
    "secret": SECRET * 55_000,
}


@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_megabyte_takes_little_time(text):
    began = time.perf_counter()
    redact(text, [SECRET])
    assert time.perf_counter() - began < 0.5
