"""Reads the parameters of a call from JSON, where bytes are written in base64."""

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel


def read_params(body: bytes, operation: "OperationModel") -> dict[str, object]:
    """Return the parameters of an operation.

    Members that it does not know stay as they are. Raises binascii.Error for bad base64.
    """
    params: dict[str, object] = _with_bytes(json.loads(body), operation.input_shape)
    return params


def _with_bytes(value: Any, shape: Any) -> Any:
    if shape.type_name == "blob":
        return base64.b64decode(value.encode(), validate=True) if isinstance(value, str) else value
    if isinstance(value, dict) and shape.type_name == "structure":
        members = {} if shape.is_document_type else shape.members
        return {
            name: _with_bytes(member, members[name]) if name in members else member
            for name, member in value.items()
        }
    if isinstance(value, list) and shape.type_name == "list":
        return [_with_bytes(item, shape.member) for item in value]
    return value
