"""One entry of `endpoints.custom`, checked and frozen.

The page that documents the entry gives the keys and the defaults. Nothing is coerced: a number is
not text, "true" is not true, and an explicit null is not an absent key. Unknown keys are ignored,
as LibreChat does. `${NAME}` and placeholders are checked here and filled in by `templates`.
"""

from collections.abc import Container, Mapping, Set
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

from waystation.config import schema_rules as rules
from waystation.config.parameter_rules import choose_set, complete_definitions
from waystation.config.parts import Part, RefusedError, yaml_key
from waystation.config.readers import (
    at_least,
    flag,
    list_of,
    mapping_of,
    more_than,
    not_null,
    number,
    one_of,
    text,
    whole_number,
)
from waystation.config.references import USER_FIELDS
from waystation.config.schema_params import CustomParams, ParamDefinition, Range
from waystation.config.schema_rules import BUILT_IN_NAMES
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
_Provider: TypeAlias = Literal["anthropic"]
_ThinkTags: TypeAlias = Literal["split", "keep"]

_optional_text = not_null(text)
_optional_flag = not_null(flag)
_optional_count = not_null(more_than(whole_number, 0))


class Models(Part):
    """The models an endpoint offers."""

    default: tuple[str, ...] = yaml_key(rules.model_names)
    fetch: bool = yaml_key(flag, default=False)
    user_id_query: bool = yaml_key(flag, default=False)


class TokenRates(Part):
    """What a model's tokens cost, in USD per million, and how many it takes."""

    prompt: Decimal = yaml_key(rules.rate)
    completion: Decimal = yaml_key(rules.rate)
    context: int = yaml_key(rules.token_count)
    cache_read: Decimal | None = yaml_key(rules.rate, default=None)
    cache_write: Decimal | None = yaml_key(rules.rate, default=None)
    cache_write_1h: Decimal | None = yaml_key(rules.rate, name="cacheWrite1h", default=None)


class Extension(Part):
    """`waystation`, the one key that is ours; LibreChat ignores it.

    `thinkTags` says whether `<think>` blocks in the text of an answer are split off as reasoning;
    unset, they are, except where `uiDefaults` is true.
    """

    is_closed = True

    ui_defaults: bool = yaml_key(flag, default=False)
    think_tags: _ThinkTags | None = yaml_key(not_null(one_of(_ThinkTags)), default=None)


class Endpoint(TitleSettings):
    """One endpoint as its operator wrote it, with the documented defaults."""

    name: str = yaml_key(rules.name)
    api_key: str = yaml_key(rules.secret)
    base_url: str = yaml_key(rules.url, name="baseURL")
    models: Models = yaml_key(Models.read)
    provider: _Provider | None = yaml_key(not_null(one_of(_Provider)), default=None)
    headers: dict[str, str] = yaml_key(rules.headers, default_factory=dict)
    add_params: dict[str, object] = yaml_key(rules.add_params, default_factory=dict)
    drop_params: tuple[str, ...] = yaml_key(list_of(text), default=())
    custom_params: CustomParams = yaml_key(CustomParams.read, default=CustomParams())
    token_config: dict[str, TokenRates] = yaml_key(
        mapping_of(TokenRates.read), default_factory=dict
    )
    direct_endpoint: bool = yaml_key(flag, default=False)
    waystation: Extension = yaml_key(Extension.read, default=Extension())

    icon_url: str = yaml_key(text, name="iconURL", default="")
    model_display_label: str = yaml_key(text, default="AI")

    # LibreChat's interface alone uses these; they are only checked.
    api_key_preview: str | None = yaml_key(_optional_text, default=None)
    stream_rate: float | None = yaml_key(not_null(at_least(number, 0)), default=None)
    max_tool_result_chars: float | None = yaml_key(not_null(more_than(number, 0)), default=None)
    activity_label: bool | None = yaml_key(_optional_flag, default=None)
    activity_model: str | None = yaml_key(_optional_text, default=None)
    activity_endpoint: str | None = yaml_key(_optional_text, default=None)
    activity_prompt: str | None = yaml_key(_optional_text, default=None)
    activity_max_per_run: int | None = yaml_key(_optional_count, default=None)
    activity_char_limit: int | None = yaml_key(_optional_count, default=None)
    activity_phase_label: bool | None = yaml_key(_optional_flag, default=None)
    activity_phase_model: str | None = yaml_key(_optional_text, default=None)
    activity_phase_endpoint: str | None = yaml_key(_optional_text, default=None)
    activity_phase_prompt: str | None = yaml_key(_optional_text, default=None)
    activity_phase_max_per_run: int | None = yaml_key(_optional_count, default=None)
    reasoning_label: bool | None = yaml_key(_optional_flag, default=None)
    reasoning_label_model: str | None = yaml_key(_optional_text, default=None)
    reasoning_label_endpoint: str | None = yaml_key(_optional_text, default=None)
    reasoning_label_prompt: str | None = yaml_key(_optional_text, default=None)
    reasoning_label_min_chars: int | None = yaml_key(_optional_count, default=None)
    reasoning_label_update_chars: int | None = yaml_key(_optional_count, default=None)
    reasoning_label_update_interval_ms: int | None = yaml_key(
        not_null(at_least(whole_number, 0)), default=None
    )
    reasoning_label_max_per_run: int | None = yaml_key(_optional_count, default=None)

    @classmethod
    def _look_together(cls, values: dict[str, object], wrong: Set[str]) -> None:
        """Complete the definitions of parameters, unless what decides their set is wrong."""
        params = values.get("custom_params")
        if not isinstance(params, CustomParams) or not params.param_definitions:
            return
        if not wrong.isdisjoint(_DECIDE_THE_SET):
            return
        provider, name, base_url = map(values.get, _DECIDE_THE_SET)
        definitions, problems = complete_definitions(
            params.param_definitions,
            choose_set(
                params.default_params_endpoint,
                provider=cast("str | None", provider),
                name=cast("str", name),
                base_url=cast("str", base_url),
            ),
        )
        if problems:
            base = ("customParams", "paramDefinitions")
            raise RefusedError({(*base, *path): text for path, text in problems.items()})
        values["custom_params"] = params.replaced(param_definitions=definitions)

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
        return self.replaced(
            add_params=kept | added,
            custom_params=custom.replaced(param_definitions=tuple(definitions)),
        )

    @property
    def splits_think_tags(self) -> bool:
        """Whether `<think>` blocks in the text of an answer are split off as reasoning."""
        chosen = self.waystation.think_tags
        return chosen == "split" if chosen else not self.waystation.ui_defaults
