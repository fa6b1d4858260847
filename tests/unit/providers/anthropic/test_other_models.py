"""Models that a client names beside the one it asks for."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import messages_shaping, native_shaping
from waystation.errors import InvalidBodyError

LISTED, OTHER = "claude-opus-4-8", "claude-mythos-5"
MODELS = {"default": ["claude-sonnet-4-5", LISTED]}


def advisor(model: object) -> dict[str, object]:
    return {"type": "advisor_20260301", "name": "advisor", "model": model}


def translated(fields: dict[str, Any], **entry: Any) -> dict[str, Any]:
    params = {name: value for name, value in fields.items() if name != "messages"}
    messages = fields.get("messages")
    return messages_shaping.body_of(params, messages=messages, **{"models": MODELS} | entry)


def passed_on(fields: dict[str, Any], **entry: Any) -> dict[str, Any]:
    return native_shaping.body_of(body=fields, **{"models": MODELS} | entry)


Shape = Callable[..., dict[str, Any]]
both_ways = pytest.mark.parametrize("shape", [translated, passed_on])
PLACES: dict[str, tuple[Callable[[object], dict[str, Any]], str]] = {
    "an advisor": (lambda model: {"tools": [{"type": "x"}, advisor(model)]}, "tools[1].model"),
    "a fallback": (
        lambda model: {"fallbacks": [{"model": LISTED}, {"model": model}]},
        "fallbacks[1].model",
    ),
}


@both_ways
@pytest.mark.parametrize(("fields_of", "param"), PLACES.values(), ids=PLACES)
def test_model_that_is_not_listed_is_refused(shape: Shape, fields_of, param):
    models: list[object] = [OTHER, 5, "", {}]
    for model in models:
        with pytest.raises(InvalidBodyError) as caught:
            shape(fields_of(model))
        assert caught.value.param == param
        assert caught.value.message == f"{param} names a model that endpoint 'Acme' does not list."


@both_ways
@pytest.mark.parametrize(("fields_of", "param"), PLACES.values(), ids=PLACES)
def test_model_that_is_listed_goes_on(shape: Shape, fields_of, param):
    fields = fields_of(LISTED)
    body = shape(fields)
    assert {name: body[name] for name in fields} == fields


@both_ways
@pytest.mark.parametrize(("fields_of", "param"), PLACES.values(), ids=PLACES)
def test_upstream_judges_models_of_an_entry_that_fetches_its_list(shape: Shape, fields_of, param):
    fields = fields_of(OTHER)
    body = shape(fields, models={"default": [LISTED], "fetch": True})
    assert {name: body[name] for name in fields} == fields


@both_ways
def test_fallback_of_the_upstreams_choice_is_no_listed_model(shape: Shape):
    with pytest.raises(InvalidBodyError) as caught:
        shape({"fallbacks": "default"})
    assert caught.value.param == "fallbacks"


@both_ways
def test_tool_that_joins_later_has_no_other_model(shape: Shape):
    def joining(model: str) -> dict[str, Any]:
        tool = {"type": "tool_definition", "definition": advisor(model)}
        return {"role": "user", "content": [{"type": "tool_addition", "tool": tool}]}

    turns = [messages_shaping.HI[0], joining(LISTED), joining(OTHER)]
    with pytest.raises(InvalidBodyError) as caught:
        shape({"messages": turns})
    assert caught.value.param == "messages[2].content[0].tool.definition.model"


@both_ways
def test_operator_may_name_any_model(shape: Shape):
    added = {"tools": [advisor(OTHER)], "fallbacks": "default"}
    body = shape({"tools": [advisor(OTHER)], "fallbacks": [{"model": OTHER}]}, addParams=added)
    assert {name: body[name] for name in added} == added


@both_ways
def test_what_is_dropped_is_not_judged(shape: Shape):
    fields = {"tools": [advisor(OTHER)], "fallbacks": [{"model": OTHER}]}
    body = shape(fields, dropParams=["tools", "fallbacks"])
    assert body.keys().isdisjoint(fields)


@both_ways
def test_tool_without_a_model_is_no_other_model(shape: Shape):
    tool = {"name": "f", "input_schema": {"type": "object", "properties": {"model": {}}}}
    assert shape({"tools": [tool]})["tools"] == [tool]
