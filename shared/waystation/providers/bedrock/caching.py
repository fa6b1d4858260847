"""Marks what the upstream is to keep in its cache: tools, instructions, and the conversation.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html, 2026-11.
"""

from waystation.providers.bedrock.content import Block, cache_point
from waystation.providers.bedrock.fields import is_nova
from waystation.providers.bedrock.reasoning import is_claude
from waystation.providers.claude import models as claude_models

Body = dict[str, object]

_POINT = "cachePoint"
_HOLDERS = frozenset({"system", "messages", "toolConfig", "tools", "content"})  # of points


def supports_caching(model: str) -> bool:
    """Tell whether a model is known to take cache points."""
    return claude_models.supports_caching(model) if is_claude(model) else is_nova(model)


def mark_for_caching(body: Body, ttl: str | None, *, model: str) -> None:
    """Put cache points behind the tools, the instructions and the last message.

    A single message after instructions gets none. `ttl` is `1h` for an hour, which Claude models
    alone know, or whatever else for the API's five minutes. Tools of Nova models take none. Where
    the client has marked anything, nothing is added. Values in the body are replaced, not changed.
    """
    if _has_points(body):
        return
    point = cache_point("1h" if ttl == "1h" and is_claude(model) else None)
    system, messages, config = body.get("system"), body.get("messages"), body.get("toolConfig")
    if isinstance(system, list) and system:
        body["system"] = [*system, point]
    if isinstance(messages, list) and (len(messages) > 1 or not system):
        last = messages[-1]
        body["messages"] = [*messages[:-1], {**last, "content": _pointed(last["content"], point)}]
    if isinstance(config, dict) and is_claude(model):
        body["toolConfig"] = {**config, "tools": [*config["tools"], point]}


def without_points(body: Body) -> Body:
    """Return a request without the points that the client has set itself."""
    return {name: _bare(value) if name in _HOLDERS else value for name, value in body.items()}


def _bare(value: object) -> object:
    if isinstance(value, list):
        return [_bare(item) for item in value if not (isinstance(item, dict) and _POINT in item)]
    return without_points(value) if isinstance(value, dict) else value


def _pointed(content: list[Block], point: Block) -> list[Block]:
    """Put the point behind the last block; it may not follow reasoning."""
    return content if "reasoningContent" in content[-1] else [*content, point]


def _has_points(value: object) -> bool:
    if isinstance(value, list):
        return any(_has_points(item) for item in value)
    if not isinstance(value, dict):
        return False
    return _POINT in value or any(_has_points(value.get(name)) for name in _HOLDERS)
