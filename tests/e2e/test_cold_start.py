"""What a cold start must not pay for: heavy modules that a function does without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIGNATURES = {"jwt", "cryptography", "_cffi_backend"}
ALWAYS_ABSENT = SIGNATURES | {
    "anthropic",
    "boto3",
    "botocore.session",  # Powertools imports the package, and nothing in it
    "s3transfer",
    "urllib3",
    "openai",
    "uvicorn",
    "typer",
    "rich",
    "moto",
    "dotenv",
    "pytest",
}
OTHER_TRANSPORT = {"httpcore2", "h11"}  # of httpx2, for proxies
DIALECTS = {
    "waystation.providers.anthropic",
    "waystation.providers.bedrock",
    "waystation.providers.openai_compatible.responses",
}
ON_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "waystation",
    "CONFIG_URI": "s3://bucket/librechat.yaml",
    "TABLE_NAME": "waystation",
    "SECRETS_PREFIX": "/waystation",
    "KMS_KEY_ID": "alias/waystation",
}
SCRIPT = """
import json, sys
import functions.{name}.app as module
print(json.dumps(sorted(sys.modules)))
"""


def _modules_of(name: str, **environment: str) -> set[str]:
    """Return what importing a function brings into a new process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(name=name)],
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "eu-central-1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        (
            "chat",
            ALWAYS_ABSENT | DIALECTS | OTHER_TRANSPORT | {"fastapi", "pydantic", "pydantic_core"},
        ),
        ("models", ALWAYS_ABSENT),
        ("title", ALWAYS_ABSENT),
        ("account", ALWAYS_ABSENT),
    ],
    ids=["chat", "models", "title", "account"],
)
def test_a_function_on_lambda_leaves_heavy_modules_alone(name: str, absent: set[str]) -> None:
    modules = _modules_of(name, **ON_LAMBDA)

    assert absent & modules == set()
    needed = {"mangum", "httpx2", "ssl", "waystation.aws.dynamo_table"}
    assert needed <= modules  # what a request needs is there already


def test_upkeep_needs_no_web_and_no_configuration() -> None:
    modules = _modules_of("upkeep", **ON_LAMBDA)

    assert (ALWAYS_ABSENT | {"fastapi", "starlette", "mangum", "httpx2"}) & modules == set()
    assert "waystation.aws.dynamo_table" in modules
    assert "waystation.config.reload" not in modules


@pytest.mark.parametrize("name", ["chat", "models", "title", "account", "upkeep"])
def test_elsewhere_a_function_imports_without_settings_and_without_boto3(name: str) -> None:
    modules = _modules_of(name)

    assert {"anthropic", "openai", "boto3"} & modules == set()


@pytest.mark.parametrize("modes", ["jwt", "keys,jwt"])
def test_what_checks_signatures_is_there_from_the_start_where_tokens_are(modes: str) -> None:
    jwt = {"JWT_ISSUER": "https://login.example.com", "JWT_AUDIENCE": "waystation"}

    modules = _modules_of("chat", **ON_LAMBDA, **jwt, AUTH_MODES=modes)

    assert modules >= SIGNATURES


def test_an_authorizer_in_front_needs_no_signatures() -> None:
    modules = _modules_of("chat", **ON_LAMBDA, AUTH_MODES="authorizer")

    assert SIGNATURES & modules == set()
