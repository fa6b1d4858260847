"""Where the configuration comes from, and what a mistake in it costs."""

import json
import time

import boto3

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import (
    FakeUpstream,
)
from tests.support.lambda_gateway import (
    build_config,
    put_secrets,
)
from waystation.config.reload import RETRY_AFTER_S


def test_the_configuration_may_be_in_ssm(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    text = json.dumps({"endpoints": {"custom": [acme]}})
    boto3.client("ssm").put_parameter(Name="/waystation/config", Value=text, Type="String")

    gateway = build_gateway(
        CONFIG_URI="ssm:/waystation/config", GATEWAY_ALLOWED_ADDRESSES=upstream.address
    )

    assert gateway.chat().status == 200


def test_no_usable_configuration_is_503_and_recovers_by_itself(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(config="endpoints: {custom: 3}")

    answer = gateway.chat()

    assert answer.status == 503
    assert answer.error["code"] == "config_unavailable"
    assert answer.headers["retry-after"] == "10"
    health = gateway.get("/healthz", key="")
    assert (health.status, health.json) == (200, {"status": "ok", "config_version": None})

    gateway.push(build_config(acme))
    time.sleep(RETRY_AFTER_S)

    assert gateway.chat().status == 200


def test_a_variable_in_the_environment_comes_before_ssm(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme, ACME_KEY="key-of-the-environment")

    assert gateway.chat().status == 200
    assert upstream.last.header("authorization") == ["Bearer key-of-the-environment"]


def test_an_unset_variable_is_503_and_names_endpoint_and_variable(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    lost = acme | {"name": "Lost", "apiKey": "${NO_SUCH_KEY}"}
    gateway = build_gateway(acme, lost)

    answer = gateway.chat(model="Lost/acme-large")

    assert answer.status == 503
    assert answer.error["code"] == "endpoint_misconfigured"
    assert answer.error["message"] == (
        "Endpoint 'Lost': the variable NO_SUCH_KEY in apiKey is not set."
    )
    assert upstream.received == []
    assert gateway.chat(model="Acme/acme-large").status == 200


def test_a_variable_that_is_set_later_works_without_a_restart(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme | {"apiKey": "${LATE_KEY}"})
    assert gateway.chat().status == 503

    put_secrets({"LATE_KEY": "a-key-that-came-late"})

    assert gateway.chat().status == 200
    assert upstream.last.header("authorization") == ["Bearer a-key-that-came-late"]


def test_a_broken_entry_disables_only_itself(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme, acme | {"name": "Broken", "headers": "no mapping"})

    broken = gateway.chat(model="acme-large", endpoint="Broken")

    assert broken.status == 503
    assert broken.error["code"] == "endpoint_misconfigured"
    assert "endpoints.custom[1].headers" in broken.error["message"]
    assert gateway.chat(model="acme-large").status == 200
    assert gateway.get("/api/models").json == {"Acme": ["acme-large", "acme-free"]}
