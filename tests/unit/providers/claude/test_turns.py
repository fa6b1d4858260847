"""What the turns of a request tell."""

import pytest

from waystation.providers.claude.turns import ends_with_answer, lacks_signed_thinking

ASK = {"role": "user", "content": "Hi"}
SAY = {"role": "assistant", "content": "Hello"}


def calls(*kinds: str) -> dict[str, object]:
    return {"role": "assistant", "content": [{"type": kind} for kind in (*kinds, "tool_use")]}


RESULT = {"role": "user", "content": [{"type": "tool_result"}]}

CHATS = {
    "a question": ([ASK], False),
    "after an answer": ([ASK, SAY, ASK], False),
    "a prefill": ([ASK, SAY], False),
    "a result without thinking": ([ASK, calls(), RESULT], True),
    "a result with thinking": ([ASK, calls("thinking"), RESULT], False),
    "with redacted thinking": ([ASK, calls("redacted_thinking"), RESULT], False),
    "two rounds, the first with thinking": (
        [ASK, calls("thinking"), RESULT, calls(), RESULT],
        False,
    ),
    "two rounds without": ([ASK, calls("text"), RESULT, calls(), RESULT], True),
    "an earlier turn without": ([ASK, calls(), RESULT, SAY, ASK], False),
    "an earlier turn with": ([ASK, calls("thinking"), RESULT, SAY, ASK, calls(), RESULT], True),
    "a result with more of the user's": (
        [ASK, calls(), {"role": "user", "content": [{"type": "tool_result"}, {"type": "text"}]}],
        True,
    ),
    "nothing": ([], False),
    "no list": (None, False),
}


@pytest.mark.parametrize(("messages", "lacks"), CHATS.values(), ids=CHATS)
def test_thinking_that_a_tool_turn_began_with(messages, lacks):
    assert lacks_signed_thinking(messages) is lacks


@pytest.mark.parametrize(
    ("messages", "ends"), [([ASK], False), ([ASK, SAY], True), ([], False), (None, False)]
)
def test_beginnings_of_an_answer(messages, ends):
    assert ends_with_answer(messages) is ends
