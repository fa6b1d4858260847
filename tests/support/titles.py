"""Titles for tests: jobs, and what makes them over a scripted upstream."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.calls import build_calls, completion, json_answer
from tests.support.config_entries import build_entry
from tests.support.fakes import (
    Hang,
    InMemoryLedger,
    Reply,
    ScriptedEgress,
    StaticConfig,
    build_snapshot_of,
    built_ins,
)
from waystation.aws.table import Table
from waystation.calls.routing import Routes
from waystation.config.schema import Endpoint
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot
from waystation.titles.service import TitleService
from waystation.titles.store import TitleStore
from waystation.wire.title_job import TitleJob
from waystation_cli.local.memory_table import InMemoryTable

NOW_MS = 1_780_000_000_000
JOB = TitleJob(
    request_id="r1-title",
    endpoint="Acme",
    model="acme-large",
    input="Hi",
    output="",
    conversation={"conversationId": "c1"},
    user_id="alice",
    user={},
    key_id="k1",
    created_at_ms=5,
)


def build_job(**changes: Any) -> TitleJob:
    """Return a job of alice's conversation c1."""
    return replace(JOB, **changes)


def titled_entry(**changes: object) -> Endpoint:
    """Return the minimal entry, its chats titled by the model `small`."""
    return build_entry(**({"titleConvo": True, "titleModel": "small"} | changes))


def says(text: str) -> Reply:
    """Answer a title's call with a text."""
    message = {"role": "assistant", "content": text}
    return json_answer(completion(choices=[{"index": 0, "message": message}]))


def refuses(message: str, status: int = 400) -> Reply:
    """Refuse a request, as OpenAI does."""
    return json_answer({"error": {"message": message, "type": "invalid_request_error"}}, status)


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


@dataclass
class Titles:
    """A service of titles, and all that it works with."""

    service: TitleService
    egress: ScriptedEgress
    ledger: InMemoryLedger
    table: Table
    snapshot: ConfigSnapshot | Exception

    @property
    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """The URLs and bodies that went upstream."""
        return [(one.url, json.loads(one.body)) for one in self.egress.sent]


@dataclass
class Setting:
    """What titles are made of: all of it may be left out."""

    entries: tuple[Endpoint, ...] = field(default_factory=lambda: (titled_entry(),))
    broken: Mapping[str, ConfigProblem] = field(default_factory=dict)
    sections: Mapping[str, TitleSettings | ConfigProblem] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    table: Table | None = None
    snapshot: Exception | None = None
    sleep: Callable[[float], Awaitable[None]] = no_sleep
    now_ms: Callable[[], int] = lambda: NOW_MS

    def build(self, *script: Reply | Exception | Hang) -> Titles:
        """Join it over an upstream that answers by the script."""
        egress, ledger = ScriptedEgress(*script), InMemoryLedger()
        table = self.table or InMemoryTable()
        snapshot = self.snapshot or replace(
            build_snapshot_of(*self.entries, broken=self.broken), titles=self.sections
        )
        service = TitleService(
            config=StaticConfig(snapshot),
            routes=Routes(built_ins(**self.variables)),
            calls=build_calls(egress, ledger, None, None, **self.variables),
            store=TitleStore(table, now_ms=self.now_ms),
            sleep=self.sleep,
        )
        return Titles(service, egress, ledger, table, snapshot)
