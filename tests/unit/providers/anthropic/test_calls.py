"""Calls of tools and their results, as blocks."""

import pytest

from waystation.errors import InvalidBodyError
from waystation.providers.anthropic.calls import build_calls, build_older_call, build_result


def call(arguments: str = "{}", **more: object) -> dict[str, object]:
    function = {"name": "f", "arguments": arguments}
    return {"id": "c1", "type": "function", "function": function, **more}


def built(*calls: object) -> list[dict[str, object]]:
    return build_calls({"tool_calls": [*calls]}, "m")


ARGUMENTS = {
    "{}": {},
    "": {},
    " \n": {},
    '{"a": [1, null], "b": "\\u00eb"}': {"a": [1, None], "b": "ë"},
    '{"a": 1, "a": 2}': {"a": 2},
}


@pytest.mark.parametrize(("arguments", "value"), ARGUMENTS.items())
def test_arguments_are_read(arguments, value):
    assert built(call(arguments)) == [{"type": "tool_use", "id": "c1", "name": "f", "input": value}]


@pytest.mark.parametrize("arguments", ["{", "[]", "5", "null", '"a"', "{'a': 1}", '{"a": NaN}'])
def test_malformed_arguments_are_named(arguments):
    with pytest.raises(InvalidBodyError, match="must be the JSON text of an object") as caught:
        built(call(), call(arguments))
    assert caught.value.param == "m.tool_calls[1].function.arguments"


WRONG = {
    "no call": (5, "m.tool_calls[0]"),
    "no id": ({"function": {}}, "m.tool_calls[0].function.name"),
    "an id that is none": (call() | {"id": 5}, "m.tool_calls[0].id"),
    "no function": ({"id": "c"}, "m.tool_calls[0].function"),
    "no name": ({"id": "c", "function": {"arguments": ""}}, "m.tool_calls[0].function.name"),
    "no arguments": ({"id": "c", "function": {"name": "f"}}, "m.tool_calls[0].function.arguments"),
    "free text": (call() | {"type": "custom"}, "m.tool_calls[0].type"),
    "a type that is none": (call() | {"type": {}}, "m.tool_calls[0].type"),
}


@pytest.mark.parametrize(("value", "param"), WRONG.values(), ids=WRONG)
def test_wrong_calls_are_named(value, param):
    if param.endswith("function.name") and "id" not in value:
        value = {"id": "c", **value}
    with pytest.raises(InvalidBodyError) as caught:
        built(value)
    assert caught.value.param == param


def test_who_made_a_call_goes_back():
    (block,) = built(call(index=0, caller={"type": "direct"}))
    assert block["caller"] == {"type": "direct"}
    assert "index" not in block


def test_ids_of_other_providers_are_made_valid_on_both_sides():
    (block,) = built(call() | {"id": "functions.f:0"})
    result = build_result({"content": "4"}, "functions.f:0", "m")
    assert block["id"] == result["tool_use_id"] == "functions_f_0"


def test_the_older_way_has_the_id_it_is_given():
    assert build_older_call({"name": "f", "arguments": '{"a":1}'}, "c9", "m") == {
        "type": "tool_use",
        "id": "c9",
        "name": "f",
        "input": {"a": 1},
    }


RESULTS = {
    "text": ({"content": "4"}, {"content": "4"}),
    "nothing": ({"content": ""}, {}),
    "no parts": ({"content": []}, {}),
    "an error": ({"content": "no", "is_error": True}, {"content": "no", "is_error": True}),
    "a mark": (
        {"content": "4", "cache_control": {"type": "ephemeral"}},
        {"content": "4", "cache_control": {"type": "ephemeral"}},
    ),
    "parts": (
        {
            "content": [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "https://a.test/i"}},
            ]
        },
        {
            "content": [
                {"type": "text", "text": "a"},
                {"type": "image", "source": {"type": "url", "url": "https://a.test/i"}},
            ]
        },
    ),
}


@pytest.mark.parametrize(("message", "told"), RESULTS.values(), ids=RESULTS)
def test_results(message, told):
    full = {"role": "tool", "tool_call_id": "c1", "name": "f", **message}
    assert build_result(full, "c1", "m") == {"type": "tool_result", "tool_use_id": "c1", **told}
