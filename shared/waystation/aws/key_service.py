"""KMS, as the two operations that users' own keys need of it.

A ciphertext is bound to a context, a few texts that are not secret: with any other context it
cannot be decrypted.
"""

from collections.abc import Mapping
from typing import Protocol

MAX_PLAINTEXT_BYTES = 4096
"""What one call encrypts.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, 2026-11.
"""


class KeyServiceError(Exception):
    """The service did not answer, or refused; the text holds neither plaintext nor context."""


class CiphertextError(Exception):
    """The ciphertext is damaged, or was made under another key or context."""


class KeyService(Protocol):
    """Encrypts under one key. Both methods raise KeyServiceError."""

    async def encrypt(self, plaintext: bytes, context: Mapping[str, str]) -> bytes:
        """Return the ciphertext of at most `MAX_PLAINTEXT_BYTES`."""

    async def decrypt(self, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        """Return the plaintext. Raises CiphertextError too."""
