"""`interface.currency`: what amounts are shown in beside USD. No account is kept in it.

Source: https://www.librechat.ai/docs/configuration/token_usage, 2026-11: `code` and a fixed `rate`
by which displayed USD are multiplied.
"""

import re
from decimal import Decimal

from waystation.config.explain import found_instead
from waystation.config.parts import Part, refused, yaml_key
from waystation.config.readers import checked, text, then

MAX_CURRENCY_RATE = 1_000_000_000
_MAX_DIGITS = 18
_CODE = re.compile(r"[A-Za-z]{3}")


def _code_problem(code: str) -> str | None:
    return None if _CODE.fullmatch(code) else "expected the three letters of a currency, like EUR"


def _to_rate(found: object) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
        raise refused(found_instead("a number", found))
    rate = Decimal(repr(found)) if isinstance(found, float) else Decimal(found)
    if not (rate.is_finite() and 0 < rate <= MAX_CURRENCY_RATE):
        raise refused(f"expected a number greater than 0, at most {MAX_CURRENCY_RATE}")
    if len(rate.normalize().as_tuple().digits) > _MAX_DIGITS:
        raise refused(f"expected at most {_MAX_DIGITS} digits")
    return rate


class Currency(Part):
    """`rate` is what one USD is worth in it."""

    code: str = yaml_key(then(checked(text, _code_problem), str.upper))
    rate: Decimal = yaml_key(_to_rate)
