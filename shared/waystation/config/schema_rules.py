"""The rules for single values of an entry, as annotations for the models of `schema`.

Each says in plain words what was expected, and never what was found.
"""

import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, PydanticKnownError

from waystation.config import header_rules
from waystation.config.parameter_sets import PARAMETER_SETS
from waystation.config.references import placeholder_problem, variable_problem

BUILT_IN_NAMES = frozenset(
    [
        "openAI",
        "azureOpenAI",
        "google",
        "anthropic",
        "assistants",
        "azureAssistants",
        "agents",
        "bedrock",
        "custom",
    ]
)
MAX_NAME_LENGTH = 64
MAX_RATE = 1_000_000
MAX_RATE_DECIMALS = 9
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def broken_rule(message: str) -> PydanticCustomError:
    """Return the error to raise in a validator; `message` is shown as it is."""
    return PydanticCustomError("rule", "{message}", {"message": message})


def refuse_null(value: object) -> object:
    """Refuse an explicit null where a key may only be left out."""
    if value is None:
        raise broken_rule("expected a value, found nothing: give one or leave the key out")
    return value


def _check_text(find_problem: Callable[[str], str | None]) -> AfterValidator:
    def check(text: str) -> str:
        problem = find_problem(text)
        if problem:
            raise broken_rule(problem)
        return text

    return AfterValidator(check)


def _must_hold(*marks: str) -> AfterValidator:
    return _check_text(
        lambda text: (
            None
            if all(mark in text for mark in marks)
            else f"expected text that contains {' and '.join(marks)}"
        )
    )


def _name_problem(name: str) -> str | None:
    if not name:
        return "expected a name, found empty text"
    if len(name) > MAX_NAME_LENGTH:
        return f"expected at most {MAX_NAME_LENGTH} characters"
    if any(unicodedata.category(char) in _UNPRINTABLE_CATEGORIES for char in name):
        return "expected printable characters only"
    if name in BUILT_IN_NAMES:
        return "this is the name of a built-in endpoint; choose another"
    return None


def _secret_problem(text: str) -> str | None:
    if not text.strip():
        return "expected a key, ${NAME} or user_provided, found empty text"
    return variable_problem(text) or header_rules.value_problem(text.strip())


def _url_problem(text: str) -> str | None:
    if not text.strip():
        return "expected a URL, ${NAME} or user_provided, found empty text"
    return variable_problem(text)


def _header_value_problem(text: str) -> str | None:
    return (
        variable_problem(text)
        or placeholder_problem(text)
        or header_rules.value_problem(text.strip())
    )


def _header_name_problem(name: str) -> str | None:
    # LibreChat accepts an empty name and fails every call: so does `snapshot`, with a warning.
    return header_rules.name_problem(name) if name else None


def _params_endpoint_problem(name: str) -> str | None:
    if name in PARAMETER_SETS:
        return None
    return f"expected one of {', '.join(sorted(PARAMETER_SETS))}"


def _refuse_same_names(headers: dict[str, str]) -> dict[str, str]:
    if len({name.lower() for name in headers}) < len(headers):
        raise broken_rule("a header is given twice; upper and lower case count as the same")
    return headers


def _to_rate(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticKnownError("float_type")
    rate = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not (rate.is_finite() and 0 <= rate <= MAX_RATE):
        raise broken_rule(f"expected a number from 0 to {MAX_RATE}, in USD per million tokens")
    exponent = rate.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_RATE_DECIMALS:
        raise broken_rule(f"expected at most {MAX_RATE_DECIMALS} decimals")
    return rate


def _to_token_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticKnownError("float_type")
    if value <= 0 or value != value // 1:
        raise broken_rule("expected a positive whole number of tokens")
    return int(value)


class _ModelItem(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str
    description: Annotated[str | None, BeforeValidator(refuse_null)] = None


def _refuse_empty(models: tuple[str, ...]) -> tuple[str, ...]:
    if not models:
        raise broken_rule("expected at least one model")
    return models


def _to_model_name(item: object) -> object:
    return _ModelItem.model_validate(item).name if isinstance(item, Mapping) else item


class _KnownAddParams(BaseModel):
    model_config = ConfigDict(strict=True)

    web_search: bool = False


def _check_add_params(params: dict[str, object]) -> dict[str, object]:
    _KnownAddParams.model_validate(params)
    if not _is_json(params):
        raise broken_rule("expected text, numbers, booleans, null, lists and mappings only")
    return params


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, str | int)


Text: TypeAlias = Annotated[str | None, BeforeValidator(refuse_null)]
Flag: TypeAlias = Annotated[bool | None, BeforeValidator(refuse_null)]
Count: TypeAlias = Annotated[int | None, BeforeValidator(refuse_null), Field(gt=0)]
Texts: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]

Name: TypeAlias = Annotated[str, _check_text(_name_problem)]
Secret: TypeAlias = Annotated[str, _check_text(_secret_problem)]
Url: TypeAlias = Annotated[str, _check_text(_url_problem)]
ModelNames: TypeAlias = Annotated[
    tuple[Annotated[str, BeforeValidator(_to_model_name)], ...],
    Field(strict=False),
    AfterValidator(_refuse_empty),
]
Headers: TypeAlias = Annotated[
    dict[
        Annotated[str, _check_text(_header_name_problem)],
        Annotated[str, _check_text(_header_value_problem)],
    ],
    AfterValidator(_refuse_same_names),
]
AddParams: TypeAlias = Annotated[dict[str, object], AfterValidator(_check_add_params)]
ParamsEndpoint: TypeAlias = Annotated[str, _check_text(_params_endpoint_problem)]
TitlePrompt: TypeAlias = Annotated[str, _must_hold("{convo}")]
TitleTemplate: TypeAlias = Annotated[str, _must_hold("{input}", "{output}")]
Rate: TypeAlias = Annotated[Decimal, BeforeValidator(_to_rate)]
OptionalRate: TypeAlias = Annotated[Decimal | None, BeforeValidator(_to_rate)]
TokenCount: TypeAlias = Annotated[int, BeforeValidator(_to_token_count)]
