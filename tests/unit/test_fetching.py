"""What is fetched beside the first request of a process."""

from collections.abc import Mapping

import pytest

from tests.support.config_entries import build_entry
from waystation.bootstrap.fetching import fetch_ahead
from waystation.config.snapshot import ConfigSnapshot
from waystation.errors import ConfigUnavailableError, GatewayError, SecretUnavailableError


class OneSnapshot:
    def __init__(self, *keys: str, error: GatewayError | None = None) -> None:
        entries = [build_entry(name=f"E{n}", apiKey=key) for n, key in enumerate(keys)]
        self._snapshot = ConfigSnapshot("v", tuple(entries), {}, frozenset())
        self._error = error

    async def snapshot(self) -> ConfigSnapshot:
        if self._error:
            raise self._error
        return self._snapshot


class Noting:
    def __init__(self, error: GatewayError | None = None) -> None:
        self.asked: list[set[str]] = []
        self._error = error

    async def resolve(self, names: set[str]) -> Mapping[str, str]:
        self.asked.append(names)
        if self._error:
            raise self._error
        return {}


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (("${A}", "${B}", "${A}"), [{"A", "B"}]),
        (("plain",), []),
        (tuple(f"${{N{n}}}" for n in range(10)), [{f"N{n}" for n in range(10)}]),
        (tuple(f"${{N{n}}}" for n in range(11)), []),
    ],
    ids=["two", "none", "one call", "two calls"],
)
async def test_secrets_of_the_entries_are_fetched_where_one_call_has_them(keys, asked):
    secrets = Noting()
    await fetch_ahead(OneSnapshot(*keys), secrets)
    assert secrets.asked == asked


async def test_what_cannot_be_had_is_left_to_who_needs_it():
    secrets = Noting(SecretUnavailableError("down"))
    await fetch_ahead(OneSnapshot("${A}"), secrets)
    assert secrets.asked == [{"A"}]
    await fetch_ahead(OneSnapshot("${A}", error=ConfigUnavailableError()), secrets)
    assert secrets.asked == [{"A"}]
