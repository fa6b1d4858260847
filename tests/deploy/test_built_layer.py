"""What the built layer holds, and what it must not."""

import importlib.util
import subprocess
from pathlib import Path

MAX_BYTES = 45_000_000


def test_layer_is_small(layer: Path):
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) <= MAX_BYTES


def test_layer_holds_nothing_that_runs_by_itself(layer: Path):
    assert [*layer.rglob("*.pth"), *layer.rglob("sitecustomize.py")] == []


def test_wrapper_is_at_the_root_of_the_layer(layer: Path):
    wrapper = layer.parent / "stream"
    assert wrapper.stat().st_mode & 0o777 == 0o755
    assert wrapper.read_bytes() == (Path(__file__).parents[2] / "shared" / "stream").read_bytes()


def test_layer_leaves_out_what_no_function_needs(layer: Path):
    unneeded = ["anthropic", "pip", "setuptools", "uvicorn", "waystation_cli", "bin", "cffi"]
    unneeded += ["pycparser", "pydantic/v1", "aws_lambda_powertools/event_handler"]
    unneeded += ["httpx2/websockets", "boto3", "s3transfer", "truststore/_windows.py"]
    assert [name for name in unneeded if (layer / name).exists()] == []
    services = [path.name for path in (layer / "botocore" / "data").iterdir() if path.is_dir()]
    assert sorted(services) == ["bedrock-runtime"]


def test_client_knows_its_version_without_looking_for_it(layer: Path):
    [metadata] = layer.glob("httpx2-*.dist-info")
    version = metadata.name.removeprefix("httpx2-").removesuffix(".dist-info")
    text = (layer / "httpx2" / "__version__.py").read_text("utf-8")
    assert f"__version__ = '{version}'" in text
    assert "importlib" not in text


FROM_THE_LAYER_ALONE = """
import asyncio, importlib, pkgutil
import botocore.session, httpx2, idna, jwt, waystation
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
import functions.account.app, functions.chat.app, functions.models.app, functions.title.app
for module in pkgutil.walk_packages(waystation.__path__, "waystation."):
    importlib.import_module(module.name)
async def ask_through_a_proxy():
    async with httpx2.AsyncClient(proxy="http://127.0.0.1:9", trust_env=False) as client:
        await client.get("https://upstream.test")
try:
    asyncio.run(ask_through_a_proxy())
except httpx2.ConnectError:
    assert idna.encode("B\u00dccher.example", uts46=True) == b"xn--bcher-kva.example"
for key, name in [
    (rsa.generate_private_key(65537, 2048), "RS256"),
    (rsa.generate_private_key(65537, 2048), "PS512"),
    (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
]:
    jwt.decode(jwt.encode({}, key, name), key.public_key(), [name])
print(botocore.session.get_session().create_client("bedrock-runtime").meta.endpoint_url)
"""


def test_layer_lacks_nothing(layer: Path):
    root = Path(__file__).parents[2]
    make = ["make", "--silent", "--no-print-directory", "-C", str(root / "shared"), "interpreter"]
    python = subprocess.run(make, capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [python, "-S", "-B", "-c", FROM_THE_LAYER_ALONE],
        cwd=root,
        env={"PYTHONPATH": str(layer), "AWS_DEFAULT_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "https://bedrock-runtime.eu-west-1.amazonaws.com\n"


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
