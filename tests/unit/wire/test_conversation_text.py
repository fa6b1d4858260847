"""The text of messages, as far as a reader sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.wire.conversation_text import first_exchange, shown, text_of

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,canary"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "canary"}}

TEXTS: dict[str, tuple[object, str]] = {
    "text": ("Hi", "Hi"),
    "parts": ([{"type": "text", "text": "a"}, PICTURE, {"type": "text", "text": "b"}], "a\nb"),
    "parts of the Responses API": (
        [{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}],
        "a\nb",
    ),
    "other parts": ([{"type": "thinking", "text": "a"}, {"text": "b"}], ""),
    "junk": ([5, None, "a", {"type": [], "text": "a"}, {"type": "text"}], ""),
    "nothing": (None, ""),
    "a number": (5, ""),
    "an object": ({"type": "text", "text": "a"}, ""),
}


@pytest.mark.parametrize(("content", "text"), TEXTS.values(), ids=TEXTS)
def test_text_is_what_is_written(content: object, text: str):
    assert text_of(content) == text


SHOWN: dict[str, tuple[object, str]] = {
    "text beside a picture": ([PICTURE, {"type": "text", "text": "a"}], "a"),
    "a picture": ([PICTURE], "image"),
    "files": ([FILE, PICTURE, {"type": "input_audio"}], "a.pdf, image, audio"),
    "a file without a name": ([{"type": "file", "file": {"filename": ""}}], "file"),
    "a file with an odd name": ([{"type": "file", "file": {"filename": 5}}], "file"),
    "an odd file": ([{"type": "file", "file": []}], "file"),
    "unknown kinds": ([{"type": "video"}, {"type": 5}, {}], ""),
    "nothing": ([], ""),
}


@pytest.mark.parametrize(("content", "text"), SHOWN.values(), ids=SHOWN)
def test_message_of_files_alone_is_told_by_what_they_are(content: object, text: str):
    assert shown(content) == text


def message(role: str, content: object = None, **fields: object) -> dict[str, object]:
    return {"role": role, "content": content, **fields}


CALLS = message("assistant", None, tool_calls=[{"id": "1"}])
EXCHANGES: dict[str, tuple[list[dict[str, object]], tuple[str, str]]] = {
    "a question": ([message("user", "Hi")], ("Hi", "")),
    "an exchange": ([message("user", "Hi"), message("assistant", "Hello")], ("Hi", "Hello")),
    "instructions before": (
        [message("system", "s"), message("developer", "d"), message("user", "Hi")],
        ("Hi", ""),
    ),
    "an answer before": (
        [message("assistant", "Welcome"), message("user", "Hi"), message("assistant", "Hello")],
        ("Hi", "Hello"),
    ),
    "more turns": (
        [
            message("user", "Hi"),
            message("assistant", "Hello"),
            message("user", "More"),
            message("assistant", "No"),
        ],
        ("Hi", "Hello"),
    ),
    "tools before the answer": (
        [message("user", "Hi"), CALLS, message("tool", "t"), message("assistant", "Hello")],
        ("Hi", "Hello"),
    ),
    "tools alone": ([message("user", "Hi"), CALLS, message("tool", "t")], ("Hi", "")),
    "files": ([message("user", [FILE]), message("assistant", "Read.")], ("a.pdf", "Read.")),
    "an empty message before": ([message("user", ""), message("user", "Hi")], ("Hi", "")),
    "no user": ([message("system", "s"), message("assistant", "Hello")], ("", "")),
    "nothing": ([], ("", "")),
}


@pytest.mark.parametrize(("messages", "found"), EXCHANGES.values(), ids=EXCHANGES)
def test_first_exchange_is_the_first_question_and_its_answer(messages, found):
    assert first_exchange(messages) == found


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "file", "filename"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "x"]), JUNK), max_size=5))
def test_junk_is_no_error(messages: list[tuple[str, object]]):
    said, answered = first_exchange([message(role, content) for role, content in messages])
    assert isinstance(said, str)
    assert isinstance(answered, str)
