"""The section `balance` of a file."""

import pytest

from waystation.config.inspection import inspect
from waystation.config.schema_balance import BalanceSettings, in_nanousd, parse_balance_settings
from waystation.config.snapshot import ConfigRejectedError, build_snapshot

ENTRIES = "endpoints: {custom: []}\n"


def balance_of(section: str) -> BalanceSettings | None:
    return build_snapshot(f"{ENTRIES}balance: {section}\n".encode()).balance


def test_file_without_the_section_limits_nothing():
    assert build_snapshot(ENTRIES.encode()).balance is None


@pytest.mark.parametrize("section", ["{}", "{enabled: false}", "{startBalance: 5}"])
def test_balance_that_is_not_enabled_limits_nothing(section: str):
    assert balance_of(section) is None


def test_enabled_balance_has_the_documented_defaults():
    assert balance_of("{enabled: true}") == BalanceSettings(
        enabled=True,
        start_balance=20_000,
        auto_refill_enabled=False,
        refill_interval_value=30,
        refill_interval_unit="days",
        refill_amount=10_000,
    )


def test_every_key_is_read():
    section = (
        "{enabled: true, startBalance: 0.5, autoRefillEnabled: true, refillIntervalValue: 2,"
        " refillIntervalUnit: months, refillAmount: 7}"
    )
    assert balance_of(section) == BalanceSettings(True, 0.5, True, 2, "months", 7)


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ("yes please", "balance"),
        ("[]", "balance"),
        ("", "balance"),
        ("{enabled: 'true'}", "balance.enabled"),
        ("{startBalance: -1}", "balance.startBalance"),
        ("{startBalance: '5'}", "balance.startBalance"),
        ("{startBalance: true}", "balance.startBalance"),
        ("{startBalance: .nan}", "balance.startBalance"),
        ("{startBalance: .inf}", "balance.startBalance"),
        ("{startBalance: 1000000000001}", "balance.startBalance"),
        ("{startBalance: null}", "balance.startBalance"),
        ("{refillAmount: []}", "balance.refillAmount"),
        ("{autoRefillEnabled: 1}", "balance.autoRefillEnabled"),
        ("{refillIntervalValue: 0}", "balance.refillIntervalValue"),
        ("{refillIntervalValue: 1.5}", "balance.refillIntervalValue"),
        ("{refillIntervalValue: true}", "balance.refillIntervalValue"),
        ("{refillIntervalUnit: day}", "balance.refillIntervalUnit"),
        ("{refillIntervalUnit: [days]}", "balance.refillIntervalUnit"),
    ],
)
def test_mistake_rejects_the_file_so_that_nothing_is_spent_without_limits(section, path):
    with pytest.raises(ConfigRejectedError) as error:
        balance_of(section)
    (problem,) = error.value.problems
    assert problem.path == path
    assert problem.message.startswith("expected ")


def test_unknown_key_gets_a_warning():
    findings = inspect(f"{ENTRIES}balance: {{enable: true}}\n".encode())
    assert [(one.path, one.message) for one in findings.warnings] == [
        ("balance.enable", "unknown key, ignored")
    ]
    assert findings.balance is None


def test_credits_are_a_thousand_nano_usd_rounded_down():
    assert [in_nanousd(amount) for amount in (0, 20_000, 0.1, 1e-9, 0.0019)] == [
        0,
        20_000_000,
        100,
        0,
        1,
    ]


def test_keys_that_are_wrong_have_their_defaults():
    settings, problems = parse_balance_settings({"enabled": True, "startBalance": "x"})
    assert settings == BalanceSettings(enabled=True)
    assert problems.keys() == {"startBalance"}
