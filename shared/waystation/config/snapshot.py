"""The configuration that one request uses from start to end."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from waystation.config.inspection import ConfigProblem, Findings, inspect
from waystation.config.schema import Endpoint
from waystation.config.schema_balance import BalanceSettings
from waystation.config.schema_titles import TitleSettings

__all__ = [
    "ConfigProblem",
    "ConfigRejectedError",
    "ConfigSnapshot",
    "Findings",
    "SnapshotSource",
    "build_snapshot",
    "inspect",
]

VERSION_LENGTH = 12
# LibreChat finds these endpoints whatever the case of the name asked for.
CASELESS_NAMES = frozenset({"ollama", "xai", "deepseek", "openrouter", "moonshot"})

_ValueT = TypeVar("_ValueT")


class ConfigRejectedError(ValueError):
    """The file as a whole is unusable."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("the configuration file is unusable")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ConfigSnapshot:
    """The usable endpoints, and by name the first problem of each unusable entry.

    `errors` are all mistakes of the file, none of which makes the whole of it unusable.
    `shows_prices` says whether LibreChat's interface shows users what a model costs.
    `balance` limits what users may spend, None where nothing does.
    """

    version: str
    endpoints: tuple[Endpoint, ...]
    broken: Mapping[str, ConfigProblem]
    allowed_addresses: frozenset[str]
    titles: Mapping[str, TitleSettings | ConfigProblem] = field(default_factory=dict)
    shows_prices: bool = False
    errors: tuple[ConfigProblem, ...] = ()
    balance: BalanceSettings | None = None

    def title_settings(self, endpoint: Endpoint) -> TitleSettings | ConfigProblem:
        """Return how chats of an endpoint get titles, or why its settings cannot be used.

        `endpoints.all` stands before the section of a built-in endpoint, and that before the entry.
        """
        section = self.titles.get("all") or self.titles.get(endpoint.name)
        return (
            endpoint.behind(section) if isinstance(section, TitleSettings) else section or endpoint
        )

    def beside(self, built_ins: Sequence[Endpoint]) -> "ConfigSnapshot":
        """Return a snapshot with the built-in endpoints after those of the file."""
        return replace(self, endpoints=(*self.endpoints, *built_ins)) if built_ins else self

    def endpoint(self, name: str) -> Endpoint | None:
        """Return the usable endpoint that a client means by `name`."""
        return _find(name, {endpoint.name: endpoint for endpoint in self.endpoints})

    def problem(self, name: str) -> ConfigProblem | None:
        """Return why the entry that a client means by `name` is unusable."""
        return None if self.endpoint(name) else _find(name, self.broken)


class SnapshotSource(Protocol):
    """What use cases ask for the configuration; `reload.ConfigLoader` is one."""

    async def snapshot(self) -> ConfigSnapshot:
        """Return the configuration in force. Raises ConfigUnavailableError."""


def build_snapshot(document: bytes) -> ConfigSnapshot:
    """Return the snapshot of a file.

    Raises:
        ConfigRejectedError: the file as a whole is unusable.

    """
    findings = inspect(document)
    if findings.file_errors:
        raise ConfigRejectedError(findings.file_errors)
    return ConfigSnapshot(
        version=hashlib.sha256(document).hexdigest()[:VERSION_LENGTH],
        endpoints=findings.endpoints,
        broken=findings.broken,
        allowed_addresses=findings.allowed_addresses,
        titles=findings.titles,
        shows_prices=findings.shows_prices,
        errors=findings.errors,
        balance=findings.balance,
    )


def _find(name: str, by_name: Mapping[str, _ValueT]) -> _ValueT | None:
    if name in by_name or name.lower() not in CASELESS_NAMES:
        return by_name.get(name)
    return next((v for known, v in by_name.items() if known.lower() == name.lower()), None)
