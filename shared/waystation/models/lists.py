"""Which models each endpoint has: what its upstream tells, else what its entry lists."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from waystation.calls.senders import Sender
from waystation.calls.target import Asker, resolve_entry
from waystation.config.built_ins import is_openai_itself
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigSnapshot
from waystation.config.templates import VariableResolver
from waystation.credentials.own import OwnCredentialsSource
from waystation.errors import GatewayError, MissingUserBaseUrlError, MissingUserKeyError
from waystation.identity.user import User
from waystation.ledger.learned import LearnedPrices
from waystation.models.cache import Failed, ListCache
from waystation.models.fetching import fetch_list
from waystation.models.plan import Plan, WatchedPlaceholders, plan_of
from waystation.models.reading import ModelList, only_openais_chats

_log = logging.getLogger("waystation.models")

Source: TypeAlias = Literal["default", "fetched"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The models of one endpoint; `source` says where they are from."""

    endpoint: Endpoint
    models: ModelList
    source: Source


class ModelLists:
    """Asks the upstreams whose entries say so. One per process."""

    def __init__(
        self,
        *,
        sender: Sender,
        secrets: VariableResolver,
        user_keys: OwnCredentialsSource,
        cache: ListCache,
        prices: LearnedPrices,
    ) -> None:
        self._sender = sender
        self._secrets = secrets
        self._user_keys = user_keys
        self._cache = cache
        self._prices = prices

    async def list_all(
        self, endpoints: Iterable[Endpoint], snapshot: ConfigSnapshot, user: User
    ) -> list[Listing]:
        """Return what a user may ask of each of these endpoints. Upstreams are asked side by side.

        One that tells no list within five seconds has the models of its entry.
        """
        return list(await asyncio.gather(*(self._list(e, snapshot, user) for e in endpoints)))

    async def _list(self, endpoint: Endpoint, snapshot: ConfigSnapshot, user: User) -> Listing:
        found: ModelList | None = None
        if endpoint.models.fetch and endpoint.provider is None:
            found = await self._fetched(endpoint, snapshot, user)
        if found is None:
            return Listing(endpoint, ModelList(endpoint.models.default), "default")
        return Listing(endpoint, found, "fetched")

    async def _fetched(
        self, endpoint: Endpoint, snapshot: ConfigSnapshot, user: User
    ) -> ModelList | None:
        placeholders = WatchedPlaceholders(user.placeholders())
        asker = Asker(user.id, placeholders, allowed_addresses=snapshot.allowed_addresses)
        try:
            resolved = await resolve_entry(endpoint, asker, self._secrets, self._user_keys)
        except (MissingUserKeyError, MissingUserBaseUrlError):
            return None  # the user has not brought any yet
        except GatewayError as error:
            _tell(endpoint, error.code or error.type)
            return None
        if not resolved.api_key:
            return None
        plan = plan_of(endpoint, resolved, user.id, snapshot, is_personal=placeholders.was_used)
        found = self._cache.get(plan.cache_key)
        if found is None:
            found = await self._cache.share(plan.fetch_key, lambda: self._ask(plan, endpoint))
            self._cache.keep(plan.cache_key, found)
        if isinstance(found, Failed):
            return None
        if not plan.is_personal:
            await self._prices.learn(endpoint, resolved.base_url, found.rates)
        return only_openais_chats(found) if is_openai_itself(endpoint) else found

    async def _ask(self, plan: Plan, endpoint: Endpoint) -> ModelList | Failed:
        found = await fetch_list(plan, self._sender)
        if isinstance(found, Failed):
            _tell(endpoint, found.code)
        return found


def _tell(endpoint: Endpoint, code: str) -> None:
    """Log that a list is not to be had; the entry's own stands in for it."""
    _log.warning("models_fetch_failed", extra={"endpoint": endpoint.name, "error_code": code})
