"""What can be asked for: the models of each endpoint, in OpenAI's shape and in LibreChat's."""

from waystation.calls.routing import BuiltInSource
from waystation.calls.target import UsersPart, users_part
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigSnapshot, SnapshotSource
from waystation.config.templates import VariableResolver
from waystation.errors import ConfigError, ModelNotFoundError, SecretUnavailableError
from waystation.identity.user import User
from waystation.ledger.public_prices import PublicPrices
from waystation.ledger.records import bounded
from waystation.models.lists import Listing, ModelLists
from waystation.models.shapes import (
    librechat_name,
    names_by_endpoint,
    openai_models,
    shown_endpoint,
    token_config,
)


class ModelsService:
    """Lists from the configuration, the built-in endpoints and their upstreams.

    Every method may raise ConfigUnavailableError.
    """

    def __init__(
        self,
        *,
        config: SnapshotSource,
        built_ins: BuiltInSource,
        lists: ModelLists,
        secrets: VariableResolver,
        prices: PublicPrices | None = None,
    ) -> None:
        """Take, of `prices`, what models cost and take that nobody else tells of."""
        self._config = config
        self._built_ins = built_ins
        self._lists = lists
        self._secrets = secrets
        self._prices = prices

    async def openai_list(self, user: User) -> dict[str, object]:
        """Return OpenAI's list; each `id` is what a chat takes as its model."""
        listings = await self._lists.list_all(*await self._offered(), user)
        data = [model for listing in listings for model in openai_models(listing, self._prices)]
        return {"object": "list", "data": data}

    async def openai_model(self, user: User, model_id: str) -> dict[str, object]:
        """Return one entry of OpenAI's list. Raises ModelNotFoundError.

        Only the endpoints whose name the id begins with are looked at.
        """
        endpoints, snapshot = await self._offered()
        named = [one for one in endpoints if model_id.startswith(f"{one.name}/")]
        for listing in await self._lists.list_all(named, snapshot, user):
            for model in openai_models(listing, self._prices):
                if model["id"] == model_id:
                    return model
        raise ModelNotFoundError(f"There is no model '{bounded(model_id)}'.", param="model")

    async def names_by_endpoint(self, user: User) -> dict[str, list[str]]:
        """Return LibreChat's `/api/models`: endpoint name → model names."""
        return names_by_endpoint(await self._lists.list_all(*await self._offered(), user))

    async def token_config(self, user: User) -> dict[str, dict[str, dict[str, object]]]:
        """Return LibreChat's `/api/endpoints/token-config`: endpoint → model → context and price.

        Prices are there only if the file says `interface: {contextCost: true}`.
        """
        endpoints, snapshot = await self._offered()
        listings: list[Listing] = await self._lists.list_all(endpoints, snapshot, user)
        return token_config(listings, shows_prices=snapshot.shows_prices)

    async def endpoints(self) -> dict[str, dict[str, object]]:
        """Return LibreChat's `/api/endpoints`: endpoint name → how it is shown. Nothing secret."""
        endpoints, _ = await self._offered()
        return {
            librechat_name(endpoint.name): shown_endpoint(
                endpoint, await self._users_part(endpoint)
            )
            for endpoint in endpoints
        }

    async def config_version(self) -> str:
        return (await self._config.snapshot()).version

    async def _offered(self) -> tuple[tuple[Endpoint, ...], ConfigSnapshot]:
        snapshot = await self._config.snapshot()
        try:
            built_ins = await self._built_ins.find()
        except SecretUnavailableError:  # the log has it; the entries of the file are still there
            built_ins = []
        return snapshot.beside(built_ins).endpoints, snapshot

    async def _users_part(self, endpoint: Endpoint) -> UsersPart:
        """Return what each user brings; nothing, where the entry's variables are not to be had."""
        try:
            return await users_part(endpoint, self._secrets)
        except ConfigError:
            return UsersPart(key=False, url=False)
