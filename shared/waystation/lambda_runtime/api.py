"""The client of Lambda's Runtime API: fetches invocations, and posts what comes of them.

Whatever the Runtime API says beyond the protocol is a RuntimeApiError: nothing could be answered
any more.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from waystation.lambda_runtime.connection import Connection, Reply, RuntimeApiError, Upload

_ROOT = "/2018-06-01/runtime"
_ACCEPTED = range(200, 300)
_UNWANTED = (410, 413)  # gone, and larger than Lambda passes on
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
_JSON = {"Content-Type": "application/json"}
_STREAMING = {
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
}


class ResponseRefusedError(Exception):
    """No more of an answer is taken: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event. `deadline_ms` is in milliseconds since 1970; header names are in lower case."""

    request_id: str
    deadline_ms: int
    event: object = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, as Lambda tells it to whoever has invoked the function."""

    type: str
    message: str

    def to_json(self) -> bytes:
        told = {"errorMessage": self.message, "errorType": self.type, "stackTrace": []}
        return json.dumps(told).encode()


class RuntimeApi:
    """One conversation with the Runtime API. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        """Take `host:port`, as AWS_LAMBDA_RUNTIME_API has it."""
        self._connection = Connection(address)

    async def next(self) -> Invocation:
        """Wait for an invocation. Raises RuntimeApiError."""
        reply = await self._connection.ask("GET", f"{_ROOT}/invocation/next", {})
        if reply.status not in _ACCEPTED:
            raise RuntimeApiError(f"the Runtime API answered {reply.status} instead of an event")
        try:
            return Invocation(
                request_id=reply.headers["lambda-runtime-aws-request-id"],
                deadline_ms=int(reply.headers["lambda-runtime-deadline-ms"]),
                event=json.loads(reply.body),
                headers=reply.headers,
            )
        except KeyError as error:
            raise RuntimeApiError(f"an event came without its header {error.args[0]}") from None
        except ValueError:
            raise RuntimeApiError("an event came that is not JSON, or without a time") from None

    async def respond(self, request_id: str, answer: object) -> None:
        """Post a whole answer, as JSON. Raises RuntimeApiError, TypeError for what is no JSON."""
        await self._post(f"invocation/{request_id}/response", json.dumps(answer).encode(), _JSON)

    async def fail(self, request_id: str, failure: Failure) -> None:
        """Post that an invocation has failed. Raises RuntimeApiError."""
        headers = {**_JSON, _ERROR_TYPE: failure.type}
        await self._post(f"invocation/{request_id}/error", failure.to_json(), headers)

    async def fail_init(self, failure: Failure) -> None:
        """Post that the function could not be loaded. Raises RuntimeApiError."""
        headers = {**_JSON, _ERROR_TYPE: failure.type}
        await self._post("init/error", failure.to_json(), headers)

    async def begin(self, request_id: str) -> "StreamedResponse":
        """Begin a streamed answer. Raises RuntimeApiError."""
        path = f"{_ROOT}/invocation/{request_id}/response"
        return StreamedResponse(self._connection, await self._connection.begin(path, _STREAMING))

    def close(self) -> None:
        """Let go of the connection, with what has not been sent."""
        self._connection.close()

    async def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        reply = await self._connection.ask("POST", f"{_ROOT}/{path}", headers, body)
        _expect_accepted(reply)


class StreamedResponse:
    """An answer on its way. Waits while nobody reads it."""

    def __init__(self, connection: Connection, upload: Upload) -> None:
        self._connection = connection
        self._upload = upload

    async def write(self, data: bytes) -> None:
        """Send a piece. Raises ResponseRefusedError."""
        try:
            await self._upload.write(data)
        except OSError as error:
            self._connection.close()
            raise ResponseRefusedError from error

    async def end(self, failure: Failure | None = None) -> None:
        """Send the end, with an error after what has been sent if there is one.

        Raises ResponseRefusedError, RuntimeApiError.
        """
        try:
            reply = await self._upload.end(_trailers(failure))
        except OSError as error:
            self._connection.close()
            raise ResponseRefusedError from error
        if reply.status in _UNWANTED:
            raise ResponseRefusedError
        _expect_accepted(reply)


def _expect_accepted(reply: Reply) -> None:
    if reply.status not in _ACCEPTED:
        raise RuntimeApiError(f"the Runtime API answered {reply.status} to an answer")


def _trailers(failure: Failure | None) -> dict[str, str]:
    if failure is None:
        return {}
    body = base64.b64encode(failure.to_json()).decode()
    return {_ERROR_TYPE: failure.type, _ERROR_BODY: body}
