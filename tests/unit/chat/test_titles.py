"""Which chats get a title beside them, and what its job says."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.beside import COUNT, MESSAGES, Beside, Starter
from tests.support.calls import completion, json_answer
from tests.support.config_entries import build_entry
from tests.support.logs import fresh_log
from tests.support.titles import titled_entry
from waystation.chat.titles import NIL_ID
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem
from waystation.wire.title_job import TitleJob


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    with fresh_log():
        yield


async def jobs_of(
    *, headers: dict[str, str] | None = None, build: dict[str, Any] | None = None, **body: Any
) -> list[TitleJob]:
    """Ask one chat that is answered whole; return the jobs that were started."""
    starter = Starter()
    beside = Beside(json_answer(completion()), starter=starter, **(build or {}))
    answer = await beside.ask(headers=headers, **body)
    assert answer.status == 200
    return starter.jobs


async def test_job_tells_of_the_chat():
    starter = Starter()
    answer = await Beside(json_answer(completion()), starter=starter).ask(messageId="m1")
    assert starter.jobs == [
        TitleJob(
            request_id=f"{answer.headers['x-request-id']}-title",
            endpoint="Acme",
            model="acme-large",
            input="Hi",
            output="",
            conversation={"conversationId": "c1", "messageId": "m1"},
            user_id="alice",
            user={"name": "A"},
            key_id="k1",
            created_at_ms=5,
        )
    ]


FIRST: dict[str, dict[str, object]] = {
    "no parent": {},
    "null parent": {"parentMessageId": None},
    "empty parent": {"parentMessageId": ""},
    "nil parent": {"parentMessageId": NIL_ID},
}


@pytest.mark.parametrize("body", FIRST.values(), ids=FIRST)
async def test_first_turn_gets_a_title(body: dict[str, Any]):
    assert len(await jobs_of(**body)) == 1


LATER: dict[str, dict[str, object]] = {
    "another parent": {"parentMessageId": "m0"},
    "no conversation": {"conversationId": None},
    "empty conversation": {"conversationId": ""},
}


@pytest.mark.parametrize("body", LATER.values(), ids=LATER)
async def test_other_turns_get_none(body: dict[str, Any]):
    assert await jobs_of(**body) == []


CONVERSATION = {"x-librechat-body-conversationid": "c9"}
PARENT = {"x-librechat-body-parentmessageid": "m0"}
TRUSTED = {"is_trusted": True}


async def test_conversation_by_header_alone_gets_none():
    found = await jobs_of(headers=CONVERSATION, build=TRUSTED, conversationId=None)
    assert found == []


async def test_parent_by_header_counts_for_a_trusted_caller():
    assert await jobs_of(headers=PARENT, build=TRUSTED) == []
    assert len(await jobs_of(headers=PARENT, build=TRUSTED, parentMessageId=NIL_ID)) == 1
    assert len(await jobs_of(headers=PARENT)) == 1  # who is not trusted


async def test_user_that_is_asserted_owns_the_title():
    headers = {"x-librechat-user-id": "bob", "x-librechat-user-email": "b@b.test"}
    (job,) = await jobs_of(headers=headers, build=TRUSTED)
    assert (job.user_id, job.user) == ("bob", {"email": "b@b.test"})


WITHOUT: dict[str, dict[str, Any]] = {
    "titles off": {"entry": build_entry(titleConvo=False)},
    "titles not spoken of": {"entry": build_entry()},
    "settings at fault": {"titles": {"all": ConfigProblem("endpoints.all", "wrong", 1)}},
    "off for all": {"titles": {"all": TitleSettings.read({"titleConvo": False})}},
}


@pytest.mark.parametrize("build", WITHOUT.values(), ids=WITHOUT)
async def test_without_titles_none_is_started(build: dict[str, Any]):
    assert await jobs_of(build=build) == []


async def test_without_a_starter_a_chat_is_as_ever():
    answer = await Beside(json_answer(completion()), starter=None).ask()
    assert answer.json["choices"][0]["message"]["content"] == "Hello"


async def test_last_words_of_the_user_count_up_to_8000_characters():
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "an example"},
        {"role": "assistant", "content": "its answer"},
        {"role": "user", "content": "😀" * 9000},
        {"role": "assistant", "content": "Well,"},
    ]
    (job,) = await jobs_of(messages=messages)
    assert job.input == "😀" * 8000


async def test_files_alone_are_told_by_their_names():
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": "x"}}
    (job,) = await jobs_of(messages=[{"role": "user", "content": [part]}])
    assert job.input == "a.pdf"


@pytest.mark.parametrize(
    "content", [None, 5, [], [{"type": []}], [{"type": {}, "text": "x"}], [None]], ids=str
)
async def test_odd_content_makes_an_empty_text_and_no_error(content: object):
    (job,) = await jobs_of(messages=[{"role": "user", "content": content}])
    assert job.input == ""


async def test_no_user_at_all_makes_an_empty_text():
    (job,) = await jobs_of(messages=[{"role": "system", "content": "s"}])
    assert job.input == ""


async def test_message_of_anthropics_api_gets_a_title():
    starter = Starter()
    beside = Beside(json_answer(completion()), starter=starter)
    content = [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]
    answer = await beside.ask(
        MESSAGES, max_tokens=5, messages=[{"role": "user", "content": content}]
    )
    assert answer.status == 200
    assert [job.input for job in starter.jobs] == ["Hi\nthere"]


async def test_counting_tokens_starts_none():
    starter = Starter()
    entry = titled_entry(provider="anthropic")
    beside = Beside(json_answer({"input_tokens": 3}), starter=starter, entry=entry)
    answer = await beside.ask(COUNT)
    assert (answer.status, answer.json) == (200, {"input_tokens": 3})
    assert starter.jobs == []
