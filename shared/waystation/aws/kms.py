"""The key service in KMS: the only place that speaks its language."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from waystation.aws.key_service import CiphertextError, KeyServiceError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

T = TypeVar("T")

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsKeyService:
    """The real service. boto3 blocks, so every call runs in a thread."""

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        """Take the id or ARN of the one key that is used."""
        self._client = client
        self._key_id = key_id

    async def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        answer = await _call(
            lambda: self._client.encrypt(
                KeyId=self._key_id, Plaintext=plaintext, EncryptionContext=context
            )
        )
        return answer["CiphertextBlob"]

    async def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        answer = await _call(
            lambda: self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=ciphertext, EncryptionContext=context
            )
        )
        return answer["Plaintext"]


async def _call(operation: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(operation)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_OURS:
            raise CiphertextError(code) from error
        raise KeyServiceError(f"KMS refused: {code}") from error
    except BotoCoreError as error:
        raise KeyServiceError(f"KMS did not answer: {type(error).__name__}") from error
