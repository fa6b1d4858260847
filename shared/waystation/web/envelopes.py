"""Which API a path speaks, in its errors and pings: OpenAI's, or Anthropic's on its own routes."""

from starlette.types import Scope

from waystation.errors import GatewayError
from waystation.wire.anthropic_errors import anthropic_envelope
from waystation.wire.sse import PING, encode_event

NOTES = "waystation.notes"  # where the scope keeps the fields of the request's log line
AFTERWARDS = "waystation.afterwards"  # and what is to be done when the answer has been sent
CLIENT = "waystation.client"  # and who waits for it

_ANTHROPIC = "/v1/messages"
# Source: https://platform.claude.com/docs/en/build-with-claude/streaming, 2026-11.
_ANTHROPIC_PING = b'event: ping\ndata: {"type": "ping"}\n\n'


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


def ping_of(scope: Scope) -> bytes:
    """Return what shows inside a stream, between two events, that the connection is alive."""
    return _ANTHROPIC_PING if speaks_anthropic(scope) else PING


def _request_id(scope: Scope) -> str:
    return str(scope[NOTES]["request_id"])
