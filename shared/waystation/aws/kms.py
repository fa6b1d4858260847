"""The key service in KMS: the only place that speaks its language."""

import base64
import binascii
from collections.abc import Mapping

from waystation.aws.failures import AwsError, RefusedError
from waystation.aws.json_service import JsonService
from waystation.aws.key_service import CiphertextError, KeyServiceError
from waystation.aws.service import Service

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsKeyService:
    """The real service."""

    def __init__(self, service: Service, key_id: str) -> None:
        """Take the id or ARN of the one key that is used."""
        self._kms = JsonService(service, "TrentService", "1.1")
        self._key_id = key_id

    async def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        return await self._ask("Encrypt", "Plaintext", plaintext, context, "CiphertextBlob")

    async def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        return await self._ask("Decrypt", "CiphertextBlob", ciphertext, context, "Plaintext")

    async def _ask(
        self, operation: str, given: str, content: bytes, context: Mapping[str, str], wanted: str
    ) -> bytes:
        asked = {
            "KeyId": self._key_id,
            given: base64.b64encode(content).decode(),
            "EncryptionContext": dict(context),
        }
        try:
            answer = await self._kms.call(operation, asked)
            return base64.b64decode(answer[wanted], validate=True)
        except RefusedError as error:
            if error.cause in _NOT_OURS:
                raise CiphertextError(error.cause) from error
            raise KeyServiceError(f"KMS refused: {error.cause}") from error
        except AwsError as error:
            raise KeyServiceError(f"KMS did not answer: {error.cause}") from error
        except (KeyError, TypeError, binascii.Error) as error:
            raise KeyServiceError("KMS did not answer: InvalidAnswer") from error
