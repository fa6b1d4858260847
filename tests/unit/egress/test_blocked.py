"""What the log is told of a URL that is refused."""

import hashlib

import pytest

from tests.support.logs import kept_lines
from waystation.egress.blocked import check_user_url
from waystation.errors import InvalidBaseUrlError

URL = "http://canary.test:8443/v1"


def test_a_url_that_is_refused_is_told_by_its_digest_alone():
    with kept_lines("waystation.egress") as lines, pytest.raises(InvalidBaseUrlError):
        check_user_url(URL, frozenset())
    (line,) = lines
    assert line.getMessage() == "ssrf_blocked"
    told = vars(line)
    assert (told["host_sha256"], told["is_users"]) == (
        hashlib.sha256(URL.encode()).hexdigest(),
        True,
    )
    assert "canary" not in str(told)


def test_a_url_that_may_be_used_is_told_to_nobody():
    with kept_lines("waystation.egress") as lines:
        assert check_user_url(URL, frozenset({"canary.test:8443"})) == URL
    assert lines == []


def test_a_text_that_no_url_can_hold_is_refused_as_any_other():
    with kept_lines("waystation.egress") as lines, pytest.raises(InvalidBaseUrlError):
        check_user_url("https://\ud800.test", frozenset())
    assert len(lines) == 1
