"""Finding the title in a chat completion."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.errors import UpstreamInvalidResponseError
from waystation.titles.reading import read_title

NO_JSON = "The upstream's answer is not the JSON that a structured title is."
JSON_TITLE = '{"language": "English", "title": "A"}'


def answer(content: object = None, **message: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "message": {"content": content, **message}}]}


def call(arguments: object) -> dict[str, object]:
    return answer(tool_calls=[{"function": {"name": "extract", "arguments": arguments}}])


TEXTS = {
    "text": ("A Title", "A Title"),
    "blanks around": ("\n A ", "A"),
    "parts": ([{"type": "text", "text": "A"}, {"type": "text", "text": " B"}], "A B"),
    "odd parts": ([None, 5, {"text": 7}, {"type": "image"}, {"text": "A"}], "A"),
    "nothing": (None, ""),
    "a number": (5, ""),
    "JSON": (JSON_TITLE, JSON_TITLE),
}


@pytest.mark.parametrize(("content", "title"), TEXTS.values(), ids=TEXTS)
def test_plain_title_is_the_text(content: object, title: str):
    assert read_title(answer(content), is_structured=False) == title


STRUCTURED = {
    "text": answer(JSON_TITLE),
    "blanks around": answer(f"\n{JSON_TITLE} "),
    "fence": answer(f"```json\n{JSON_TITLE}\n```"),
    "fence without language": answer(f"```\n{JSON_TITLE}\n```"),
    "fence after words": answer(f"Here it is:\n```json\n{JSON_TITLE}\n```\nDone."),
    "fence without an end": answer(f"```json\n{JSON_TITLE}"),
    "after reasoning": answer(f"<think>{{a}} ``` b</think>\n{JSON_TITLE}"),
    "fence after reasoning": answer(f"<think>x</think>```json\n{JSON_TITLE}```"),
    "tool call": call(JSON_TITLE),
    "text beside a tool call": answer(
        "Here:", tool_calls=[{"function": {"arguments": JSON_TITLE}}, "another"]
    ),
    "no tool calls": answer(JSON_TITLE, tool_calls=[]),
    "other members": answer('{"title": "A", "x": [1, {"y": null}], "language": 5}'),
    "two of a name": answer('{"title": "B", "title": "A"}'),
}


@pytest.mark.parametrize("body", STRUCTURED.values(), ids=STRUCTURED)
def test_structured_title_is_a_member(body: dict[str, object]):
    assert read_title(body, is_structured=True) == "A"


def test_fence_inside_the_title_is_text():
    document = json.dumps({"language": "English", "title": "Use ```json fences```"})
    assert read_title(answer(document), is_structured=True) == "Use ```json fences```"


@pytest.mark.parametrize("title", [None, 5, True, [], {}], ids=str)
def test_title_that_is_no_text_is_empty(title: object):
    assert read_title(answer(json.dumps({"title": title})), is_structured=True) == ""


def test_title_that_is_missing_is_empty():
    assert read_title(call("{}"), is_structured=True) == ""


@pytest.mark.parametrize("is_call", [True, False], ids=["tool call", "text"])
def test_half_of_a_surrogate_pair_can_be_sent_on(is_call: bool):
    document = '{"title": "a\\ud800b"}'
    body = call(document) if is_call else answer(document)
    assert read_title(body, is_structured=True) == "a\ufffdb"


NO_DOCUMENT = {
    "words": answer("A Title"),
    "nothing": answer(None),
    "a list": answer("[]"),
    "a text": answer('"A"'),
    "broken": answer('{"title": "A"'),
    "two": answer('{"title": "A"} {"title": "B"}'),
    "fence of words": answer("```A```"),
    "not a number": answer('{"title": NaN}'),
    "deep": answer("[" * 100_000),
    "huge number": answer('{"title": ' + "9" * 10_000 + "}"),
    "arguments that are no text": call({"title": "A"}),
    "no arguments": call(None),
    "empty arguments": call(""),
    "call that is none": answer(tool_calls=[5]),
    "function that is none": answer(tool_calls=[{"function": []}]),
}


@pytest.mark.parametrize("body", NO_DOCUMENT.values(), ids=NO_DOCUMENT)
def test_answer_that_is_no_json_is_the_upstreams_fault(body: dict[str, object]):
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        read_title(body, is_structured=True)
    assert caught.value.message == NO_JSON


NO_MESSAGE: dict[str, dict[str, object]] = {
    "empty": {},
    "no choices": {"choices": []},
    "choices that are none": {"choices": {"0": {}}},
    "a choice that is none": {"choices": [None]},
    "no message": {"choices": [{"index": 0}]},
    "a message that is none": {"choices": [{"message": "A"}]},
}


@pytest.mark.parametrize("is_structured", [True, False])
@pytest.mark.parametrize("body", NO_MESSAGE.values(), ids=NO_MESSAGE)
def test_answer_without_a_message_is_the_upstreams_fault(body, is_structured: bool):
    with pytest.raises(UpstreamInvalidResponseError) as caught:
        read_title(body, is_structured=is_structured)
    assert caught.value.message == "The upstream's answer has no message."


def test_large_answer_is_read():
    for said in ("```" * 300_000, "<think" * 150_000, "{" * 1_000_000):
        with pytest.raises(UpstreamInvalidResponseError):
            read_title(answer(said), is_structured=True)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "content", "text", "tool_calls", "function", "arguments"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(JUNK, JUNK, st.booleans())
def test_junk_is_an_error_of_the_upstream_or_a_text(content, calls, is_structured: bool):
    try:
        title = read_title(answer(content, tool_calls=calls), is_structured=is_structured)
    except UpstreamInvalidResponseError:
        return
    assert isinstance(title, str)


@given(JUNK, st.booleans())
def test_junk_for_choices_is_an_error_of_the_upstream_or_a_text(choices, is_structured: bool):
    try:
        title = read_title({"choices": choices}, is_structured=is_structured)
    except UpstreamInvalidResponseError:
        return
    assert isinstance(title, str)
