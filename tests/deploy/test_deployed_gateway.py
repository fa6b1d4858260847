"""The deployed stack, called through its API URL. The emulated AWS enforces its permissions."""

import math
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.deploy.conftest import LIVE_WITHIN_S, UPSTREAM_KEY, Gateway, within

if TYPE_CHECKING:
    from httpx2 import Response

REFRESHED_AFTER_S = 35  # longer than a warm function waits before it looks at the file again


def test_health_names_the_configuration(gateway: Gateway):
    answer = gateway.request("GET", "/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["config_version"]


def test_models_are_those_of_the_file(gateway: Gateway):
    assert gateway.model_ids() == ["Fake/small"]


def test_chat_is_answered_and_its_record_has_the_exact_cost(gateway: Gateway):
    answer = gateway.chat("Fake/small")
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == "Good day."
    assert gateway.upstream.last.header("authorization") == [f"Bearer {UPSTREAM_KEY}"]
    assert gateway.upstream.last.json["model"] == "small"
    record = gateway.record(answer.headers["x-request-id"])
    assert record["state"] == "SETTLED"
    assert record["endpoint"] == "Fake"
    assert record["model"] == "small"
    assert record["kind"] == "chat"
    assert record["usage_source"] == "upstream"
    assert record["tokens"] == {"in": 1000, "out": 50, "cacheRead": 201}
    exact = 799 * Fraction("0.15") + 201 * Fraction("0.0755") + 50 * Fraction("0.6")
    assert record["cost"] == math.ceil(exact * 1000) == 165_026


def test_streamed_chat_comes_whole_and_is_recorded(gateway: Gateway):
    answer = gateway.chat("Fake/small", stream=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("data: [DONE]\n\n")
    assert gateway.record(answer.headers["x-request-id"])["cost"] == 165_026


def test_key_of_a_user_is_kept_used_and_forgotten(gateway: Gateway):
    shown = {"endpoint": "openAI", "apiKey": "…1234", "baseURL": None, "expiresAt": None}
    stored = gateway.request("PUT", "/v1/keys/openAI", body={"apiKey": "sk-of-a-user-1234"})
    assert (stored.status_code, stored.json()) == (200, shown)
    assert gateway.chat("any", endpoint="openAI").status_code == 200
    assert gateway.upstream.last.header("authorization") == ["Bearer sk-of-a-user-1234"]
    assert gateway.request("GET", "/v1/keys/openAI").json() == shown
    assert gateway.request("GET", "/api/keys?name=openAI").json() == {"expiresAt": "never"}
    assert gateway.request("DELETE", "/v1/keys/openAI").status_code == 204
    gone = gateway.chat("any", endpoint="openAI")
    assert (gone.status_code, _error(gone)["code"]) == (400, "missing_user_key")
    nothing = gateway.request("GET", "/v1/keys/My%20own%2F1")
    assert (nothing.status_code, _error(nothing)["code"]) == (404, "not_found")


def test_key_of_a_user_is_kept_and_forgotten_as_librechat_does_it(gateway: Gateway):
    kept = {"name": "openAI", "value": "sk-of-a-user-5678", "expiresAt": "2100-01-31T12:00:00Z"}
    for forget in ("/api/keys/openAI", "/api/keys?all=true"):
        assert gateway.request("PUT", "/api/keys", body=kept).status_code == 201
        shown = gateway.request("GET", "/api/keys?name=openAI").json()
        assert shown == {"expiresAt": "2100-01-31T12:00:00.000Z"}
        assert gateway.request("DELETE", forget).status_code == 204
        assert gateway.request("GET", "/api/keys?name=openAI").json() == {"expiresAt": None}


def test_wrong_key_is_401(gateway: Gateway):
    answer = gateway.request("GET", "/v1/models", key="sk-way-nobody")
    assert answer.status_code == 401
    assert _error(answer)["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nowhere"), ("PUT", "/nowhere/at%2Fall"), ("GET", "/v1/chat/completions")],
    ids=["unknown", "encoded", "other method"],
)
def test_unknown_path_is_404_by_the_function(gateway: Gateway, method: str, path: str):
    answer = gateway.request(method, path)
    assert answer.status_code == 404
    assert _error(answer)["type"] == "not_found_error"


def test_what_no_function_gets_is_404_by_the_front_door(gateway: Gateway):
    answer = gateway.request("GET", "/")
    assert answer.status_code == 404
    assert _error(answer) == {
        "message": "Unknown method or path.",
        "type": "not_found_error",
        "param": None,
        "code": "not_found",
    }


def test_changed_file_is_live_without_a_deployment(gateway: Gateway):
    gateway.push("small", "large")
    assert within(LIVE_WITHIN_S, lambda: gateway.model_ids() == ["Fake/small", "Fake/large"])
    assert within(LIVE_WITHIN_S, lambda: gateway.chat("Fake/large").status_code == 200)


def test_broken_file_leaves_the_good_one_serving(gateway: Gateway):
    uri = gateway.deployment.outputs["ConfigUri"].removeprefix("s3://")
    bucket, _, key = uri.partition("/")
    aws = gateway.deployment.aws
    s3 = aws.session().client("s3", endpoint_url=aws.url)
    s3.put_object(Bucket=bucket, Key=key, Body=b"endpoints: {custom: [}")
    looked = time.monotonic() + REFRESHED_AFTER_S
    while time.monotonic() < looked:
        assert gateway.model_ids() == ["Fake/small", "Fake/large"]
        time.sleep(5)
    assert gateway.chat("Fake/large").status_code == 200
    gateway.push("mended")
    assert within(LIVE_WITHIN_S, lambda: gateway.model_ids() == ["Fake/mended"])


def _error(answer: "Response") -> dict[str, object]:
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    error: dict[str, object] = body["error"]
    return error
