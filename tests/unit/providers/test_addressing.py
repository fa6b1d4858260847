"""URLs below a base URL, and headers of a call."""

import pytest

from waystation.providers.addressing import merge_headers, url_below


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://a.test", "https://a.test/x"),
        ("https://a.test/v1//", "https://a.test/v1/x"),
        ("https://a.test/v1?api-version=1", "https://a.test/v1/x?api-version=1"),
    ],
)
def test_a_path_goes_before_a_query(base_url, url):
    assert url_below(base_url, "/x") == url


def test_configured_headers_win_but_for_the_content_type():
    own = {"authorization": "Bearer own", "accept": "a"}
    configured = {"Authorization": "Bearer theirs", "CONTENT-TYPE": "text/plain", "X-Own": "1"}
    assert dict(merge_headers(own, configured)) == {
        "authorization": "Bearer theirs",
        "accept": "a",
        "content-type": "application/json",
        "x-own": "1",
    }


@pytest.mark.parametrize(
    ("given", "joined"),
    [({}, "b1,b2"), ({"Anthropic-Beta": "a, b2,,"}, "a,b2,b1"), ({"anthropic-beta": ""}, "b1,b2")],
)
def test_betas_are_added_to_the_configured_ones(given, joined):
    assert dict(merge_headers({}, given, betas=["b1", "b2"]))["anthropic-beta"] == joined
    assert dict(merge_headers({}, given)).get("anthropic-beta") == next(iter(given.values()), None)
