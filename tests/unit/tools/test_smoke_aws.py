"""`make smoke-aws`: whom it asks, and what it says of what it could not remove."""

import sys

import boto3
import pytest
from moto import mock_aws

from waystation_cli.smoke.removal import Removal
from waystation_cli.smoke_aws import OwnAccount, main, make_name


class Unreachable(OwnAccount):
    """An account that does not answer; the user loses patience at one of the calls."""

    def __init__(self, patience: int = 1000) -> None:
        super().__init__()
        self.patience = patience

    @property
    def url(self) -> str:  # type: ignore[override]
        return "http://127.0.0.1:9"

    def session(self) -> boto3.session.Session:
        self.patience -= 1
        if self.patience < 0:
            raise KeyboardInterrupt
        return super().session()


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_every_step_is_tried_and_what_fails_is_told() -> None:
    removal = Removal(Unreachable(), "smoke-x", ("smoke-x-upstream", "smoke-x"))
    removal._made = {"AWS::DynamoDB::Table": {"a-table"}, "AWS::KMS::Key": {"a-key"}}
    left = removal.run()
    assert [line.partition(":")[0] for line in left] == [
        "stack smoke-x-upstream",
        "stack smoke-x",
        "the ledger's table",
        "the KMS key of users' keys",
        "SSM parameters under /waystation/smoke-x",
        "log groups of smoke-x",
        "smoke-x/ in the bucket of aws-sam-cli-managed-default",
        "what outlives a stack is named a-table, a-key",
    ]
    assert all("Could not connect" in line for line in left[:-1])


def test_ctrl_c_leaves_the_rest_and_says_so() -> None:
    left = Removal(Unreachable(patience=1), "smoke-x", ("smoke-x",)).run()
    assert "Could not connect" in left[0]
    assert left[1:] == [
        "the ledger's table: not tried, or not to the end",
        "the configuration's bucket: not tried, or not to the end",
        "the KMS key of users' keys: not tried, or not to the end",
        "SSM parameters under /waystation/smoke-x: not tried, or not to the end",
        "log groups of smoke-x: not tried, or not to the end",
        "smoke-x/ in the bucket of aws-sam-cli-managed-default: not tried, or not to the end",
        "what outlives a stack is named (unknown)",
    ]


def call(monkeypatch: pytest.MonkeyPatch, *options: str) -> object:
    """Run the command, and return what it ends with."""
    monkeypatch.setattr(sys, "argv", ["smoke_aws", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@mock_aws
@pytest.mark.parametrize("said", ["n\n", "\n", ""], ids=["no", "nothing", "nobody"])
def test_nothing_is_done_unasked(monkeypatch, capsys, tmp_path, said: str) -> None:
    answers = tmp_path / "answers"
    answers.write_text(said)
    with answers.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert call(monkeypatch) == "Nothing was done."
    told = capsys.readouterr().out
    assert "Account 123456789012, region eu-central-1." in told
    assert "waystation-smoke-" in told


def test_without_credentials_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    ended = call(monkeypatch, "--yes")
    assert str(ended).startswith("error: no AWS account: ")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--config", "librechat.yaml"], "--config and --model go together"),
        (["--model", "m"], "--config and --model go together"),
        (["--env-file", ".env"], "--env-file needs --config"),
        (["--config", "none.yaml", "--model", "m"], "none.yaml is not a file"),
    ],
)
def test_half_an_upstream_is_refused(monkeypatch, capsys, options: list[str], why: str) -> None:
    assert call(monkeypatch, *options) == 2
    assert why in capsys.readouterr().err


def test_names_differ() -> None:
    assert make_name() != make_name()
