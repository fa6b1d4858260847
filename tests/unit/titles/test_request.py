"""The request for a title, down to the body that goes upstream."""

import pytest

from tests.support.config_entries import build_entry
from tests.support.title_requests import NATIVE, PLAIN, sent, sent_to_claude, wanted
from waystation.config.built_ins import BuiltInEndpoint
from waystation.config.schema_titles import TitleSettings
from waystation.titles.request import entry_for_titles, title_model

SCHEMA = {
    "type": "object",
    "properties": {
        "language": {
            "type": "string",
            "description": "The detected language of the conversation",
        },
        "title": {
            "type": "string",
            "description": "A concise title for the conversation in 5 words or less, "
            "without punctuation or quotation",
        },
    },
    "required": ["language", "title"],
}


def test_plain_title_is_one_message():
    assert sent() == ("/v1/chat/completions", PLAIN)


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_role_is_that_of_the_settings(role: str):
    assert sent(role=role)[1]["messages"] == [{"role": role, "content": "P"}]


def test_schema_is_asked_for_by_response_format():
    schema = {"name": "extract", "schema": SCHEMA}
    format_ = {"type": "json_schema", "json_schema": schema}
    assert sent(method="structured")[1] == {**PLAIN, "response_format": format_}
    assert sent(method="functions") == sent(method="structured")


TOOL = {"name": "extract", "description": "", "parameters": SCHEMA}
BY_TOOL = {
    "tools": [{"type": "function", "function": TOOL}],
    "tool_choice": {"type": "function", "function": {"name": "extract"}},
}


def test_older_models_are_asked_by_a_tool():
    body = sent("gpt-4", method="structured")[1]
    assert body == {**PLAIN, "model": "gpt-4", **BY_TOOL}


def test_the_plainer_request_asks_by_a_tool():
    assert sent(method="structured", is_plainer=True)[1] == {**PLAIN, **BY_TOOL}


def test_only_an_answer_by_a_schema_has_a_plainer_request():
    entry = build_entry()
    by_schema = wanted(entry, "small", titleMethod="structured")
    assert by_schema.plainer is not None
    assert by_schema.is_structured
    by_tool = wanted(entry, "gpt-4", titleMethod="structured")
    assert (by_tool.plainer, by_tool.is_structured) == (None, True)
    plain = wanted(entry, "small")
    assert (plain.plainer, plain.is_structured) == (None, False)
    assert plain.request.conversation == {"conversationId": "c1"}


def test_native_title_is_one_message_of_a_user():
    assert sent_to_claude() == NATIVE


def test_native_schema_is_a_tool():
    assert sent_to_claude(method="structured") == {
        **NATIVE,
        "tools": [{"name": "extract", "description": "", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": "extract"},
    }


def test_google_gets_a_user_message():
    google = BuiltInEndpoint.read(
        {
            "name": "google",
            "baseURL": "https://g.test",
            "customParams": {"defaultParamsEndpoint": "google"},
        }
    )
    _, body = sent(endpoint=google)
    assert body["messages"] == [{"role": "user", "content": "P"}]


def test_bedrock_gets_a_user_message_and_a_tool():
    bedrock = BuiltInEndpoint.read(
        {"name": "bedrock", "baseURL": "bedrock:eu-west-1", "provider": "bedrock"}
    )
    asked = wanted(bedrock, "anthropic.claude-3-haiku-20240307-v1:0", titleMethod="structured")
    assert asked.request.messages == [{"role": "user", "content": "P"}]
    assert asked.request.params == BY_TOOL
    assert asked.plainer is None


def test_tags_stay_in_the_answer_to_be_cleaned():
    entry = build_entry(waystation={"thinkTags": "split", "uiDefaults": True})
    assert not entry_for_titles(entry).splits_think_tags
    assert not entry_for_titles(entry).waystation.ui_defaults


def test_the_entry_itself_stays_as_it_is():
    entry = build_entry(addParams={"max_tokens": 5, "web_search": True})
    entry_for_titles(entry)
    assert entry.add_params == {"max_tokens": 5, "web_search": True}


@pytest.mark.parametrize(
    ("said", "asked"), [("current_model", "large"), ("tiny", "tiny"), ("", "gpt-3.5-turbo")]
)
def test_model_is_the_one_of_the_settings(said: str, asked: str):
    assert title_model(TitleSettings.read({"titleModel": said}), "large") == asked


def test_model_that_is_not_said_is_that_of_the_page():
    assert title_model(TitleSettings(), "large") == "gpt-3.5-turbo"
