"""`customParams` of an entry as LibreChat's interface is told them: completed, as at its start."""

from collections.abc import Mapping
from decimal import Decimal

from waystation.config.parameter_rules import complete_definitions
from waystation.config.schema import Endpoint, ParamDefinition

_OPENROUTER = "openrouter"
_PROMPT_CACHE = ParamDefinition(key="promptCache", default=True)


def shown_params(endpoint: Endpoint) -> dict[str, object] | None:
    """Return them with the set in force, None where neither the entry nor its provider has any.

    An entry that looks like OpenRouter's has the definition of `promptCache`, too. The interface's
    own texts and widths are there only if the entry has them.
    """
    is_given = "custom_params" in endpoint.given
    params_endpoint = endpoint.params_endpoint
    definitions = endpoint.custom_params.param_definitions
    if params_endpoint == _OPENROUTER and "promptCache" not in {one.key for one in definitions}:
        definitions += complete_definitions((_PROMPT_CACHE,), params_endpoint)[0]
    elif not is_given and endpoint.provider is None:
        return None
    given = endpoint.custom_params.as_yaml()
    shown = given | {"defaultParamsEndpoint": params_endpoint}
    if is_given or definitions:
        shown["paramDefinitions"] = [one.as_yaml(with_defaults=True) for one in definitions]
    return {name: _as_json(value) for name, value in shown.items()}


def _as_json(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_as_json(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
