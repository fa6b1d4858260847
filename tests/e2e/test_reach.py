"""What the deployed functions connect to."""

import json
from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import FakeUpstream


def config_of(acme: dict[str, object], *allowed: str) -> str:
    endpoints: dict[str, Any] = {"custom": [acme], "allowedAddresses": list(allowed)}
    return json.dumps({"endpoints": endpoints})


def neighbour_of(upstream: FakeUpstream) -> str:
    host, _, port = upstream.address.rpartition(":")
    return f"{host}:{int(port) - 1}"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_upstream_on_this_machine_must_be_allowed_by_its_exact_pair(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object], *, stream: bool
) -> None:
    for allowed in ([], [neighbour_of(upstream)], [f"localhost:{upstream.address[10:]}"]):
        gateway = build_gateway(config=config_of(acme, *allowed))
        answer = gateway.chat(stream=stream)
        assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")
        assert answer.error["message"] == "The upstream cannot be reached."
        record = gateway.record_of(answer)
        assert (record["state"], record["cost"]) == ("RELEASED", 0)
        assert "ssrf_blocked" in gateway.log.text
        assert "127.0.0.1" not in gateway.log.text
    assert upstream.received == []

    gateway = build_gateway(config=config_of(acme, upstream.address))
    assert gateway.chat().status == 200


def test_the_runtime_api_is_no_upstream_even_if_it_is_allowed(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(
        config=config_of(acme, upstream.address), AWS_LAMBDA_RUNTIME_API=upstream.address
    )

    answer = gateway.chat()

    assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")
    assert upstream.received == []


def test_a_request_that_comes_back_is_refused_on_every_route(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    own = {"Via": "1.1 x.cloudfront.net (CloudFront), 1.1 waystation-prod"}
    gateway = build_gateway(acme, VIA_TOKEN="waystation-prod")

    answers = [gateway.chat(headers=own), gateway.get("/v1/models", headers=own)]
    answers.append(gateway.get("/healthz", key="", headers=own))

    assert [(one.status, one.error["code"]) for one in answers] == [(508, "loop_detected")] * 3
    assert upstream.received == []
    assert gateway.chat(headers={"Via": "1.1 waystation"}).status == 200
    assert upstream.last.header("via") == ["1.1 waystation-prod"]


@pytest.mark.parametrize("place", ["file", "environment"])
def test_what_users_may_bring_is_allowed_in_the_file_or_the_environment(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object], place: str
) -> None:
    entry = acme | {"apiKey": "user_provided", "baseURL": "user_provided"}
    of_file, of_environment = ("127.0.0.1:1", upstream.address)
    if place == "file":
        of_file, of_environment = of_environment, of_file
    gateway = build_gateway(
        config=config_of(entry, of_file), GATEWAY_ALLOWED_ADDRESSES=of_environment
    )
    own = {"x-endpoint-api-key": "canary-key", "x-endpoint-base-url": upstream.url}

    assert gateway.chat(headers=own).status == 200
    near = {**own, "x-endpoint-base-url": f"http://{neighbour_of(upstream)}/v1"}
    answer = gateway.chat(headers=near)
    assert (answer.status, answer.error["code"]) == (400, "invalid_base_url")
    assert "canary" not in gateway.log.text
