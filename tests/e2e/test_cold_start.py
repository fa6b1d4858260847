"""What a cold start must not pay for: heavy modules that a function does without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALWAYS_ABSENT = {"anthropic", "openai", "uvicorn", "typer", "rich", "moto", "dotenv", "pytest"}
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
        ("chat", ALWAYS_ABSENT | {"fastapi"}),
        ("models", ALWAYS_ABSENT),
        ("account", ALWAYS_ABSENT),
    ],
    ids=["chat", "models", "account"],
)
def test_a_function_on_lambda_leaves_heavy_modules_alone(name: str, absent: set[str]) -> None:
    settings = {
        "AWS_LAMBDA_FUNCTION_NAME": "waystation",
        "CONFIG_URI": "s3://bucket/librechat.yaml",
        "TABLE_NAME": "waystation",
        "SECRETS_PREFIX": "/waystation",
        "KMS_KEY_ID": "alias/waystation",
    }

    modules = _modules_of(name, **settings)

    assert absent & modules == set()
    assert {"mangum", "boto3", "httpx2"} <= modules  # what a request needs is there already


@pytest.mark.parametrize("name", ["chat", "models", "account"])
def test_elsewhere_a_function_imports_without_settings_and_without_boto3(name: str) -> None:
    modules = _modules_of(name)

    assert {"anthropic", "openai", "boto3"} & modules == set()
