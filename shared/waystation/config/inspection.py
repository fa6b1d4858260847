"""Checks the operator's file as a whole and reports everything at once.

A mistake in one entry disables that entry; only a file that cannot be used at all is rejected.
Other sections of a librechat.yaml are left alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from waystation.config import advice
from waystation.config.explain import Path, explain, format_path, name_type
from waystation.config.schema import Endpoint
from waystation.config.schema_balance import (
    BalanceSettings,
    parse_balance_settings,
    unknown_keys,
)
from waystation.config.schema_titles import TITLE_SECTIONS, TitleSettings
from waystation.config.yaml_reader import YamlDocument, YamlError, read_yaml

_BALANCE = "balance"
_CUSTOM = ("endpoints", "custom")
_ADDRESSES = ("endpoints", "allowedAddresses")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_MAX_PORT = 65_535
_PartT = TypeVar("_PartT", bound=TitleSettings)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake; neither path nor message holds a configured value."""

    path: str
    message: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Findings:
    """All there is to say about a file, in the order of its lines.

    `file_errors`, which are among `errors`, make the whole file unusable. `broken` maps the name of
    each unusable entry to its first problem. `titles` maps `all` and built-in endpoints to what
    their sections say of titles, or to the first problem there. `shows_prices` is what the file's
    `interface.contextCost` says. `balance` is None where none is enforced.
    """

    errors: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]
    file_errors: tuple[ConfigProblem, ...]
    endpoints: tuple[Endpoint, ...]
    broken: Mapping[str, ConfigProblem]
    allowed_addresses: frozenset[str]
    titles: Mapping[str, TitleSettings | ConfigProblem] = field(default_factory=dict)
    shows_prices: bool = False
    balance: BalanceSettings | None = None


def inspect(document: bytes) -> Findings:
    """Return the usable entries of a file, its mistakes, and what looks unintended."""
    try:
        yaml = read_yaml(document)
    except YamlError as error:
        problem = ConfigProblem("", error.problem, error.line)
        return Findings((problem,), (), (problem,), (), MappingProxyType({}), frozenset())
    inspection = _Inspection(yaml)
    inspection.check_file()
    return inspection.findings()


class _Inspection:
    """Collects what is found while the file is walked through."""

    def __init__(self, yaml: YamlDocument) -> None:
        self._yaml = yaml
        self._doubts = _doubts_by_entry(yaml.doubts)
        self._errors: list[ConfigProblem] = []
        self._warnings: list[ConfigProblem] = []
        self._file_errors: list[ConfigProblem] = []
        self._endpoints: dict[int, Endpoint] = {}
        self._broken: dict[str, ConfigProblem] = {}
        self._owners: dict[str, int] = {}
        self._names: set[str] = set()
        self._addresses: frozenset[str] = frozenset()
        self._titles: dict[str, TitleSettings | ConfigProblem] = {}
        self._shows_prices = False
        self._balance: BalanceSettings | None = None

    def findings(self) -> Findings:
        usable = {endpoint.name for endpoint in self._endpoints.values()}
        broken = {name: problem for name, problem in self._broken.items() if name not in usable}
        return Findings(
            errors=_by_line(self._errors),
            warnings=_by_line(self._warnings),
            file_errors=_by_line(self._file_errors),
            endpoints=tuple(self._endpoints.values()),
            broken=MappingProxyType(broken),
            allowed_addresses=self._addresses,
            titles=MappingProxyType(self._titles),
            shows_prices=self._shows_prices,
            balance=self._balance,
        )

    def check_file(self) -> None:
        root = self._yaml.value
        if not isinstance(root, dict):
            self._reject_file((), f"expected a mapping with endpoints, found {name_type(root)}")
            return
        for key in root:
            if key not in advice.ROOT_KEYS:
                self._warn((key,), "unknown key, ignored")
        if "balance" in root:
            self._check_balance(root["balance"])
        interface = root.get("interface")
        self._shows_prices = isinstance(interface, dict) and interface.get("contextCost") is True
        sections = root.get("endpoints", {})
        if not isinstance(sections, dict):
            self._reject_file(("endpoints",), f"expected a mapping, found {name_type(sections)}")
            return
        self._check_addresses(sections.get("allowedAddresses", []))
        for name in TITLE_SECTIONS:
            if name in sections:
                self._check_titles(name, sections[name])
        if "custom" in sections:
            self._check_entries(sections["custom"])
        else:
            self._warn(("endpoints",), "there is no endpoints.custom, so nothing is served")

    def _check_balance(self, section: object) -> None:
        """Reject the file for a mistake: without its limits, more would be spent than is meant."""
        settings, problems = parse_balance_settings(section)
        for key, message in problems.items():
            self._reject_file((_BALANCE, key) if key else (_BALANCE,), message)
        for key in unknown_keys(section) if isinstance(section, dict) else ():
            self._warn((_BALANCE, key), "unknown key, ignored")
        if settings.enabled:
            self._balance = settings

    def _check_addresses(self, addresses: object) -> None:
        if not isinstance(addresses, list):
            found = name_type(addresses)
            self._reject_file(_ADDRESSES, f"expected a list of host:port, found {found}")
            return
        for index, address in enumerate(addresses):
            if not (isinstance(address, str) and is_exact_address(address)):
                self._reject_file((*_ADDRESSES, index), "expected an exact host:port")
        self._addresses = frozenset(str(address).lower() for address in addresses)

    def _check_titles(self, name: str, section: object) -> None:
        settings, problems = _parse(TitleSettings, section)
        base = ("endpoints", name)
        for path, message in advice.advise_on_section(
            name, section, titles_for_all="all" in self._titles
        ):
            self._warn((*base, *path), message)
        found = _by_line([self._problem((*base, *path), text) for path, text in problems.items()])
        self._errors += found
        self._titles[name] = settings if settings and not found else found[0]

    def _check_entries(self, entries: object) -> None:
        if not isinstance(entries, list):
            found = name_type(entries)
            self._reject_file(_CUSTOM, f"expected a list of endpoints, found {found}")
            return
        for index, entry in enumerate(entries):
            self._check_entry(index, entry)
        for index, endpoint in self._endpoints.items():
            hints = advice.advise(
                endpoint,
                self._names,
                titles_for_all="all" in self._titles,
                allowed_addresses=self._addresses,
            )
            for path, message in hints:
                self._warn((*_CUSTOM, index, *path), message)

    def _check_entry(self, index: int, entry: object) -> None:
        base = (*_CUSTOM, index)
        keys = entry if isinstance(entry, dict) else {}
        ignored = dict(advice.find_unknown_keys(keys))
        for path, message in ignored.items():
            self._warn((*base, *path), message)
        endpoint, problems = _parse(Endpoint, entry)
        doubts = self._doubts.get(index, {})
        problems |= {path: hint for path, hint in doubts.items() if not _is_in(path, ignored)}
        problems |= self._find_owner(index, keys.get("name"))
        found = _by_line([self._problem((*base, *path), text) for path, text in problems.items()])
        self._errors += found
        if endpoint and "" in endpoint.headers:
            # LibreChat, too, accepts such an entry and then fails each of its calls.
            message = "a header without a name: every call of this endpoint is refused"
            found = (*found, self._warn((*base, "headers"), message))
        name = keys.get("name")
        if endpoint and not found:
            self._endpoints[index] = endpoint
        elif isinstance(name, str) and name:
            self._broken.setdefault(name, found[0])

    def _find_owner(self, index: int, name: object) -> dict[Path, str]:
        if not (isinstance(name, str) and name):
            return {}
        self._names.add(name)
        owner = self._owners.setdefault(name.lower(), index)
        if owner == index:
            return {}
        taken_by = format_path((*_CUSTOM, owner))
        return {("name",): f"{taken_by} has this name; upper and lower case count as the same"}

    def _reject_file(self, path: Path, message: str) -> None:
        problem = self._problem(path, message)
        self._errors.append(problem)
        self._file_errors.append(problem)

    def _warn(self, path: Path, message: str) -> ConfigProblem:
        problem = self._problem(path, message)
        self._warnings.append(problem)
        return problem

    def _problem(self, path: Path, message: str) -> ConfigProblem:
        return ConfigProblem(format_path(path), message, self._yaml.line_of(path))


def _parse(model: type[_PartT], entry: object) -> tuple[_PartT | None, dict[Path, str]]:
    try:
        return model.model_validate(entry), {}
    except ValidationError as error:
        return None, dict(explain(error))


def _doubts_by_entry(doubts: Mapping[Path, str]) -> dict[int, dict[Path, str]]:
    """Return the doubts inside each entry, by its index and the path from there."""
    by_entry: dict[int, dict[Path, str]] = {}
    for path, hint in doubts.items():
        index = path[2] if len(path) > len(_CUSTOM) else None
        if path[:2] == _CUSTOM and isinstance(index, int):
            by_entry.setdefault(index, {})[path[3:]] = hint
    return by_entry


def _is_in(path: Path, ancestors: Mapping[Path, object]) -> bool:
    return any(path[:length] in ancestors for length in range(1, len(path) + 1))


def is_exact_address(text: str) -> bool:
    """Tell whether a text is one `host:port`: no bare host, no wildcard, no network."""
    match = _ADDRESS.fullmatch(text)
    return match is not None and 0 < int(match[1]) <= _MAX_PORT


def _by_line(problems: list[ConfigProblem]) -> tuple[ConfigProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))
