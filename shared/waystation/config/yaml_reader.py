"""Reads one bounded YAML document into plain data that remembers its lines.

Size, depth and the number of values after aliases and merges are checked while the parser's events
arrive, before anything is built from them. Keys are always text, as written. An error says what is
wrong and where, never what the document holds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import yaml

from waystation.config import yaml_scalars

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 32
HAS_LIBYAML = hasattr(yaml, "CSafeLoader")

Path: TypeAlias = tuple[str | int, ...]

# All that YAML's printable characters leave: their own set takes ten times longer to compile.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_QUOTED_SYNTAX = re.compile(r"['\"](?:\\?.|<[a-z ]+>)['\"]")
_MERGE_KEY = "<<"


class YamlError(ValueError):
    """The document is not YAML, or not YAML within our limits."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


@dataclass(slots=True)
class _Node:
    """A value as it is in the text; aliases share one node."""

    line: int
    value: object = None
    doubt: str | None = None
    size: int = 1
    height: int = 0
    children: dict[str | int, tuple[int, "_Node"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document's value, and where things stand in it.

    `doubts` maps the path of each unquoted scalar that readers of YAML disagree about to a hint.
    """

    value: object
    doubts: Mapping[Path, str]
    _root: _Node

    def line_of(self, path: Path) -> int | None:
        """Return the line, from 1, of what is at `path` or of its nearest ancestor."""
        line, node = self._root.line, self._root
        for step in path:
            if step not in node.children:
                break
            line, node = node.children[step]
        return line


def read_yaml(document: bytes, *, use_libyaml: bool = HAS_LIBYAML) -> YamlDocument:
    """Read one document of at most 256 KiB of UTF-8.

    Raises:
        YamlError: it is not YAML, or breaks one of the limits.

    """
    text = _decode(document)
    loader = yaml.CSafeLoader if use_libyaml else yaml.SafeLoader
    try:
        root = _Composer(yaml.parse(text, Loader=loader)).compose()
    except yaml.YAMLError as error:
        raise _translate(error, text) from None
    doubts = dict(_find_doubts(root, ()))
    return YamlDocument(root.value, MappingProxyType(doubts), root)


def _translate(error: yaml.YAMLError, text: str) -> YamlError:
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlError("not valid YAML")
    mark = error.problem_mark or error.context_mark
    line = min(mark.line + 1, len(text.splitlines())) if mark else None
    problem = _QUOTED.sub(_hide_value, error.problem or "it cannot be read")
    return YamlError(f"not valid YAML: {problem}", line)


def _hide_value(quoted: re.Match[str]) -> str:
    """Keep the single characters and names of tokens that the parsers quote, nothing longer."""
    return quoted[0] if _QUOTED_SYNTAX.fullmatch(quoted[0]) else "…"


def _decode(document: bytes) -> str:
    if len(document) > MAX_BYTES:
        raise YamlError(f"larger than {MAX_BYTES // 1024} KiB")
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise YamlError("not UTF-8 text", line) from None
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = text.count("\n", 0, unprintable.start()) + 1
        raise YamlError("a control character, which YAML does not allow", line)
    return text


def _find_doubts(node: _Node, path: Path) -> Iterator[tuple[Path, str]]:
    if node.doubt:
        yield path, node.doubt
    for step, (_, child) in node.children.items():
        yield from _find_doubts(child, (*path, step))


class _Composer:
    """Builds nodes from the parser's events, counting as it goes."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, _Node | None] = {}
        self._values = 0

    def compose(self) -> _Node:
        """Return the root of the only document; an empty one is null."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return _Node(line=1)
        root = self._node(self._next(), depth=1)
        self._next()
        following = self._next()
        if not isinstance(following, yaml.StreamEndEvent):
            raise YamlError("more than one document in the file", _line_of(following))
        return root

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        line = _line_of(event)
        if isinstance(event, yaml.AliasEvent):
            node = self._resolve_alias(event, line)
        elif isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._collection(event, _Node(line, value=[]), "seq", depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._collection(event, _Node(line, value={}), "map", depth)
        else:
            raise YamlError("a value is missing", line)
        if depth - 1 + node.height > MAX_DEPTH:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", line)
        return node

    def _resolve_alias(self, event: yaml.AliasEvent, line: int) -> _Node:
        anchor = event.anchor or ""
        if anchor not in self._anchors:
            raise YamlError("an alias without an anchor before it", line)
        node = self._anchors[anchor]
        if node is None:
            raise YamlError("an alias inside the value it stands for", line)
        self._count(node.size, line)
        return node

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> _Node:
        self._count(1, line)
        node = _Node(line, value=event.value)
        if event.tag and event.tag != "!":
            try:
                node.value = yaml_scalars.parse_tagged(event.tag, event.value)
            except ValueError as error:
                raise YamlError(str(error), line) from None
        elif event.implicit[0] and not event.tag:
            node.value, node.doubt = yaml_scalars.parse_plain(event.value)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _collection(
        self, event: yaml.CollectionStartEvent, node: _Node, kind: str, depth: int
    ) -> _Node:
        if event.tag not in (None, "!", yaml_scalars.TAG_PREFIX + kind):
            raise YamlError(f"a tag other than !!{kind}", node.line)
        if depth > MAX_DEPTH:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", node.line)
        self._count(1, node.line)
        if event.anchor:
            self._anchors[event.anchor] = None
        if kind == "seq":
            self._fill_sequence(node, depth)
        else:
            self._fill_mapping(node, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _fill_sequence(self, node: _Node, depth: int) -> None:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            child = self._node(event, depth + 1)
            _adopt(node, len(node.children), _line_of(event), child)
        node.height = max(node.height, 1)
        node.value = [child.value for _, child in node.children.values()]

    def _fill_mapping(self, node: _Node, depth: int) -> None:
        merged: list[_Node] | None = None
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = _line_of(event)
            key = self._key(event, line)
            child = self._node(self._next(), depth + 1)
            node.size += 1
            if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and key == _MERGE_KEY:
                if merged is not None:
                    raise YamlError("the key << is given twice", line)
                merged = _merge_sources(child, line)
                node.size += child.size
                node.height = max(node.height, child.height)
            elif key in node.children:
                raise YamlError("a key is given twice in one mapping", line)
            else:
                _adopt(node, key, line, child)
        for source in merged or ():
            for step, entry in source.children.items():
                node.children.setdefault(step, entry)
        node.height = max(node.height, 1)
        node.value = {key: child.value for key, (_, child) in node.children.items()}

    def _key(self, event: yaml.Event, line: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise YamlError("a key that is not text; a value with {{…}} needs quotes", line)
        if event.tag not in (None, "!", yaml_scalars.TAG_PREFIX + "str"):
            raise YamlError("a tag on a key", line)
        self._count(1, line)
        return event.value

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise YamlError(f"more than {MAX_VALUES} values once aliases are expanded", line)


def _adopt(parent: _Node, step: str | int, line: int, child: _Node) -> None:
    parent.children[step] = (line, child)
    parent.size += child.size
    parent.height = max(parent.height, child.height + 1)


def _merge_sources(node: _Node, line: int) -> list[_Node]:
    sources = [node] if isinstance(node.value, dict) else [n for _, n in node.children.values()]
    if isinstance(node.value, list | dict) and all(isinstance(s.value, dict) for s in sources):
        return sources
    raise YamlError("the key << needs a mapping or a list of mappings", line)


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
