"""Operations that take and give JSON, as DynamoDB's, SSM's, KMS's and SQS's do."""

import json
from collections.abc import Mapping
from typing import Any

from waystation.aws.failures import NoAnswerError
from waystation.aws.service import Call, Repeat, Service

_encode = json.JSONEncoder(separators=(",", ":")).encode


class JsonService:
    """Calls operations of one service."""

    def __init__(self, service: Service, target: str, version: str) -> None:
        """Take what stands before an operation in `x-amz-target`, and the version of the JSON."""
        self._service = service
        self._target = target
        self._type = ("content-type", f"application/x-amz-json-{version}")

    async def call(
        self, operation: str, document: Mapping[str, object], repeat: Repeat = Repeat.ALWAYS
    ) -> dict[str, Any]:
        """Return the document of the answer. Raises AwsError."""
        target = ("x-amz-target", f"{self._target}.{operation}")
        body = _encode(document).encode()
        answer = await self._service.call(
            Call(operation, headers=(self._type, target), body=body, repeat=repeat)
        )
        try:
            read = json.loads(answer.body)
        except ValueError as error:
            raise NoAnswerError("InvalidAnswer", is_sent=True) from error
        if not isinstance(read, dict):
            raise NoAnswerError("InvalidAnswer", is_sent=True)
        return read
