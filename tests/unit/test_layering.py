"""The arrows of the house: who may import whom, and what no module may do at all."""

import ast
import functools
import sys
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
    {"bootstrap", "web", "lambda_runtime"},
    {"account", "chat", "models", "titles", "upkeep"},
    {"calls"},
    {"config", "credentials", "identity", "providers", "ledger"},
    {"egress", "aws"},
    {"wire"},
    {"settings"},
    {"identity_settings", "errors", ""},
]
LEVEL = {room: level for level, row in enumerate(ROWS) for room in row}
PURE = [
    name
    for name in MODULES
    if name.startswith(("waystation.wire.", "waystation.config.schema"))
    or name.endswith((".shape", ".pricing", ".prompt"))
]
IMPURE = {"asyncio", "boto3", "botocore", "httpx2", "os", "random", "secrets", "socket", "time"}
# aws/ has boto3, which brings connections of its own; lambda_runtime talks to Lambda alone.
MAY_CONNECT = {"egress", "lambda_runtime"}
# Lambda names the module of a function, and hands traces over, by the environment.
NAMES_A_MODULE = "waystation.lambda_runtime.__main__"
READS_LAMBDAS_OWN = {
    NAMES_A_MODULE,
    "waystation.lambda_runtime.context",
    "waystation.lambda_runtime.loop",
}
NETWORK = {
    *("aiohttp", "ftplib", "http.client", "httpcore2", "httptools", "httpx", "httpx2", "requests"),
    *("smtplib", "socket", "ssl", "urllib.request", "urllib3", "websockets", "xmlrpc"),
}
CONNECTING = {
    *("create_connection", "create_datagram_endpoint", "create_unix_connection", "getaddrinfo"),
    *("open_connection", "open_unix_connection", "sock_connect", "start_server", "urlopen"),
}
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


def test_dialects_do_not_import_each_other():
    folders = "waystation.providers."
    dialects = {"anthropic", "bedrock", "openai_compatible"}
    assert all(f"{folders}{dialect}.shape" in MODULES for dialect in dialects)
    wrong = [
        (name, imported)
        for name in MODULES
        for imported in imports(ast.walk(tree_of(name)))
        if name.startswith(folders)
        and imported.startswith(folders)
        and name.split(".")[2] != "registry"  # which knows them all
        and imported.split(".")[2] in dialects - {name.split(".")[2]}
    ]
    assert wrong == []


def test_tools_and_functions_are_not_imported():
    for name in MODULES:
        found = packages(ast.walk(tree_of(name))) & {"functions", "tests", "waystation_cli"}
        assert (name, found) == (name, set())


def test_runtime_knows_nothing_of_the_product():
    room = [name for name in MODULES if room_of(name) == "lambda_runtime"]
    assert room
    for name in room:
        imported = set(imports(ast.walk(tree_of(name))))
        foreign = {one.partition(".")[0] for one in imported} - sys.stdlib_module_names
        assert foreign <= {"mangum", "waystation"}
        ours = {one for one in imported if one.partition(".")[0] == "waystation"}
        assert {room_of(one) for one in ours} <= {"lambda_runtime"}, name


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


def test_only_egress_opens_connections():
    checked = [path for name, path in MODULES.items() if room_of(name) not in MAY_CONNECT]
    for path in [*checked, *(ROOT / "functions").rglob("*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        used = {one.attr for one in nodes if isinstance(one, ast.Attribute)}
        used |= {one.name for one in nodes if isinstance(one, ast.alias)}
        imported = set(imports(iter(nodes)))
        imported |= {
            f"{one.module}.{alias.name}"
            for one in nodes
            if isinstance(one, ast.ImportFrom)
            for alias in one.names
        }
        assert (path, imported & NETWORK | used & CONNECTING) == (path, set())


def test_only_settings_reads_the_environment():
    for name in MODULES.keys() - {"waystation.settings"} - READS_LAMBDAS_OWN:
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
        imported = packages(ast.walk(tree)) - ({"importlib"} if name == NAMES_A_MODULE else set())
        found = called & NEVER_CALLED | imported & NEVER_IMPORTED
        assert (name, found) == (name, set())


@pytest.mark.parametrize("folder", ["shared", "functions", "tools", "tests"])
def test_no_file_is_longer_than_300_lines(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


def test_every_module_says_what_it_is_for():
    assert [name for name in MODULES if not ast.get_docstring(tree_of(name))] == []
