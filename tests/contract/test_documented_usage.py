"""docs/usage.md: each request that it shows is sent, and answered as it says."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.spending import failed, made, settle
from tests.support.usage_gateway import UsageGateway
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
    return UsageGateway(table)


def test_page_has_examples():
    assert [kind for url, kind, _ in EXAMPLES if "/v1/usage" in url] == ["json", "csv"]


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
