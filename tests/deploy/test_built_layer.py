"""What the built layer holds, and what it must not."""

import importlib.util
from pathlib import Path

MAX_BYTES = 45_000_000


def test_layer_is_small(layer: Path):
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) <= MAX_BYTES


def test_layer_holds_nothing_that_runs_by_itself(layer: Path):
    assert [*layer.rglob("*.pth"), *layer.rglob("sitecustomize.py")] == []


def test_layer_leaves_out_what_no_function_needs(layer: Path):
    unneeded = ["anthropic", "pip", "setuptools", "uvicorn", "waystation_cli", "bin"]
    assert [name for name in unneeded if (layer / name).exists()] == []
    services = [path.name for path in (layer / "botocore" / "data").iterdir() if path.is_dir()]
    assert sorted(services) == ["bedrock-runtime", "dynamodb", "kms", "s3", "ssm", "sts"]


def test_every_module_is_compiled_and_trusted_as_it_is(layer: Path):
    """The second word of a .pyc is 1 where it is a hash of its source that nobody checks."""
    modules = list((layer / "waystation").rglob("*.py"))
    compiled = [
        module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc" for module in modules
    ]
    assert modules
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\1\0\0\0"}


def test_compiled_modules_name_the_place_they_run_at(layer: Path):
    content = (layer / "waystation" / "__pycache__" / "errors.cpython-313.pyc").read_bytes()
    assert b"/opt/python/waystation/errors.py" in content
    assert str(layer.resolve()).encode() not in content


def test_layer_is_this_working_tree(layer: Path):
    spec = importlib.util.find_spec("waystation")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent
    assert _contents(layer / "waystation") == _contents(source), "build again: make build"


def _contents(package: Path) -> dict[Path, bytes]:
    return {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}
