"""What boto3 and urllib3 raise, as errors of ours."""

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from waystation.aws.bedrock_errors import STREAM_ERRORS, refusal_of, translate
from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)

WHERE = {"endpoint_url": "https://secret.test"}


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (EndpointConnectionError(**WHERE), UpstreamUnreachableError),
        (ConnectTimeoutError(**WHERE), UpstreamUnreachableError),
        (ProxyConnectionError(proxy_url="http://p.test"), UpstreamUnreachableError),
        (SSLError(**WHERE, error=OSError()), UpstreamUnreachableError),
        (InvalidRegionError(region_name="x y"), UpstreamUnreachableError),
        (ReadTimeoutError(**WHERE), UpstreamTimeoutError),
        (ConnectionClosedError(**WHERE), UpstreamFailedError),
        (HTTPClientError(error="e"), UpstreamFailedError),
        (NoCredentialsError(), UpstreamAuthFailedError),
        (CredentialRetrievalError(provider="p", error_msg="e"), UpstreamAuthFailedError),
        (ChecksumMismatch(1, 2), UpstreamInvalidResponseError),
        (ResponseParserError("bad"), UpstreamInvalidResponseError),
        (BotoCoreError(), UpstreamFailedError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors(error, ours):
    assert isinstance(error, STREAM_ERRORS)
    found = translate(error)
    assert type(found) is ours
    assert "secret" not in found.message


def test_a_refusal_without_an_answer_is_a_failure():
    refusal = refusal_of(ClientError({"Error": {"Code": "Odd"}}, "Converse"))
    assert (refusal.status, refusal.headers) == (500, {})
    assert refusal.body == b'{"error": {"message": "", "code": "Odd"}}'
