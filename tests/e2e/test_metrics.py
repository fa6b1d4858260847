"""Metrics in the lines that the functions log, read as CloudWatch reads them."""

import time
from collections import defaultdict

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.embedded_metrics import metrics_in
from tests.support.fake_upstream import FakeUpstream, json_reply, streamed
from tests.support.lambda_gateway import LambdaGateway

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.fixture
def gateway(build_gateway: BuildGateway, acme: dict[str, object]) -> LambdaGateway:
    """A cold gateway whose entry lets clients name any model."""
    return build_gateway(acme | {"models": {"default": ["acme-large"], "fetch": True}})


def _measured(gateway: LambdaGateway) -> dict[tuple[str, ...], float]:
    """Return the sums of all metrics so far, by name and the values of their dimensions."""
    sums: defaultdict[tuple[str, ...], float] = defaultdict(float)
    now_ms = round(time.time() * 1000)
    for line in gateway.log.lines():
        for (name, dimensions), value in metrics_in(line, now_ms).items():
            sums[name, *(told for _, told in dimensions)] += value
    return sums


def test_calls_are_measured_by_endpoint_and_model(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    assert gateway.chat().status == 200
    assert gateway.chat().status == 200

    sums = _measured(gateway)

    for dimensions in ((), ("Acme",), ("Acme", "acme-large")):
        assert sums["requests", *dimensions] == 2
        assert sums["input_tokens", *dimensions] == 20
        assert sums["output_tokens", *dimensions] == 10
        assert sums["cost_usd", *dimensions] == pytest.approx(0.0001)


def test_stream_tells_when_it_began(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Hel", "lo!", usage=USAGE))

    assert gateway.chat(stream=True).status == 200

    (line,) = [line for line in gateway.log.lines() if line["message"] == "request"]
    assert 0 <= line["first_byte_ms"] <= line["latency_ms"]


def test_whole_answer_has_no_first_byte(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    assert gateway.chat().status == 200

    (line,) = [line for line in gateway.log.lines() if line["message"] == "request"]
    assert "first_byte_ms" not in line


def test_client_cannot_make_a_metric_for_every_name_it_thinks_of(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    for number in range(20):
        assert gateway.chat(model=f"Acme/made-up-{number}").status == 200

    sums = _measured(gateway)

    counted = {told[1:] for told in sums if told[0] == "requests"}
    assert counted == {(), ("Acme",), ("Acme", "other")}
    assert sums["requests", "Acme", "other"] == 20
    assert sums["unpriced", "Acme", "other"] == 20


@pytest.mark.parametrize(
    ("status", "metric"),
    [(500, "upstream_errors"), (429, "upstream_errors"), (400, "client_errors")],
)
def test_error_of_an_upstream_is_told_by_whose_it_is(
    gateway: LambdaGateway, upstream: FakeUpstream, status: int, metric: str
) -> None:
    upstream.answer(json_reply({"error": {"message": "No."}}, status=status))

    gateway.chat()

    sums = _measured(gateway)
    assert sums[metric, "Acme", "acme-large"] == 1
    assert sums["requests", "Acme", "acme-large"] == 1


def test_request_without_a_key_is_an_error_of_nobody_known(gateway: LambdaGateway) -> None:
    assert gateway.chat(key="unknown").status == 401

    assert _measured(gateway) == {("client_errors",): 1}


def test_lists_and_health_are_not_measured(gateway: LambdaGateway, upstream: FakeUpstream) -> None:
    upstream.answer(json_reply({"data": []}))

    assert gateway.get("/v1/models").status == 200
    assert gateway.get("/healthz").status == 200

    assert _measured(gateway) == {}


def test_metrics_can_be_switched_off(
    build_gateway: BuildGateway, acme: dict[str, object], upstream: FakeUpstream
) -> None:
    gateway = build_gateway(acme, METRICS="off")

    assert gateway.chat().status == 200

    (line,) = gateway.log.lines()
    assert line.keys() & {"_aws", "Endpoint", "Model", "requests", "listed_model"} == set()


def test_namespace_is_the_gateways_name(
    build_gateway: BuildGateway, acme: dict[str, object], upstream: FakeUpstream
) -> None:
    gateway = build_gateway(acme, VIA_TOKEN="waystation-blue", LOG_LEVEL="ERROR")

    assert gateway.chat().status == 200

    (line,) = gateway.log.lines()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "waystation-blue"
