"""Signatures: AWS's published values, and botocore's signer beside ours.

vectors/sigv4.json holds requests and signatures of AWS's test suite for Signature Version 4, all
made with one key, at one moment, for one service and region. Source:
https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4, 2026-11.
"""

import datetime as dt
import hashlib
import json
import string
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waystation.aws.signing import Signer, Unsigned
from waystation.wire.upstream_request import AwsCredentials

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sigv4.json").read_text(encoding="utf-8"))
KEY = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
MOMENT = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_signature_is_that_of_the_suite(vector: dict[str, Any]):
    digest = hashlib.sha256(vector["body"].encode()).hexdigest()
    headers = [tuple(header) for header in vector["headers"]]
    if vector["sign_body"]:
        headers.append(("x-amz-content-sha256", digest))
    request = Unsigned(vector["method"], vector["path"], headers, digest, vector["query"])
    key = AwsCredentials(KEY.access_key_id, KEY.secret_access_key, vector["token"])

    added = dict(Signer("service", "us-east-1").sign(request, key, MOMENT.timestamp()))

    assert added["authorization"].endswith(f"Signature={vector['signature']}")
    assert added["x-amz-date"] == "20150830T123600Z"
    assert added.get("x-amz-security-token") == vector["token"]


SEGMENTS = st.text(min_size=1, max_size=8).filter(lambda text: text.strip(".") != "")
NAMES = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12)
VALUES = st.text(string.printable[:95], max_size=30)
TOKENS = st.none() | st.text(string.ascii_letters + "+/=", min_size=1, max_size=40)
TAKEN = {"x-amz-date", "x-amz-security-token", "x-amzn-trace-id", "x-amz-content-sha256"}


@settings(max_examples=60, deadline=None)
@given(
    service=st.sampled_from(["dynamodb", "s3", "lambda"]),
    segments=st.lists(SEGMENTS, max_size=3),
    pairs=st.dictionaries(NAMES, VALUES, max_size=3),
    headers=st.dictionaries(NAMES.map("x-{}".format).map(str.lower), VALUES, max_size=4),
    body=st.binary(max_size=40),
    token=TOKENS,
    now_s=st.integers(0, 4_000_000_000),
)
@example(
    service="s3", segments=["é b", "c%20d"], pairs={}, headers={}, body=b"", token="t", now_s=1
)
def test_signature_is_that_of_botocore(
    *,
    service: str,
    segments: list[str],
    pairs: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    token: str | None,
    now_s: int,
):
    path = "/" + "/".join(quote(one, safe="-_.~", errors="replace") for one in segments)
    query = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs.items())
    own = {name: value for name, value in headers.items() if name not in TAKEN}
    digest = hashlib.sha256(body).hexdigest()
    if service == "s3":
        own["x-amz-content-sha256"] = digest
    all_headers = [("host", "example.com"), *own.items()]
    key = AwsCredentials("AKID", "secret/key", token)

    added = Signer(service, "eu-central-1").sign(
        Unsigned("PUT", path, all_headers, digest, query), key, now_s
    )

    theirs = AWSRequest("PUT", f"https://example.com{path}?{query}", headers=own, data=body)
    _sign_by_botocore(theirs, service, token, now_s)
    assert dict(added)["authorization"] == theirs.headers["Authorization"]


def _sign_by_botocore(request: AWSRequest, service: str, token: str | None, now_s: int) -> None:
    signer_class = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = signer_class(Credentials("AKID", "secret/key", token), service, "eu-central-1")
    request.context["payload_signing_enabled"] = True
    now = dt.datetime.fromtimestamp(now_s, dt.UTC)
    with patch("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: now):
        signer.add_auth(request)


def test_a_days_key_serves_the_next_request_and_another_secret_has_another():
    signer, request = Signer("dynamodb", "eu-central-1"), Unsigned("GET", "/", [("host", "h")])
    other = AwsCredentials("AKIDEXAMPLE", "other")

    first, again, others = (dict(signer.sign(request, key, 0)) for key in (KEY, KEY, other))

    assert first == again
    assert first["authorization"] != others["authorization"]
    assert "other" not in repr((signer, request, other))
