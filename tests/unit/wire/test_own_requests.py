"""How a gateway knows its own requests again."""

import pytest

from waystation.wire.own_requests import is_own, user_agent_of, via_of


def test_what_a_gateway_sends_it_knows_again_by_either_header():
    for name in ("waystation", "waystation-My.Stack_1"):
        assert is_own([(b"via", via_of(name).encode())], name)
        assert is_own([(b"User-Agent", user_agent_of(name).encode())], name)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("via", "1.1 waystation-2"),
        ("via", "waystation"),
        ("user-agent", "waystation/waystation-2"),
        ("user-agent", "(waystation/waystation)"),
        ("user-agent", "\xff"),
        ("x-via", "1.1 waystation"),
    ],
)
def test_what_others_send_is_not_its_own(header, value):
    assert not is_own([(header.encode(), value.encode("latin-1"))], "waystation")
