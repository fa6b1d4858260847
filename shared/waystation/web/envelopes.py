"""Which API's errors a path answers with: OpenAI's, or Anthropic's on its own routes."""

from starlette.types import Scope

from waystation.errors import GatewayError
from waystation.wire.anthropic_errors import anthropic_envelope
from waystation.wire.sse import encode_event

NOTES = "waystation.notes"  # where the scope keeps the fields of the request's log line
AFTERWARDS = "waystation.afterwards"  # and what is to be done when the answer has been sent

_ANTHROPIC = "/v1/messages"


def speaks_anthropic(scope: Scope) -> bool:
    """Tell whether a request is one of Anthropic's API, whatever its method."""
    path = str(scope["path"])
    return path == _ANTHROPIC or path.startswith(f"{_ANTHROPIC}/")


def envelope_of(error: GatewayError, scope: Scope) -> dict[str, object]:
    """Return the body that tells an error."""
    if speaks_anthropic(scope):
        return anthropic_envelope(error, _request_id(scope))
    return error.to_envelope()


def last_event_of(error: GatewayError, scope: Scope) -> bytes:
    """Return the event that tells an error inside a stream."""
    return encode_event(envelope_of(error, scope), "error" if speaks_anthropic(scope) else "")


def _request_id(scope: Scope) -> str:
    return str(scope[NOTES]["request_id"])
