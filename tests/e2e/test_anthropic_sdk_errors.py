"""What Anthropic's own SDK raises for what goes wrong in the gateway or behind it."""

from typing import Any

import anthropic
import pytest

from tests.support.fake_upstream import FakeUpstream, chunk_of, json_reply, stream_reply
from tests.support.served_gateway import ServedGateway

MODEL = "Acme/acme-large"
HELLO: Any = [{"role": "user", "content": "Hello!"}]
ASKED: Any = {"model": MODEL, "max_tokens": 100, "messages": HELLO}


def test_a_wrong_key(claude_client: anthropic.Anthropic, upstream: FakeUpstream) -> None:
    with pytest.raises(anthropic.AuthenticationError) as caught:
        claude_client.with_options(api_key="wrong").messages.create(**ASKED)

    _expect(caught.value, "authentication_error", "Incorrect API key provided.")
    assert upstream.received == []


def test_an_unknown_model(claude_client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        claude_client.messages.create(model="unheard-of", max_tokens=9, messages=HELLO)

    _expect(caught.value, "not_found_error", "No endpoint offers the model 'unheard-of'.")


def test_a_request_that_cannot_be(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        claude_client.messages.create(model=MODEL, messages=HELLO, max_tokens=-1)

    text = "max_tokens must be a whole number of at least 0."
    _expect(caught.value, "invalid_request_error", text)
    assert upstream.received == []


REFUSALS = {
    422: (anthropic.UnprocessableEntityError, "invalid_request_error"),
    413: (anthropic.RequestTooLargeError, "request_too_large"),
    401: (anthropic.InternalServerError, "api_error"),
    429: (anthropic.RateLimitError, "rate_limit_error"),
    529: (anthropic.InternalServerError, "api_error"),
    500: (anthropic.InternalServerError, "api_error"),
}


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", REFUSALS)
def test_refusals_of_the_upstream(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream, status: int, *, is_stream: bool
) -> None:
    refusal, headers = {"error": {"message": "No."}}, [("retry-after", "7")]
    upstream.answer(json_reply(refusal, status=status, headers=headers))
    raised, kind = REFUSALS[status]

    with pytest.raises(raised) as caught:
        claude_client.messages.create(**ASKED, stream=is_stream)

    assert caught.value.type == kind
    assert caught.value.response.headers.get("retry-after") == ("7" if status == 429 else None)


def test_a_dead_upstream(claude_client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        claude_client.messages.create(model="Dead/acme-large", max_tokens=9, messages=HELLO)

    assert caught.value.status_code == 502
    _expect(caught.value, "api_error", "The upstream cannot be reached.")
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_a_stream_that_breaks_off_raises(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    upstream.answer(stream_reply(chunk_of("Hel"), {"error": {"message": "Overloaded"}}))

    with claude_client.messages.stream(**ASKED) as stream:
        texts = iter(stream.text_stream)
        assert next(texts) == "Hel"
        with pytest.raises(anthropic.APIStatusError) as caught:
            next(texts)

    assert caught.value.body == {
        "type": "error",
        "error": {"type": "api_error", "message": "Overloaded"},
        "request_id": caught.value.request_id,
    }


def test_counting_is_for_those_who_can(
    claude_client: anthropic.Anthropic, upstream: FakeUpstream
) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        claude_client.messages.count_tokens(model=MODEL, messages=HELLO)

    _expect(
        caught.value,
        "not_found_error",
        "Endpoint 'Acme' does not count tokens: only those that speak Anthropic's own API do.",
    )
    assert upstream.received == []


def _expect(error: anthropic.APIStatusError, kind: str, text: str) -> None:
    assert error.request_id
    assert error.body == {
        "type": "error",
        "error": {"type": kind, "message": text},
        "request_id": error.request_id,
    }


JSON = {"content-type": "application/json"}
OTHERS = {
    "no JSON": ("POST", b'{"model": ', JSON, 400, "invalid_request_error"),
    "another type": ("POST", b"{}", {"content-type": "text/plain"}, 415, "invalid_request_error"),
    "too large": ("POST", b" " * (4 * 1024 * 1024 + 1), JSON, 413, "request_too_large"),
    "another method": ("GET", b"", {}, 405, "invalid_request_error"),
    "two keys": ("POST", b"{}", JSON | {"x-api-key": "other"}, 401, "authentication_error"),
}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("case", OTHERS)
def test_requests_that_no_sdk_makes(messages_gateway: ServedGateway, path: str, case: str) -> None:
    method, body, headers, status, kind = OTHERS[case]

    answer = messages_gateway.client.request(method, path, content=body, headers=headers)

    told = answer.json()
    assert (answer.status_code, told["type"], told["error"]["type"]) == (status, "error", kind)
    assert told["request_id"] == answer.headers["request-id"]


def test_an_unknown_path_below_messages(messages_gateway: ServedGateway) -> None:
    answer = messages_gateway.client.post("/v1/messages/batches", json={})

    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_other_routes_keep_their_envelope(messages_gateway: ServedGateway) -> None:
    answer = messages_gateway.client.post("/v1/messagesque", json={})

    assert answer.json()["error"]["code"] == "not_found"
    assert "request-id" not in answer.headers
