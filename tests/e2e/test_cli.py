"""`waystation validate`, `schema` and `push`: the operator's file, checked and put in its place."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.support.cli import (
    cloudformation,
    emulated_account,
    parameter,
    parameters,
    refuse,
    run,
    scan,
    succeed,
)

GOOD = """\
version: 1.3.14
endpoints:
  custom:
    - name: Acme
      apiKey: ${ACME_KEY}
      baseURL: https://llm.acme.test/v1
      models: {default: [acme-large]}
"""
BAD = (
    GOOD
    + """\
    - name: Beta
      apiKey: secret-in-the-file
      baseURL: 12345
      models: {default: []}
"""
)


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        yield


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    return file


def test_valid_file_is_said_to_be_valid(good):
    assert succeed("validate", str(good)) == f"{good} is valid. Usable endpoints: Acme.\n"
    assert json.loads(succeed("validate", str(good), "--json")) == {
        "valid": True,
        "errors": [],
        "warnings": [],
    }


def test_errors_are_lines_as_compilers_print_them(bad):
    result = run("validate", str(bad))
    assert result.exit_code == 1
    assert result.stdout == f"{bad} is not valid. Usable endpoints: Acme.\n"
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{bad}:10: error: endpoints.custom[1].baseURL: ")
    assert lines[1].startswith(f"{bad}:11: error: endpoints.custom[1].models.default: ")
    assert not {"secret-in-the-file", "12345"} & set(result.stderr.split())


def test_file_that_is_refused_as_a_whole_has_no_usable_endpoints(tmp_path):
    file = tmp_path / "whole.yaml"
    file.write_text("endpoints: {allowedAddresses: [10.0.0.0/8], custom: []}")
    result = run("validate", str(file))
    assert result.exit_code == 1
    assert result.stdout == f"{file} is not valid, and refused as a whole.\n"
    assert "endpoints.allowedAddresses[0]: expected an exact host:port" in result.stderr


def test_errors_as_json_name_path_message_and_line(bad):
    result = run("validate", str(bad), "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    report = json.loads(result.stdout)
    assert report["valid"] is False
    assert [(error["path"], error["line"]) for error in report["errors"]] == [
        ("endpoints.custom[1].baseURL", 10),
        ("endpoints.custom[1].models.default", 11),
    ]
    assert all(error.keys() == {"path", "message", "line"} for error in report["errors"])


def test_file_that_is_not_there_is_a_message(tmp_path):
    missing = tmp_path / "missing.yaml"
    expected = f"error: {missing} cannot be read: No such file or directory\n"
    assert refuse("validate", str(missing)) == expected
    assert refuse("push", str(missing)) == expected


def test_schema_describes_an_entry():
    schema = json.loads(succeed("schema"))
    entry = schema["$defs"]["Endpoint"]
    assert sorted(entry["required"]) == ["apiKey", "baseURL", "models", "name"]
    assert {"addParams", "dropParams", "tokenConfig", "titleConvo"} <= entry["properties"].keys()
    assert schema["properties"]["endpoints"]["properties"]["custom"] == {
        "type": "array",
        "items": {"$ref": "#/$defs/Endpoint"},
    }
    references = {text.split('"')[0] for text in json.dumps(schema).split('"$ref": "#/$defs/')[1:]}
    assert references <= schema["$defs"].keys()


def test_schema_describes_the_titles_of_every_endpoint():
    schema = json.loads(succeed("schema"))
    titles = schema["properties"]["endpoints"]["properties"]["all"]
    assert titles == {"$ref": "#/$defs/TitleSettings"}
    assert "titleConvo" in schema["$defs"]["TitleSettings"]["properties"]


def test_file_is_put_in_s3_as_it_is(good):
    uri = "s3://way-config/librechat.yaml"
    assert succeed("push", str(good), "--config-uri", uri) == (
        f"{good} is valid. Usable endpoints: Acme.\nPushed to {uri}.\n"
    )
    stored = boto3.client("s3").get_object(Bucket="way-config", Key="librechat.yaml")
    assert stored["Body"].read() == GOOD.encode()
    assert stored["ContentType"] == "application/yaml"


def test_file_is_put_in_a_parameter(good):
    succeed("push", str(good), "--config-uri", "ssm:/way/config")
    assert parameter("/way/config") == ("String", GOOD)


def test_place_comes_from_the_environment(good, monkeypatch):
    monkeypatch.setenv("CONFIG_URI", "ssm:/way/config")
    succeed("push", str(good))
    assert parameter("/way/config") == ("String", GOOD)


def test_file_with_errors_is_not_pushed(bad):
    result = run("push", str(bad), "--config-uri", "ssm:/way/config")
    assert result.exit_code == 1
    assert result.stderr.endswith("error: not pushed: mend the errors first\n")
    assert parameters() == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ftp://x", "ftp://x: expected s3://bucket/key, ssm:/name or file:path"),
        ("file:x.yaml", "a file: URI is read where it is; there is nothing to push"),
        (
            "s3://way-other/x",
            "AWS refused PutObject: NoSuchBucket: The specified bucket does not exist",
        ),
    ],
)
def test_place_that_cannot_be_written_is_a_message(good, uri, message):
    result = run("push", str(good), "--config-uri", uri)
    assert (result.exit_code, result.stderr) == (1, f"error: {message}\n")


def test_file_beyond_the_tier_of_a_parameter_is_a_message(tmp_path):
    large = tmp_path / "large.yaml"
    large.write_text(GOOD + "#" * 5000)
    size = len(GOOD) + 5000
    result = run("push", str(large), "--config-uri", "ssm:/way/config")
    assert (result.exit_code, result.stderr) == (
        1,
        f"error: {size} bytes do not fit an SSM parameter of the Standard tier, "
        "which holds 4096; use the Advanced tier or S3\n",
    )
    succeed("push", str(large), "--config-uri", "ssm:/way/config", "--advanced")
    assert parameter("/way/config") == ("String", GOOD + "#" * 5000)


def test_without_a_place_the_message_says_how_to_name_one(good):
    result = run("push", str(good))
    assert (result.exit_code, result.stderr) == (
        1,
        "error: say which: --stack NAME, --config-uri, or CONFIG_URI\n",
    )


STACKS = {
    "way": {
        "TableName": "way",
        "SecretsPrefix": "/way/prod",
        "ConfigUri": "s3://way-config/librechat.yaml",
    },
    "way-bare": {},
}


@pytest.fixture
def _stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with cloudformation(STACKS) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield


@pytest.mark.usefixtures("_stacks")
def test_stack_tells_where_its_things_are(good):
    stack = ("--stack", "way")
    output = succeed("push", str(good), *stack)
    assert output.endswith("Pushed to s3://way-config/librechat.yaml.\n")
    succeed("secrets", "put", "A", *stack, stdin="a")
    assert parameter("/way/prod/A") == ("SecureString", "a")
    succeed("keys", "create", "--user", "alice", *stack)
    assert len(scan("KEY")) == 1


@pytest.mark.usefixtures("_stacks")
@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("way-bare", "the stack way-bare has no output TableName"),
        (
            "way-missing",
            "AWS refused DescribeStacks: ValidationError: there is no such stack",
        ),
    ],
)
def test_stack_that_does_not_tell_is_a_message(stack, message):
    assert refuse("keys", "list", "--stack", stack) == f"error: {message}\n"


@pytest.mark.parametrize("arguments", [("keys",), ("secrets",), ()])
def test_command_alone_shows_what_there_is(arguments):
    assert "Commands" in run(*arguments).output


def test_missing_file_of_dev_is_a_message(tmp_path):
    missing = tmp_path / "missing"
    for option in ("--config", "--env-file", "--user"):
        assert refuse("dev", option, str(missing)) == f"error: {missing} is not a file\n"
