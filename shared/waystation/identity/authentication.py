"""Tells who calls, from the headers of a request."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from waystation.aws.table import TableError
from waystation.errors import InvalidApiKeyError, LedgerUnavailableError, SecretUnavailableError
from waystation.identity.assertions import asserted_user
from waystation.identity.gateway_keys import PEPPER_NAME, GatewayKeys, read_key
from waystation.identity.user import Caller


class PepperSource(Protocol):
    async def resolve(self, names: list[str], /) -> Mapping[str, str]:
        """Return the values of the names that have one."""


class Authenticator:
    """Checks a gateway key; a trusted caller then speaks for the user its headers name."""

    def __init__(self, keys: GatewayKeys, secrets: PepperSource) -> None:
        self._keys = keys
        self._secrets = secrets

    async def authenticate(self, headers: Mapping[str, str]) -> Caller:
        """Return the caller; header names are in lower case.

        Raises InvalidApiKeyError; InvalidHeaderValueError for a bad assertion;
        SecretUnavailableError or LedgerUnavailableError when a key cannot be checked.
        """
        key = read_key(headers)
        if key is None:
            raise InvalidApiKeyError
        pepper = (await self._secrets.resolve([PEPPER_NAME])).get(PEPPER_NAME)
        if pepper is None:
            raise SecretUnavailableError("No gateway key has been made yet.")
        try:
            caller = await self._keys.find(key, pepper)
        except TableError as error:
            raise LedgerUnavailableError(
                "The store of the gateway's keys cannot be reached."
            ) from error
        if caller is None:
            raise InvalidApiKeyError
        if caller.is_trusted and (user := asserted_user(headers)) is not None:
            return replace(caller, user=user)
        return caller
