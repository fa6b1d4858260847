"""Request ids: ULIDs, sortable by time and strictly increasing within a process."""

import secrets
import time
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


class UlidSource:
    """Makes ids. `now_ms` is UTC milliseconds; `random_bits(n)` gives n random bits."""

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._last = 0

    def __call__(self) -> str:
        number = (self._now_ms() << _RANDOM_BITS) | self._random_bits(_RANDOM_BITS)
        if number <= self._last:  # the clock stood still or went back
            number = self._last + 1
        self._last = number
        return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
