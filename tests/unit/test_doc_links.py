"""Every link between the documents leads somewhere, down to its heading."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_FENCES = re.compile(r"```.*?```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_links_lead_somewhere(document: Path):
    targets = _LINK.findall(_CODE.sub("", document.read_text("utf-8")))
    assert [target for target in targets if not _leads_somewhere(document, target)] == []


def _leads_somewhere(document: Path, target: str) -> bool:
    if target.startswith(("https://", "http://")):
        return True
    name, _, anchor = target.partition("#")
    path = document.parent / name if name else document
    return path.exists() and (not anchor or anchor in _anchors(path))


def _anchors(document: Path) -> set[str]:
    """Return what GitHub makes of the headings."""
    headings = _HEADING.findall(_FENCES.sub("", document.read_text("utf-8")))
    return {_NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-") for text in headings}
