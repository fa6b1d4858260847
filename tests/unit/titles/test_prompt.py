"""What a model is asked for a title."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.config.schema_titles import TitleSettings
from waystation.titles.prompt import build_prompt

DEFAULT_HEAD = (
    "Analyze this conversation and provide:\n"
    "1. The detected language of the conversation\n"
    "2. A concise title in the detected language (5 words or less, no punctuation or quotation)\n\n"
)
INJECTIONS = [
    "{convo}",
    "{input}",
    "{output}",
    "{{convo}}",
    "{{",
    "}}",
    "{",
    "$&",
    "$1",
    "\\1",
    "\\g<0>",
    "%s",
    "%(input)s",
    "${X}",
    "{{LIBRECHAT_USER_ID}}",
    "{0}",
    "{input.__class__}",
    "\n",
]
HOSTILE = st.lists(st.sampled_from(INJECTIONS) | st.text(max_size=5), max_size=6).map("".join)


def settings(**keys: object) -> TitleSettings:
    return TitleSettings.read(keys)


def test_default_is_that_of_the_page():
    assert build_prompt(settings(), "Hi", "Hello!") == f"{DEFAULT_HEAD}User: Hi\nAI: Hello!"


def test_without_an_answer_its_place_is_empty():
    assert build_prompt(settings(), "Hi", "") == f"{DEFAULT_HEAD}User: Hi\nAI: "


def test_marks_may_come_twice_and_anywhere():
    chosen = settings(
        titlePrompt="{convo}|{convo}", titlePromptTemplate="{output}{input}{output}{convo}"
    )
    assert build_prompt(chosen, "I", "O") == "OIO{convo}|OIO{convo}"


@pytest.mark.parametrize("text", ["{{x}}", "{name}", "{", "}", "{ convo }", "\\1 %s $&"])
def test_other_braces_of_the_operator_are_text(text: str):
    chosen = settings(
        titlePrompt=f"{text}{{convo}}", titlePromptTemplate=f"{text}{{input}}{{output}}"
    )
    assert build_prompt(chosen, "I", "O") == f"{text}{text}IO"


def test_each_text_counts_up_to_8000_characters():
    chosen = settings(titlePrompt="{convo}", titlePromptTemplate="{input}|{output}")
    prompt = build_prompt(chosen, "😀" * 8001, "b" * 9000)
    assert prompt == "😀" * 8000 + "|" + "b" * 8000


@given(HOSTILE, HOSTILE)
def test_no_text_changes_anything_but_itself(said: str, answered: str):
    chosen = settings(titlePrompt="<{convo}>", titlePromptTemplate="[{input}|{output}]")
    assert build_prompt(chosen, said, answered) == f"<[{said}|{answered}]>"


@given(HOSTILE, HOSTILE)
def test_no_text_changes_the_default_prompt(said: str, answered: str):
    assert build_prompt(settings(), said, answered) == (
        f"{DEFAULT_HEAD}User: {said}\nAI: {answered}"
    )
