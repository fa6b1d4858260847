"""What `defaultParamsEndpoint` makes of a request, by its set."""

from typing import Any, TypeAlias

import pytest

from tests.support.shaping import body_of, fields_of, shape

Fields: TypeAlias = dict[str, object]

UI: Fields = {"uiDefaults": True}
SONNET = "claude-sonnet-4-5"
ENABLED = {"type": "enabled", "budget_tokens": 2000}
CHOSEN: Fields = {
    "temperature": 0.5,
    "max_tokens": 55,
    "maxOutputTokens": 66,
    "topP": 0.7,
    "topK": 9,
    "top_p": 0.6,
}


def of_set(params: Fields | None = None, **kwargs: Any) -> Fields:
    """Return the fields of an entry of the Anthropic set, but for the user's id."""
    chosen = kwargs.pop("set", "anthropic")
    kwargs.setdefault("customParams", {"defaultParamsEndpoint": chosen})
    fields = fields_of(params, **kwargs)
    assert chosen != "anthropic" or fields.pop("metadata") == {"user_id": "alice"}
    return fields


@pytest.mark.parametrize("name", ["custom", "openAI", "azureOpenAI", "bedrock-anthropic"])
def test_most_sets_change_nothing(name):
    assert of_set(CHOSEN, set=name) == {"temperature": 0.5, "max_tokens": 55, "top_p": 0.7}


def test_anthropic_names_become_the_fields():
    assert of_set(CHOSEN) == {"temperature": 0.5, "max_tokens": 66, "top_p": 0.7, "top_k": 9}
    body = body_of(customParams={"defaultParamsEndpoint": "anthropic"})
    assert "user" not in body


def test_anthropic_takes_the_usual_limit_too():
    assert of_set({"max_tokens": 55}) == {"max_tokens": 55}


ANTHROPIC: dict[str, tuple[str, Fields, Fields, Fields]] = {
    "nothing unasked": (SONNET, {}, {}, {}),
    "the interface thinks": (SONNET, UI, {}, {"max_tokens": 64000, "thinking": ENABLED}),
    "the interface's limit of others": ("acme", UI, {}, {"max_tokens": 8192}),
    "thinking asked for": (SONNET, {}, {"thinking": True}, {"thinking": ENABLED}),
    "a budget asks for it": (
        SONNET,
        {},
        {"thinkingBudget": 5000},
        {"thinking": {"type": "enabled", "budget_tokens": 5000}},
    ),
    "a budget within the limit": (
        SONNET,
        {},
        {"thinkingBudget": 5000, "maxOutputTokens": 100},
        {"max_tokens": 100, "thinking": {"type": "enabled", "budget_tokens": 90}},
    ),
    "switched off": (SONNET, UI, {"thinking": False}, {"max_tokens": 64000}),
    "adaptive": ("claude-opus-4-6", {}, {"thinking": True}, {"thinking": {"type": "adaptive"}}),
    "adaptive, shown": (
        "claude-opus-4-7",
        {},
        {"thinking": True},
        {"thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    "adaptive, hidden": (
        "claude-opus-4-7",
        {},
        {"thinking": True, "thinkingDisplay": "omitted"},
        {"thinking": {"type": "adaptive", "display": "omitted"}},
    ),
    "told not to think": (
        "claude-sonnet-5",
        {},
        {"thinking": False},
        {"thinking": {"type": "disabled"}},
    ),
    "an effort": ("claude-opus-4-6", {}, {"effort": "max"}, {"output_config": {"effort": "max"}}),
    "no effort of others": (SONNET, {}, {"effort": "max"}, {}),
    "an effort without thinking": (
        "claude-opus-5",
        {},
        {"effort": "max", "thinking": False},
        {"output_config": {"effort": "high"}, "thinking": {"type": "disabled"}},
    ),
    "sampling that is refused": ("claude-opus-4-7", {}, {"temperature": 1, "topK": 1}, {}),
    "sampling while thinking": (
        "claude-3-7-sonnet-latest",
        {},
        {"thinking": True, "temperature": 0.5, "topP": 0.1, "topK": 1},
        {"temperature": 0.5, "thinking": ENABLED},
    ),
    "sampling without": ("claude-3-7-sonnet-latest", {}, {"topP": 0.1}, {"top_p": 0.1}),
    "the API's own thinking": (
        SONNET,
        UI,
        {"thinking": {"type": "disabled"}, "max_tokens": 5},
        {"max_tokens": 5, "thinking": {"type": "disabled"}},
    ),
    "no effort of OpenAI's": (SONNET, {}, {"reasoning_effort": "high"}, {}),
    "web search": (
        SONNET,
        {},
        {"web_search": True},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ),
}


@pytest.mark.parametrize(
    ("model", "extension", "params", "fields"), ANTHROPIC.values(), ids=ANTHROPIC
)
def test_anthropic_set(model, extension, params, fields):
    assert of_set(params, model=model, waystation=extension) == fields


def test_anthropic_set_can_be_trimmed():
    dropped = ["thinking", "metadata", "maxTokens"]
    custom = {"defaultParamsEndpoint": "anthropic"}
    sent = fields_of(model=SONNET, waystation=UI, customParams=custom, dropParams=dropped)
    assert sent == {}


def test_anthropic_set_is_operated_by_add_params():
    added = {"thinkingBudget": 3000, "max_tokens": 12, "promptCache": True, "metadata": {"a": 1}}
    custom = {"defaultParamsEndpoint": "anthropic"}
    assert fields_of(model=SONNET, customParams=custom, addParams=added) == {
        "metadata": {"a": 1},
        "max_tokens": 12,
        "thinking": {"type": "enabled", "budget_tokens": 10},
    }


TOOLS = "fine-grained-tool-streaming-2025-05-14"
BETAS = {
    "always": (SONNET, {}, {}, TOOLS),
    "configured first": (SONNET, {}, {"Anthropic-Beta": "mine, yours"}, f"mine,yours,{TOOLS}"),
    "none twice": (SONNET, {}, {"anthropic-beta": TOOLS}, TOOLS),
    "with caching": (
        "claude-3-7-sonnet-latest",
        {"promptCache": True},
        {},
        f"token-efficient-tools-2025-02-19,output-128k-2025-02-19,{TOOLS}",
    ),
    "with caching of 3.5": (
        "claude-3-5-sonnet-20240620",
        {"promptCache": True},
        {},
        f"max-tokens-3-5-sonnet-2024-07-15,{TOOLS}",
    ),
    "without caching": ("claude-3-7-sonnet-latest", {}, {}, TOOLS),
}


@pytest.mark.parametrize(("model", "params", "headers", "betas"), BETAS.values(), ids=BETAS)
def test_anthropic_betas(model, params, headers, betas):
    custom = {"defaultParamsEndpoint": "anthropic"}
    shaped = shape(params, model=model, headers=headers, customParams=custom)
    assert dict(shaped.request.headers)["anthropic-beta"] == betas


def test_a_dropped_cache_needs_no_beta():
    custom = {"defaultParamsEndpoint": "anthropic"}
    shaped = shape(
        model="claude-3-7-sonnet",
        waystation=UI,
        customParams=custom,
        dropParams=["promptCache"],
    )
    assert dict(shaped.request.headers)["anthropic-beta"] == TOOLS


GOOGLE: dict[str, tuple[str, Fields, Fields, Fields]] = {
    "its names": (
        "gemini-2.5-pro",
        {},
        CHOSEN,
        {"temperature": 0.5, "max_tokens": 66, "top_p": 0.6, "top_k": 9},
    ),
    "no thinking": ("gemini-2.5-pro", {}, {"thinking": True, "thinkingBudget": 512}, {}),
    "the interface's limit": ("gemini-2.5-flash", UI, {}, {"max_tokens": 65535}),
    "of pictures": ("gemini-3-pro-image", UI, {}, {"max_tokens": 32768}),
    "of others": ("gemini-1.5-pro", UI, {}, {"max_tokens": 8192}),
    "no search of a client's": ("gemini-2.5-pro", {}, {"web_search": True}, {}),
    "an effort": (
        "gemini-2.5-pro",
        {},
        {"reasoning_effort": "low"},
        {"reasoning_effort": "low"},
    ),
}


@pytest.mark.parametrize(("model", "extension", "params", "fields"), GOOGLE.values(), ids=GOOGLE)
def test_google_set(model, extension, params, fields):
    assert of_set(params, set="google", model=model, waystation=extension) == fields


@pytest.mark.parametrize(
    "entry",
    [
        {"addParams": {"web_search": True}},
        {
            "customParams": {
                "defaultParamsEndpoint": "google",
                "paramDefinitions": [{"key": "web_search", "default": True}],
            }
        },
    ],
)
def test_google_searches_if_the_entry_says_so(entry):
    assert of_set(set="google", **entry) == {"tools": [{"googleSearch": {}}]}


def test_google_search_keeps_the_clients_tools():
    tool = {"type": "function", "function": {"name": "f"}}
    sent = of_set({"tools": [tool]}, set="google", addParams={"web_search": True})
    assert sent == {"tools": [tool, {"googleSearch": {}}]}
