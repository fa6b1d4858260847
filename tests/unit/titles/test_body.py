"""The body of POST /v1/titles."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.titles.body import TitleBody, parse_title_body

USER: dict[str, object] = {"role": "user", "content": "Hi"}


def parse(**fields: object) -> TitleBody:
    return parse_title_body({"model": "m", **fields})


def test_two_texts_are_taken_as_they_are():
    body = parse(input="Hi", output="Hello!", endpoint="Acme", conversationId="c1", messageId="m1")
    assert body == TitleBody(
        "m", "Acme", "Hi", "Hello!", {"conversationId": "c1", "messageId": "m1"}
    )


@pytest.mark.parametrize("output", [{}, {"output": None}, {"output": ""}], ids=str)
def test_answer_may_be_missing(output: dict[str, object]):
    assert parse(input="Hi", **output) == TitleBody("m", None, "Hi", "", {})


def test_messages_give_the_first_exchange():
    system = {"role": "system", "content": "Be kind."}
    answer = {"role": "assistant", "content": "Hello!"}
    more = {"role": "user", "content": "More"}
    body = parse(messages=[system, USER, answer, more])
    assert (body.input, body.output) == ("Hi", "Hello!")


def test_null_is_absent():
    assert parse(messages=[USER], input=None, output=None, endpoint=None).input == "Hi"


BAD: dict[str, tuple[dict[str, object], str, str]] = {
    "neither": ({}, "messages", "Give messages, or input and output."),
    "output alone": ({"output": "O"}, "messages", "Give messages, or input and output."),
    "both": (
        {"messages": [USER], "input": "I"},
        "input",
        "Give messages or input, not both.",
    ),
    "messages and output": (
        {"messages": [USER], "output": "O"},
        "output",
        "Give messages or output, not both.",
    ),
    "input that is no text": ({"input": 5}, "input", "input must be a string."),
    "output that is no text": ({"input": "I", "output": []}, "output", "output must be a string."),
    "no messages": ({"messages": []}, "messages", "messages must be a non-empty list."),
    "messages that are none": (
        {"messages": "Hi"},
        "messages",
        "messages must be a non-empty list.",
    ),
    "message that is none": (
        {"messages": [5]},
        "messages[0]",
        "A message must be an object.",
    ),
    "endpoint": ({"input": "I", "endpoint": 5}, "endpoint", "endpoint must be a string."),
    "id": (
        {"input": "I", "conversationId": 5},
        "conversationId",
        "conversationId must be a string.",
    ),
    "no model": (
        {"input": "I", "model": None},
        "model",
        "model is required: a non-empty string.",
    ),
}


@pytest.mark.parametrize(("fields", "param", "message"), BAD.values(), ids=BAD)
def test_bad_body_names_the_field(fields: dict[str, object], param: str, message: str):
    with pytest.raises(InvalidBodyError) as caught:
        parse_title_body({"model": "m", **fields})
    assert (caught.value.param, caught.value.message) == (param, message)


@pytest.mark.parametrize("body", [None, [], "x", 5], ids=str)
def test_body_that_is_no_object_is_refused(body: object):
    with pytest.raises(InvalidBodyError):
        parse_title_body(body)


def test_texts_are_in_no_repr():
    assert "canary" not in repr(parse(input="canary", output="canary"))
