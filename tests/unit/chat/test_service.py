"""What happens to a chat before and after its metered call."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.calls import build_calls, completion, json_answer, priced_entry
from tests.support.fakes import (
    InMemoryLedger,
    ScriptedEgress,
    StaticConfig,
    build_snapshot_of,
    built_ins,
)
from waystation.calls.call import Call
from waystation.calls.routing import Routes
from waystation.chat.service import ChatService
from waystation.credentials.own import OwnCredentials
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    ConfigUnavailableError,
    InvalidHeaderValueError,
    ModelNotFoundError,
)
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.wire.chat_request import ChatRequest, parse_chat_request

BODY: dict[str, object] = {
    "model": "acme-large",
    "messages": [{"role": "user", "content": "Hi"}],
    "conversationId": "c1",
}
IDS = {
    "x-librechat-body-conversationid": "header-c",
    "x-librechat-body-messageid": "header-m",
}


def build_service(config: StaticConfig | None = None, *script, **variables: str) -> ChatService:
    return ChatService(
        config=config or StaticConfig(build_snapshot_of(priced_entry())),
        routes=Routes(built_ins(**variables)),
        calls=build_calls(ScriptedEgress(*script), InMemoryLedger()),
        now_ms=lambda: 5,
    )


def incoming(*, is_trusted: bool = False, **headers: str) -> Incoming:
    return Incoming(
        request_id="r1",
        caller=Caller(User("alice", {"email": "a@a.test"}), "k1", is_trusted=is_trusted),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=None,
        ends_at=asyncio.get_running_loop().time() + 10,
        notes={},
    )


async def route(request: Incoming, body: dict[str, object] | None = None) -> Call:
    return (await build_service().route(request, parse_chat_request(body or BODY))).call


async def test_route_makes_a_call():
    request = incoming()
    assert await route(request) == Call(
        request_id="r1",
        endpoint=priced_entry(),
        model="acme-large",
        request=ChatRequest(
            "acme-large",
            [{"role": "user", "content": "Hi"}],
            stream=False,
            conversation={"conversationId": "c1"},
        ),
        user_id="alice",
        key_id="k1",
        placeholders={
            "USER_ID": "alice",
            "USER_EMAIL": "a@a.test",
            "BODY_CONVERSATIONID": "c1",
        },
        config_version="v1",
        deadline=Deadline(request.ends_at),
        created_at_ms=5,
    )


async def test_request_may_bring_a_key_and_a_url_in_its_headers():
    request = incoming(x_endpoint_api_key="k", x_endpoint_base_url="https://a.test")
    call = await route(request)
    assert call.own == OwnCredentials("k", "https://a.test")
    assert not call.own_has_expired


@pytest.mark.parametrize(
    ("key", "has_expired"), [(4, True), (5, True), (6, False), ("never", False)]
)
async def test_client_may_say_when_the_users_key_expires(key, has_expired):
    call = await route(incoming(), {**BODY, "key": key})
    assert call.own_has_expired is has_expired
    assert call.request.params == {}


async def test_call_knows_whether_its_client_is_there():
    request = incoming()
    assert (await route(request)).client is request.client


async def test_call_knows_the_addresses_that_the_operator_allows():
    allowed = frozenset({"127.0.0.1:9"})
    config = StaticConfig(replace(build_snapshot_of(), allowed_addresses=allowed))
    chat = await build_service(config).route(incoming(), parse_chat_request(BODY))
    assert chat.call.allowed_addresses == allowed


async def test_trusted_caller_may_give_ids_by_headers_and_the_body_wins():
    call = await route(incoming(is_trusted=True, **IDS))
    assert call.request.conversation == {"conversationId": "c1", "messageId": "header-m"}
    assert call.placeholders["BODY_MESSAGEID"] == "header-m"


async def test_headers_of_an_untrusted_caller_give_no_ids():
    headers = {**IDS, "x-librechat-body-parentmessageid": "b64:?"}
    assert (await route(incoming(is_trusted=False, **headers))).request.conversation == {
        "conversationId": "c1"
    }


async def test_malformed_id_of_a_trusted_caller_is_told():
    headers = {"x-librechat-body-messageid": "b64:?"}
    with pytest.raises(InvalidHeaderValueError):
        await route(incoming(is_trusted=True, **headers))


@pytest.mark.parametrize(
    ("in_body", "in_header", "chosen"),
    [("Acme", "Beta", "Acme"), (None, "Beta", "Beta"), ("", "Beta", "Beta"), ("Beta", "", "Beta")],
)
async def test_endpoint_of_the_body_beats_the_header(in_body, in_header, chosen):
    config = StaticConfig(build_snapshot_of(priced_entry(), priced_entry(name="Beta")))
    body = parse_chat_request({**BODY, "endpoint": in_body})
    chat = await build_service(config).route(incoming(x_endpoint=in_header), body)
    assert chat.call.endpoint.name == chosen


async def test_without_a_configuration_there_is_no_call():
    service = build_service(StaticConfig(ConfigUnavailableError()))
    with pytest.raises(ConfigUnavailableError) as caught:
        await service.route(incoming(), parse_chat_request(BODY))
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "10"})


async def test_whole_answer_is_that_of_the_metered_call():
    service = build_service(None, json_answer(completion()))
    chat = await service.route(incoming(), parse_chat_request(BODY))
    answer = await service.complete(chat, lambda _: None)
    assert answer.upstream_id == "chatcmpl-1"


async def found(model: str, **variables: str) -> tuple[str, str]:
    body = BODY | {"model": model}
    chat = await build_service(None, **variables).route(incoming(), parse_chat_request(body))
    return chat.call.endpoint.name, chat.call.model


async def test_a_built_in_endpoint_serves_under_its_name():
    assert await found("openAI/gpt-4o", OPENAI_API_KEY="k") == ("openAI", "gpt-4o")


async def test_a_built_in_endpoint_serves_the_models_of_its_list():
    variables = {"OPENAI_API_KEY": "k", "OPENAI_MODELS": "gpt-4o"}
    assert await found("gpt-4o", **variables) == ("openAI", "gpt-4o")
    with pytest.raises(ModelNotFoundError):
        await found("gpt-5", **variables)


async def test_an_entry_comes_before_the_built_in_endpoints():
    variables = {"OPENAI_API_KEY": "k", "OPENAI_MODELS": "acme-large"}
    assert await found("acme-large", **variables) == ("Acme", "acme-large")


@pytest.mark.parametrize("model", ["openAI/gpt-4o", "gpt-4o"])
async def test_without_its_variables_there_is_no_built_in_endpoint(model):
    with pytest.raises(ModelNotFoundError):
        await found(model)
