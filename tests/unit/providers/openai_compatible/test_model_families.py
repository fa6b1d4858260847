"""What the name of a model changes in a request."""

import pytest

from tests.support.shaping import body_of, fields_of

SAMPLING: dict[str, object] = {
    "temperature": 0.5,
    "topP": 0.8,
    "frequency_penalty": 0.2,
    "presence_penalty": 0.3,
    "logit_bias": {"1": 2},
    "n": 2,
    "logprobs": True,
}
SENT = {
    "temperature": 0.5,
    "top_p": 0.8,
    "frequency_penalty": 0.2,
    "presence_penalty": 0.3,
    "logit_bias": {"1": 2},
    "n": 2,
    "logprobs": True,
}


@pytest.mark.parametrize(
    "model", ["o1", "o1-mini", "o3", "o3-mini", "gpt-5", "gpt-5-mini", "openai/gpt-5"]
)
def test_reasoning_models_get_no_sampling(model):
    assert fields_of(SAMPLING | {"stop": ["S"]}, model=model) == {"stop": ["S"]}
    assert fields_of(model=model, addParams={"temperature": 1}) == {}


@pytest.mark.parametrize(
    "model", ["gpt-5-chat-latest", "gpt-5.1", "gpt-6", "gpt-4o", "o4", "foo1", "gpt-50", "go3-x"]
)
def test_others_get_what_was_chosen(model):
    assert fields_of(SAMPLING, model=model) == SENT


def test_search_models_take_little():
    chosen = SAMPLING | {"seed": 1, "stop": ["S"], "response_format": {}, "reasoning_effort": "low"}
    body = body_of(chosen, model="gpt-4o-mini-search-preview", addParams={"top_k": 1, "odd": 1})
    assert body.keys() == {"model", "messages", "stream", "odd"}


LIMITS = {
    "o1": "max_completion_tokens",
    "O4-mini": "max_completion_tokens",
    "gpt-5": "max_completion_tokens",
    "openai/gpt-5": "max_completion_tokens",
    "gpt-5-chat-latest": "max_completion_tokens",
    "GPT-5.6": "max_completion_tokens",
    "gpt-6": "max_completion_tokens",
    "gpt-4o": "max_tokens",
    "gpt-4.1": "max_tokens",
    "acme/o1": "max_tokens",
    "claude-sonnet-4-5": "max_tokens",
}


@pytest.mark.parametrize(("model", "name"), LIMITS.items())
def test_a_limit_has_the_name_that_the_model_wants(model, name):
    assert fields_of({"max_tokens": 9}, model=model) == {name: 9}
    assert fields_of({"max_tokens": 9}, model=model, addParams={"max_tokens": 77}) == {name: 77}


def test_a_limit_under_the_right_name_stays():
    assert fields_of({"max_completion_tokens": 9}, model="gpt-4o") == {"max_completion_tokens": 9}


ROLES = {
    "o1": "developer",
    "o3-mini": "developer",
    "gpt-5": "developer",
    "gpt-5.1": "developer",
    "gpt-5-chat-latest": "system",
    "gpt-6": "system",
    "openai/gpt-5": "system",
    "gpt-4o": "system",
}


@pytest.mark.parametrize(("model", "role"), ROLES.items())
def test_instructions_have_the_role_that_the_model_wants(model, role):
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    sent = body_of(model=model, messages=messages)["messages"]
    assert sent == [{"role": role, "content": "Be brief."}, messages[1]]
    assert messages[0]["role"] == "system"


def test_the_model_that_is_sent_decides():
    assert fields_of({"max_tokens": 9}, addParams={"model": "o1"}) == {"max_completion_tokens": 9}


TURN: dict[str, object] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [],
    "reasoning_content": "R",
    "reasoning_items": [{"type": "reasoning"}],
}
ANSWER: dict[str, object] = {"role": "assistant", "content": "A", "reasoning_content": "R"}
REPLAYS: dict[str, tuple[str, dict[str, object], bool, bool]] = {
    "by default": ("acme-large", {}, False, False),
    "of Deepseek": ("DeepSeek/r1", {}, True, False),
    "of what sounds alike": ("my-deepseek", {}, False, False),
    "with includeReasoningContent": ("m", {"includeReasoningContent": True}, True, False),
    "with includeReasoningHistory": ("m", {"includeReasoningHistory": True}, True, True),
}


@pytest.mark.parametrize(("model", "custom", "on_turns", "always"), REPLAYS.values(), ids=REPLAYS)
def test_reasoning_goes_back_only_where_it_is_wanted(model, custom, on_turns, always):
    sent = body_of(model=model, messages=[TURN, ANSWER], customParams=custom)["messages"]
    assert isinstance(sent, list)
    assert ["reasoning_content" in message for message in sent] == [on_turns, always]
    assert [message["content"] for message in sent] == [None, "A"]
    assert not any("reasoning_items" in message for message in sent)
