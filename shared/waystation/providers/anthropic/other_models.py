"""Keeps a client to the models of the entry where a request may name others beside its own.

An advisor, a model to fall back to, and a tool that joins later cost what their own model costs.
Values of addParams are the operator's, and not looked at. Sources, 2026-11:
https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback and the types of
Anthropic's SDK for `advisor_20260301` and `tool_addition`.
"""

from collections.abc import Iterator, Mapping

from waystation.config.schema import Endpoint
from waystation.errors import InvalidBodyError

_UPSTREAMS_CHOICE = "default"  # of the model to fall back to


def refuse_other_models(fields: Mapping[str, object], messages: object, endpoint: Endpoint) -> None:
    """Refuse models that the entry does not list, unless it fetches its list.

    `fields` and `messages` are the client's. Raises InvalidBodyError, naming the field.
    """
    if endpoint.models.fetch:
        return
    for path, model in _named(fields, messages):
        if model not in endpoint.models.default:
            raise InvalidBodyError(
                f"{path} names a model that endpoint '{endpoint.name}' does not list.", param=path
            )


def _named(fields: Mapping[str, object], messages: object) -> Iterator[tuple[str, object]]:
    """Yield the path of each model that is named, and its name."""
    for path, tool in _members(fields.get("tools"), "tools"):
        yield from _model_of(tool, path)
    fallbacks = fields.get("fallbacks")
    if fallbacks == _UPSTREAMS_CHOICE:
        yield "fallbacks", fallbacks
    for path, fallback in _members(fallbacks, "fallbacks"):
        yield from _model_of(fallback, path)
    for place, message in _members(messages, "messages"):
        for path, block in _members(message.get("content"), f"{place}.content"):
            yield from _model_of(_definition(block), f"{path}.tool.definition")


def _definition(block: Mapping[str, object]) -> Mapping[str, object]:
    """Return the tool that a block defines, nothing for other blocks."""
    tool = block.get("tool")
    definition = tool.get("definition") if isinstance(tool, dict) else None
    return definition if isinstance(definition, dict) else {}


def _members(items: object, path: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield f"{path}[{index}]", item


def _model_of(holder: Mapping[str, object], path: str) -> Iterator[tuple[str, object]]:
    if holder.get("model") is not None:
        yield f"{path}.model", holder["model"]
