"""KMS in this process's memory: a ciphertext is a ticket for what was encrypted, no more."""

import secrets
from collections.abc import Mapping

from waystation.aws.key_service import CiphertextError


class InMemoryKeyService:
    """Stands in for KMS: what it made is of use with the same context only, and in this process."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, dict[str, str]]] = {}

    async def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        ticket = secrets.token_bytes(16)
        self._kept[ticket] = plaintext, dict(context)
        return ticket

    async def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        plaintext, bound = self._kept.get(ciphertext, (b"", None))
        if bound != dict(context):
            raise CiphertextError("unknown")
        return plaintext
