"""What the composition root makes of the environment."""

import pytest

from tests.support.logs import kept_lines
from waystation.bootstrap import LazyRuntime, _log_rejected, start
from waystation.config.snapshot import ConfigProblem
from waystation.settings import SettingsError

SETTINGS = {"TABLE_NAME": "t", "SECRETS_PREFIX": "/way/prod"}


@pytest.mark.parametrize("uri", ["s3://bucket/key", "ssm:/way/config", "file:/librechat.yaml"])
def test_runtime_is_made_of_the_environment_once(monkeypatch, uri):
    for name, value in {**SETTINGS, "CONFIG_URI": uri}.items():
        monkeypatch.setenv(name, value)
    runtime = LazyRuntime()
    assert list(runtime.live_secrets()) == []
    made = runtime()
    assert runtime() is made
    assert made.response_mode == "buffered"
    assert list(runtime.live_secrets()) == []


def test_elsewhere_nothing_is_made_before_it_is_used():
    with pytest.raises(SettingsError):
        start()()


def test_on_lambda_the_runtime_is_made_at_once(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")
    with pytest.raises(SettingsError):
        start()


def test_rejected_configuration_is_logged_with_its_errors():
    problem = ConfigProblem("endpoints.custom", "must be a list", 3)
    with kept_lines("waystation.config") as lines:
        _log_rejected((problem,))
        _log_rejected(None)
    assert [(line.getMessage(), vars(line)["problems"]) for line in lines] == [
        ("config_rejected", ["line 3: endpoints.custom: must be a list"]),
        ("config_stale", []),
    ]
