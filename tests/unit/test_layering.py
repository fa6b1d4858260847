"""The arrows of the house: who may import whom, and what no module may do at all."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "shared" / "waystation"
MODULES = {
    ".".join(path.relative_to(ROOT / "shared").with_suffix("").parts): path
    for path in SHARED.rglob("*.py")
}
# From the top down. A room imports itself and the rows below, never its own row.
ROWS = [
    {"bootstrap", "web"},
    {"account", "chat", "models", "titles"},
    {"calls"},
    {"config", "credentials", "identity", "providers", "ledger"},
    {"egress", "aws"},
    {"wire"},
    {"settings", "errors", ""},
]
LEVEL = {room: level for level, row in enumerate(ROWS) for room in row}
PURE = [
    name
    for name in MODULES
    if name.startswith(("waystation.wire.", "waystation.config.schema"))
    or name.endswith((".shape", ".pricing", ".prompt"))
]
IMPURE = {"asyncio", "boto3", "botocore", "httpx2", "os", "random", "secrets", "socket", "time"}
NEVER_IMPORTED = {"importlib", "marshal", "pickle", "shelve", "subprocess"}
NEVER_CALLED = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "yaml.load",
    "ast.literal_eval",
    "os.system",
    "os.popen",
}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@functools.cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            names = (f"{module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else module for name in names)


def packages(nodes: Iterator[ast.AST]) -> set[str]:
    return {name.partition(".")[0] for name in imports(nodes)}


def test_imports_point_down():
    wrong = [
        (name, imported)
        for name in MODULES
        for imported in imports(ast.walk(tree_of(name)))
        if imported.partition(".")[0] == "waystation"
        and imported != "waystation.config.schema"  # a leaf that everyone may read
        and room_of(imported) != room_of(name)
        and LEVEL[room_of(imported)] <= LEVEL[room_of(name)]
    ]
    assert wrong == []


def test_tools_and_functions_are_not_imported():
    for name in MODULES:
        found = packages(ast.walk(tree_of(name))) & {"functions", "tests", "waystation_cli"}
        assert (name, found) == (name, set())


def test_errors_imports_nothing_of_ours():
    assert "waystation" not in packages(ast.walk(tree_of("waystation.errors")))


def test_pure_modules_know_no_clock_network_or_environment():
    assert "waystation.providers.openai_compatible.shape" in PURE
    for name in PURE:
        assert (name, packages(ast.walk(tree_of(name))) & IMPURE) == (name, set())


def test_libraries_stay_in_the_room_that_owns_them():
    for name, room in ((name, room_of(name)) for name in MODULES):
        tree = tree_of(name)
        at_import = set() if room == "aws" else packages(iter(tree.body)) & {"boto3", "botocore"}
        ever = packages(ast.walk(tree)) & {"aiohttp", "anthropic", "httpx2", "requests", "urllib3"}
        ever -= {"httpx2"} if room == "egress" else set()
        assert (name, at_import | ever) == (name, set())


def test_only_settings_reads_the_environment():
    for name in MODULES.keys() - {"waystation.settings"}:
        reads = {
            node.attr if isinstance(node, ast.Attribute) else node.name
            for node in ast.walk(tree_of(name))
            if isinstance(node, ast.Attribute | ast.alias)
        }
        assert (name, reads & {"environ", "environb", "getenv"}) == (name, set())


def test_no_code_is_made_of_data():
    for name in MODULES:
        tree = tree_of(name)
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        found = called & NEVER_CALLED | packages(ast.walk(tree)) & NEVER_IMPORTED
        assert (name, found) == (name, set())


@pytest.mark.parametrize("folder", ["shared", "functions", "tools"])
def test_no_file_is_longer_than_300_lines(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


def test_every_module_says_what_it_is_for():
    assert [name for name in MODULES if not ast.get_docstring(tree_of(name))] == []
