"""What can be asked for: the models of each endpoint, in OpenAI's shape and in LibreChat's."""

from typing import Protocol

from waystation.config.schema import USER_PROVIDED, Endpoint
from waystation.config.snapshot import ConfigSnapshot
from waystation.ledger.pricing import rates_of

_ORDER = 9999  # LibreChat's place for custom endpoints


class BuiltInSource(Protocol):
    async def find(self) -> list[Endpoint]:
        """Return the built-in endpoints that exist. Raises SecretUnavailableError."""


class SnapshotSource(Protocol):
    async def snapshot(self) -> ConfigSnapshot:
        """Return the configuration in force. Raises ConfigUnavailableError."""


class ModelsService:
    """Lists from the configuration and the built-in endpoints; no upstream is asked."""

    def __init__(self, config: SnapshotSource, built_ins: BuiltInSource) -> None:
        self._config = config
        self._built_ins = built_ins

    async def openai_list(self) -> dict[str, object]:
        """Return OpenAI's list; each `id` is what a chat takes as its model."""
        return {
            "object": "list",
            "data": [
                _openai_model(endpoint, model)
                for endpoint in await self._endpoints()
                for model in endpoint.models.default
            ],
        }

    async def names_by_endpoint(self) -> dict[str, list[str]]:
        """Return LibreChat's `/api/models`: endpoint name → model names."""
        endpoints = await self._endpoints()
        return {endpoint.name: list(endpoint.models.default) for endpoint in endpoints}

    async def endpoints(self) -> dict[str, dict[str, object]]:
        """Return LibreChat's `/api/endpoints`: endpoint name → how it is shown. Nothing secret."""
        return {endpoint.name: _shown(endpoint) for endpoint in await self._endpoints()}

    async def _endpoints(self) -> tuple[Endpoint, ...]:
        snapshot = await self._config.snapshot()
        return snapshot.beside(await self._built_ins.find()).endpoints

    async def config_version(self) -> str:
        return (await self._config.snapshot()).version


def _openai_model(endpoint: Endpoint, model: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": f"{endpoint.name}/{model}",
        "object": "model",
        "created": 0,
        "owned_by": endpoint.name,
        "endpoint": endpoint.name,
    }
    listed, rates = endpoint.token_config.get(model), rates_of(endpoint, model)
    if listed and rates:
        entry["context_length"] = listed.context
        entry["pricing"] = {"prompt": float(rates.prompt), "completion": float(rates.completion)}
    return entry


def _shown(endpoint: Endpoint) -> dict[str, object]:
    has_user_url = endpoint.base_url == USER_PROVIDED
    shown: dict[str, object | None] = {
        "type": "custom",
        "userProvide": endpoint.api_key == USER_PROVIDED or has_user_url,
        "userProvideURL": has_user_url,
        "modelDisplayLabel": endpoint.model_display_label,
        "iconURL": endpoint.icon_url,
        "order": _ORDER,
    }
    return {name: value for name, value in shown.items() if value not in {None, ""}}
