"""Completes definitions of parameters from their set, and finds what is wrong with the result.

Accepts what LibreChat's start accepts, however odd: a number may be written as text, and true
counts as 1. Source: https://github.com/danny-avila/LibreChat/blob/main/packages/data-provider/src/generate.ts
as of package librechat-data-provider 0.8.524, 2026-11.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from waystation.config.parameter_sets import PARAMETER_SETS, Parameter
from waystation.config.schema_params import Default, ParamDefinition, Range

Path: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[str, str]

_NUMBER = re.compile(r"(?:[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)?")
_MIN_OPTIONS = 2
_MAX_SWITCH_OPTIONS = 2


def choose_set(chosen: str, *, provider: str | None, name: str, base_url: str) -> str:
    """Return the name of the parameter set of an entry whose file says `chosen`.

    `custom` leaves the choice to the provider, then to OpenRouter's name in `name` or `base_url`.
    """
    if chosen != "custom":
        return chosen
    is_openrouter = "openrouter" in name.lower() or "openrouter" in base_url.lower()
    return provider or ("openrouter" if is_openrouter else chosen)


def complete_definitions(
    definitions: tuple[ParamDefinition, ...], params_endpoint: str
) -> tuple[tuple[ParamDefinition, ...], Mapping[Path, str]]:
    """Return the definitions with all that their set knows of them, and what is wrong.

    What is wrong comes as messages by path, which is the index of the definition and the key in it.
    """
    parameters = PARAMETER_SETS[params_endpoint]
    completed: list[ParamDefinition] = []
    problems: dict[Path, str] = {}
    for index, definition in enumerate(definitions):
        built_in = parameters.get(definition.key)
        if built_in is None:
            valid = ", ".join(parameters)
            problems[index, "key"] = f"expected one of the keys of {params_endpoint}: {valid}"
            continue
        case = _Case.of(definition, built_in)
        for key, message in case.problems():
            problems.setdefault((index, key), message)
        completed.append(case.completed())
    return tuple(completed), problems


@dataclass(frozen=True, slots=True)
class _Case:
    """A definition as it was written, over its built-in parameter, and the default of the two."""

    written: ParamDefinition
    built_in: Parameter
    merged: ParamDefinition
    default: Default | None

    @classmethod
    def of(cls, written: ParamDefinition, built_in: Parameter) -> "_Case":
        given = written.given
        known: dict[str, object] = {
            "type": built_in.type,
            "component": built_in.component,
            "default": built_in.default,
            "range": Range.of(built_in.range) if built_in.range else None,
            "options": built_in.options,
            "min_tags": built_in.min_tags,
            "max_tags": built_in.max_tags,
        }
        inherited = {k: v for k, v in known.items() if k not in given and v is not None}
        merged = written.replaced(**inherited, option_type="custom")
        return cls(written, built_in, merged, _fill_in(merged))

    def completed(self) -> ParamDefinition:
        if self.default is None:
            return self.merged
        return self.merged.replaced(default=self.default)

    def problems(self) -> Iterator[Problem]:
        yield from self._tag_problems()
        yield from self._text_problems()
        yield from self._range_problems()
        yield from self._option_problems()
        if message := self._default_problem():
            yield "default", message + self._remedy()

    def _tag_problems(self) -> Iterator[Problem]:
        merged = self.merged
        if merged.component != "tags":
            if merged.type == "array":
                yield "type", "expected another type than array, which needs the component tags"
            return
        if merged.type != "array":
            yield "type", "expected array, the type of the component tags"
        if _is_blank(merged.default):
            return
        if not isinstance(merged.default, tuple):
            yield "default", "expected a list of strings"
        elif merged.max_tags and len(merged.default) > merged.max_tags:
            yield "default", "expected no more strings than maxTags says" + self._remedy()
        elif merged.min_tags and len(merged.default) < merged.min_tags:
            yield "default", "expected as many strings as minTags says" + self._remedy()

    def _text_problems(self) -> Iterator[Problem]:
        merged = self.merged
        if merged.component not in ("input", "textarea"):
            return
        if merged.component == "textarea" and merged.type == "number":
            yield "type", "expected another type than number, which a textarea cannot take"
        least, most = merged.min_text, merged.max_text
        for key, length in (("minText", least), ("maxText", most)):
            if length is not None and length < 0:
                yield key, "expected a number of at least 0"
        if least is not None and most is not None and least > most:
            yield "minText", "expected a number that is not greater than maxText"

    def _range_problems(self) -> Iterator[Problem]:
        merged = self.merged
        if merged.component == "slider" and merged.type == "number" and not merged.range:
            yield "range", "this key is required: a slider of numbers has a range"

    def _option_problems(self) -> Iterator[Problem]:
        merged = self.merged
        count = len(merged.options or ())
        is_list = merged.component in ("dropdown", "combobox")
        is_enum_slider = merged.component == "slider" and merged.type == "enum"
        if (is_list or is_enum_slider) and count < _MIN_OPTIONS:
            yield "options", f"expected at least {_MIN_OPTIONS} options"
        elif merged.component in ("checkbox", "switch") and count > _MAX_SWITCH_OPTIONS:
            yield "options", f"expected at most {_MAX_SWITCH_OPTIONS} options"
        mapped = self.built_in.mapped_options
        if merged.enum_mappings is not None:
            mapped = tuple(merged.enum_mappings)
        if merged.type == "enum" and mapped is not None and {*(merged.options or ())} - {*mapped}:
            yield "enumMappings", "expected each of the options as a key"

    def _default_problem(self) -> str | None:
        kind, default = self.merged.type, self.default
        if kind == "enum" and self.merged.options is not None:
            return None if default in self.merged.options else self._expected_options()
        if default is None:
            return None
        if kind == "number":
            return self._number_problem(default)
        if kind == "boolean":
            return None if isinstance(default, bool) else "expected true or false"
        is_text = kind == "array" or isinstance(default, str)
        return None if is_text else "expected text"

    def _number_problem(self, default: Default) -> str | None:
        if not _reads_as_number(default):
            return "expected a number"
        bounds = self.merged.range
        if not bounds or isinstance(default, bool | str | tuple):
            return None
        floor = bounds.positive_min
        is_below = floor is not None and bounds.min != default < floor
        if bounds.min <= default <= bounds.max and not is_below:
            return None
        if "range" in self.written.given or not self.built_in.range:
            return "expected a number within the range"
        return f"expected a number from {self.built_in.range.min} to {self.built_in.range.max}"

    def _expected_options(self) -> str:
        if "options" in self.written.given:
            return "expected one of the options"
        quoted = (repr(option) if option else "empty text" for option in self.merged.options or ())
        return f"expected one of {', '.join(quoted)}"

    def _remedy(self) -> str:
        if "default" in self.written.given:
            return ""
        if self.merged.default is None:
            return "; there is no built-in default, so give one"
        return "; the built-in default does not fit, so give one"


def _fill_in(merged: ParamDefinition) -> Default | None:
    """Return the default that the interface would show where there is none or a blank one."""
    default, component, bounds = merged.default, merged.component, merged.range
    if component == "slider" and merged.type == "number" and default is None and bounds:
        floor = max(bounds.min, bounds.min if bounds.positive_min is None else bounds.positive_min)
        return math.floor((floor + bounds.max) / 2 + 0.5)
    if not _is_blank(default):
        return default
    if component == "tags":
        return ()
    if component in ("checkbox", "switch") and merged.type == "boolean":
        return False
    if component in ("dropdown", "combobox") and merged.options:
        return merged.options[0]
    return default


def _is_blank(default: Default | None) -> bool:
    return not isinstance(default, tuple) and not default


def _reads_as_number(default: Default) -> bool:
    text = ",".join(default) if isinstance(default, tuple) else default
    return not isinstance(text, str) or _NUMBER.fullmatch(text.strip()) is not None
