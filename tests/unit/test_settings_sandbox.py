"""What the environment tells of the Lambda sandbox around a function."""

import pytest

from waystation.settings import forbidden_addresses

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
