"""Turns what botocore raises for Bedrock into a refusal of the upstream's, or an error of ours."""

import json
import re
from dataclasses import dataclass

from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    EventStreamError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

# urllib3's own errors leave an event stream as they are.
from botocore.httpsession import (  # type: ignore[attr-defined]
    ProtocolError,
    URLLib3ReadTimeoutError,
    URLLib3SSLError,
)
from botocore.parsers import ResponseParserError

from waystation.errors import (
    UpstreamAuthFailedError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)

CALL_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ResponseParserError)
STREAM_ERRORS: tuple[type[Exception], ...] = (
    *CALL_ERRORS,
    ParserError,
    ProtocolError,
    URLLib3ReadTimeoutError,
    URLLib3SSLError,
)
_UNREACHABLE = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
    SSLError,
    InvalidRegionError,
)
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_TIMEOUTS = (ReadTimeoutError, URLLib3ReadTimeoutError)
_BROKEN = (ConnectionClosedError, HTTPClientError, URLLib3SSLError)
_INVALID = (ResponseParserError, ParserError, ProtocolError)

# Codes whose own status says less than they do.
_STATUSES = {
    "ExpiredTokenException": 401,
    "IncompleteSignature": 401,
    "InvalidClientTokenId": 401,
    "InvalidSignatureException": 401,
    "MissingAuthenticationTokenException": 401,
    "UnrecognizedClientException": 401,
    "ServiceQuotaExceededException": 429,
}
_BAD_REQUEST = 400
_FAULTY = re.compile(r"(?:parameter in|parameter|structure) ([A-Za-z0-9_.\[\]]*[A-Za-z0-9_\]])")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was refused: status, headers and body as an HTTP answer has them."""

    status: int
    headers: dict[str, str]
    body: bytes


def refusal_of(error: ClientError) -> Refusal:
    """Return the refusal that a call met with."""
    told = error.response.get("Error", {})
    code, metadata = told.get("Code", ""), error.response.get("ResponseMetadata")
    status = metadata["HTTPStatusCode"] if metadata else 500
    headers = {k: str(v) for k, v in metadata["HTTPHeaders"].items()} if metadata else {}
    body = json.dumps({"error": {"message": told.get("Message", ""), "code": code}}).encode()
    return Refusal(_STATUSES.get(code, status), headers, body)


def refusal_of_params(error: Exception) -> Refusal:
    """Return the refusal of parameters that the API does not have; it shows no value of them."""
    found = _FAULTY.search(str(error)) if isinstance(error, ParamValidationError) else None
    place = f": {found[1]}" if found else ""
    told = {"message": f"The request does not fit the Converse API{place}."}
    return Refusal(_BAD_REQUEST, {}, json.dumps({"error": told}).encode())


def event_of(error: EventStreamError) -> dict[str, object]:
    """Return an exception inside a stream as one more event, `error`."""
    told = error.response.get("Error", {})
    return {"error": {"message": told.get("Message", ""), "code": told.get("Code", "")}}


def translate(error: Exception) -> UpstreamError:
    """Return the error for what kept an answer from coming, or from coming whole."""
    if isinstance(error, _UNREACHABLE):
        return UpstreamUnreachableError("The upstream cannot be reached.")
    if isinstance(error, _NO_CREDENTIALS):
        return not_sent(UpstreamAuthFailedError("The gateway has no credentials for the upstream."))
    if isinstance(error, _TIMEOUTS):
        return UpstreamTimeoutError("The upstream took too long to answer.")
    if isinstance(error, _BROKEN):
        return UpstreamFailedError("The connection to the upstream broke.")
    if isinstance(error, _INVALID):
        return UpstreamInvalidResponseError("The upstream's answer broke off or is not its API's.")
    return UpstreamFailedError("The upstream could not be asked.")


def not_sent(error: UpstreamError) -> UpstreamError:
    """Return the error as one that came before the request was sent."""
    error.is_sent = False
    return error
