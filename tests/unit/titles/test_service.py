"""Making a title: whose settings count, who is asked, who pays."""

import asyncio
from typing import Any

import pytest

from tests.support.calls import RAW_USAGE, completion, json_answer
from tests.support.config_entries import token_config
from tests.support.logs import fresh_log, kept_lines
from tests.support.titles import Setting, Titles, build_job, says, titled_entry
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot
from waystation.errors import (
    EndpointMisconfiguredError,
    EndpointNotFoundError,
    GatewayError,
    ModelNotFoundError,
    TitlesOffError,
    UpstreamInvalidResponseError,
    UpstreamTimeoutError,
)
from waystation.ledger.records import LedgerRecord
from waystation.titles.service import Chosen, Title

PROBLEM = ConfigProblem("endpoints.custom[1].apiKey", "expected text", 7)
ACME = "https://llm.acme.test/v1/chat/completions"


def other(**changes: object) -> Any:
    """Return an entry that chats are not with, for titles alone."""
    return titled_entry(
        **({"name": "Other", "baseURL": "https://other.test/v1", "titleConvo": False} | changes)
    )


async def make(titles: Titles, *, seconds: float = 10, **job: Any) -> tuple[Title, LedgerRecord]:
    """Make a title; return it and its one record."""
    assert isinstance(titles.snapshot, ConfigSnapshot)
    told: list[LedgerRecord] = []
    ends_at = asyncio.get_running_loop().time() + seconds
    title = await titles.service.make(build_job(**job), titles.snapshot, ends_at, told.append)
    assert told == titles.ledger.records
    (record,) = told
    return title, record


async def expect_refusal(setting: Setting, error_type: type[GatewayError], **job: Any) -> str:
    """Expect an error before anything is sent; return its message."""
    titles = setting.build()
    with pytest.raises(error_type) as caught:
        await make(titles, **job)
    assert titles.sent == []
    assert titles.ledger.records == []
    return caught.value.message


async def test_title_is_asked_for_once_and_recorded():
    rates = {"small": token_config(prompt=3, completion=4)["m"]}
    titles = Setting((titled_entry(tokenConfig=rates),)).build(says('Title: "A  Title"'))
    title, record = await make(titles)
    cost = 10 * 3000 + 5 * 4000
    assert title == Title("A Title", {**RAW_USAGE, "cost": cost / 1e9, "cost_nanousd": cost})
    ((url, body),) = titles.sent
    assert (url, body["model"], body["stream"]) == (ACME, "small", False)
    assert body["messages"][0]["content"].endswith("\n\nUser: Hi\nAI: ")
    assert (record.kind, record.request_id, record.user_id) == ("title", "r1-title", "alice")
    assert (record.endpoint, record.model, record.state) == ("Acme", "small", "SETTLED")
    assert (record.cost_nanousd, record.conversation_id) == (cost, "c1")
    assert (record.key_id, record.created_at_ms, record.is_stream) == ("k1", 5, False)


async def test_reasoning_in_the_answer_is_no_title():
    title, _ = await make(Setting().build(says("<think>Hm.</think>A Title")))
    assert title.text == "A Title"


async def test_structured_title_is_a_member_of_the_answer():
    setting = Setting((titled_entry(titleMethod="structured"),))
    title, _ = await make(setting.build(says('{"language": "English", "title": "A"}')))
    assert title.text == "A"


async def test_model_of_the_conversation_may_be_chosen():
    titles = Setting((titled_entry(titleModel="current_model"),)).build(says("A"))
    await make(titles)
    assert titles.sent[0][1]["model"] == "acme-large"


async def test_headers_know_the_user_and_the_conversation():
    headers = {
        "x-user": "{{LIBRECHAT_USER_ID}}/{{LIBRECHAT_USER_EMAIL}}",
        "x-conversation": "{{LIBRECHAT_BODY_CONVERSATIONID}}",
    }
    titles = Setting((titled_entry(headers=headers),)).build(says("A"))
    await make(titles, user={"email": "a@a.test"})
    sent = dict(titles.egress.sent[0].headers)
    assert (sent["x-user"], sent["x-conversation"]) == ("alice/a@a.test", "c1")


async def test_placeholders_in_the_conversation_are_text():
    titles = Setting().build(says("A"))
    hostile = "{{LIBRECHAT_USER_ID}} ${ACME_KEY} {convo} {output}"
    await make(titles, input=hostile, output=hostile)
    prompt = titles.sent[0][1]["messages"][0]["content"]
    assert prompt.endswith(f"\n\nUser: {hostile}\nAI: {hostile}")


async def test_titles_that_are_off_are_told():
    setting = Setting((titled_entry(titleConvo=False),))
    message = await expect_refusal(setting, TitlesOffError)
    assert message == "Endpoint 'Acme' makes no titles: titleConvo is not true."


async def test_settings_of_all_endpoints_hide_those_of_the_entry():
    sections = {"all": TitleSettings.read({"titleConvo": True, "titleModel": "of-all"})}
    titles = Setting((titled_entry(titleConvo=False),), sections=sections).build(says("A"))
    await make(titles)
    assert titles.sent[0][1]["model"] == "of-all"


async def test_settings_of_all_endpoints_at_fault_are_told():
    problem = ConfigProblem("endpoints.all.titlePrompt", "must hold {convo}", 2)
    setting = Setting(sections={"all": problem})
    message = await expect_refusal(setting, EndpointMisconfiguredError)
    assert message == (
        "The settings of titles are wrong: endpoints.all.titlePrompt: must hold {convo}"
    )


async def test_chat_endpoint_that_is_gone_is_told():
    message = await expect_refusal(Setting(), EndpointNotFoundError, endpoint="Gone")
    assert message == "There is no endpoint 'Gone'."


async def test_another_entry_may_make_the_title():
    rates = {"small": token_config(prompt=7, completion=0)["m"]}
    entries = (
        titled_entry(titleEndpoint="Other", titlePrompt="Of Acme: {convo}", tokenConfig=rates),
        other(
            titleModel="unused",
            titlePrompt="Of Other: {convo}",
            addParams={"seed": 1},
            tokenConfig={"small": token_config(prompt=1, completion=2)["m"]},
        ),
    )
    titles = Setting(entries).build(says("A"))
    _, record = await make(titles)
    ((url, body),) = titles.sent
    assert url == "https://other.test/v1/chat/completions"
    assert (body["model"], body["seed"]) == ("small", 1)
    assert body["messages"][0]["content"].startswith("Of Acme: ")
    assert (record.endpoint, record.model) == ("Other", "small")
    assert record.cost_nanousd == 10 * 1000 + 5 * 2000  # by its own prices


async def test_native_entry_may_make_the_title():
    entries = (titled_entry(titleEndpoint="Other"), other(provider="anthropic"))
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "small",
        "content": [{"type": "text", "text": "A"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    titles = Setting(entries).build(json_answer(message))
    title, _ = await make(titles)
    assert (title.text, titles.sent[0][0]) == ("A", "https://other.test/v1/messages")


async def test_built_in_endpoint_may_make_the_title():
    setting = Setting(
        (titled_entry(titleEndpoint="openAI"),), variables={"OPENAI_API_KEY": "key-of-openai"}
    )
    titles = setting.build(says("A"))
    _, record = await make(titles)
    assert titles.sent[0][0] == "https://api.openai.com/v1/chat/completions"
    assert dict(titles.egress.sent[0].headers)["authorization"] == "Bearer key-of-openai"
    assert record.endpoint == "openAI"


@pytest.mark.parametrize("name", ["Unknown", "openAI"])
async def test_unknown_title_endpoint_is_logged_and_the_chats_own_is_used(name: str):
    titles = Setting((titled_entry(titleEndpoint=name),)).build(says("A"))
    with fresh_log(), kept_lines("waystation.titles") as lines:
        _, record = await make(titles)
    assert (titles.sent[0][0], record.endpoint) == (ACME, "Acme")
    (line,) = lines
    assert (line.levelname, line.message) == ("WARNING", "title_endpoint_unknown")
    assert (vars(line)["endpoint"], vars(line)["title_endpoint"]) == ("Acme", name)


async def test_misconfigured_title_endpoint_is_told_and_nobody_else_is_asked():
    entries = (titled_entry(titleEndpoint="Broken"),)
    setting = Setting(entries, broken={"Broken": PROBLEM})
    message = await expect_refusal(setting, EndpointMisconfiguredError)
    assert message == (
        "Endpoint 'Broken' is misconfigured: endpoints.custom[1].apiKey: expected text"
    )


async def test_title_endpoint_without_its_variable_is_told_and_nobody_else_is_asked():
    entries = (titled_entry(titleEndpoint="Other"), other(apiKey="${UNSET_KEY}"))
    message = await expect_refusal(Setting(entries), EndpointMisconfiguredError)
    assert "UNSET_KEY" in message


async def test_title_endpoint_may_be_the_entry_itself():
    titles = Setting((titled_entry(titleEndpoint="Acme"),)).build(says("A"))
    with fresh_log(), kept_lines("waystation.titles") as lines:
        await make(titles)
    assert (titles.sent[0][0], lines) == (ACME, [])


async def test_answer_that_is_no_title_is_paid_for_and_told():
    titles = Setting((titled_entry(titleMethod="structured"),)).build(says("No JSON"))
    with pytest.raises(UpstreamInvalidResponseError):
        await make(titles)
    (record,) = titles.ledger.records
    assert (record.state, record.kind) == ("SETTLED", "title")
    assert len(titles.sent) == 1


async def test_title_is_given_up_at_its_end():
    titles = Setting().build(json_answer(completion()))
    with pytest.raises(UpstreamTimeoutError):
        await make(titles, seconds=0)


async def test_client_means_an_endpoint_as_for_a_chat():
    titles = Setting((titled_entry(), other())).build()
    assert isinstance(titles.snapshot, ConfigSnapshot)
    chosen = await titles.service.choose("Acme/acme-large", None)
    assert chosen == Chosen(titles.snapshot, "Acme", "acme-large")
    assert (await titles.service.choose("acme-large", "Other")).endpoint == "Other"
    with pytest.raises(ModelNotFoundError):
        await titles.service.choose("unknown", None)
