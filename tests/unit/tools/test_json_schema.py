"""The JSON Schema of parts of the operator's file."""

from decimal import Decimal
from typing import Literal

from waystation.config.parts import Part, yaml_key
from waystation.config.readers import flag, list_of, mapping_of, number, one_of, text
from waystation_cli.json_schema import describe


class Leaf(Part):
    """A leaf."""

    is_closed = True

    is_green: bool = yaml_key(flag, default=True)


class Tree(Part):
    """A tree.

    It grows.
    """

    name: str = yaml_key(text)
    kind: Literal["oak", "elm"] | None = yaml_key(one_of(Literal["oak", "elm"]), default=None)
    height: Decimal | str = yaml_key(number, default=1)
    leaves: tuple[Leaf, ...] = yaml_key(list_of(Leaf.read), default=())
    first: Leaf | None = yaml_key(Leaf.read, default=None)
    notes: dict[str, object] = yaml_key(mapping_of(text), default_factory=dict)


def test_parts_are_described_once_and_referred_to():
    definitions: dict[str, object] = {}

    assert describe(Tree, definitions) == {"$ref": "#/$defs/Tree"}
    assert definitions == {
        "Tree": {
            "description": "A tree.\n\nIt grows.",
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "kind": {"enum": ["oak", "elm"]},
                "height": {"anyOf": [{"type": "number"}, {"type": "string"}], "default": 1},
                "leaves": {"type": "array", "items": {"$ref": "#/$defs/Leaf"}, "default": []},
                "first": {"$ref": "#/$defs/Leaf"},
                "notes": {"type": "object", "additionalProperties": True, "default": {}},
            },
            "required": ["name"],
        },
        "Leaf": {
            "description": "A leaf.",
            "type": "object",
            "properties": {"isGreen": {"type": "boolean", "default": True}},
            "additionalProperties": False,
        },
    }
