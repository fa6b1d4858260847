"""What template.yaml and the layer's build promise, read from the files themselves."""

import ast
import re

import pytest
from packaging.requirements import Requirement

from tests.support.template import (
    FUNCTIONS,
    RESOURCES,
    ROOT,
    TEMPLATE,
)
from waystation.settings import ENVIRONMENT_NAMES
from waystation.titles.jobs import TITLE_S
from waystation.web.request import RESERVE_S

OWN_VARIABLES = {
    "ChatFunction": {
        "TITLE_FUNCTION": {"Ref": "TitleFunction"},
        "OUTBOX_URL": {"Ref": "Outbox"},
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/stream",
        "RESPONSE_MODE": {"Ref": "ResponseMode"},
    },
    "TitleFunction": {"OUTBOX_URL": {"Ref": "Outbox"}},
    "UpkeepFunction": {"SWEEP_POLICY": {"Ref": "SweepPolicy"}},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_exists(name):
    module, _, attribute = TEMPLATE["Globals"]["Function"]["Handler"].partition(".")
    path = ROOT / FUNCTIONS[name]["CodeUri"] / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    assert attribute in assigned


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_is_what_the_settings_read(name):
    everywhere = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    of_some = {"TITLE_FUNCTION", "OUTBOX_URL", "SWEEP_POLICY"}
    assert own == OWN_VARIABLES.get(name, {})
    assert {*everywhere} == ENVIRONMENT_NAMES - of_some


def test_every_function_has_the_layer():
    assert TEMPLATE["Globals"]["Function"]["Layers"] == [{"Ref": "SharedLayer"}]
    assert [name for name, function in FUNCTIONS.items() if "Layers" in function] == []


def test_layer_is_built_for_the_architecture_of_the_functions():
    makefile = (ROOT / "shared" / "Makefile").read_text(encoding="utf-8")
    default = re.search(r"^ARCH \?= (\S+)$", makefile, re.MULTILINE)
    assert default is not None
    assert default[1] == TEMPLATE["Parameters"]["Architecture"]["Default"]
    assert TEMPLATE["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]


def test_layer_is_built_for_the_python_of_the_functions():
    makefile = (ROOT / "shared" / "Makefile").read_text(encoding="utf-8")
    target = re.search(r"^TARGET := (\S+)$", makefile, re.MULTILINE)
    assert target is not None
    assert TEMPLATE["Globals"]["Function"]["Runtime"] == f"python{target[1]}"


def test_lock_means_the_same_wherever_the_layer_is_built():
    """A marker is evaluated by the Python that builds, not by the one it builds for."""
    lock = (ROOT / "shared" / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.rstrip("\\ ") for line in lock.splitlines() if line and line[0] not in " #"]
    target = _marker_environment("3.13", "linux")
    differing = [
        line
        for line in lines
        if (marker := Requirement(line).marker) is not None
        and {
            marker.evaluate(_marker_environment(version, platform))
            for version in ("3.11", "3.12", "3.13", "3.14")
            for platform in ("linux", "darwin", "win32")
        }
        != {marker.evaluate(target)}
    ]
    assert differing == []


def test_title_job_is_run_once_and_kept_encrypted_if_it_cannot_be_run():
    assert FUNCTIONS["TitleFunction"]["EventInvokeConfig"] == {
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 300,
        "DestinationConfig": {
            "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": "TitleJobsNotRun.Arn"}}
        },
    }
    queue = RESOURCES["TitleJobsNotRun"]
    assert queue["Type"] == "AWS::SQS::Queue"
    assert queue["Properties"] == {
        "MessageRetentionPeriod": 4 * 24 * 3600,
        "SqsManagedSseEnabled": True,
    }


def test_title_function_has_the_time_that_a_job_may_take():
    assert FUNCTIONS["TitleFunction"]["Timeout"] >= TITLE_S + RESERVE_S


@pytest.mark.parametrize("name", ["Table", "ConfigBucket", "ConfigBucketPolicy"])
def test_data_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def _marker_environment(version: str, platform: str) -> dict[str, str]:
    return {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": platform,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
        "os_name": "nt" if platform == "win32" else "posix",
    }
