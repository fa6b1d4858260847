"""How long a prompt was, where the upstream does not tell."""

from collections.abc import Mapping

import pytest

from waystation.ledger.estimates import TOKENS_OF_MEDIA, estimate_input_tokens
from waystation.ledger.holds import upper_bound_input_tokens
from waystation.wire.chat_request import ChatRequest

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
TOOL = {"type": "function", "function": {"name": "f", "description": "x" * 400}}


def asked(*messages: Mapping[str, object], **params: object) -> ChatRequest:
    return ChatRequest("m", list(map(dict, messages)), stream=False, params=params)


@pytest.mark.parametrize(
    ("request_", "tokens"),
    [
        (asked({"role": "user", "content": "12345678"}), 2),
        (asked({"role": "user", "content": "12345"}, {"role": "user", "content": "678"}), 2),
        (asked({"role": "user", "content": [{"type": "text", "text": "12345678"}]}), 2),
        (asked({"role": "user", "content": "网关记录"}), 3),
        (asked({"role": "user", "content": [IMAGE, IMAGE]}), 2 * TOKENS_OF_MEDIA),
        (asked({"role": "user"}), 0),
        (asked({"role": "user", "content": "1234"}, temperature=1, user="u" * 99), 1),
    ],
    ids=["text", "texts", "part", "Chinese", "images", "nothing", "settings"],
)  # fmt: skip
def test_four_bytes_of_text_are_a_token_and_images_are_flat(request_, tokens):
    assert estimate_input_tokens(request_) == tokens


def test_tool_calls_and_results_count():
    function = {"name": "f", "arguments": "x" * 39}
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": function}]}
    result = {"role": "tool", "tool_call_id": "c", "content": "y" * 40}
    assert estimate_input_tokens(asked(call, result)) == 20


@pytest.mark.parametrize("name", ["tools", "functions", "response_format", "system"])
def test_what_goes_into_the_prompt_beside_the_messages_counts(name):
    message: dict[str, object] = {"role": "user", "content": "1234"}
    assert 100 < estimate_input_tokens(asked(message, **{name: [TOOL]})) < 130
    assert estimate_input_tokens(asked(message, **{name: []})) == 1


def test_estimate_is_below_the_upper_bound():
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "Be brief. " * 50},
        {"role": "user", "content": [{"type": "text", "text": "Wie geht's? 网关 " * 50}, IMAGE]},
    ]
    request = asked(*messages, tools=[TOOL])
    assert 0 < estimate_input_tokens(request) < upper_bound_input_tokens(request)
