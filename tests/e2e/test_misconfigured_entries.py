"""Each mistake in an entry: which one, where, never what; and the other entries keep working."""

from typing import Any

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import FakeUpstream

VALUE = "value-of-a-mistake-7d2c"


def definition(**fields: object) -> dict[str, object]:
    return {"customParams": {"paramDefinitions": [fields]}}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a set that does not exist": (
        {"customParams": {"defaultParamsEndpoint": VALUE}},
        "customParams.defaultParamsEndpoint",
    ),
    "a key of customParams that does not exist": (
        {"customParams": {"reasoning": VALUE}},
        "customParams.reasoning",
    ),
    "a format that does not exist": (
        {"customParams": {"reasoningFormat": VALUE}},
        "customParams.reasoningFormat",
    ),
    "a field that is never read": (
        {"customParams": {"reasoningKey": VALUE}},
        "customParams.reasoningKey",
    ),
    "a parameter of no set": (
        definition(key="my_own_param", default=VALUE),
        "customParams.paramDefinitions[0].key",
    ),
    "a parameter of another set": (
        definition(key="thinkingBudget", default=1024),
        "customParams.paramDefinitions[0].key",
    ),
    "a default out of range": (
        definition(key="temperature", default=9.75),
        "customParams.paramDefinitions[0].default",
    ),
    "a default that is no option": (
        definition(key="verbosity", default=VALUE),
        "customParams.paramDefinitions[0].default",
    ),
    "a switch that is text": ({"addParams": {"web_search": VALUE}}, "addParams.web_search"),
    "a list that is text": ({"dropParams": VALUE}, "dropParams"),
    "a header that is a number": ({"headers": {"X-A": 9.75}}, "headers.X-A"),
    "a placeholder that does not exist": (
        {"headers": {"X-A": f"{VALUE} {{{{LIBRECHAT_USER_PASSWORD}}}}"}},
        "headers.X-A",
    ),
    "a header that is not ours to set": ({"headers": {"Host": VALUE}}, "headers"),
    "a line break in a header": ({"headers": {"X-A": f"{VALUE}\r\nX-B: 1"}}, "headers.X-A"),
    "a flag that is text": ({"directEndpoint": VALUE}, "directEndpoint"),
    "a key of ours that does not exist": ({"waystation": {"thinkTags": VALUE}}, "waystation"),
}


@pytest.mark.parametrize(("mistake", "path"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_disables_only_its_entry(
    build_gateway: BuildGateway,
    upstream: FakeUpstream,
    acme: dict[str, object],
    mistake: dict[str, Any],
    path: str,
) -> None:
    gateway = build_gateway(acme, acme | {"name": "Broken"} | mistake)

    answer = gateway.chat(model="Broken/acme-large")

    assert answer.status == 503
    assert answer.error["code"] == "endpoint_misconfigured"
    assert "'Broken'" in answer.error["message"]
    assert f"endpoints.custom[1].{path}" in answer.error["message"]
    assert VALUE not in answer.text
    assert "9.75" not in answer.text
    assert upstream.received == []
    assert gateway.chat(model="Acme/acme-large").status == 200


UNSET = "the variable NO_SUCH_KEY in {} is not set."
LATE: dict[str, tuple[dict[str, Any], str]] = {
    "a variable in the key": ({"apiKey": "${NO_SUCH_KEY}"}, UNSET.format("apiKey")),
    "a variable in the URL": ({"baseURL": "https://${NO_SUCH_KEY}/v1"}, UNSET.format("baseURL")),
    "a variable in a header": (
        {"headers": {"X-A": f"{VALUE}${{NO_SUCH_KEY}}"}},
        UNSET.format("headers.X-A"),
    ),
    "no URL": ({"baseURL": VALUE}, "baseURL is not an http or https URL."),
}


@pytest.mark.parametrize(("mistake", "told"), LATE.values(), ids=LATE)
def test_what_shows_only_in_a_call_is_named(
    build_gateway: BuildGateway,
    upstream: FakeUpstream,
    acme: dict[str, object],
    mistake: dict[str, Any],
    told: str,
) -> None:
    gateway = build_gateway(acme, acme | {"name": "Lost"} | mistake)

    answer = gateway.chat(model="Lost/acme-large")

    assert (answer.status, answer.error["code"]) == (503, "endpoint_misconfigured")
    assert answer.error["message"] == f"Endpoint 'Lost': {told}"
    assert upstream.received == []
    assert gateway.chat(model="Acme/acme-large").status == 200
