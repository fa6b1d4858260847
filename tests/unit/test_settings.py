"""The environment, read once."""

import pytest

from waystation.settings import (
    ENVIRONMENT_NAMES,
    Settings,
    SettingsError,
    environment,
    forbidden_addresses,
    load_settings,
    log_level,
    runs_on_lambda,
    via_token,
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
        "EGRESS_PROXY": "http://proxy:8080",
        "CA_BUNDLE": "/ca.pem",
        "GATEWAY_ALLOWED_ADDRESSES": "LLM.internal:443, [::1]:9,",
        "VIA_TOKEN": "waystation-prod",
    }
    assert load_settings(env) == Settings(
        config_uri="s3://b/k",
        table_name="t",
        secrets_prefix="/way/prod",
        response_mode="stream",
        egress_proxy="http://proxy:8080",
        ca_bundle="/ca.pem",
        allowed_addresses=frozenset({"llm.internal:443", "[::1]:9"}),
        via_token="waystation-prod",
    )


def test_one_error_lists_everything_that_is_wrong():
    env = {"TABLE_NAME": "", "AUTH_MODES": "jwt", "RESPONSE_MODE": "fast", "VIA_TOKEN": "a b"}
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert str(caught.value) == (
        "CONFIG_URI is not set; TABLE_NAME is not set; SECRETS_PREFIX is not set; "
        "AUTH_MODES must name some of: keys; "
        "RESPONSE_MODE must be one of: stream, buffered; "
        "VIA_TOKEN must be letters, digits, dots, hyphens and underscores"
    )


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


@pytest.mark.parametrize("given", ["", "a b", "a,b", "é", "a\n"])
def test_name_in_via_can_stand_in_a_header(given):
    assert via_token({"VIA_TOKEN": given}) == "waystation"


SANDBOX = {
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_XRAY_DAEMON_ADDRESS": "tcp:127.0.0.1:2000 udp:169.254.79.129:2001",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost:8088/credentials?id=1",
    "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "3000",
}


def test_what_listens_in_the_sandbox_is_known():
    assert forbidden_addresses({}) == frozenset()
    assert forbidden_addresses(SANDBOX) == {
        "127.0.0.1:9001",
        "127.0.0.1:2000",
        "169.254.79.129:2001",
        "localhost:8088",
        "127.0.0.1:3000",
    }


@pytest.mark.parametrize(
    ("url", "pair"),
    [
        ("http://[fd00:ec2::23]/v1", "[fd00:ec2::23]:80"),
        ("http://[::1]:81/v1", "[::1]:81"),
        ("http://169.254.170.2/v2", "169.254.170.2:80"),
        ("https://credentials.test?a", "credentials.test:443"),
    ],
)
def test_credentials_may_be_anywhere(url, pair):
    assert forbidden_addresses({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}) == {pair}


@pytest.mark.parametrize("url", ["", "http://", "/v2/credentials", "http://[::1"])
def test_what_is_no_place_is_left_alone(url):
    unusable = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_LAMBDA_RUNTIME_API": "localhost"}
    assert forbidden_addresses(unusable) == frozenset()


def test_on_lambda_the_usual_ports_are_known_too():
    on_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "chat"}
    usual = {"127.0.0.1:9001", "127.0.0.1:2772", "127.0.0.1:2773"}
    assert forbidden_addresses(on_lambda) == usual
    changed = on_lambda | {"AWS_APPCONFIG_EXTENSION_HTTP_PORT": "5000"}
    assert forbidden_addresses(changed) == usual - {"127.0.0.1:2772"} | {"127.0.0.1:5000"}


def test_lambda_is_told_by_its_own_variable():
    assert runs_on_lambda({}) is False
    assert runs_on_lambda({"AWS_LAMBDA_FUNCTION_NAME": "chat"}) is True


def test_documentation_names_every_variable():
    from waystation import settings

    assert all(f"| {name} |" in str(settings.__doc__) for name in ENVIRONMENT_NAMES)
