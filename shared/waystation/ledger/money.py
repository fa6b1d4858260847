"""Money as people read and write it; inside it is integer nano-USD, and nothing else."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from waystation.ledger.pricing import NANOUSD_PER_USD

MAX_USD = 1_000_000_000

_DECIMALS = len(str(NANOUSD_PER_USD)) - 1
_LAST_PLACE = Decimal(1).scaleb(-_DECIMALS)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_USD = re.compile(r"[+-]?[0-9]{1,10}(?:\.[0-9]{1,9})?", re.ASCII)


def usd_text(nanousd: int) -> str:
    """Return USD as a decimal text with all nine places: `-0.000000001`."""
    whole, rest = divmod(abs(nanousd), NANOUSD_PER_USD)
    return f"{'-' if nanousd < 0 else ''}{whole}.{rest:0{_DECIMALS}d}"


def converted_text(nanousd: int, rate: Decimal) -> str:
    """Return the amount in a currency of which one USD is worth `rate`, with nine places.

    It is for display: rounded half to even, and never an amount to reckon with.
    """
    exact = _EXACT.multiply(Decimal(nanousd).scaleb(-_DECIMALS, _EXACT), rate)
    return f"{exact.quantize(_LAST_PLACE, context=_EXACT):f}"


def parse_usd(text: str) -> int:
    """Return a decimal text of USD in nano-USD.

    Raises ValueError for what is no number, has more than nine places, or is beyond MAX_USD.
    """
    if not _USD.fullmatch(text):
        raise ValueError("expected USD with at most nine decimals, like 12.50")
    nanousd = int(_EXACT.multiply(Decimal(text), Decimal(NANOUSD_PER_USD)))
    if abs(nanousd) > MAX_USD * NANOUSD_PER_USD:
        raise ValueError(f"expected at most {MAX_USD} USD")
    return nanousd
