"""Entries of `endpoints.custom` for tests, and what is wrong with them."""

import pytest

from waystation.config.explain import format_path
from waystation.config.parts import RefusedError
from waystation.config.schema import Endpoint, ParamDefinition

MINIMAL: dict[str, object] = {
    "name": "Acme",
    "apiKey": "${ACME_KEY}",
    "baseURL": "https://llm.acme.test/v1",
    "models": {"default": ["acme-large"]},
}


def build_entry(**changes: object) -> Endpoint:
    """Return the minimal entry after `changes`."""
    return Endpoint.read(MINIMAL | changes)


def build_defining_entry(*definitions: dict[str, object], params_set: str = "custom") -> Endpoint:
    """Return the minimal entry with these definitions of the parameters of a set."""
    return build_entry(
        customParams={"defaultParamsEndpoint": params_set, "paramDefinitions": list(definitions)}
    )


def complete_definition(
    definition: dict[str, object], params_set: str = "custom"
) -> ParamDefinition:
    """Return a definition with what it inherits from its set."""
    entry = build_defining_entry(definition, params_set=params_set)
    [completed] = entry.custom_params.param_definitions
    return completed


def find_problems(**changes: object) -> dict[str, str]:
    """Return path and message of everything wrong with the minimal entry after `changes`."""
    with pytest.raises(RefusedError) as caught:
        build_entry(**changes)
    return {format_path(path): message for path, message in caught.value.problems.items()}


def token_config(**changes: object) -> dict[str, dict[str, object]]:
    """Return a `tokenConfig` with the rates of model `m`."""
    rates: dict[str, object] = {"prompt": 1, "completion": 2, "context": 1000}
    return {"m": rates | changes}
