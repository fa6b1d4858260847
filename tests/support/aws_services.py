"""Services of AWS whose answers are scripted, byte for byte."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.fake_upstream import FakeUpstream, Headers, Step, kept_head
from waystation.aws.credentials import FixedCredentials
from waystation.aws.places import parse_place
from waystation.aws.service import Service
from waystation.aws.signing import Signer
from waystation.aws.transport import Limits, Transport
from waystation.wire.upstream_request import AwsCredentials

SECRET = "canary-secret"
TOKEN = "canary-token"
LIMITS = Limits(connect_s=5.0, answer_s=0.6)


class ScriptedService:
    """A service, and what it was asked. Waits between attempts are noted, not waited."""

    def __init__(self, upstream: FakeUpstream, name: str, limits: Limits) -> None:
        self.upstream = upstream
        self.waits: list[float] = []
        self.transport = Transport(_no_tls, limits)
        key = AwsCredentials("AKID", SECRET, TOKEN)
        self.service = Service(
            parse_place(f"http://{upstream.address}"),
            Signer(name, "eu-central-1"),
            FixedCredentials(key),
            self.transport,
            sleep=self._sleep,
        )

    @property
    def asked(self) -> list[Any]:
        """The documents it was sent."""
        return [one.json for one in self.upstream.received]

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@contextmanager
def scripted_service(
    name: str, *replies: Sequence[Step], keeps_connections: bool = True, limits: Limits = LIMITS
) -> Iterator[ScriptedService]:
    """Serve these replies, the last one for ever; connections that are not kept are told to end."""
    if not keeps_connections:
        replies = tuple(map(last_of_its_connection, replies))
    with FakeUpstream(keeps_connections=keeps_connections) as upstream:
        upstream.answer(*replies)
        scripted = ScriptedService(upstream, name, limits)
        yield scripted
        scripted.transport.close()


def last_of_its_connection(steps: Sequence[Step]) -> list[Step]:
    """Say so in the head, or a client may be quicker with its next request than the end is."""
    head = b"\r\nconnection: close\r\n"
    return [
        step.replace(b"\r\n", head, 1)
        if isinstance(step, bytes) and step.startswith(b"HTTP/1.1 ")
        else step
        for step in steps
    ]


def answer(document: object, *, status: int = 200, headers: Headers = ()) -> list[Step]:
    """Answer in JSON, and keep the connection."""
    return raw_answer(json.dumps(document).encode(), status=status, headers=headers)


def raw_answer(body: bytes, *, status: int = 200, headers: Headers = ()) -> list[Step]:
    """Answer with bytes, and keep the connection."""
    return [kept_head(status, [("content-length", str(len(body))), *headers]) + body]


def refusal(code: str, *, status: int = 400, **details: object) -> list[Step]:
    """Refuse as the services that speak JSON do."""
    told = {"__type": f"com.amazonaws.service#{code}", "message": "canary-message", **details}
    return answer(told, status=status)


def _no_tls() -> Any:
    raise AssertionError("there is no TLS")
