"""The port of the local gateway."""

import socket

import pytest

from waystation.identity.user import User
from waystation_cli.dev import DEMO_CONFIG
from waystation_cli.local.stack import LocalOptions, listen


def options(port: int) -> LocalOptions:
    return LocalOptions(DEMO_CONFIG, "127.0.0.1", port, "sk-way-key", User("dev"))


def test_small_answers_do_not_wait_for_acknowledgements():
    with listen(options(0)) as listener:  # asyncio sets TCP_NODELAY where it knows the protocol
        assert listener.proto == socket.IPPROTO_TCP


def test_port_that_is_taken_is_an_error():
    with listen(options(0)) as listener, pytest.raises(OSError, match="in use"):
        listen(options(listener.getsockname()[1]))
