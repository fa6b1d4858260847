"""The gateway's own titles over an upstream that answers as told: no network, nothing kept."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.support.fakes import Reply, ScriptedEgress
from waystation.bootstrap import Runtime, build_runtime
from waystation.config.sources import Fetched
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource
from waystation.egress.client import UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.wire.upstream_request import UpstreamRequest
from waystation_cli.local.memory_table import InMemoryTable

Answer = Callable[[UpstreamRequest], Reply]


class AnsweringEgress(ScriptedEgress):
    """Answers each request by a function of it, and keeps what was sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AbstractAsyncContextManager[UpstreamResponse]:
        self.script.append(self._answer(request))
        return super().send(request, deadline)


class FixedSource:
    """A configuration file that never changes."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._document = json.dumps(document).encode()

    async def fetch(self, known: str | None) -> Fetched | None:
        return None if known else Fetched(self._document, "1")


def build_titles(
    endpoints: Mapping[str, object], answer: Answer, **secrets: str
) -> tuple[Runtime, AnsweringEgress]:
    """Return a runtime for `endpoints` of a file, and what stands in for its upstreams."""
    egress = AnsweringEgress(answer)
    runtime = build_runtime(
        table=InMemoryTable(),
        config_source=FixedSource({"endpoints": endpoints}),
        secrets=Secrets([MappingSource(secrets)], now=time.monotonic),
        egress=egress,
        response_mode="stream",
    )
    return runtime, egress


def body_of(request: UpstreamRequest) -> dict[str, Any]:
    """Return the JSON that is sent."""
    body: dict[str, Any] = json.loads(request.body)
    return body
