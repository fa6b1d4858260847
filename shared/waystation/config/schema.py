"""One entry of `endpoints.custom`, checked and frozen.

The page that documents the entry gives the keys and the defaults. Nothing is coerced: a number is
not text, "true" is not true, and an explicit null is not an absent key. Unknown keys are ignored,
as LibreChat does. `${NAME}` and placeholders are checked here and filled in by `templates`.
"""

from collections.abc import Container, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails

from waystation.config.parameter_rules import choose_set, complete_definitions
from waystation.config.references import USER_FIELDS
from waystation.config.schema_params import CustomParams, ParamDefinition, Part, Range
from waystation.config.schema_rules import (
    BUILT_IN_NAMES,
    AddParams,
    Count,
    Flag,
    Headers,
    ModelNames,
    Name,
    OptionalRate,
    Rate,
    Secret,
    Text,
    Texts,
    TokenCount,
    Url,
    broken_rule,
    refuse_null,
)
from waystation.config.schema_titles import TitleSettings

__all__ = [
    "BUILT_IN_NAMES",
    "USER_FIELDS",
    "USER_PROVIDED",
    "CustomParams",
    "Endpoint",
    "Extension",
    "Models",
    "ParamDefinition",
    "Range",
    "TokenRates",
]

USER_PROVIDED = "user_provided"
_DECIDE_THE_SET = ("provider", "name", "base_url")


class Models(Part):
    """The models an endpoint offers."""

    default: ModelNames
    fetch: bool = False
    user_id_query: bool = False


class TokenRates(Part):
    """What a model's tokens cost, in USD per million, and how many it takes."""

    prompt: Rate
    completion: Rate
    context: TokenCount
    cache_read: OptionalRate = None
    cache_write: OptionalRate = None
    cache_write_1h: Annotated[OptionalRate, Field(alias="cacheWrite1h")] = None


class Extension(Part):
    """`waystation`, the one key that is ours; LibreChat ignores it.

    `thinkTags` says whether `<think>` blocks in the text of an answer are split off as reasoning;
    unset, they are, except where `uiDefaults` is true.
    """

    model_config = ConfigDict(extra="forbid")

    ui_defaults: bool = False
    think_tags: Annotated[Literal["split", "keep"] | None, BeforeValidator(refuse_null)] = None


class Endpoint(TitleSettings):
    """One endpoint as its operator wrote it, with the documented defaults."""

    name: Name
    api_key: Secret
    base_url: Annotated[Url, Field(alias="baseURL")]
    models: Models
    provider: Annotated[Literal["anthropic"] | None, BeforeValidator(refuse_null)] = None
    headers: Headers = Field(default_factory=dict)
    add_params: AddParams = Field(default_factory=dict)
    drop_params: Texts = ()
    custom_params: CustomParams = CustomParams()
    token_config: dict[str, TokenRates] = Field(default_factory=dict)
    direct_endpoint: bool = False
    waystation: Extension = Extension()

    icon_url: Annotated[str, Field(alias="iconURL")] = ""
    model_display_label: str = "AI"

    # LibreChat's interface alone uses these; they are only checked.
    api_key_preview: Text = None
    stream_rate: Annotated[
        float | None, BeforeValidator(refuse_null), Field(ge=0, allow_inf_nan=False)
    ] = None
    max_tool_result_chars: Annotated[
        float | None, BeforeValidator(refuse_null), Field(gt=0, allow_inf_nan=False)
    ] = None
    activity_label: Flag = None
    activity_model: Text = None
    activity_endpoint: Text = None
    activity_prompt: Text = None
    activity_max_per_run: Count = None
    activity_char_limit: Count = None
    activity_phase_label: Flag = None
    activity_phase_model: Text = None
    activity_phase_endpoint: Text = None
    activity_phase_prompt: Text = None
    activity_phase_max_per_run: Count = None
    reasoning_label: Flag = None
    reasoning_label_model: Text = None
    reasoning_label_endpoint: Text = None
    reasoning_label_prompt: Text = None
    reasoning_label_min_chars: Count = None
    reasoning_label_update_chars: Count = None
    reasoning_label_update_interval_ms: Annotated[
        int | None, BeforeValidator(refuse_null), Field(ge=0)
    ] = None
    reasoning_label_max_per_run: Count = None

    @field_validator("custom_params")
    @classmethod
    def _complete_definitions(cls, params: CustomParams, info: ValidationInfo) -> CustomParams:
        others = {key: info.data[key] for key in _DECIDE_THE_SET if key in info.data}
        if not params.param_definitions or len(others) < len(_DECIDE_THE_SET):
            return params  # one of the others is wrong, so the set is not known
        definitions, problems = complete_definitions(
            params.param_definitions, choose_set(params.default_params_endpoint, **others)
        )
        if problems:
            details = [
                InitErrorDetails(
                    type=broken_rule(message), loc=("paramDefinitions", *path), input=None
                )
                for path, message in problems.items()
            ]
            raise ValidationError.from_exception_data(cls.__name__, details)
        return params.model_copy(update={"param_definitions": definitions})

    @property
    def params_endpoint(self) -> str:
        """The parameter set: as it was chosen, else the one of the provider or of OpenRouter."""
        chosen = self.custom_params.default_params_endpoint
        return choose_set(chosen, provider=self.provider, name=self.name, base_url=self.base_url)

    @cached_property
    def param_defaults(self) -> Mapping[str, object]:
        """The default of each parameter with a definition: the last one that is given.

        A built-in default counts; empty text is none. Lists are tuples.
        """
        definitions = self.custom_params.param_definitions
        defaults = {one.key: one.default for one in definitions if one.default is not None}
        return MappingProxyType({key: value for key, value in defaults.items() if value != ""})

    def without_params(self, names: Container[str], **added: object) -> "Endpoint":
        """Return the entry without these names among addParams and definitions; `added` is new."""
        kept = {name: value for name, value in self.add_params.items() if name not in names}
        custom = self.custom_params
        definitions = [one for one in custom.param_definitions if one.key not in names]
        copy = self.model_copy(
            update={
                "add_params": kept | added,
                "custom_params": custom.model_copy(
                    update={"param_definitions": tuple(definitions)}
                ),
            }
        )
        copy.__dict__.pop("param_defaults", None)  # computed from the definitions before
        return copy

    @property
    def splits_think_tags(self) -> bool:
        """Whether `<think>` blocks in the text of an answer are split off as reasoning."""
        chosen = self.waystation.think_tags
        return chosen == "split" if chosen else not self.waystation.ui_defaults
