"""The environment, read once."""

import pytest

from waystation.settings import (
    ENVIRONMENT_NAMES,
    Settings,
    SettingsError,
    environment,
    load_settings,
    log_level,
    runs_on_lambda,
)

REQUIRED = {"CONFIG_URI": "s3://b/k", "TABLE_NAME": "t", "SECRETS_PREFIX": "/way/prod"}


def test_required_variables_are_enough():
    assert load_settings(REQUIRED) == Settings(
        config_uri="s3://b/k",
        table_name="t",
        secrets_prefix="/way/prod",
        auth_modes=frozenset({"keys"}),
        response_mode="buffered",
        egress_proxy=None,
        ca_bundle=None,
    )


def test_every_variable_is_read():
    env = {
        **REQUIRED,
        "SECRETS_PREFIX": "/way/prod/",
        "AUTH_MODES": "keys,",
        "RESPONSE_MODE": "stream",
        "KMS_KEY_ID": "alias/users",
        "EGRESS_PROXY": "http://proxy:8080",
        "CA_BUNDLE": "/ca.pem",
    }
    assert load_settings(env) == Settings(
        config_uri="s3://b/k",
        table_name="t",
        secrets_prefix="/way/prod",
        response_mode="stream",
        kms_key_id="alias/users",
        egress_proxy="http://proxy:8080",
        ca_bundle="/ca.pem",
    )


def test_one_error_lists_everything_that_is_wrong():
    env = {"TABLE_NAME": "", "AUTH_MODES": "jwt", "RESPONSE_MODE": "fast"}
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert str(caught.value) == (
        "CONFIG_URI is not set; TABLE_NAME is not set; SECRETS_PREFIX is not set; "
        "AUTH_MODES must name some of: keys; "
        "RESPONSE_MODE must be one of: stream, buffered"
    )


@pytest.mark.parametrize("env", [REQUIRED, {**REQUIRED, "KMS_KEY_ID": ""}])
def test_keeping_users_keys_takes_a_key_of_kms(env):
    assert load_settings(env).kms_key_id is None
    with pytest.raises(SettingsError, match=r"^KMS_KEY_ID is not set$"):
        load_settings(env, keeps_user_keys=True)


@pytest.mark.parametrize("modes", ["", ",", "keys,jwt", "KEYS"])
def test_auth_modes_must_be_known(modes):
    with pytest.raises(SettingsError, match=r"^AUTH_MODES must name some of: keys$"):
        load_settings({**REQUIRED, "AUTH_MODES": modes})


def test_empty_optional_variables_are_unset():
    env = {**REQUIRED, "RESPONSE_MODE": "", "EGRESS_PROXY": "", "CA_BUNDLE": ""}
    assert load_settings(env) == load_settings(REQUIRED)


def test_process_environment_is_the_default(monkeypatch):
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")
    assert load_settings() == load_settings(REQUIRED)
    assert (log_level(), runs_on_lambda()) == ("DEBUG", True)
    assert environment()["TABLE_NAME"] == "t"


@pytest.mark.parametrize(
    ("given", "level"), [("ERROR", "ERROR"), ("", "INFO"), ("TRACE", "INFO"), ("info", "INFO")]
)
def test_log_level_is_one_of_four(given, level):
    assert log_level({"LOG_LEVEL": given}) == level


def test_lambda_is_told_by_its_own_variable():
    assert runs_on_lambda({}) is False
    assert runs_on_lambda({"AWS_LAMBDA_FUNCTION_NAME": "chat"}) is True


def test_documentation_names_every_variable():
    from waystation import settings

    assert all(f"| {name} |" in str(settings.__doc__) for name in ENVIRONMENT_NAMES)
