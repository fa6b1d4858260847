"""Calls of a service: what is sent, what is tried again, how errors are told apart."""

import zlib
from typing import Any

import pytest

from tests.support.aws_services import (
    SECRET,
    TOKEN,
    ScriptedService,
    answer,
    raw_answer,
    refusal,
    scripted_service,
)
from tests.support.fake_upstream import RESET, Step
from waystation.aws.failures import AwsError, NoAnswerError, NoCredentialsError, RefusedError
from waystation.aws.http_answer import Answer
from waystation.aws.json_service import JsonService
from waystation.aws.objects import StoredObject
from waystation.aws.service import BACKOFF_S, Call, Repeat

OK = answer({"ok": True})
THROTTLED = refusal("ThrottlingException")
SLOW_DOWN = raw_answer(b"<Error><Code>SlowDown</Code></Error>", status=503)
FAULT = refusal("InternalServerError", status=500)


def json_service(scripted: ScriptedService) -> JsonService:
    return JsonService(scripted.service, "DynamoDB_20120810", "1.0")


async def failure_of(scripted: ScriptedService, repeat: Repeat) -> AwsError:
    with pytest.raises(AwsError) as caught:
        await json_service(scripted).call("PutItem", {}, repeat)
    return caught.value


async def test_request_is_signed_and_says_what_it_is():
    with scripted_service("dynamodb", OK) as scripted:
        assert await json_service(scripted).call("PutItem", {"é": [1]}) == {"ok": True}
    (asked,) = scripted.upstream.received
    assert asked.request_line == "POST / HTTP/1.1"
    assert asked.json == {"é": [1]}
    assert asked.header("host") == [scripted.upstream.address]
    assert asked.header("x-amz-target") == ["DynamoDB_20120810.PutItem"]
    assert asked.header("content-type") == ["application/x-amz-json-1.0"]
    assert asked.header("x-amz-security-token") == [TOKEN]
    (authorization,) = asked.header("authorization")
    assert "Credential=AKID/" in authorization
    signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"
    assert signed in authorization
    assert SECRET not in asked.raw.decode()


REPEATED: list[tuple[list[Step], set[Repeat]]] = [
    (THROTTLED, {Repeat.IF_NOT_DONE, Repeat.ALWAYS}),
    (SLOW_DOWN, {Repeat.IF_NOT_DONE, Repeat.ALWAYS}),
    (FAULT, {Repeat.ALWAYS}),
    (raw_answer(b"", status=502), {Repeat.ALWAYS}),
    ([RESET], {Repeat.ALWAYS}),
    ([b"garbage\r\n\r\n"], {Repeat.ALWAYS}),
    ([1.0, *OK], {Repeat.ALWAYS}),
    (answer({}, headers=[("x-amz-crc32", "1")]), {Repeat.ALWAYS}),
    (refusal("ValidationException"), set()),
    (refusal("AccessDeniedException", status=403), set()),
    (raw_answer(b"x" * (3 << 20)), set()),
]


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize(("failing", "when"), REPEATED)
async def test_call_is_repeated_where_it_may_be(
    failing: list[Step], when: set[Repeat], repeat: Repeat
):
    with scripted_service("dynamodb", failing, OK, keeps_connections=False) as scripted:
        if repeat in when:
            assert await json_service(scripted).call("PutItem", {}, repeat) == {"ok": True}
        else:
            await failure_of(scripted, repeat)
        assert len(scripted.upstream.received) == (2 if repeat in when else 1)


async def test_call_is_made_three_times_at_most_with_growing_waits():
    with scripted_service("dynamodb", THROTTLED) as scripted:
        error = await failure_of(scripted, Repeat.ALWAYS)
    assert str(error) == "PutItem: ThrottlingException"
    assert len(scripted.upstream.received) == 3
    first, second = scripted.waits
    assert 0 <= first <= BACKOFF_S
    assert 0 <= second <= 2 * BACKOFF_S


async def test_unreachable_service_is_tried_again_unless_never():
    with scripted_service("dynamodb", OK) as scripted:
        pass  # it has gone
    for repeat, waits in ((Repeat.NEVER, 0), (Repeat.IF_NOT_DONE, 2)):
        scripted.waits.clear()
        error = await failure_of(scripted, repeat)
        assert isinstance(error, NoAnswerError)
        assert (error.cause, error.is_sent, len(scripted.waits)) == ("NotConnected", False, waits)


@pytest.mark.parametrize(
    ("steps", "code", "status"),
    [
        (refusal("ValidationException"), "ValidationException", 400),
        (answer({"__type": "KMSInternalException"}, status=500), "KMSInternalException", 500),
        (
            answer({}, status=404, headers=[("x-amzn-ErrorType", "NotFound:http://x/")]),
            "NotFound",
            404,
        ),
        (raw_answer(b"<Error><Code>NoSuchKey</Code>x</Error>", status=404), "NoSuchKey", 404),
        (raw_answer(b"<html>", status=403), "HTTP403", 403),
        (raw_answer(b'{"__type": "a secret, with spaces"}', status=400), "HTTP400", 400),
        (raw_answer(b"{", status=400), "HTTP400", 400),
        (raw_answer(b"", status=301, headers=[("location", "http://h/")]), "HTTP301", 301),
    ],
)
async def test_refusal_has_its_code_and_nothing_else_in_its_text(
    steps: list[Step], code: str, status: int
):
    with scripted_service("dynamodb", steps) as scripted:
        error = await failure_of(scripted, Repeat.NEVER)
    assert isinstance(error, RefusedError)
    assert (error.cause, error.status, str(error)) == (code, status, f"PutItem: {code}")
    assert "canary" not in repr(error)


async def test_checksum_of_an_answer_is_checked():
    body = b'{"a":1}'
    checksum = [("x-amz-crc32", str(zlib.crc32(body)))]
    with scripted_service("dynamodb", raw_answer(body, headers=checksum)) as scripted:
        assert await json_service(scripted).call("GetItem", {}) == {"a": 1}
    with scripted_service("dynamodb", raw_answer(body + b" ", headers=checksum)) as scripted:
        error = await failure_of(scripted, Repeat.NEVER)
    assert error.cause == "WrongChecksum"


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>"])
async def test_answer_that_is_no_document_is_told(body: bytes):
    with scripted_service("dynamodb", raw_answer(body)) as scripted:
        error = await failure_of(scripted, Repeat.NEVER)
    assert error.cause == "InvalidAnswer"


async def test_answer_has_a_bound_of_its_own():
    with scripted_service("s3", raw_answer(b"12345")) as scripted:
        with pytest.raises(NoAnswerError, match="AnswerTooLarge"):
            await scripted.service.call(Call("GetObject", method="GET", limit=4))
        assert (await scripted.service.call(Call("GetObject", limit=5))).body == b"12345"


async def test_nothing_is_sent_without_credentials():
    class Nothing:
        async def current(self) -> Any:
            raise NoCredentialsError("no credentials")

    with scripted_service("kms", OK) as scripted:
        object.__setattr__(scripted.service, "credentials", Nothing())
        error = await failure_of(scripted, Repeat.ALWAYS)
    assert error.cause == "NoCredentials"
    assert scripted.upstream.received == []


def test_what_is_sent_and_what_comes_is_in_no_text_of_them():
    call = Call("PutItem", body=b"canary")
    assert "canary" not in repr((call, Answer(200, {}, b"canary"), StoredObject(b"canary", "1")))
