"""The name of this gateway, and its metrics, if lines of the log carry any."""

import pytest

from waystation.settings import metrics_namespace, via_token

LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "chat"}


@pytest.mark.parametrize(
    ("env", "namespace"),
    [
        (LAMBDA, "waystation"),
        ({**LAMBDA, "VIA_TOKEN": "waystation-prod"}, "waystation-prod"),
        ({**LAMBDA, "METRICS": "off"}, None),
        ({}, None),
        ({"METRICS": "on"}, "waystation"),
    ],
    ids=["Lambda", "named", "off on Lambda", "elsewhere", "on elsewhere"],
)
def test_metrics_are_those_of_this_gateway_and_on_where_cloudwatch_reads_them(env, namespace):
    assert metrics_namespace(env) == namespace


@pytest.mark.parametrize("given", ["", "a b", "a,b", "é", "a\n"])
def test_name_in_via_can_stand_in_a_header(given):
    assert via_token({"VIA_TOKEN": given}) == "waystation"
