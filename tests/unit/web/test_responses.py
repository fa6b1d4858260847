"""Answers, written."""

import json

from starlette.types import Scope

from waystation.errors import EndpointMisconfiguredError
from waystation.web.envelopes import NOTES
from waystation.web.responses import error_response, json_response

SCOPE: Scope = {"type": "http", "path": "/v1/chat/completions", NOTES: {"request_id": "r1"}}
MESSAGES_SCOPE: Scope = {**SCOPE, "path": "/v1/messages"}


def test_json_is_compact_utf_8():
    response = json_response({"a": "é", "b": [1]}, status=201, headers={"x-a": "1"})
    assert response.body == '{"a":"é","b":[1]}'.encode()
    assert response.status_code == 201
    assert dict(response.headers) == {
        "x-a": "1",
        "content-length": "18",
        "content-type": "application/json",
    }


def test_error_is_its_envelope_and_headers():
    response = error_response(EndpointMisconfiguredError("No.", param="p"), SCOPE)
    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "false"
    assert json.loads(bytes(response.body)) == {
        "error": {
            "message": "No.",
            "type": "service_unavailable",
            "param": "p",
            "code": "endpoint_misconfigured",
        }
    }


def test_error_on_anthropics_routes_is_its_envelope():
    response = error_response(EndpointMisconfiguredError("No."), MESSAGES_SCOPE)
    assert (response.status_code, response.headers["x-should-retry"]) == (503, "false")
    assert json.loads(bytes(response.body)) == {
        "type": "error",
        "error": {"type": "api_error", "message": "No."},
        "request_id": "r1",
    }
