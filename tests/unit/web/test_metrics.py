"""What lines of the log measure, read as CloudWatch reads it."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.embedded_metrics import Metric, metrics_in
from waystation.web.log import log_request, set_up_logging

NAMESPACE = "waystation-prod"
TOTAL: tuple[tuple[str, str], ...] = ()
ENDPOINT = (("Endpoint", "Acme"),)
MODEL = (*ENDPOINT, ("Model", "large"))
CHAT: dict[str, object] = {
    "request_id": "r1",
    "endpoint": "Acme",
    "model": "large",
    "listed_model": "large",
    "status": 200,
    "latency_ms": 812,
    "first_byte_ms": 93,
    "input_tokens": 1000,
    "output_tokens": 50,
    "cache_read_tokens": 201,
    "usage_source": "upstream",
    "cost_nanousd": 165_026,
}
WITHOUT_METRICS = {"_aws", "Endpoint", "Model", "requests", "cost_usd"}

Read = Callable[[], dict[str, Any]]


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Read:
    """Return what reads the one line that was written."""

    def read() -> dict[str, Any]:
        (line,) = capsys.readouterr().out.splitlines()
        document: dict[str, Any] = json.loads(line)
        return document

    return read


def measured(read: Read, **changes: object) -> dict[Metric, float]:
    """Return the metrics of a chat's line."""
    set_up_logging("INFO", list, NAMESPACE)
    log_request(CHAT | changes)
    return metrics_in(read(), _now_ms())


def of_model(found: dict[Metric, float]) -> dict[str, float]:
    return {name: value for (name, dimensions), value in found.items() if len(dimensions) == 2}


def test_call_is_measured_in_all_by_endpoint_and_by_model(read: Read):
    values = {
        "requests": 1,
        "latency_ms": 812,
        "first_byte_ms": 93,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 201,
        "cost_usd": 0.000165026,
    }
    assert measured(read) == {
        (name, dimensions): value
        for name, value in values.items()
        for dimensions in (TOTAL, ENDPOINT, MODEL)
    }


def test_metrics_are_in_the_line_of_the_request_under_the_gateways_name(read: Read):
    set_up_logging("INFO", list, NAMESPACE)
    log_request(CHAT)
    line = read()
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units.pop("cost_usd") == "None"
    assert {units.pop("latency_ms"), units.pop("first_byte_ms")} == {"Milliseconds"}
    assert set(units.values()) == {"Count"}
    assert (line["request_id"], line["cost_nanousd"]) == ("r1", 165_026)


def test_line_without_metrics_is_as_it_was(read: Read):
    set_up_logging("INFO", list)
    log_request(CHAT)
    line = read()
    assert line.keys() & (WITHOUT_METRICS | {"listed_model"}) == set()
    assert {name: line[name] for name in CHAT if name != "listed_model"} == {
        name: value for name, value in CHAT.items() if name != "listed_model"
    }


def test_unknown_price_and_estimated_tokens_are_counted(read: Read):
    found = of_model(measured(read, cost_nanousd=None, usage_source="estimated"))
    assert (found["unpriced"], found["estimated"]) == (1, 1)
    assert "cost_usd" not in found


def test_call_without_usage_is_neither_unpriced_nor_estimated(read: Read):
    nothing = {"input_tokens": None, "output_tokens": None, "cache_read_tokens": None}
    found = of_model(measured(read, **nothing, usage_source=None, cost_nanousd=0))
    assert found == {"requests": 1, "latency_ms": 812, "first_byte_ms": 93}


@pytest.mark.parametrize("source", ["client", "upstream", "gateway"])
def test_error_is_counted_by_whose_it_is(read: Read, source: str):
    found = of_model(measured(read, status=502, error_code="x", error_source=source))
    assert {name for name in found if name.endswith("_errors")} == {f"{source}_errors"}


def test_stream_that_broke_is_the_upstreams_error(read: Read):
    assert of_model(measured(read, error_code="upstream_error"))["upstream_errors"] == 1


def test_client_that_has_gone_is_no_error(read: Read):
    found = of_model(measured(read, status=499, error_code="client_disconnected"))
    assert [name for name in found if name.endswith("_errors")] == []


def test_repeated_key_is_a_hit_and_no_error(read: Read):
    told = {"error_code": "idempotency_completed", "error_source": "client"}
    found = of_model(measured(read, status=409, idempotent_hit=True, **told))
    assert found["idempotent_hits"] == 1
    assert [name for name in found if name.endswith("_errors")] == []


def test_error_before_a_call_is_routed_has_no_dimensions(read: Read):
    refused = {"listed_model": None, "error_code": "invalid_api_key", "error_source": "client"}
    assert measured(read, endpoint=None, status=401, **refused) == {("client_errors", TOTAL): 1}


def test_request_that_is_no_call_is_not_measured(read: Read):
    assert measured(read, listed_model=None) == {}


@pytest.mark.parametrize(
    ("name", "shown"), [("Größe", "Gr\\xf6\\xdfe"), (": a", "a"), (" ", "-"), (":", "-")]
)
def test_name_is_told_as_cloudwatch_takes_it(read: Read, name: str, shown: str):
    found = measured(read, endpoint=name, listed_model=name)
    assert ("requests", (("Endpoint", shown), ("Model", shown))) in found


@pytest.mark.parametrize("line", ["title_made", "title_failed"])
def test_title_beside_a_chat_is_measured_as_a_call(read: Read, line: str):
    set_up_logging("INFO", list, NAMESPACE)
    told = {"endpoint": "Acme", "listed_model": "large", "input_tokens": 9, "cost_nanousd": 8}
    logging.getLogger("waystation.titles").warning(line, extra=told)
    found = of_model(metrics_in(read(), _now_ms()))
    assert found == {"requests": 1, "input_tokens": 9, "cost_usd": 8e-9}


def test_upkeep_tells_zeros_too(read: Read):
    set_up_logging("INFO", list, NAMESPACE)
    told = {"swept": 0, "sweep_failures": 0, "sweep_lag_s": 0}
    logging.getLogger("waystation.upkeep").info("upkeep_swept", extra=told)
    found = metrics_in(read(), _now_ms())
    assert found == {(name, TOTAL): 0 for name in told}


@pytest.mark.parametrize("line", ["settle_deferred", "open_deferred", "ledger_unavailable"])
def test_what_the_table_did_not_take_is_counted(read: Read, line: str):
    set_up_logging("INFO", list, NAMESPACE)
    logging.getLogger("waystation.ledger").warning(line)
    assert metrics_in(read(), _now_ms()) == {(line, TOTAL): 1}


def test_lines_that_measure_are_written_whatever_the_level_is(read: Read):
    set_up_logging("ERROR", list, NAMESPACE)
    logging.getLogger("waystation.config").warning("not this one")
    log_request(CHAT)
    assert read()["message"] == "request"


def test_level_counts_again_without_metrics(capsys: pytest.CaptureFixture[str]):
    set_up_logging("ERROR", list, NAMESPACE)
    set_up_logging("ERROR", list)
    log_request(CHAT)
    assert capsys.readouterr().out == ""


def _now_ms() -> int:
    return round(time.time() * 1000)
