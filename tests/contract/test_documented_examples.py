"""The two entries that LibreChat's documentation of custom endpoints gives as examples.

Source: https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint,
2026-08. And the title keys, as our own pages tell them.
"""

import re
from pathlib import Path

import pytest

from waystation.config.schema_titles import (
    DEFAULT_TITLE_PROMPT,
    TitleSettings,
)
from waystation.config.snapshot import build_snapshot, inspect
from waystation_cli.dev import DEMO_CONFIG

EXAMPLES = Path(__file__).parent / "examples" / "custom-endpoints.yaml"
DOCS = Path(__file__).parents[2] / "docs"


def test_documented_examples_load_without_a_complaint():
    findings = inspect(EXAMPLES.read_bytes())
    assert findings.errors == ()
    assert findings.warnings == ()
    assert [endpoint.name for endpoint in findings.endpoints] == ["Mistral", "Claude-Compatible"]


def test_documented_values_are_kept():
    snapshot = build_snapshot(EXAMPLES.read_bytes())
    mistral, claude = snapshot.endpoints
    assert mistral.models.default == (
        "mistral-tiny",
        "mistral-small",
        "mistral-medium",
        "mistral-large-latest",
    )
    assert mistral.drop_params == ("stop", "user", "frequency_penalty", "presence_penalty")
    assert claude.provider == "anthropic"
    assert claude.headers == {"anthropic-version": "2023-06-01"}


def test_demo_shows_the_documented_mistral_entry():
    demo = build_snapshot(DEMO_CONFIG.read_bytes()).endpoint("Mistral")
    documented = build_snapshot(EXAMPLES.read_bytes()).endpoint("Mistral")
    assert demo is not None
    assert documented is not None
    assert demo.models == documented.models
    assert demo.drop_params == documented.drop_params


@pytest.mark.parametrize("page", ["titles.md", "configuration.md"])
def test_title_keys_are_documented_with_their_defaults(page):
    rows = re.findall(r"^\| `(title\w+)` (.*)\|$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    told = dict(rows)
    assert told.keys() == {key.name for key in TitleSettings.keys_of.values()}
    assert len(rows) == len(told)
    for name, default in TitleSettings().as_yaml(with_defaults=True).items():
        if default != DEFAULT_TITLE_PROMPT:
            assert told_default(default) in told[name]


def told_default(value: object) -> str:
    """Return a default as the tables write it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`".replace("\n", r"\n")
