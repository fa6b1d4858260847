"""The environment, as it is documented."""

import re
from pathlib import Path

from waystation import settings
from waystation.settings import ENVIRONMENT_NAMES


def test_documentation_names_every_variable():
    assert all(f"| {name} |" in str(settings.__doc__) for name in ENVIRONMENT_NAMES)


def test_readme_has_each_variable_once():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in readme.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    assert sorted(named) == sorted(ENVIRONMENT_NAMES)
