"""The page of failures names tests that exist, and leaves none of theirs out."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
WITHOUT_A_FAILURE = {
    "test_answer_without_any_failure",
    "test_limit_of_one_user_is_not_that_of_another",
    "test_stream_whose_last_event_is_all_that_counts",
}


def functions_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_row_names_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    facts = [line for line in rows if not line.startswith(("|---", "| what "))]
    assert len(facts) > 30
    assert [line for line in facts if not NAMED.search(line)] == []


def test_every_test_that_is_named_exists():
    named = set(NAMED.findall(PAGE))
    assert {(path, name) for path, name in named if name not in functions_in(TESTS / path)} == set()


def test_every_test_of_the_matrix_is_named():
    named = {name for _, name in NAMED.findall(PAGE)}
    for path in TESTS.glob("e2e/test_failure_matrix_*.py"):
        found = {name for name in functions_in(path) if name.startswith("test_")}
        assert found - named - WITHOUT_A_FAILURE == set(), path.name
