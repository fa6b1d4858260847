"""The built-in parameters, and the page that lists them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.config_entries import build_entry
from waystation.config.parameter_sets import PARAMETER_SETS, Parameter

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
BEGIN, END = "<!-- parameter sets: begin -->\n", "<!-- parameter sets: end -->\n"
BLANKS: dict[object, str] = {"": "empty text", (): "empty list", None: "none"}


def in_words(value: object) -> str:
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return BLANKS.get(value) or f"`{value}`"


def limits(parameter: Parameter) -> str:
    if bounds := parameter.range:
        return f"{bounds.min} to {bounds.max}, step {bounds.step}"
    if parameter.max_tags is not None:
        return f"{parameter.min_tags} to {parameter.max_tags} texts"
    return ", ".join(map(in_words, parameter.options or ()))


def table(parameters: list[Parameter]) -> Iterator[str]:
    yield "| key | type, component | default | range or options |"
    yield "|---|---|---|---|"
    for one in parameters:
        limit = limits(one)
        shown = f" {limit}" if limit else ""
        yield f"| `{one.key}` | {one.type}, {one.component} | {in_words(one.default)} |{shown} |"


def page() -> str:
    """The tables, one for the sets that are equal; a set that extends `custom` shows the rest."""
    equal: dict[tuple[Parameter, ...], list[str]] = {}
    for name, by_key in PARAMETER_SETS.items():
        equal.setdefault(tuple(by_key.values()), []).append(f"`{name}`")
    custom = tuple(PARAMETER_SETS["custom"].values())
    lines: list[str] = []
    for parameters, names in equal.items():
        extends = parameters[: len(custom)] == custom and parameters != custom
        lines += [f"### {', '.join(names)}", ""]
        lines += ["The keys of `custom`, and:", ""] if extends else []
        lines += [*table([p for p in parameters if not (extends and p in custom)]), ""]
    return "\n".join(lines)


def test_page_lists_every_set_with_its_keys():
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == f"\n{page()}"


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_every_parameter_may_be_defined_by_its_key_alone(name):
    # Where Bedrock runs is known to nobody but the operator.
    keys = [key for key in PARAMETER_SETS[name] if key != "region"]
    definitions = [{"key": key} for key in keys]
    endpoint = build_entry(
        customParams={"defaultParamsEndpoint": name, "paramDefinitions": definitions}
    )
    assert [d.key for d in endpoint.custom_params.param_definitions] == keys


def test_sets_are_known_by_name():
    assert {name: len(parameters) for name, parameters in PARAMETER_SETS.items()} == {
        "custom": 20,
        "openAI": 20,
        "azureOpenAI": 20,
        "openrouter": 22,
        "anthropic": 16,
        "google": 14,
        "bedrock-anthropic": 17,
        "bedrock-mistral": 9,
        "bedrock-cohere": 9,
        "bedrock-meta": 10,
        "bedrock-ai21": 10,
        "bedrock-amazon": 10,
        "bedrock-openai": 10,
        "bedrock-deepseek": 10,
        "bedrock-moonshot": 11,
        "bedrock-moonshotai": 11,
        "bedrock-zai": 9,
    }
