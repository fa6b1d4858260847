"""An emulated AWS that listens on loopback, for boto3 and the functions alike.

What it is asked can be watched, and refused. Lambda is not emulated.
"""

import functools
import io
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from unittest.mock import patch

import httpx2
from moto.server import ThreadedMotoServer

_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSSM": "ssm", "TrentService": "kms"}


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """One request: the action as permissions name it, and the JSON of its arguments."""

    action: str
    arguments: Mapping[str, Any]


Watch: TypeAlias = Callable[[AwsRequest], str | None]
"""Is told of each request, and may return the code of an error to refuse it with."""

_watches: list[Watch] = []
_done_watches: list[Watch] = []
_users = 0


@contextmanager
def emulated_aws() -> Iterator[str]:
    """Emulate AWS, empty at first, where the environment says it is; the value is its URL.

    Within another one it is the same AWS, with what is in it.
    """
    global _users  # noqa: PLW0603 (moto keeps what there is in one place, too)
    url = _serve()
    if not _users:
        httpx2.post(f"{url}/moto-api/reset", trust_env=False).raise_for_status()
    _users += 1
    try:
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": url}):
            yield url
    finally:
        _users -= 1


@contextmanager
def watched(watch: Watch, *, when_done: bool = False) -> Iterator[None]:
    """Tell `watch` of all requests meanwhile, each in a thread of its own.

    `when_done` is after they were, and before that is told: nothing can be refused then.
    """
    watches = _done_watches if when_done else _watches
    watches.append(watch)
    try:
        yield
    finally:
        watches.remove(watch)


@functools.cache
def _serve() -> str:
    """Start the server of this process, which ends with it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server: Any = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    server._server.app = functools.partial(_answer, server._server.app)
    return "http://{}:{}".format(*server.get_host_and_port())


def _answer(app: Any, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    request = _read(environ)
    refusals = [watch(request) for watch in list(_watches)]
    for code in filter(None, refusals):
        start("400 Refused", [("content-type", "application/x-amz-json-1.1")])
        return [json.dumps({"__type": code, "message": "refused by the test"}).encode()]
    answer: Iterable[bytes] = app(environ, start)
    for watch in _done_watches:
        watch(request)
    return answer


def _read(environ: dict[str, Any]) -> AwsRequest:
    service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    if not operation:
        return AwsRequest(f"s3:{environ['REQUEST_METHOD'].title()}Object", {})
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    return AwsRequest(f"{_SERVICES.get(service, service)}:{operation}", json.loads(body))
