"""`make smoke-aws`, against the emulated AWS, which passes whole answers on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fake_upstream import FakeUpstream, Received, completion, json_reply, streamed
from waystation_cli.ministack import MiniStack, run_ministack
from waystation_cli.ministack_gaps import complete
from waystation_cli.smoke.stacks import SmokeStacks
from waystation_cli.smoke_aws import OwnUpstream, make_name, smoke

RECORD = "ok      its record: SETTLED, tokens {'in': 10, 'out': 20}, cost 50000 nano-USD"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with run_ministack(log=tmp_path_factory.mktemp("ministack") / "log") as aws:
        yield aws


@pytest.fixture
def stacks(aws: MiniStack) -> Iterator[SmokeStacks]:
    """Stacks of a name of their own, of which nothing may be left."""
    yield SmokeStacks(aws, make_name(), "buffered", lambda name: complete(aws, name))
    left = {
        "tables": client(aws, "dynamodb").list_tables()["TableNames"],
        "functions": client(aws, "lambda").list_functions()["Functions"],
        "layers": client(aws, "lambda").list_layers()["Layers"],
        "roles": client(aws, "iam").list_roles()["Roles"],
        "parameters": client(aws, "ssm").describe_parameters()["Parameters"],
        "logs": client(aws, "logs").describe_log_groups()["logGroups"],
        "apis": client(aws, "apigateway").get_rest_apis()["items"],
    }
    assert {kind: found for kind, found in left.items() if found} == {}
    s3, kms = client(aws, "s3"), client(aws, "kms")
    (sams_own,) = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert "Contents" not in s3.list_objects_v2(Bucket=sams_own)
    keys = [kms.describe_key(KeyId=key["KeyId"]) for key in kms.list_keys()["Keys"]]
    assert {key["KeyMetadata"]["KeyState"] for key in keys} == {"PendingDeletion"}


def client(aws: MiniStack, service: Any) -> Any:
    return aws.session().client(service, endpoint_url=aws.url)


def test_what_was_deployed_is_asked_and_removed(stacks: SmokeStacks):
    told: list[str] = []
    assert smoke(stacks, tell=told.append) is True
    assert [line.partition(":")[0] for line in told if line.startswith(("ok", "FAILED"))] == [
        "ok      models",
        "ok      stream, cold",
        "ok      its record",
        "ok      stream, warm",
        "ok      its record",
        "ok      whole chat",
        "ok      its record",
    ]
    assert told.count(RECORD) == 3
    assert sum("20 events" in line and line.endswith("at once") for line in told) == 2
    assert told[-1].startswith("Nothing is left but a KMS key")


def test_own_upstream_is_asked_and_ctrl_c_removes_all(stacks: SmokeStacks, tmp_path: Path):
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if "stream, cold" in text:
            raise KeyboardInterrupt

    with FakeUpstream() as upstream:
        upstream.answer(_answer)
        with pytest.raises(KeyboardInterrupt):
            smoke(stacks, _own(upstream, tmp_path), tell)
    assert upstream.last.header("authorization") == ["Bearer sk-of-the-operator"]
    assert upstream.last.json["model"] == "small"
    assert told[-1].startswith("Nothing is left but a KMS key")


def test_what_fails_is_told_and_all_is_removed(stacks: SmokeStacks, tmp_path: Path):
    told: list[str] = []
    broken = tmp_path / "librechat.yaml"
    broken.write_text("endpoints: {custom: [")
    assert smoke(stacks, OwnUpstream(broken, "Own/small"), told.append) is False
    assert any(line.startswith("FAILED") and "librechat.yaml" in line for line in told)
    assert told[-1].startswith("Nothing is left but a KMS key")


def _own(upstream: FakeUpstream, directory: Path) -> OwnUpstream:
    entry = {"name": "Own", "apiKey": "${OWN_KEY}", "baseURL": upstream.url}
    entries = [entry | {"models": {"default": ["small"]}}]
    endpoints = {"allowedAddresses": [upstream.address], "custom": entries}
    config, env_file = directory / "librechat.yaml", directory / ".env"
    config.write_text(yaml.safe_dump({"version": "1.3.14", "endpoints": endpoints}))
    env_file.write_text("OWN_KEY=sk-of-the-operator\n")
    return OwnUpstream(config, "Own/small", env_file)


def _answer(request: Received) -> list[Any]:
    words = [str(number) for number in range(10)]
    return streamed(*words) if request.json.get("stream") else json_reply(completion())
