"""What template.yaml says of upkeep: its events, its queues, and what is watched."""

import json
import re
from typing import Any

import pytest

from tests.support.template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE
from waystation.web.lambda_upkeep import KEPT_S
from waystation.web.metrics import OF_CALLS

UPKEEP = FUNCTIONS["UpkeepFunction"]
OWN_NAMESPACE = {"Fn::Sub": "waystation-${AWS::StackName}"}
ALARMS = {
    name: resource
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
FILTERS = [
    resource["Properties"]
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::Logs::MetricFilter"
]
OF_UPKEEP = {"swept", "sweep_failures", "sweep_lag_s", "outbox_applied", "outbox_failures"}
OF_THE_LEDGER = {"settle_deferred", "open_deferred", "ledger_unavailable"}
FROM_FILTERS = {"settle_unwritten", "open_unwritten"}
OWN_METRICS = {*OF_CALLS, *OF_UPKEEP, *OF_THE_LEDGER, *FROM_FILTERS}


def test_upkeep_runs_every_five_minutes_and_for_each_batch_of_the_outbox():
    sweep, messages = UPKEEP["Events"]["Sweep"], UPKEEP["Events"]["OutboxMessages"]
    assert (sweep["Type"], sweep["Properties"]["Schedule"]) == ("Schedule", "rate(5 minutes)")
    assert messages["Type"] == "SQS"
    properties = messages["Properties"]
    assert properties["Queue"] == {"Fn::GetAtt": "Outbox.Arn"}
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["BatchSize"] == 10


def test_upkeep_has_more_time_than_it_keeps_for_the_last_record():
    assert UPKEEP["Timeout"] > 2 * KEPT_S


def test_outbox_keeps_what_cannot_be_applied():
    outbox = RESOURCES["Outbox"]["Properties"]
    assert outbox["VisibilityTimeout"] >= 6 * UPKEEP["Timeout"]
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": "OutboxDeadLetters.Arn"}, "maxReceiveCount": 5}
    assert outbox["RedrivePolicy"] == dead
    for queue in ("Outbox", "OutboxDeadLetters"):
        properties = RESOURCES[queue]["Properties"]
        assert properties["SqsManagedSseEnabled"] is True
        assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_lines_of_what_was_not_written_are_counted_in_each_log_that_has_them():
    counted = {
        (one["LogGroupName"]["Ref"], one["FilterPattern"], transformation["MetricName"])
        for one in FILTERS
        for transformation in one["MetricTransformations"]
    }
    assert counted == {
        (group, f'{{ $.message = "ledger_{kind}_unwritten" }}', f"{kind}_unwritten")
        for group in ("ChatLogs", "TitleLogs")
        for kind in ("settle", "open")
    }
    assert all(
        one["MetricTransformations"][0]["MetricNamespace"] == OWN_NAMESPACE for one in FILTERS
    )


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_watches_something_that_is_there(name: str):
    alarm = ALARMS[name]["Properties"]
    if alarm["Namespace"] == OWN_NAMESPACE:
        assert alarm["MetricName"] in OWN_METRICS
        assert "Dimensions" not in alarm
        of_lines = alarm["MetricName"] in FROM_FILTERS
        assert ALARMS[name]["Condition"] == ("Watched" if of_lines else "WatchedByMetrics")
    else:
        assert ALARMS[name]["Condition"] == "Watched"
        named = [_resource_of(dimension["Value"]) for dimension in alarm["Dimensions"]]
        assert {one for one in named if one} <= {*RESOURCES, "AWS::StackName"}
    told = [{"Ref": "AlarmTopicArn"}]
    assert alarm["AlarmActions"]["Fn::If"] == ["HasAlarmTopic", told, {"Ref": "AWS::NoValue"}]


@pytest.mark.parametrize("name", ALARMS)
def test_page_says_what_to_do_about_each(name: str):
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"`{name}`" in page


def test_page_names_every_metric():
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named >= OWN_METRICS


def test_every_function_that_crashes_is_told():
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in ALARMS.values()
        if alarm["Properties"]["MetricName"] == "Errors"
    }
    assert watched == set(FUNCTIONS)


def test_what_is_watched_can_be_switched_off():
    conditions = TEMPLATE["Conditions"]
    assert conditions["Watched"] == {"Fn::Equals": [{"Ref": "Alarms"}, "true"]}
    assert RESOURCES["StackDashboard"]["Condition"] == "HasDashboard"
    assert conditions["HasDashboard"] == {"Fn::Equals": [{"Ref": "Dashboard"}, "true"]}
    filters = [one for one in RESOURCES.values() if one["Type"] == "AWS::Logs::MetricFilter"]
    assert {one["Condition"] for one in filters} == {"Watched"}


def test_dashboard_shows_metrics_that_are_there():
    widgets = _widgets()
    assert len(widgets) > 10
    own: set[str] = set()
    for widget in widgets:
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                found = re.search(
                    r"^SEARCH\('\{\"waystation-x\",Endpoint(,Model)?\} MetricName=\"(\w+)\"', "
                    r"'(Sum|p50|p95)', 300\)$",
                    metric[0]["expression"],
                )
                assert found is not None, metric
                own.add(found[2])
            elif metric[0] == "waystation-x":
                own.add(metric[1])
    assert own <= OWN_METRICS
    assert own >= {"requests", "cost_usd", "latency_ms", "sweep_lag_s", "settle_unwritten"}


def test_widgets_of_the_dashboard_do_not_overlap():
    taken: set[tuple[int, int]] = set()
    for widget in _widgets():
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not taken & cells
        assert max(x for x, _ in cells) < 24
        taken |= cells


def _widgets() -> list[dict[str, Any]]:
    """Return the dashboard's widgets in a stack `x`; every name in it must be a resource's."""
    text = RESOURCES["StackDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    def value(match: re.Match[str]) -> str:
        name = match[1].partition(".")[0]
        assert name in RESOURCES or name.startswith("AWS::")
        return "x"

    widgets: list[dict[str, Any]] = json.loads(re.sub(r"\$\{([^}]+)\}", value, text))["widgets"]
    return widgets


def _resource_of(value: object) -> str:
    match value:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": str(name)}:
            return name.partition(".")[0]
        case _:
            return ""
