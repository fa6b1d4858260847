"""Clients of Bedrock's runtime: which call gets which."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from waystation.aws.bedrock_clients import MAX_CLIENTS, BedrockClients, RuntimeClient
from waystation.wire.upstream_request import AwsCredentials

KEYS = AwsCredentials("id", "secret")


def config_of(client: RuntimeClient) -> Any:
    return cast("Any", client.meta).config


@pytest.mark.parametrize(
    ("wait_s", "patience_s"), [(0.1, 15), (15, 15), (16, 30), (61, 120), (900, 120)]
)
def test_sockets_wait_little_longer_than_the_call(wait_s, patience_s):
    config = config_of(BedrockClients().take("eu-west-1", None, wait_s))
    assert (config.read_timeout, config.connect_timeout) == (patience_s, 5)


def test_clients_are_kept():
    clients = BedrockClients()
    client = clients.take("eu-west-1", KEYS, 9)
    assert clients.take("eu-west-1", AwsCredentials("id", "secret"), 12) is client
    for other in (
        clients.take("eu-west-2", KEYS, 9),
        clients.take("eu-west-1", None, 9),
        clients.take("eu-west-1", AwsCredentials("id", "secret", "token"), 9),
        clients.take("eu-west-1", KEYS, 20),
    ):
        assert other is not client


def test_the_longest_unused_is_let_go_of(monkeypatch):
    clients = BedrockClients()
    made = []

    def make(*key: object) -> object:
        made.append(key[0])
        return SimpleNamespace(key=key)

    monkeypatch.setattr(clients, "_make", make)
    regions = [f"r-{number}" for number in range(MAX_CLIENTS)]
    for region in regions:
        clients.take(region, None, 1)
    clients.take("r-0", None, 1)
    clients.take("r-new", None, 1)
    assert made == [*regions, "r-new"]
    clients.take("r-0", None, 1)
    clients.take("r-1", None, 1)
    assert made == [*regions, "r-new", "r-1"]


def test_nothing_is_sent_twice():
    assert config_of(BedrockClients().take("eu-west-1", None, 1)).retries == {
        "mode": "standard",
        "total_max_attempts": 1,
    }


def test_only_the_proxy_that_is_set_is_used(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://ambient.test:1")
    for proxy, proxies in (
        (None, {}),
        ("http://p.test:2", {"http": "http://p.test:2", "https": "http://p.test:2"}),
    ):
        client = BedrockClients(proxy=proxy).take("eu-west-1", None, 1)
        session = cast("Any", client)._endpoint.http_session
        assert session._proxy_config._proxies == proxies
