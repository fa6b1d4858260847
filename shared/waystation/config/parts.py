"""Parts of the operator's file: classes whose keys say how they are read.

Nothing is coerced, an explicit null is not an absent key, and everything that is wrong is told at
once. This is what pydantic would do; importing it costs a cold start more than the rest of the
configuration together.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, dataclass_transform

from waystation.config.explain import Path, found_instead

T = TypeVar("T")

Reader: TypeAlias = Callable[[object], T]
"""Returns what a value means. Raises RefusedError."""

_ABSENT: Any = object()


class RefusedError(ValueError):
    """Values that cannot be taken. `problems` tells why by path, and never what was found."""

    def __init__(self, problems: Mapping[Path, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def refused(message: str) -> RefusedError:
    """Return the error to raise for the value at hand."""
    return RefusedError({(): message})


@dataclass(frozen=True, slots=True)
class YamlKey:
    """One key of a part. Without a default it is a required one."""

    read: Reader[object]
    name: str
    make_default: Callable[[], object] | None


def yaml_key(
    read: Reader[object],
    *,
    default: object = _ABSENT,
    default_factory: Callable[[], object] | None = None,
    name: str = "",
) -> Any:
    """Declare a key of a part, by default the camelCase of its attribute, and how it is read."""
    if default is not _ABSENT:
        return YamlKey(read, name, lambda: default)
    return YamlKey(read, name, default_factory)


def camel_case(name: str) -> str:
    """Return an attribute's name as files write it: `user_id_query` is `userIdQuery`."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(yaml_key,))
class Part:  # noqa: PLW1641 (mappings among its values have no hash)
    """Base of every part. Parts are frozen, and equal by their values.

    `keys_of` maps attributes to keys; `given` has the attributes that were given. Unknown keys are
    ignored unless a class is `is_closed`. `repr` shows no value: there may be secrets among them.
    """

    keys_of: ClassVar[Mapping[str, YamlKey]] = MappingProxyType({})
    is_closed: ClassVar[bool] = False
    given: frozenset[str]

    def __init_subclass__(cls) -> None:
        own = {name: key for name, key in vars(cls).items() if isinstance(key, YamlKey)}
        for name, key in own.items():
            delattr(cls, name)
            own[name] = YamlKey(key.read, key.name or camel_case(name), key.make_default)
        cls.keys_of = MappingProxyType({**cls.keys_of, **own})

    def __init__(self, **values: object) -> None:
        """Take values as they are. Raises TypeError where one is missing or unknown."""
        if unknown := values.keys() - self.keys_of.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        for name, key in self.keys_of.items():
            if name not in values and key.make_default is None:
                raise TypeError(f"{type(self).__name__} needs {name}")
        self._fill(values)

    def _fill(self, values: Mapping[str, object]) -> None:
        defaults = {
            name: key.make_default()
            for name, key in self.keys_of.items()
            if name not in values and key.make_default
        }
        vars(self).update(defaults, **values, given=frozenset(values))

    @classmethod
    def read(cls, found: object) -> Self:
        """Return the part that a mapping of the file says. Raises RefusedError."""
        if not isinstance(found, dict):
            raise refused(found_instead("a mapping", found))
        values, problems = cls._read_keys(found)
        faulty = {path[0] for path in problems}
        wrong = {attribute for attribute, key in cls.keys_of.items() if key.name in faulty}
        try:
            cls._look_together(values, wrong)
        except RefusedError as error:
            problems |= error.problems
        if cls.is_closed:
            known = {key.name for key in cls.keys_of.values()}
            problems |= {(key,): "there is no such key" for key in found if key not in known}
        if problems:
            raise RefusedError(problems)
        part = cls.__new__(cls)
        part._fill(values)
        return part

    @classmethod
    def _read_keys(
        cls, found: Mapping[object, object]
    ) -> tuple[dict[str, object], dict[Path, str]]:
        values: dict[str, object] = {}
        problems: dict[Path, str] = {}
        for attribute, key in cls.keys_of.items():
            if key.name in found:
                try:
                    values[attribute] = key.read(found[key.name])
                except RefusedError as error:
                    problems |= {(key.name, *path): text for path, text in error.problems.items()}
            elif key.make_default is None:
                problems[key.name,] = "this key is required"
        return values, problems

    @classmethod
    def _look_together(cls, values: dict[str, object], wrong: Set[str]) -> None:
        """Compare the values given, and change them where that is due; `wrong` ones are not there.

        Raises RefusedError.
        """

    def replaced(self, **changes: object) -> Self:
        """Return a copy in which these attributes are given anew."""
        copy = type(self).__new__(type(self))
        copy._fill({name: getattr(self, name) for name in self.keys_of} | changes)
        vars(copy)["given"] = self.given | changes.keys()
        return copy

    def as_yaml(self, *, with_defaults: bool = False) -> dict[str, object]:
        """Return the keys as files have them: those given, or all that are not None."""
        return {
            key.name: _as_yaml(getattr(self, name), with_defaults=with_defaults)
            for name, key in self.keys_of.items()
            if (getattr(self, name) is not None if with_defaults else name in self.given)
        }

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            getattr(self, name) == getattr(other, name) for name in self.keys_of
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self.given))})"


def _as_yaml(value: object, *, with_defaults: bool) -> object:
    match value:
        case Part():
            return value.as_yaml(with_defaults=with_defaults)
        case tuple():
            return tuple(_as_yaml(item, with_defaults=with_defaults) for item in value)
        case dict():
            return {k: _as_yaml(item, with_defaults=with_defaults) for k, item in value.items()}
        case _:
            return value
