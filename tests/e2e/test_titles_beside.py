"""Titles beside chats, over real sockets: when they are there, how many, and what they cost."""

import itertools
import threading
from collections.abc import Callable, Iterator

import openai
import pytest

from tests.support.conversations import (
    TITLE_COST,
    before,
    first_turn,
    new_conversation,
    titling_entries,
    wait_for_title,
    wait_until,
)
from tests.support.dev_process import DevProcess
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Step,
    completion,
    json_reply,
    streamed,
)
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, ServedGateway, chat_body, expect_error

LATER = "Later/acme-large"
NIL_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def served(
    acme: dict[str, object], _titles: FakeUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGateway]:
    """The gateway, with entries that make titles."""
    config = build_config(*titling_entries(acme, _titles.url))
    directory = tmp_path_factory.mktemp("titled")
    with ServedGateway(config, directory, ACME_KEY="key-of-acme") as gateway:
        gateway.add_key("key-of-bob", "bob")
        yield gateway


def test_an_immediate_title_is_there_while_a_slow_stream_still_runs(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation, may_end = new_conversation(), threading.Event()
    upstream.answer(_slow_stream(may_end.is_set))
    body = chat_body(stream=True, **first_turn(conversation))

    with served.client.stream("POST", CHAT, json=body) as answer:
        lines = answer.iter_lines()
        assert "Hel" in next(lines)
        assert wait_for_title(served.client, conversation) == "Baking Bread"
        assert not upstream.last.is_answered
        may_end.set()
        rest = "\n".join(lines)

    assert "lo!" in rest
    assert rest.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_final_title_is_asked_for_after_the_answer_and_with_it(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream, *, stream: bool
) -> None:
    conversation = new_conversation()
    upstream.answer(streamed("Hel", "lo!") if stream else json_reply(completion("Hello!")))
    titles.answer(json_reply(completion("Baking Bread")))
    served.chat(model=LATER, stream=stream, **first_turn(conversation))

    assert wait_for_title(served.client, conversation) == "Baking Bread"
    (prompt,) = titles.last.json["messages"]
    assert prompt["content"].endswith("User: How do I bake bread?\nAI: Hello!")


def test_a_final_title_is_not_there_before_the_stream_has_ended(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation, may_end = new_conversation(), threading.Event()
    upstream.answer(_slow_stream(may_end.is_set))
    body = chat_body(model=LATER, stream=True, **first_turn(conversation))

    with served.client.stream("POST", CHAT, json=body) as answer:
        lines = answer.iter_lines()
        assert "Hel" in next(lines)
        none_yet = served.client.get(f"/v1/titles/{conversation}")
        may_end.set()
        assert "lo!" in "\n".join(lines)

    expect_error(none_yet, 404, "not_found")
    assert wait_for_title(served.client, conversation) == "Baking Bread"


def test_librechats_own_route_waits_for_the_title(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation, may_end = new_conversation(), threading.Event()
    titles.answer(lambda _: before(may_end.is_set, json_reply(completion("Baking Bread"))))
    served.chat(parentMessageId=NIL_ID, **first_turn(conversation))
    wait_until(lambda: len(titles.received) == 1)
    threading.Timer(0.1, may_end.set).start()

    answer = served.client.get(f"/api/convos/gen_title/{conversation}")

    assert (answer.status_code, answer.json()) == (200, {"title": "Baking Bread"})


@pytest.mark.parametrize(
    "fields",
    [{"parentMessageId": "6f1c"}, {"conversationId": None}],
    ids=["a later turn", "no conversation"],
)
def test_no_title_but_for_the_first_turn_of_a_conversation(
    served: ServedGateway,
    upstream: FakeUpstream,
    titles: FakeUpstream,
    fields: dict[str, object],
) -> None:
    conversation, marker = new_conversation(), new_conversation()

    served.chat(**first_turn(conversation) | fields)

    served.chat(**first_turn(marker))  # jobs begin in the order of their chats
    wait_for_title(served.client, marker)
    expect_error(served.client.get(f"/v1/titles/{conversation}"), 404, "not_found")
    assert len(titles.received) == 1


def test_a_second_turn_and_the_first_one_again_make_no_other_title(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation = new_conversation()
    served.chat(**first_turn(conversation))
    wait_for_title(served.client, conversation)
    served.log.clear()
    titles.answer(json_reply(completion("Another Title")))

    served.chat(parentMessageId="6f1c", **first_turn(conversation, "And rolls?"))
    served.chat(**first_turn(conversation))

    wait_until(lambda: "title_exists" in served.log.text)
    assert wait_for_title(served.client, conversation) == "Baking Bread"
    assert len(titles.received) == 1


def test_the_title_of_a_conversation_is_its_users_own(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation = new_conversation()
    served.chat(**first_turn(conversation))
    wait_for_title(served.client, conversation)
    of_bob = {"authorization": "Bearer key-of-bob"}

    answer = served.client.get(f"/v1/titles/{conversation}", headers=of_bob)

    expect_error(answer, 404, "not_found")
    assert "Baking" not in answer.text


def test_both_calls_are_in_the_ledger_each_at_its_own_price(
    served: ServedGateway, upstream: FakeUpstream, titles: FakeUpstream
) -> None:
    conversation = new_conversation()

    answer = served.chat(**first_turn(conversation))

    wait_for_title(served.client, conversation)
    request_id = answer.headers["x-request-id"]
    chat, title = served.records(f"REQ#{request_id}", at_least=2)
    told = ("SK", "kind", "state", "endpoint", "model", "cost", "conversation_id")
    assert [chat[name] for name in told] == [
        *(f"REQ#{request_id}", "chat", "SETTLED", "Acme", "acme-large", 50_000, conversation)
    ]
    assert [title[name] for name in told] == [
        *(f"REQ#{request_id}-title", "title", "SETTLED", "Titles", "title-small"),
        *(TITLE_COST, conversation),
    ]
    assert answer.json()["usage"]["cost_nanousd"] == 50_000
    assert titles.last.json["model"] == "title-small"


def test_openais_sdk_can_do_all_of_it(
    acme: dict[str, object],
    upstream: FakeUpstream,
    titles: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    config = build_config(*titling_entries(acme, titles.url))
    conversation = new_conversation()
    with (
        DevProcess(
            tmp_path_factory.mktemp("dev"), config=config, environment={"ACME_KEY": "a-key"}
        ) as dev,
        openai.OpenAI(base_url=f"{dev.url}/v1", api_key=dev.key, max_retries=0) as client,
    ):
        answer = client.chat.completions.create(
            model="Acme/acme-large",
            messages=[{"role": "user", "content": "How do I bake bread?"}],
            extra_body={"conversationId": conversation},
        )
        title = wait_for_title(dev.client, conversation)
        found = client.get(f"/titles/{conversation}", cast_to=object)
        texts = {"input": "How do I bake bread?", "output": "Patiently."}
        body = {"model": "Acme/acme-large", **texts}
        asked = client.post("/titles", body=body, cast_to=object)
        with pytest.raises(openai.NotFoundError) as refused:
            client.get(f"/titles/{new_conversation()}", cast_to=object)

    assert answer.choices[0].message.content == "Hello!"
    assert title == "Baking Bread"
    assert found == {"title": "Baking Bread", "conversationId": conversation}
    assert isinstance(asked, dict)
    assert asked["title"] == "Baking Bread"
    assert asked["usage"]["cost_nanousd"] == TITLE_COST
    assert refused.value.code == "not_found"


def _slow_stream(may_end: Callable[[], bool]) -> Callable[[Received], Iterator[Step]]:
    """Stream the beginning of an answer, and its end when it may come."""
    whole = streamed("Hel", "lo!")
    return lambda _: itertools.chain(whole[:2], before(may_end, whole[2:]))
