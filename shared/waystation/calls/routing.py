"""Which endpoint a request is for, and which model it asks of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from waystation.config.built_ins import NAMES as BUILT_IN_NAMES
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot
from waystation.errors import (
    EndpointMisconfiguredError,
    EndpointNotFoundError,
    InvalidBodyError,
    ModelNotFoundError,
)


@dataclass(frozen=True, slots=True)
class Route:
    endpoint: Endpoint
    model: str


class BuiltInSource(Protocol):
    async def find(self, names: Iterable[str] = ..., *, model: str = ...) -> list[Endpoint]:
        """Return the built-in endpoints that exist. Raises SecretUnavailableError."""


class Routes:
    """Finds routes among the entries of a snapshot, and the built-in endpoints where needed."""

    def __init__(self, built_ins: BuiltInSource) -> None:
        self._built_ins = built_ins

    async def find(self, snapshot: ConfigSnapshot, model: str, name: str | None) -> Route:
        """Resolve a model id as `find_route` does; SecretUnavailableError may be raised too.

        Built-in endpoints are looked for only if one is named, or if no entry offers the model.
        """
        built_in = name or model.partition("/")[0]
        if built_in in BUILT_IN_NAMES:
            wanted = model.removeprefix(f"{built_in}/")
            snapshot = snapshot.beside(await self._built_ins.find([built_in], model=wanted))
        try:
            return find_route(snapshot, model, name)
        except ModelNotFoundError:
            if name or built_in in BUILT_IN_NAMES:
                raise
        others = await self._built_ins.find(model=model)
        return find_route(snapshot.beside(others), model, name)

    async def find_endpoint(
        self, snapshot: ConfigSnapshot, name: str, model: str
    ) -> Endpoint | None:
        """Return the endpoint of that name as it serves any model; None if there is none.

        Raises EndpointMisconfiguredError, SecretUnavailableError.
        """
        if name in BUILT_IN_NAMES:
            found = await self._built_ins.find([name], model=model)
            return found[0] if found else None
        endpoint, problem = snapshot.endpoint(name), snapshot.problem(name)
        if problem is not None:
            raise _broken(name, problem)
        return endpoint


def find_route(snapshot: ConfigSnapshot, model: str, endpoint_name: str | None) -> Route:
    """Resolve a model id: a named endpoint, else the one whose list has it.

    A model id may carry the endpoint's name as a prefix, as in `Mistral/mistral-small`. A listed
    model beats the guess that an endpoint which fetches its list may have it.

    Raises EndpointNotFoundError, ModelNotFoundError, InvalidBodyError for an ambiguous model,
    EndpointMisconfiguredError for an entry whose configuration is broken.
    """
    if endpoint_name:
        return _in_endpoint(_named(snapshot, endpoint_name), model)
    routes = [route for endpoint in snapshot.endpoints for route in _listed(endpoint, model)]
    routes = routes or [r for endpoint in snapshot.endpoints for r in _guessed(endpoint, model)]
    if len(routes) == 1:
        return routes[0]
    if routes:
        raise InvalidBodyError(_ambiguous(model, routes), param="model")
    for name, problem in snapshot.broken.items():
        if model.startswith(f"{name}/"):
            raise _broken(name, problem)
    raise ModelNotFoundError(f"No endpoint offers the model '{_shown(model)}'.", param="model")


def _named(snapshot: ConfigSnapshot, name: str) -> Endpoint:
    endpoint = snapshot.endpoint(name)
    if endpoint is not None:
        return endpoint
    problem = snapshot.problem(name)
    if problem is not None:
        raise _broken(name, problem)
    raise EndpointNotFoundError(f"There is no endpoint '{_shown(name)}'.", param="endpoint")


def _in_endpoint(endpoint: Endpoint, model: str) -> Route:
    routes = [*_listed(endpoint, model), *_guessed(endpoint, model)]
    if routes:
        return routes[0]
    if endpoint.models.fetch:
        return Route(endpoint, model)
    raise ModelNotFoundError(
        f"Endpoint '{endpoint.name}' does not offer the model '{_shown(model)}'.", param="model"
    )


def _listed(endpoint: Endpoint, model: str) -> list[Route]:
    names = (model, model.removeprefix(f"{endpoint.name}/"))
    found = next((name for name in names if name in endpoint.models.default), None)
    return [] if found is None else [Route(endpoint, found)]


def _guessed(endpoint: Endpoint, model: str) -> list[Route]:
    rest = model.removeprefix(f"{endpoint.name}/")
    return [Route(endpoint, rest)] if endpoint.models.fetch and rest not in {model, ""} else []


def _broken(name: str, problem: ConfigProblem) -> EndpointMisconfiguredError:
    return EndpointMisconfiguredError(
        f"Endpoint '{name}' is misconfigured: {problem.path}: {problem.message}"
    )


def _ambiguous(model: str, routes: Sequence[Route]) -> str:
    names = ", ".join(f"'{route.endpoint.name}'" for route in routes)
    return (
        f"Several endpoints offer the model '{_shown(model)}': {names}. "
        "Name one in `endpoint`, or as a prefix: <endpoint>/<model>."
    )


def _shown(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "…"  # noqa: PLR2004 (enough to recognise it)
