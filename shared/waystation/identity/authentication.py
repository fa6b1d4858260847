"""Tells who calls, by the ways that the operator has chosen."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from waystation.aws.table import TableError
from waystation.errors import InvalidApiKeyError, LedgerUnavailableError, SecretUnavailableError
from waystation.identity.assertions import asserted_user
from waystation.identity.authorizer import AuthorizerContext
from waystation.identity.gateway_keys import PEPPER_NAME, GatewayKeys
from waystation.identity.jose import read_header
from waystation.identity.presented import Presented
from waystation.identity.user import Caller


class PepperSource(Protocol):
    async def resolve(self, names: list[str], /) -> Mapping[str, str]:
        """Return the values of the names that have one."""


class Identifies(Protocol):
    async def identify(self, credential: str, /) -> Caller:
        """Return whose credential it is. Raises GatewayError."""


class Authenticator:
    """Checks what a request presents; a trusted caller then speaks for the user it names.

    The admin role stays with the caller's own user: who speaks for another has the other's rights.

    Where keys and tokens are taken, what has the form of a token is one and anything else a key:
    never are both tried. With an authorizer in front, what it found out is all that counts.
    """

    def __init__(
        self,
        *,
        keys: Identifies | None = None,
        tokens: Identifies | None = None,
        context: AuthorizerContext | None = None,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._context = context

    async def authenticate(self, presented: Presented) -> Caller:
        """Return the caller.

        Raises InvalidApiKeyError; InvalidHeaderValueError for a bad assertion;
        SecretUnavailableError, LedgerUnavailableError or SigningKeysUnavailableError when a
        credential cannot be checked.
        """
        caller = await self._identify(presented)
        if caller.is_trusted and (user := asserted_user(presented.headers)) is not None:
            return replace(caller, user=user, is_admin=False)
        return caller

    async def _identify(self, presented: Presented) -> Caller:
        if self._context is not None:
            return self._context.identify(presented.event)
        credential = presented.credential()
        if credential is None:
            raise InvalidApiKeyError
        is_token = self._keys is None or read_header(credential) is not None
        check = self._tokens if is_token and self._tokens is not None else self._keys
        if check is None:
            raise InvalidApiKeyError
        return await check.identify(credential)


class KeyHolders:
    """Tells who holds a gateway key."""

    def __init__(self, keys: GatewayKeys, secrets: PepperSource) -> None:
        self._keys = keys
        self._secrets = secrets

    async def identify(self, credential: str) -> Caller:
        """Return the caller.

        Raises InvalidApiKeyError, SecretUnavailableError, LedgerUnavailableError.
        """
        pepper = (await self._secrets.resolve([PEPPER_NAME])).get(PEPPER_NAME)
        if pepper is None:
            raise SecretUnavailableError("No gateway key has been made yet.")
        try:
            caller = await self._keys.find(credential, pepper)
        except TableError as error:
            raise LedgerUnavailableError(
                "The store of the gateway's keys cannot be reached."
            ) from error
        if caller is None:
            raise InvalidApiKeyError
        return caller
