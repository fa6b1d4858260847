"""`customParams` of an entry: parameter set, shape of reasoning, definitions of parameters.

A definition is checked by itself here; `parameter_rules` compares it with its set.
"""

from collections.abc import Set
from typing import Literal, Self, TypeAlias

from waystation.config.explain import found_instead
from waystation.config.parameter_sets import Bounds, Component, ParameterType
from waystation.config.parts import Part, RefusedError, refused, yaml_key
from waystation.config.readers import (
    at_least,
    at_most,
    flag,
    list_of,
    mapping_of,
    not_null,
    number,
    one_of,
    text,
    whole_number,
)
from waystation.config.schema_rules import params_endpoint

Default: TypeAlias = int | float | bool | str | tuple[str, ...]
_Mapped: TypeAlias = int | float | bool | str
_OptionType: TypeAlias = Literal["conversation", "model", "custom"]
_Side: TypeAlias = Literal["top", "right", "bottom", "left"]
_ReasoningFormat: TypeAlias = Literal["disabled", "reasoning_effort", "reasoning_object"]
_ReasoningKey: TypeAlias = Literal["reasoning", "reasoning_content"]

_optional_text = not_null(text)
_optional_flag = not_null(flag)
_optional_number = not_null(number)


def _default(value: object) -> Default:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, int | float | str):
        return value
    raise refused("expected text, a number, true, false or a list of strings")


def _mapped(value: object) -> _Mapped:
    if isinstance(value, int | float | str):
        return value
    raise refused(found_instead("text, a number, true or false", value))


class Range(Part):
    """Where a number begins and ends; below `positiveMin` only `min` itself is in it."""

    min: float = yaml_key(number)
    max: float = yaml_key(number)
    step: float | None = yaml_key(_optional_number, default=None)
    positive_min: float | None = yaml_key(_optional_number, default=None)

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        """Return the range of a built-in parameter."""
        return cls(min=bounds.min, max=bounds.max, step=bounds.step)

    @classmethod
    def _look_together(cls, values: dict[str, object], wrong: Set[str]) -> None:
        floor, most = values.get("positive_min"), values.get("max")
        if isinstance(floor, float) and isinstance(most, float) and floor > most:
            message = "expected a number that is not greater than max"
            raise RefusedError({("positiveMin",): message})


class ParamDefinition(Part):
    """One parameter: its key, its default, and what LibreChat's interface shows of it.

    In an `Endpoint` it is complete: what it leaves out comes from the built-in parameter.
    """

    key: str = yaml_key(text)
    default: Default | None = yaml_key(_default, default=None)
    type: ParameterType | None = yaml_key(not_null(one_of(ParameterType)), default=None)
    range: Range | None = yaml_key(not_null(Range.read), default=None)
    options: tuple[str, ...] | None = yaml_key(not_null(list_of(text)), default=None)
    enum_mappings: dict[str, _Mapped] | None = yaml_key(not_null(mapping_of(_mapped)), default=None)
    component: Component | None = yaml_key(not_null(one_of(Component)), default=None)
    option_type: _OptionType | None = yaml_key(not_null(one_of(_OptionType)), default=None)
    column_span: int | None = yaml_key(not_null(at_least(whole_number, 0)), default=None)
    columns: int | None = yaml_key(not_null(at_most(at_least(whole_number, 1), 4)), default=None)
    description: str | None = yaml_key(_optional_text, default=None)
    label: str | None = yaml_key(_optional_text, default=None)
    placeholder: str | None = yaml_key(_optional_text, default=None)
    search_placeholder: str | None = yaml_key(_optional_text, default=None)
    select_placeholder: str | None = yaml_key(_optional_text, default=None)
    description_side: _Side | None = yaml_key(not_null(one_of(_Side)), default=None)
    show_label: bool | None = yaml_key(_optional_flag, default=None)
    show_default: bool | None = yaml_key(_optional_flag, default=None)
    include_input: bool | None = yaml_key(_optional_flag, default=None)
    label_code: bool | None = yaml_key(_optional_flag, default=None)
    placeholder_code: bool | None = yaml_key(_optional_flag, default=None)
    description_code: bool | None = yaml_key(_optional_flag, default=None)
    search_placeholder_code: bool | None = yaml_key(_optional_flag, default=None)
    select_placeholder_code: bool | None = yaml_key(_optional_flag, default=None)
    min_text: float | None = yaml_key(_optional_number, default=None)
    max_text: float | None = yaml_key(_optional_number, default=None)
    min_tags: float | None = yaml_key(not_null(at_least(number, 0)), default=None)
    max_tags: float | None = yaml_key(not_null(at_least(number, 0)), default=None)


class CustomParams(Part):
    """How parameters are named, defaulted and shaped. An unknown key is an error."""

    is_closed = True

    default_params_endpoint: str = yaml_key(params_endpoint, default="custom")
    reasoning_format: _ReasoningFormat | None = yaml_key(
        not_null(one_of(_ReasoningFormat)), default=None
    )
    reasoning_key: _ReasoningKey | None = yaml_key(not_null(one_of(_ReasoningKey)), default=None)
    include_reasoning_content: bool = yaml_key(flag, default=False)
    include_reasoning_history: bool = yaml_key(flag, default=False)
    param_definitions: tuple[ParamDefinition, ...] = yaml_key(
        list_of(ParamDefinition.read, "a list of definitions"), default=()
    )
