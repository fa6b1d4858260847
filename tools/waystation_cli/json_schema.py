"""Describes the parts of the operator's file as JSON Schema, from the types of their keys."""

from decimal import Decimal
from types import UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from waystation.config.parts import Part, YamlKey

_SIMPLE: dict[object, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
}


def describe(part: type[Part], definitions: dict[str, object]) -> dict[str, object]:
    """Return a reference to a part's schema, which is put among `definitions` with all it needs."""
    reference: dict[str, object] = {"$ref": f"#/$defs/{part.__name__}"}
    if part.__name__ in definitions:
        return reference
    definitions[part.__name__] = None  # keeps the place
    types = get_type_hints(part)
    properties = {
        key.name: _describe_type(types[attribute], definitions) | _default_of(key)
        for attribute, key in part.keys_of.items()
    }
    required = [key.name for key in part.keys_of.values() if key.make_default is None]
    definitions[part.__name__] = {
        "description": (part.__doc__ or "").replace("\n    ", "\n").strip(),
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        **({"additionalProperties": False} if part.is_closed else {}),
    }
    return reference


def _describe_type(kind: object, definitions: dict[str, object]) -> dict[str, object]:
    """Return the schema of a value. None says that a key may be left out, not that it is null."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Part):
        return describe(kind, definitions)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        arms = [_describe_type(one, definitions) for one in arguments if one is not type(None)]
        return arms[0] if len(arms) == 1 else {"anyOf": arms}
    if origin is tuple:
        return {"type": "array", "items": _describe_type(arguments[0], definitions)}
    if origin is dict:
        values = _describe_type(arguments[1], definitions)
        return {"type": "object", "additionalProperties": values or True}
    return {"type": _SIMPLE[kind]} if kind in _SIMPLE else {}


def _default_of(key: YamlKey) -> dict[str, object]:
    default = key.make_default() if key.make_default else None
    if isinstance(default, Part):
        default = default.as_yaml()
    elif isinstance(default, tuple):
        default = list(default)
    return {} if default is None else {"default": default}
