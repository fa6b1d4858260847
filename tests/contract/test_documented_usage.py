"""docs/usage.md: each request that it shows is sent, and answered as it says."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.fakes import build_snapshot_of
from tests.support.ledgers import put_balance
from tests.support.spending import failed, made, settle
from tests.support.usage_gateway import UsageGateway
from waystation.config.schema_balance import BalanceSettings
from waystation.wire.moments import read_moment
from waystation_cli.local.memory_table import InMemoryTable

PAGE = (Path(__file__).parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r'```sh\ncurl "\$URL(/[^"]+)".*?\n```\n```(json|csv)\n(.*?)```', PAGE, re.DOTALL
)


@pytest.fixture
async def gateway() -> UsageGateway:
    table = InMemoryTable()
    await settle(
        table,
        made("2026-11-02T10:00:00Z", 1, cost_nanousd=1_200_000, conversation_id="c-1"),
        made("2026-11-02T10:00:01Z", 2, cost_nanousd=50_000, conversation_id="c-1", kind="title"),
        failed("2026-11-02T11:00:00Z", 3, conversation_id="c-1"),
    )
    await put_balance(
        table,
        18_600_000,
        held=150_000,
        spent=1_250_000,
        granted=20_000_000,
        inflight=1,
        last_refill=read_moment("2026-11-01"),
    )
    settings = BalanceSettings(enabled=True, auto_refill_enabled=True)
    return UsageGateway(table, replace(build_snapshot_of(), balance=settings))


def test_page_has_examples():
    paths = [(urlsplit(url).path, kind) for url, kind, _ in EXAMPLES]
    assert paths == [("/v1/usage", "json"), ("/v1/usage", "csv"), ("/v1/balance", "json")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0])
async def test_example_is_answered_as_it_says(gateway, example):
    url, kind, expected = example
    asked = urlsplit(url)
    answer = await gateway.ask(asked.query, path=asked.path)
    assert answer.status == 200
    if kind == "json":
        assert answer.json == json.loads(expected)
    else:
        assert answer.body.decode().replace("\r\n", "\n") == expected
