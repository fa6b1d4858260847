"""Whole answers of Bedrock, refusals, and what keeps an answer from coming."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from botocore.stub import Stubber

from tests.support.bedrock_upstream import (
    REQUEST_ID,
    answer,
    converse_refused,
    converse_reply,
    point_boto3_at,
    text_block,
    tool_block,
)
from tests.support.exchanges import until
from tests.support.fake_upstream import RESET, json_reply, reply
from waystation.aws.bedrock import BedrockSender
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    ResponseTooLargeError,
    UpstreamAuthFailedError,
    UpstreamError,
    UpstreamFailedError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from waystation.providers.upstream_errors import error_from_response
from waystation.wire.upstream_request import AwsCredentials, UpstreamRequest

URL = "bedrock:eu-west-1/converse"
CHAT = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
KEYS = AwsCredentials("AKIDEXAMPLE", "the-secret-key", "the-session-token")


def request_of(
    body: object = CHAT, url: str = URL, aws: AwsCredentials | None = None
) -> UpstreamRequest:
    return UpstreamRequest(url, (), json.dumps(body).encode(), via="bedrock", aws=aws)


def ends_in(seconds: float, first_byte_s: float = 10.0) -> Deadline:
    return Deadline(asyncio.get_running_loop().time() + seconds, first_byte_s=first_byte_s)


async def ask(
    sender: BedrockSender, request: UpstreamRequest | None = None, seconds: float = 5.0
) -> tuple[int, str, Any]:
    """Return status, media type and the document of an answer."""
    async with sender.send(request or request_of(), ends_in(seconds)) as response:
        return response.status, response.media_type, json.loads(await response.read(100_000))


async def error_of(sender: BedrockSender, request: UpstreamRequest | None = None) -> UpstreamError:
    """Return the error that a refusal becomes."""
    async with sender.send(request or request_of(), ends_in(5)) as response:
        body = await response.read(100_000)
        return error_from_response(response.status, response.headers, body, ())


async def test_an_answer(sender, upstream):
    blocks = [text_block("Grüße"), tool_block("f", {"n": 1.5, "x": None})]
    upstream.answer(converse_reply(*blocks))
    told = answer(*blocks) | {"ResponseMetadata": {"RequestId": REQUEST_ID}}
    assert await ask(sender) == (200, "application/json", told)
    assert upstream.last.request_line == "POST /model/m/converse HTTP/1.1"
    assert upstream.last.json == {"messages": CHAT["messages"]}


async def test_boto3_is_given_bytes_and_gives_bytes(sender):
    client = sender._clients.take("eu-west-1", None, 5)
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    hidden = {"reasoningContent": {"redactedContent": b"hidden"}}
    answered = answer(hidden, stopReason="end_turn")
    with Stubber(cast("Any", client)) as stubber:
        expected = {"modelId": "m", "messages": [{"role": "user", "content": [image]}]}
        stubber.add_response("converse", answered, expected)
        told = {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}
        chat = {"modelId": "m", "messages": [{"role": "user", "content": [told]}]}
        _, _, document = await ask(sender, request_of(chat))
    (block,) = document["output"]["message"]["content"]
    assert block == {"reasoningContent": {"redactedContent": "aGlkZGVu"}}


async def test_the_operators_credentials_sign(sender, upstream):
    upstream.answer(converse_reply(text_block("a")))
    await ask(sender, request_of(aws=KEYS))
    (authorization,) = upstream.last.header("authorization")
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/bedrock/" in authorization
    assert upstream.last.header("x-amz-security-token") == ["the-session-token"]
    assert b"the-secret-key" not in upstream.last.raw


async def test_without_them_the_role_signs(sender, upstream):
    upstream.answer(converse_reply(text_block("a")))
    await ask(sender)
    (authorization,) = upstream.last.header("authorization")
    assert "Credential=testing/" in authorization


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ValidationException", UpstreamRejectedError),
        ("ResourceNotFoundException", UpstreamRejectedError),
        ("AccessDeniedException", UpstreamAuthFailedError),
        ("UnrecognizedClientException", UpstreamAuthFailedError),
        ("ExpiredTokenException", UpstreamAuthFailedError),
        ("ThrottlingException", UpstreamRateLimitedError),
        ("ModelNotReadyException", UpstreamRateLimitedError),
        ("ServiceQuotaExceededException", UpstreamRateLimitedError),
        ("ModelErrorException", UpstreamFailedError),
        ("ModelTimeoutException", UpstreamFailedError),
        ("InternalServerException", UpstreamFailedError),
        ("ServiceUnavailableException", UpstreamFailedError),
    ],
)
@pytest.mark.parametrize("url", [URL, f"{URL}-stream"], ids=["whole", "streamed"])
async def test_refusals(sender, upstream, code, error, url):
    upstream.answer(converse_refused(code, "Not this one."))
    found = await error_of(sender, request_of(url=url))
    assert type(found) is error
    if error is not UpstreamAuthFailedError:
        assert found.message == "Not this one."
    assert len(upstream.received) == 1  # nothing is sent twice


async def test_a_refusal_keeps_its_code_and_its_patience(sender, upstream):
    upstream.answer(converse_refused("ValidationException"))
    found = await error_of(sender)
    assert (found.status, found.code) == (400, "ValidationException")
    upstream.answer(converse_refused("ThrottlingException", headers=[("Retry-After", "7")]))
    assert (await error_of(sender)).headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"surprise": "the-value"}, "input"),
        ({"inferenceConfig": {"temperature": "the-value"}}, "inferenceConfig.temperature"),
        ({"system": [{"text": "the-value", "x": 1}]}, "system[0]"),
        ({"system": [{"cachePoint": {}}]}, "system[0].cachePoint"),
        ({"toolConfig": {"tools": []}}, "toolConfig.tools"),
        ({"toolConfig": {"tools": [{"a": "the-value"}]}}, "toolConfig.tools[0]"),
    ],
)
async def test_parameters_that_the_api_has_not_are_refused_unseen(sender, upstream, change, place):
    found = await error_of(sender, request_of(CHAT | change))
    assert found.status == 400
    assert found.message == f"The request does not fit the Converse API: {place}."
    assert upstream.received == []


async def test_bad_base64_is_refused(sender, upstream):
    source = {"image": {"format": "png", "source": {"bytes": "é"}}}
    chat = CHAT | {"messages": [{"role": "user", "content": [source]}]}
    found = await error_of(sender, request_of(chat))
    assert (found.status, found.message) == (400, "The request does not fit the Converse API.")
    assert upstream.received == []


async def test_a_connection_that_breaks(sender, upstream):
    upstream.answer([RESET])
    with pytest.raises(UpstreamFailedError):
        await ask(sender)


async def test_a_refusal_that_is_not_of_the_api(sender, upstream):
    upstream.answer(reply(b"oops", content_type="text/plain", status=502))
    assert isinstance(await error_of(sender), UpstreamFailedError)


async def test_nobody_is_there(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:1")
    with pytest.raises(UpstreamUnreachableError):
        await ask(BedrockSender())


async def test_no_credentials(upstream, monkeypatch, tmp_path):
    point_boto3_at(upstream, monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UpstreamAuthFailedError) as caught:
        await ask(BedrockSender())
    assert caught.value.message == "The gateway has no credentials for the upstream."
    assert not caught.value.is_sent
    assert upstream.received == []


async def test_a_region_that_is_none(sender):
    with pytest.raises(UpstreamUnreachableError):
        await ask(sender, request_of(url="bedrock:no where/converse"))


async def test_a_body_beyond_its_limit_is_refused(sender, upstream):
    upstream.answer(converse_reply(text_block("a" * 1000)))
    async with sender.send(request_of(), ends_in(5)) as response:
        with pytest.raises(ResponseTooLargeError):
            await response.read(1000)


async def test_a_call_whose_time_is_over_is_not_made(sender, upstream):
    with pytest.raises(UpstreamTimeoutError):
        await ask(sender, seconds=0)
    assert upstream.received == []


async def test_an_answer_must_begin_in_time(sender, upstream):
    upstream.answer([0.6, *json_reply(answer(text_block("a")))])
    with pytest.raises(UpstreamTimeoutError) as caught:
        async with sender.send(request_of(), ends_in(5, first_byte_s=0.1)):
            pass
    assert caught.value.is_sent
    with pytest.raises(UpstreamTimeoutError):
        await ask(sender, seconds=0.1)


async def test_waiting_does_not_hold_the_loop_up(sender, upstream):
    upstream.answer([0.5, *converse_reply(text_block("late"))], converse_reply(text_block("soon")))
    slow = asyncio.create_task(ask(sender))
    await until(lambda: upstream.received)
    assert (await ask(sender))[0] == 200
    assert not slow.done()
    assert (await slow)[0] == 200


async def test_a_request_that_waits_for_a_thread_until_its_end_is_not_sent(sender, upstream):
    may_end = threading.Event()
    sender._threads = ThreadPoolExecutor(1)
    sender._threads.submit(may_end.wait)
    try:
        for seconds in (0.05, 0.0):
            with pytest.raises(UpstreamTimeoutError) as caught:
                await ask(sender, seconds=seconds)
            assert not caught.value.is_sent
    finally:
        may_end.set()
        sender._threads.shutdown()
    assert upstream.received == []
