"""The gateway's own titles over an upstream that answers as told: no network, nothing kept."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fakes import Reply, ScriptedEgress
from waystation.bootstrap.runtime import Runtime, build_runtime
from waystation.config.sources import Fetched
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource
from waystation.egress.client import UpstreamResponse
from waystation.egress.deadlines import Deadline
from waystation.titles.body import parse_title_body
from waystation.titles.service import Title
from waystation.wire.title_job import TitleJob
from waystation.wire.upstream_request import UpstreamRequest
from waystation_cli.local.memory_table import InMemoryTable

Answer = Callable[[UpstreamRequest], Reply]


class AnsweringEgress(ScriptedEgress):
    """Answers each request by a function of it, and keeps what was sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    @asynccontextmanager
    async def send(
        self, request: UpstreamRequest, deadline: Deadline
    ) -> AsyncIterator[UpstreamResponse]:
        self.script.append(self._answer(request))
        async with super().send(request, deadline) as response:
            yield response


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


async def make_title(
    runtime: Runtime,
    body: Mapping[str, object],
    *,
    user_id: str = "alice",
    user: Mapping[str, str] | None = None,
) -> Title:
    """Make the title that a body of POST /v1/titles asks for. Raises GatewayError."""
    asked = parse_title_body(body)
    chosen = await runtime.titles.choose(asked.model, asked.endpoint)
    job = TitleJob(
        request_id="01JZZZZZZZZZZZZZZZZZZZZZZZ",
        endpoint=chosen.endpoint,
        model=chosen.model,
        input=asked.input,
        output=asked.output,
        conversation=asked.conversation,
        user_id=user_id,
        user=user or {},
        key_id="k1",
        created_at_ms=runtime.now_ms(),
    )
    ends_at = asyncio.get_running_loop().time() + 10
    return await runtime.titles.make(job, chosen.snapshot, ends_at, lambda _: None)


def body_of(request: UpstreamRequest) -> dict[str, Any]:
    """Return the JSON that is sent."""
    body: dict[str, Any] = json.loads(request.body)
    return body
