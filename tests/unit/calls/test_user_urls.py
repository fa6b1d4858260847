"""The URLs that users bring."""

import pytest

from waystation.calls.user_urls import check_user_url
from waystation.errors import InvalidBaseUrlError

ALLOWED = frozenset({"127.0.0.1:8080", "llm.lan:443", "[::1]:9"})


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.user.test/v1",
        "https://llm.user.test:443",
        "https://a.test/v1/%7Eme?x=1",
        "http://127.0.0.1:8080/v1",
        "https://llm.lan/v1",
        "http://[::1]:9/",
    ],
)
def test_url_may_be_used(url):
    assert check_user_url(url, ALLOWED) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "llm.test/v1",
        "//llm.test",
        "http://llm.test/v1",
        "ftp://127.0.0.1:8080/",
        "https://llm.test:8443/",
        "https://llm.test:x/",
        "https://llm.test:99999/",
        "https://u:p@llm.test/",
        "https://llm.test@127.0.0.1:8080/",
        "https://llm%2etest/",
        "https://llm.test/#x",
        "https://llm.test/\\x",
        "https://llm.test/\n",
        "https://llm.té.st/",
        "https://localhost/",
        "https://llm/",
        "https://a.internal/",
        "https://a..test/",
        "https://test./",
        "https://10.0.0.5/",
        "https://93.184.216.34/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::1",
        "http://127.0.0.1:8081/v1",
        "https://a.test/" + "x" * 2048,
    ],
)
def test_url_is_refused(url):
    with pytest.raises(InvalidBaseUrlError) as caught:
        check_user_url(url, ALLOWED)
    assert caught.value.__cause__ is None
