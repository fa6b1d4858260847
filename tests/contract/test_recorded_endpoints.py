"""How LibreChat was recorded to show endpoints, and where this gateway differs."""

import json
from typing import Any

import pytest

from tests.contract.test_recorded_config import cases, completed
from waystation.calls.target import UsersPart
from waystation.config.schema import USER_PROVIDED, Endpoint
from waystation.config.snapshot import inspect
from waystation.models.shapes import librechat_name, shown_endpoint

# LibreChat loses an endpoint of this name, because of what it means in JavaScript.
SHOWN_THOUGH_LOST = {"cfg-063"}


def usable(case: dict[str, Any]) -> tuple[Endpoint, ...]:
    entry = case["input"].get("endpoint")
    document = {"endpoints": {"custom": [entry]}}
    return inspect(json.dumps(document).encode()).endpoints


def has_been_offered(case: dict[str, Any]) -> bool:
    is_lost = case["id"] in SHOWN_THOUGH_LOST
    return "offered" in case["expected"] and not is_lost and bool(usable(case))


def without_texts(endpoint: dict[str, Any]) -> dict[str, Any]:
    """Leave out of definitions the interface's own texts and widths."""
    params = endpoint.get("customParams")
    if not params or "paramDefinitions" not in params:
        return endpoint
    definitions = completed(params["paramDefinitions"])
    return endpoint | {"customParams": params | {"paramDefinitions": definitions}}


@pytest.mark.parametrize("case", cases("config_schema", has_been_offered))
def test_endpoints_are_shown_as_recorded(case):
    (endpoint,) = usable(case)
    is_users_url = endpoint.base_url == USER_PROVIDED
    users = UsersPart(key=endpoint.api_key == USER_PROVIDED, url=is_users_url)
    shown = shown_endpoint(endpoint, users)
    assert shown.pop("order") == 9999
    recorded = {n: without_texts(e) for n, e in case["expected"]["offered"].items()}
    assert {librechat_name(endpoint.name): without_texts(shown)} == recorded
