"""`interface.currency`: what amounts are shown in beside USD. No account is kept in it.

Source: https://www.librechat.ai/docs/configuration/token_usage, 2026-11: `code` and a fixed `rate`
by which displayed USD are multiplied.
"""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticKnownError

from waystation.config.schema_params import Part
from waystation.config.schema_rules import broken_rule

MAX_CURRENCY_RATE = 1_000_000_000
_MAX_DIGITS = 18
_CODE = re.compile(r"[A-Za-z]{3}")


def _to_code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise broken_rule("expected the three letters of a currency, like EUR")
    return text.upper()


def _to_rate(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticKnownError("float_type")
    rate = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not (rate.is_finite() and 0 < rate <= MAX_CURRENCY_RATE):
        raise broken_rule(f"expected a number greater than 0, at most {MAX_CURRENCY_RATE}")
    if len(rate.normalize().as_tuple().digits) > _MAX_DIGITS:
        raise broken_rule(f"expected at most {_MAX_DIGITS} digits")
    return rate


class Currency(Part):
    """`rate` is what one USD is worth in it."""

    code: Annotated[str, AfterValidator(_to_code)]
    rate: Annotated[Decimal, BeforeValidator(_to_rate)]
