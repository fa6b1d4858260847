"""What addParams and dropParams say, whichever of the API's names a client says it by."""

from typing import Any

import pytest

from tests.support.converse_shaping import CLAUDE, NOVA, fields_of

GPT_OSS, KIMI = "openai.gpt-oss-120b-1:0", "moonshot.kimi-k2-thinking"
Fields = dict[str, Any]


def of_model(**fields: object) -> Fields:
    return {"additionalModelRequestFields": fields}


ADDED: dict[str, tuple[Fields, Fields, Fields]] = {
    "a tier": (
        {"serviceTier": {"type": "priority"}},
        {"service_tier": "flex"},
        {"serviceTier": {"type": "flex"}},
    ),
    "a tier by the API's name": (
        {"service_tier": "priority"},
        {"serviceTier": {"type": "flex"}},
        {"serviceTier": {"type": "flex"}},
    ),
    "a tier within the model's fields": (
        of_model(serviceTier={"type": "priority"}),
        {"service_tier": "flex"},
        {"serviceTier": {"type": "flex"}},
    ),
    "metadata": (
        {"requestMetadata": {"team": "mallory"}},
        {"metadata": {"team": "a"}},
        {"requestMetadata": {"team": "a"}},
    ),
    "metadata by the API's name": (
        {"metadata": {"team": "mallory"}},
        {"requestMetadata": {"team": "a"}},
        {"requestMetadata": {"team": "a"}},
    ),
    "a limit": (
        {"inferenceConfig": {"maxTokens": 900}},
        {"max_tokens": 5},
        {"inferenceConfig": {"maxTokens": 5}},
    ),
    "a limit by the API's name": (
        {"max_tokens": 900, "temperature": 0.5},
        {"inferenceConfig": {"maxTokens": 5}},
        {"inferenceConfig": {"maxTokens": 5, "temperature": 0.5}},
    ),
    "a member of the model's": (of_model(k=9, x=1), of_model(k=1), of_model(k=1, x=1)),
    "a member of the model's, alone": ({"k": 9}, of_model(k=1), of_model(k=1)),
    "a field, over the model's member": (of_model(k=9), {"k": 1}, of_model(k=1)),
    "another spelling": (of_model(top_k=9), {"topK": 1}, of_model(inferenceConfig={"topK": 1})),
    "another spelling, of a member": ({"topK": 9}, of_model(topK=1), of_model(topK=1)),
    "top_k as Nova has it": (
        {"top_k": 9},
        of_model(inferenceConfig={"topK": 1}),
        of_model(inferenceConfig={"topK": 1}),
    ),
    "top_k over Nova's own": (
        of_model(inferenceConfig={"topK": 9, "x": 1}),
        {"top_k": 1},
        of_model(inferenceConfig={"topK": 1, "x": 1}),
    ),
    "other limits leave top_k": (
        {"top_k": 9},
        {"inferenceConfig": {"maxTokens": 5}},
        {"inferenceConfig": {"maxTokens": 5}, **of_model(inferenceConfig={"topK": 9})},
    ),
    "a guardrail": (
        {"guardrailConfig": {"guardrailIdentifier": "none"}},
        {"guardrailConfig": {"guardrailIdentifier": "g"}},
        {"guardrailConfig": {"guardrailIdentifier": "g"}},
    ),
}


@pytest.mark.parametrize(("client", "added", "sent"), ADDED.values(), ids=ADDED)
def test_add_params_are_the_operators(client, added, sent):
    assert fields_of(client, model=NOVA, addParams=added) == sent


EFFORTS: dict[str, tuple[str, Fields, Fields, Fields]] = {
    "over the model's own name": (
        GPT_OSS,
        {"reasoning_config": "high"},
        {"reasoning_effort": "low"},
        {"reasoning_effort": "low"},
    ),
    "none": (KIMI, of_model(reasoning_config="high"), {"reasoning_effort": "none"}, {}),
    "by the model's own name": (
        GPT_OSS,
        {"reasoning_effort": "high"},
        of_model(reasoning_effort="low"),
        {"reasoning_effort": "low"},
    ),
    "by another's": (
        KIMI,
        {"reasoning_effort": "high"},
        of_model(reasoning_config="low"),
        {"reasoning_config": "low"},
    ),
    "by both": (
        GPT_OSS,
        {},
        {"reasoning_effort": "low", "x": 1},
        {"reasoning_effort": "low", "x": 1},
    ),
}


@pytest.mark.parametrize(("model", "client", "added", "sent"), EFFORTS.values(), ids=EFFORTS)
def test_effort_is_the_operators(model, client, added, sent):
    fields = fields_of(client, model=model, addParams=added)
    assert fields.get("additionalModelRequestFields", {}) == sent


def test_thinking_within_the_models_fields_is_the_operators():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    client: Fields = {"thinking": False, "thinkingBudget": 9000}
    fields = fields_of(client, model=CLAUDE, addParams=of_model(thinking=thinking))
    assert fields["additionalModelRequestFields"]["thinking"] == thinking


DROPPED: dict[str, tuple[str, Fields]] = {
    "a tier": ("service_tier", {"serviceTier": {"type": "priority"}}),
    "a tier by the API's name": ("serviceTier", {"service_tier": "priority"}),
    "metadata": ("metadata", {"requestMetadata": {"a": "b"}}),
    "metadata by the API's name": ("requestMetadata", {"metadata": {"a": "b"}}),
    "a limit": ("max_tokens", {"inferenceConfig": {"maxTokens": 5}}),
    "effort": ("reasoning_effort", of_model(reasoningConfig={"type": "enabled"})),
}


@pytest.mark.parametrize(("name", "client"), DROPPED.values(), ids=DROPPED)
def test_what_is_dropped_comes_back_by_no_other_name(name, client):
    assert fields_of(client, model=NOVA, dropParams=[name]) == {}
