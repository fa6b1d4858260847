"""`customParams` of an entry: parameter set, shape of reasoning, definitions of parameters.

A definition is checked by itself here; `parameter_rules` compares it with its set.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from waystation.config.parameter_sets import Bounds, Component, ParameterType
from waystation.config.schema_rules import (
    Flag,
    ParamsEndpoint,
    Text,
    Texts,
    broken_rule,
    refuse_null,
)

Number: TypeAlias = Annotated[
    float | None, BeforeValidator(refuse_null), Field(allow_inf_nan=False)
]
Default: TypeAlias = int | float | bool | str | tuple[str, ...]


def _to_default(value: object) -> object:
    """Leave one error for a union that would otherwise report each of its arms."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, int | float | str | tuple):
        return value
    raise broken_rule("expected text, a number, true, false or a list of strings")


class Part(BaseModel):
    """Base of everything in an entry: camelCase keys, no coercion, unknown keys ignored."""

    model_config = ConfigDict(strict=True, frozen=True, alias_generator=to_camel)


class Range(Part):
    """Where a number begins and ends; below `positiveMin` only `min` itself is in it."""

    min: float = Field(allow_inf_nan=False)
    max: float = Field(allow_inf_nan=False)
    step: Number = None
    positive_min: Number = None

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        """Return the range of a built-in parameter."""
        return cls(min=bounds.min, max=bounds.max, step=bounds.step)

    @field_validator("positive_min")
    @classmethod
    def _check_floor(cls, floor: float | None, info: ValidationInfo) -> float | None:
        if floor is not None and floor > info.data.get("max", floor):
            raise broken_rule("expected a number that is not greater than max")
        return floor


class ParamDefinition(Part):
    """One parameter: its key, its default, and what LibreChat's interface shows of it.

    In an `Endpoint` it is complete: what it leaves out comes from the built-in parameter.
    """

    key: str
    default: Annotated[Default | None, BeforeValidator(_to_default)] = None
    type: Annotated[ParameterType | None, BeforeValidator(refuse_null)] = None
    range: Annotated[Range | None, BeforeValidator(refuse_null)] = None
    options: Annotated[Texts | None, BeforeValidator(refuse_null)] = None
    enum_mappings: Annotated[
        dict[str, int | float | bool | str] | None, BeforeValidator(refuse_null)
    ] = None
    component: Annotated[Component | None, BeforeValidator(refuse_null)] = None
    option_type: Annotated[
        Literal["conversation", "model", "custom"] | None, BeforeValidator(refuse_null)
    ] = None
    column_span: Annotated[int | None, BeforeValidator(refuse_null), Field(ge=0)] = None
    columns: Annotated[int | None, BeforeValidator(refuse_null), Field(ge=1, le=4)] = None
    description: Text = None
    label: Text = None
    placeholder: Text = None
    search_placeholder: Text = None
    select_placeholder: Text = None
    description_side: Annotated[
        Literal["top", "right", "bottom", "left"] | None, BeforeValidator(refuse_null)
    ] = None
    show_label: Flag = None
    show_default: Flag = None
    include_input: Flag = None
    label_code: Flag = None
    placeholder_code: Flag = None
    description_code: Flag = None
    search_placeholder_code: Flag = None
    select_placeholder_code: Flag = None
    min_text: Number = None
    max_text: Number = None
    min_tags: Annotated[float | None, BeforeValidator(refuse_null), Field(ge=0)] = None
    max_tags: Annotated[float | None, BeforeValidator(refuse_null), Field(ge=0)] = None


class CustomParams(Part):
    """How parameters are named, defaulted and shaped. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid")

    default_params_endpoint: ParamsEndpoint = "custom"
    reasoning_format: Annotated[
        Literal["disabled", "reasoning_effort", "reasoning_object"] | None,
        BeforeValidator(refuse_null),
    ] = None
    reasoning_key: Annotated[
        Literal["reasoning", "reasoning_content"] | None, BeforeValidator(refuse_null)
    ] = None
    include_reasoning_content: bool = False
    include_reasoning_history: bool = False
    param_definitions: Annotated[tuple[ParamDefinition, ...], Field(strict=False)] = ()
