"""What happens to a user's own keys: checked against the endpoint they are for, and kept."""

from collections.abc import Callable
from dataclasses import replace

from waystation.account.body import KeyBody
from waystation.calls.routing import Routes
from waystation.calls.target import users_part
from waystation.config.snapshot import SnapshotSource
from waystation.config.templates import VariableResolver
from waystation.credentials.own import keep_out_of_log
from waystation.credentials.user_keys import KeptKey, UserKeys
from waystation.egress.blocked import check_user_url
from waystation.errors import EndpointNotFoundError, InvalidBodyError
from waystation.ledger.records import bounded


class AccountService:
    """Serves users what is their own. Whose it is, the caller's identity alone says.

    Every method raises ConfigUnavailableError and SecretUnavailableError.
    """

    def __init__(
        self,
        *,
        config: SnapshotSource,
        routes: Routes,
        secrets: VariableResolver,
        user_keys: UserKeys,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._routes = routes
        self._secrets = secrets
        self._user_keys = user_keys
        self._now_ms = now_ms

    async def put_key(self, user_id: str, name: str, body: KeyBody) -> tuple[str, KeptKey]:
        """Store a key in place of what there was; return the endpoint's name and what is shown.

        Raises EndpointNotFoundError, EndpointMisconfiguredError, InvalidBaseUrlError, and
        InvalidBodyError for an endpoint that takes none and a time that is over.
        """
        own = body.own
        keep_out_of_log(own)
        snapshot = await self._config.snapshot()
        endpoint = await self._routes.find_endpoint(snapshot, name, "")
        if endpoint is None:
            raise EndpointNotFoundError(f"There is no endpoint '{bounded(name)}'.")
        users = await users_part(endpoint, self._secrets)
        if not users.key:
            raise InvalidBodyError(f"Endpoint '{endpoint.name}' takes no key of your own.")
        if own.base_url is not None and not users.url:
            raise InvalidBodyError(
                f"Endpoint '{endpoint.name}' takes no URL of your own.", param="baseURL"
            )
        if own.base_url is not None:
            url = check_user_url(own.base_url, snapshot.allowed_addresses)
            own = replace(own, base_url=url)
        if body.expires_at_ms is not None and body.expires_at_ms <= self._now_ms():
            raise InvalidBodyError("expiresAt lies in the past.", param="expiresAt")
        kept = await self._user_keys.put(user_id, endpoint.name, own, body.expires_at_ms)
        return endpoint.name, kept

    async def find_key(self, user_id: str, name: str) -> tuple[str, KeptKey | None]:
        """Return the endpoint's name and what may be shown of a key, None if none is stored."""
        known = await self._known_name(name)
        return known, await self._user_keys.show(user_id, known)

    async def delete_key(self, user_id: str, name: str) -> None:
        """Forget a key, if one is stored: also one for an endpoint that is no more."""
        await self._user_keys.delete(user_id, await self._known_name(name))

    async def delete_keys(self, user_id: str) -> None:
        """Forget all of a user's keys."""
        await self._user_keys.delete_all(user_id)

    async def _known_name(self, name: str) -> str:
        """Return the name as the file writes it: of some endpoints, the case does not matter."""
        endpoint = (await self._config.snapshot()).endpoint(name)
        return name if endpoint is None else endpoint.name
