"""What a request may cost at most."""

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.ledger.holds import (
    DEFAULT_OUTPUT_LIMIT,
    TOKENS_OF_MEDIA,
    TOKENS_OF_MESSAGE,
    TOKENS_OF_TOOLS,
    hold_nanousd,
    output_limit,
    upper_bound_input_tokens,
)
from waystation.ledger.pricing import Rates, Step, cost_nanousd
from waystation.wire.chat_request import ChatRequest
from waystation.wire.usage import MAX_TOKENS, Usage

PAYLOAD = "iVBORw0KGgo" * 10_000
LONG = "word " * 10_000

counts = st.integers(0, MAX_TOKENS)
rates = st.decimals(0, 1_000_000, places=9)


def bound(*content: object, **params: object) -> int:
    messages: list[dict[str, object]] = [{"role": "user", "content": one} for one in content]
    return upper_bound_input_tokens(ChatRequest("m", messages, stream=False, params=params))


def limit(**body: object) -> int:
    return output_limit(json.dumps(body).encode())


@st.composite
def any_rates(draw):
    prompt, completion, write = draw(rates), draw(rates), draw(rates)
    return Rates(prompt, completion, prompt, write, cache_write_1h=draw(st.none() | rates))


@st.composite
def any_stepped_rates(draw):
    starts = sorted(draw(st.sets(counts, max_size=3)))
    return replace(draw(any_rates()), steps=tuple(Step(at, draw(any_rates())) for at in starts))


@given(counts, counts, any_rates())
def test_hold_is_exact_and_rounded_up(sent, received, priced):
    written = (priced.prompt, priced.cache_write, priced.cache_write_1h)
    dearest = max(Fraction(rate) for rate in written if rate is not None)
    exact = 1000 * (sent * dearest + received * Fraction(priced.completion))
    assert 0 <= hold_nanousd(sent, received, priced) - exact < 1


@given(st.tuples(counts, counts, counts, counts), counts, counts, any_stepped_rates())
def test_hold_is_never_below_the_cost(sent, more, output, priced):
    _, read, write_5m, write_1h = sent
    usage = Usage(sum(sent), output, read, write_5m + write_1h, cache_write_1h_tokens=write_1h)
    assert cost_nanousd(usage, priced) <= hold_nanousd(sum(sent) + more, output, priced)


def test_hour_without_a_rate_of_its_own_counts_as_other_writes():
    assert hold_nanousd(1, 0, Rates(Decimal(1), Decimal(1), Decimal(0), Decimal(3))) == 3000


@given(st.text(), st.text())
def test_bytes_of_text_are_counted(text, more):
    size = len((text + more).encode(errors="replace"))
    assert size + 2 * TOKENS_OF_MESSAGE <= bound(text, [{"type": "text", "text": more}])
    assert size <= bound("", response_format={"json_schema": {text: more}})


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "name": LONG, "content": "Hi"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": LONG}}]},
        {"role": "assistant", "reasoning_content": LONG},
        {"role": "tool", "content": [{"type": "text", "text": LONG}]},
        {"role": "user", "content": "data:" + LONG},
        {"role": "user", "content": [{"type": "image_url", "text": LONG}]},
        {"role": "user", "content": [{"type": "unheard-of", "data": LONG}]},
        {
            "role": "user",
            "content": [{"type": "file", "file": {"file_data": f"Data:Text/x,{LONG}"}}],
        },
    ],
)
def test_no_text_of_a_message_is_left_out(message):
    request = ChatRequest("m", [message], stream=False)
    assert upper_bound_input_tokens(request) >= len(LONG)


@pytest.mark.parametrize("name", ["tools", "functions", "response_format", "system", "x"])
def test_no_text_beside_the_messages_is_left_out(name):
    assert bound("Hi", **{name: {"description": LONG}}) >= len(LONG)


def test_tools_count_for_what_is_told_of_them():
    tool = {"type": "function", "function": {"name": "f"}}
    assert bound("Hi", tools=[tool]) - bound("Hi") >= TOKENS_OF_TOOLS
    assert bound("Hi", tools=[]) - bound("Hi") < TOKENS_OF_MESSAGE


PARTS = {
    "image": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PAYLOAD}"}},
    "image by its URL": {"type": "image_url", "image_url": "https://x.test/" + PAYLOAD},
    "sound": {"type": "input_audio", "input_audio": {"data": PAYLOAD, "format": "wav"}},
    "file": {"type": "file", "file": {"filename": "a.pdf", "file_data": PAYLOAD}},
    "Anthropic's image": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PAYLOAD},
    },
    "Anthropic's file": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PAYLOAD},
    },
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_what_is_not_text_counts_flat(part):
    without = bound([{"type": "text", "text": "Hi"}])
    more = bound([{"type": "text", "text": "Hi"}, part, part]) - without
    assert 0 <= more - 2 * TOKENS_OF_MEDIA < 500


@pytest.mark.parametrize(
    "source",
    [
        {"type": "text", "media_type": "text/plain", "data": LONG},
        {"type": "text", "data": LONG},
        {"type": "base64", "media_type": "text/plain", "data": LONG},
        {"type": "content", "content": [{"type": "text", "text": LONG}]},
        {"type": "content", "content": LONG},
    ],
)
def test_document_of_text_counts_as_text(source):
    assert bound([{"type": "document", "source": source}]) >= len(LONG)


def test_image_inside_a_document_or_a_result_counts_flat():
    inner = {"type": "content", "content": [PARTS["image"]]}
    outer = [{"type": "tool_result", "content": [{"type": "document", "source": inner}]}]
    assert 2 * TOKENS_OF_MEDIA <= bound(outer) < 2 * TOKENS_OF_MEDIA + 500


def test_body_of_another_api_counts_where_it_holds_more():
    native = {"system": LONG, "messages": [{"role": "user", "content": "Hi"}]}
    messages: list[dict[str, object]] = [{"role": "user", "content": "Hi"}]
    request = ChatRequest("m", messages, stream=False, native=native)
    assert upper_bound_input_tokens(request) >= len(LONG)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({}, DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": None}, DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": 10}, 10),
        ({"max_completion_tokens": 10}, 10),
        ({"max_output_tokens": 10}, 10),
        ({"max_tokens": 10, "max_completion_tokens": 30}, 30),
        ({"max_tokens": 10, "n": 3}, 30),
        ({"n": 2}, 2 * DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": 10, "best_of": 4, "n": 2}, 40),
        ({"inferenceConfig": {"maxTokens": 10}}, 10),
        ({"max_tokens": -1, "n": -1}, DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": True, "n": True}, DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": "10", "n": "2"}, 2 * DEFAULT_OUTPUT_LIMIT),
        ({"max_tokens": 1e5}, 100_000),
        ({"max_tokens": "100000"}, 100_000),
        ({"max_tokens": "1e5", "n": "x"}, DEFAULT_OUTPUT_LIMIT),
        ({"options": {"num_predict": 99999.5}}, 100_000),
        ({"options": {"num_predict": 1}}, DEFAULT_OUTPUT_LIMIT),
        ({"options": {"num_predict": 9999}}, 9999),
        ({"generationConfig": {"maxOutputTokens": 9999}, "max_tokens": 10}, 9999),
        ({"inferenceConfig": []}, DEFAULT_OUTPUT_LIMIT),
    ],
)
def test_limit_is_the_one_that_is_sent(body, tokens):
    assert limit(**body) == tokens
