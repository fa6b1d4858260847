"""What the composition root makes of the environment."""

import pytest

from tests.support.logs import kept_lines
from waystation.bootstrap.on_aws import LazyRuntime, start
from waystation.bootstrap.runtime import _log_flawed, _log_rejected, _log_unreadable
from waystation.config.snapshot import ConfigProblem
from waystation.settings import SettingsError

SETTINGS = {"TABLE_NAME": "t", "SECRETS_PREFIX": "/way/prod"}


@pytest.mark.parametrize("uri", ["s3://bucket/key", "ssm:/way/config", "file:/librechat.yaml"])
def test_runtime_is_made_of_the_environment_once(monkeypatch, uri):
    for name, value in {**SETTINGS, "CONFIG_URI": uri}.items():
        monkeypatch.setenv(name, value)
    runtime = LazyRuntime()
    assert list(runtime.live_secrets()) == []
    made = runtime.make()
    assert runtime.make() is made
    assert made.response_mode == "buffered"
    assert list(runtime.live_secrets()) == []


def test_elsewhere_nothing_is_made_before_it_is_used():
    with pytest.raises(SettingsError):
        start().make()


def test_on_lambda_the_runtime_is_made_at_once(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")
    with pytest.raises(SettingsError):
        start()


def test_function_that_keeps_users_keys_needs_a_key_of_kms(monkeypatch):
    for name, value in {**SETTINGS, "CONFIG_URI": "s3://bucket/key"}.items():
        monkeypatch.setenv(name, value)
    assert start().make() is not None
    with pytest.raises(SettingsError, match="KMS_KEY_ID"):
        start(keeps_user_keys=True).make()
    monkeypatch.setenv("KMS_KEY_ID", "alias/users")
    assert start(keeps_user_keys=True).make() is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CA_BUNDLE", "/nowhere.pem"),
        ("EGRESS_PROXY", "ftp://proxy"),
        ("GATEWAY_ALLOWED_ADDRESSES", "10.0.0.1"),
        ("GATEWAY_ALLOWED_ADDRESSES", "*.internal:443"),
        ("GATEWAY_ALLOWED_ADDRESSES", "10.0.0.0/8:443"),
    ],
)
def test_unusable_way_out_is_told_at_start(monkeypatch, name, value):
    for key, text in {**SETTINGS, "CONFIG_URI": "s3://bucket/key", name: value}.items():
        monkeypatch.setenv(key, text)
    with pytest.raises(SettingsError):
        LazyRuntime().make()


def test_configuration_that_is_not_used_is_logged_with_the_reason():
    problem = ConfigProblem("endpoints.custom", "must be a list", 3)
    with kept_lines("waystation.config") as lines:
        _log_rejected((problem, ConfigProblem("", "not valid YAML", 4)))
        _log_flawed((problem,))
        _log_unreadable("AccessDenied")
    rejected, flawed, unreadable = lines
    assert rejected.getMessage() == "config_rejected"
    told = "line 3: endpoints.custom: must be a list"
    assert vars(rejected)["problems"] == [told, "line 4: not valid YAML"]
    assert (flawed.getMessage(), vars(flawed)["problems"]) == ("config_flawed", [told])
    assert unreadable.getMessage() == "config_unreadable"
    assert vars(unreadable)["cause"] == "AccessDenied"
