"""The rules for single values of an entry, as readers for the parts of `schema`."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from waystation.config import header_rules
from waystation.config.explain import found_instead
from waystation.config.parameter_sets import PARAMETER_SETS
from waystation.config.parts import Part, Reader, refused, yaml_key
from waystation.config.readers import checked, flag, list_of, mapping_of, not_null, text, then
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


def _must_hold(*marks: str) -> Reader[str]:
    message = f"expected text that contains {' and '.join(marks)}"
    return checked(text, lambda told: None if all(mark in told for mark in marks) else message)


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
        raise refused("a header is given twice; upper and lower case count as the same")
    return headers


def rate(value: object) -> Decimal:
    """Read a price in USD per million tokens."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise refused(found_instead("a number", value))
    told = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not (told.is_finite() and 0 <= told <= MAX_RATE):
        raise refused(f"expected a number from 0 to {MAX_RATE}, in USD per million tokens")
    exponent = told.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_RATE_DECIMALS:
        raise refused(f"expected at most {MAX_RATE_DECIMALS} decimals")
    return told


def token_count(value: object) -> int:
    """Read a number of tokens."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(found_instead("a number", value))
    if value <= 0 or value != value // 1:
        raise refused("expected a positive whole number of tokens")
    return int(value)


class _ModelItem(Part):
    name: str = yaml_key(text)
    description: str | None = yaml_key(not_null(text), default=None)


def _to_model_name(item: object) -> str:
    return _ModelItem.read(item).name if isinstance(item, Mapping) else text(item)


class _KnownAddParams(Part):
    web_search: bool = yaml_key(flag, name="web_search", default=False)


def _check_add_params(params: dict[str, object]) -> dict[str, object]:
    _KnownAddParams.read(params)
    if not _is_json(params):
        raise refused("expected text, numbers, booleans, null, lists and mappings only")
    return params


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, str | int)


name = checked(text, _name_problem)
secret = checked(text, _secret_problem)
url = checked(text, _url_problem)
model_names = checked(
    list_of(_to_model_name, "a list of model names"),
    lambda models: None if models else "expected at least one model",
)
headers = then(
    mapping_of(checked(text, _header_value_problem), checked(text, _header_name_problem)),
    _refuse_same_names,
)
add_params = then(mapping_of(lambda value: value), _check_add_params)
params_endpoint = checked(text, _params_endpoint_problem)
title_prompt = _must_hold("{convo}")
title_template = _must_hold("{input}", "{output}")
