"""`waystation probe`, run in this process on a file of one entry."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest

from tests.support.cli import run
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Reply,
    Step,
    Steps,
    json_reply,
    streamed,
)
from tests.support.lambda_gateway import build_config
from tests.support.logs import fresh_log

ACME_KEY = 'zeta/key of the+operator"1'
ACME_TEAM = "theta-value-of-a-header-2"
SPELLINGS = [ACME_KEY, quote(ACME_KEY, safe=""), json.dumps(ACME_KEY)[1:-1], ACME_TEAM]
"""The values as an upstream may repeat them."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe printed as JSON, and its exit status."""

    exit_code: int
    report: Mapping[str, Any]

    @property
    def causes(self) -> list[tuple[str, str]]:
        return [(one["way"], one["cause"]) for one in self.report["diagnoses"]]

    def message(self, way: str = "direct") -> str:
        """Return the first diagnosis of one way."""
        found: str = next(x["message"] for x in self.report["diagnoses"] if x["way"] == way)
        return found


Probe: TypeAlias = Callable[..., Probed]


def write_config(directory: Path, entry: Mapping[str, object]) -> Path:
    """Write a file with one entry."""
    file = directory / "librechat.yaml"
    file.write_text(build_config(entry), encoding="utf-8")
    return file


@contextlib.contextmanager
def probing(
    directory: Path, entry: Mapping[str, object], upstream: FakeUpstream
) -> Iterator[Probe]:
    """Give what probes `Acme`, the name of the entry, after changes to it.

    Its variables have values, which nothing that is printed may show; the upstream says `pong`.
    """
    upstream.answer(streamed("po", "ng"))

    def probe(*arguments: str, **changes: object) -> Probed:
        config = write_config(directory, {**entry, **changes})
        return probe_json("Acme", "--config", str(config), *arguments)

    with fresh_log(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACME_KEY", ACME_KEY)
        patch.setenv("ACME_TEAM", ACME_TEAM)
        yield probe


def probe_json(*arguments: str) -> Probed:
    """Run a probe that prints nothing but its JSON."""
    result = run("probe", *arguments, "--json")
    assert result.stderr == ""
    return Probed(result.exit_code, json.loads(result.stdout))


def at(path: str, found: Sequence[Step], otherwise: Sequence[Step]) -> Reply:
    """Answer requests for one path in one way, all others in another."""

    def reply(request: Received) -> Steps:
        return found if request.path.partition("?")[0] == path else otherwise

    return reply


def listing(*names: str) -> dict[str, object]:
    """Return a list of models."""
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def refusal(status: int, message: str = "No.", **fields: object) -> list[Step]:
    """Answer with an error in OpenAI's envelope."""
    return json_reply({"error": {"message": message, **fields}}, status=status)
