"""LibreChat's parameter sets: which keys `paramDefinitions` may have, and what they are without it.

Texts of the interface are left out. Source:
https://github.com/danny-avila/LibreChat/blob/main/packages/data-provider/src/parameterSettings.ts
as of package librechat-data-provider 0.8.524, 2026-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

ParameterType: TypeAlias = Literal["number", "boolean", "string", "enum", "array"]
Component: TypeAlias = Literal[
    "input", "textarea", "slider", "checkbox", "switch", "dropdown", "combobox", "tags"
]


class Bounds(NamedTuple):
    """The least and the greatest value of a number, and how far apart a slider's values are."""

    min: float
    max: float
    step: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a set; None and the empty tuple mean that there is no such rule."""

    key: str
    type: ParameterType
    component: Component
    default: int | float | bool | str | tuple[str, ...] | None = None
    range: Bounds | None = None
    options: tuple[str, ...] | None = None
    min_tags: int | None = None
    max_tags: int | None = None

    @property
    def mapped_options(self) -> tuple[str, ...] | None:
        """The options that the interface shows by a text of its own; None: it needs no texts."""
        return self.options if self.component == "slider" else None


def _text(key: str, component: Component = "input", default: str | None = "") -> Parameter:
    return Parameter(key, "string", component, default)


def _number(key: str, default: float | None = None, bounds: Bounds | None = None) -> Parameter:
    return Parameter(key, "number", "input", default, bounds)


def _slider(
    key: str, default: float | None = None, low: float = 0, high: float = 1, step: float = 0.01
) -> Parameter:
    return Parameter(key, "number", "slider", default, Bounds(low, high, step))


def _switch(key: str, default: bool = False) -> Parameter:
    return Parameter(key, "boolean", "switch", default)


def _choice(key: str, *options: str, default: str = "") -> Parameter:
    return Parameter(key, "enum", "slider", default, options=options)


_MODEL_LABEL = _text("modelLabel")
_PROMPT_PREFIX = _text("promptPrefix", "textarea")
_SYSTEM = _text("system", "textarea")
_REGION = _text("region", "combobox", None)
_MAX_CONTEXT_TOKENS = _number("maxContextTokens")
_MAX_TOKENS = _number("maxTokens")
_FILE_TOKEN_LIMIT = _number("fileTokenLimit")
_STOP = Parameter("stop", "array", "tags", (), min_tags=0, max_tags=4)
_RESEND_FILES = _switch("resendFiles", default=True)
_WEB_SEARCH = _switch("web_search")
_THINKING = _switch("thinking", default=True)
_THINKING_BUDGET = _number("thinkingBudget", 2000, Bounds(1024, 200_000, 100))
_EFFORT = _choice("effort", "", "low", "medium", "high", "xhigh", "max")
_THINKING_DISPLAY = _choice("thinkingDisplay", "auto", "summarized", "omitted", default="auto")
_PROMPT_CACHE = (
    _switch("promptCache", default=True),
    Parameter("promptCacheTtl", "enum", "combobox", options=("5m", "1h")),
)

_LABELS = (_MODEL_LABEL, _PROMPT_PREFIX, _MAX_CONTEXT_TOKENS)

_OPENAI = (
    *_LABELS,
    _number("max_tokens"),
    _slider("temperature", 1, 0, 2),
    _slider("top_p", 1),
    _slider("frequency_penalty", 0, -2, 2),
    _slider("presence_penalty", 0, -2, 2),
    _STOP,
    _RESEND_FILES,
    _choice("imageDetail", "low", "auto", "high", default="auto"),
    _WEB_SEARCH,
    _choice("reasoning_effort", "", "none", "minimal", "low", "medium", "high", "xhigh", "max"),
    _switch("useResponsesApi"),
    _choice("reasoning_summary", "", "auto", "concise", "detailed"),
    _choice("reasoning_mode", "", "standard", "pro"),
    _choice("reasoning_context", "", "auto", "current_turn", "all_turns"),
    _choice("verbosity", "", "low", "medium", "high"),
    _switch("disableStreaming"),
    _FILE_TOKEN_LIMIT,
)
_ANTHROPIC = (
    *_LABELS,
    _number("maxOutputTokens", bounds=Bounds(1, 128_000, 1)),
    _slider("temperature", 1),
    _slider("topP", 0.7),
    _slider("topK", 5, 1, 40, 1),
    _RESEND_FILES,
    *_PROMPT_CACHE,
    _THINKING,
    _THINKING_BUDGET,
    _EFFORT,
    _THINKING_DISPLAY,
    _WEB_SEARCH,
    _FILE_TOKEN_LIMIT,
)
_GOOGLE = (
    _MODEL_LABEL,
    _PROMPT_PREFIX,
    _number("maxContextTokens", bounds=Bounds(10, 2_000_000, 1000)),
    _number("maxOutputTokens", 8192, Bounds(1, 65_535, 1)),
    _slider("temperature", 1, 0, 2),
    _slider("topP", 0.95),
    _slider("topK", 40, 1, 40, 1),
    _RESEND_FILES,
    _THINKING,
    _number("thinkingBudget", bounds=Bounds(-1, 32_000, 1)),
    _choice("thinkingLevel", "", "minimal", "low", "medium", "high"),
    _WEB_SEARCH,
    _switch("url_context"),
    _FILE_TOKEN_LIMIT,
)
_BEDROCK_ANTHROPIC = (
    _MODEL_LABEL,
    _SYSTEM,
    _MAX_CONTEXT_TOKENS,
    _MAX_TOKENS,
    _slider("temperature", 1),
    _slider("topP", 0.999),
    _slider("topK", 5, 0, 500, 1),
    _STOP,
    _RESEND_FILES,
    _REGION,
    *_PROMPT_CACHE,
    _THINKING,
    _THINKING_BUDGET,
    _EFFORT,
    _THINKING_DISPLAY,
    _FILE_TOKEN_LIMIT,
)
_BEDROCK_MISTRAL = (
    *_LABELS,
    _MAX_TOKENS,
    _slider("temperature", 0.7),
    _slider("topP"),
    _RESEND_FILES,
    _REGION,
    _FILE_TOKEN_LIMIT,
)
_BEDROCK_COHERE = (
    *_LABELS,
    _MAX_TOKENS,
    _slider("temperature", 0.3),
    _slider("topP", 0.75, 0.01, 0.99),
    _RESEND_FILES,
    _REGION,
    _FILE_TOKEN_LIMIT,
)
_BEDROCK_GENERAL = (
    *_LABELS,
    _slider("temperature", 0.5),
    _slider("topP", 0.9),
    _RESEND_FILES,
    _REGION,
)
_BEDROCK_EFFORT = _choice("reasoning_effort", "", "low", "medium", "high")
_BEDROCK_CACHING = (*_BEDROCK_GENERAL, *_PROMPT_CACHE, _FILE_TOKEN_LIMIT)
_BEDROCK_MOONSHOT = (
    _MODEL_LABEL,
    _SYSTEM,
    _MAX_CONTEXT_TOKENS,
    _number("maxTokens", 16_384),
    _slider("temperature", 1),
    _slider("topP", 0.999),
    _STOP,
    _RESEND_FILES,
    _REGION,
    _BEDROCK_EFFORT,
    _FILE_TOKEN_LIMIT,
)


def _by_key(parameters: tuple[Parameter, ...]) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.key: parameter for parameter in parameters})


# By the name that `defaultParamsEndpoint` gives; a set is its parameters by key.
PARAMETER_SETS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "custom": _by_key(_OPENAI),
        "openAI": _by_key(_OPENAI),
        "azureOpenAI": _by_key(_OPENAI),
        "openrouter": _by_key((*_OPENAI, *_PROMPT_CACHE)),
        "anthropic": _by_key(_ANTHROPIC),
        "google": _by_key(_GOOGLE),
        "bedrock-anthropic": _by_key(_BEDROCK_ANTHROPIC),
        "bedrock-mistral": _by_key(_BEDROCK_MISTRAL),
        "bedrock-cohere": _by_key(_BEDROCK_COHERE),
        "bedrock-meta": _by_key(_BEDROCK_CACHING),
        "bedrock-ai21": _by_key(_BEDROCK_CACHING),
        "bedrock-amazon": _by_key(_BEDROCK_CACHING),
        "bedrock-openai": _by_key(_BEDROCK_CACHING),
        "bedrock-deepseek": _by_key(_BEDROCK_CACHING),
        "bedrock-moonshot": _by_key(_BEDROCK_MOONSHOT),
        "bedrock-moonshotai": _by_key(_BEDROCK_MOONSHOT),
        "bedrock-zai": _by_key((*_BEDROCK_GENERAL, _BEDROCK_EFFORT, _FILE_TOKEN_LIMIT)),
    }
)
