"""The other places where a request can say the same thing.

What an operator decides or drops under one name must not come back from a client under another.
"""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

# The member of an object that says what a setting or a field says.
_MEMBERS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "reasoning_effort": (("reasoning", "effort"), ("output_config", "effort")),
        "reasoning_summary": (("reasoning", "summary"),),
        "reasoning_mode": (("reasoning", "mode"),),
        "reasoning_context": (("reasoning", "context"),),
        "verbosity": (("text", "verbosity"),),
        "response_format": (("text", "format"), ("output_config", "format")),
        "effort": (("output_config", "effort"),),
        "user_id": (("metadata", "user_id"),),
    }
)
# Whole fields that say it.
_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tools": ("functions",),
        "tool_choice": ("function_call",),
        "web_search": ("web_search_options",),
        "thinking": ("thinking",),
        "thinkingBudget": ("thinking",),
        "thinkingDisplay": ("thinking",),
        # As Bedrock's Converse API says it.
        "reasoning_effort": ("reasoning_config", "reasoningConfig"),
        "service_tier": ("serviceTier",),
        "serviceTier": ("service_tier",),
        "metadata": ("requestMetadata",),
        "requestMetadata": ("metadata",),
    }
)


def remove_equivalents(
    fields: dict[str, object], name: str, *, spare: Collection[str] = ()
) -> None:
    """Take out of the fields whatever says what `name` says, but the fields to `spare`."""
    for place, member in _MEMBERS.get(name, ()):
        if place not in spare:
            _remove_member(fields, place, member)
    for other in _FIELDS.get(name, ()):
        if other not in spare:
            fields.pop(other, None)
    if name in {"web_search", "web_search_options"}:
        _keep_items(fields, "tools", lambda tool: not is_web_search(tool))
        _keep_items(fields, "plugins", lambda plugin: not _is_web_plugin(plugin))


def is_web_search(tool: object) -> bool:
    """Tell whether a tool searches the web: `web_search`, `web_search_preview`, or with a date."""
    return isinstance(tool, dict) and str(tool.get("type", "")).startswith("web_search")


def _is_web_plugin(plugin: object) -> bool:
    return isinstance(plugin, dict) and plugin.get("id") == "web"


def _remove_member(fields: dict[str, object], place: str, member: str) -> None:
    holder = fields.get(place, {})
    if not isinstance(holder, dict):
        del fields[place]
        return
    if member not in holder:
        return
    rest = {name: value for name, value in holder.items() if name != member}
    if rest:
        fields[place] = rest
    else:
        del fields[place]


def _keep_items(fields: dict[str, object], name: str, keep: Callable[[object], bool]) -> None:
    items = fields.get(name)
    if not isinstance(items, list) or all(map(keep, items)):
        return
    rest = [item for item in items if keep(item)]
    if rest:
        fields[name] = rest
    else:
        del fields[name]
