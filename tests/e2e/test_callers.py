"""Who may call, and for whom: keys, and what trusted ones assert."""

import json
import uuid

import boto3
import pytest

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_gateway import TABLE, LambdaGateway, make_gateway_key
from waystation.identity.user import User


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer key-of-nobody"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic key-of-alice"},
        {"Authorization": "Bearer ключ"},
        {"Authorization": "Bearer " + "k" * 513},
        {"Authorization": "Bearer key-of-alice", "x-api-key": "key-of-another"},
        {"x-api-key": "key-of-nobody"},
        {"x-user-id": "alice", "x-librechat-user-id": "alice"},
    ],
    ids=[
        "no key",
        "unknown",
        "empty",
        "another scheme",
        "not ASCII",
        "too long",
        "two that disagree",
        "unknown x-api-key",
        "claims without a key",
    ],
)
def test_every_failure_to_authenticate_looks_the_same(
    gateway: LambdaGateway, upstream: FakeUpstream, headers: dict[str, str]
) -> None:
    chat, models = (
        gateway.chat(key="", headers=headers),
        gateway.get("/v1/models", key="", headers=headers),
    )

    envelope = {
        "error": {
            "message": "Incorrect API key provided.",
            "type": "authentication_error",
            "param": None,
            "code": "invalid_api_key",
        }
    }
    for answer in (chat, models):
        assert (answer.status, answer.json) == (401, envelope)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert upstream.received == []


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_a_key_may_come_in_either_header(
    gateway: LambdaGateway, upstream: FakeUpstream, header: str
) -> None:
    prefix = "Bearer " if header == "Authorization" else ""

    assert gateway.chat(key="", headers={header: f"{prefix}key-of-alice"}).status == 200


def test_the_key_itself_is_nowhere_in_the_table(gateway: LambdaGateway) -> None:
    table = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]

    assert "key-of-alice" not in json.dumps(table)


@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "not trusted"])
def test_only_a_trusted_key_speaks_for_another_user(
    gateway: LambdaGateway, upstream: FakeUpstream, *, is_trusted: bool
) -> None:
    key = make_gateway_key(uuid.uuid4().hex, User("librechat"), is_trusted=is_trusted)

    answer = gateway.chat(key=key, headers={"x-librechat-user-id": "bob"})

    user_id = "bob" if is_trusted else "librechat"
    assert upstream.last.json["user"] == user_id
    assert gateway.record_of(answer, user_id)["user_id"] == user_id


def test_a_trusted_key_without_assertions_speaks_for_its_own_user(
    gateway: LambdaGateway, upstream: FakeUpstream
) -> None:
    key = make_gateway_key(uuid.uuid4().hex, User("librechat"), is_trusted=True)

    answer = gateway.chat(key=key)

    assert gateway.record_of(answer, "librechat")["user_id"] == "librechat"


@pytest.mark.parametrize("value", ["b64:****", "b64:/w=="], ids=["not base64", "not UTF-8"])
def test_a_bad_assertion_is_the_callers_mistake(
    gateway: LambdaGateway, upstream: FakeUpstream, value: str
) -> None:
    key = make_gateway_key(uuid.uuid4().hex, User("librechat"), is_trusted=True)

    answer = gateway.chat(key=key, headers={"x-librechat-user-id": value})

    assert (answer.status, answer.error["code"]) == (400, "invalid_header_value")
    assert answer.error["param"] == "x-librechat-user-id"
