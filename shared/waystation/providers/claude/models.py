"""What differs between Claude models: limits, thinking, sampling, beta headers.

Source: https://docs.anthropic.com/en/docs/about-claude/models and LibreChat's behaviour, 2026-11.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Thinking: TypeAlias = Literal["none", "enabled", "adaptive"]

DEFAULT_THINKING_BUDGET = 2000
MIN_THINKING_BUDGET = 1024
SEARCH_TOOL: Mapping[str, object] = MappingProxyType(
    {"type": "web_search_20250305", "name": "web_search"}
)
_FINE_GRAINED_TOOLS = "fine-grained-tool-streaming-2025-05-14"

_MYTHOS = re.compile(r"claude-(?:fable|mythos)[-.]?\d")
_VERSION = re.compile(
    r"claude-(?:(?P<family>opus|sonnet)[-.]?(?P<major>\d{1,3})(?!\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?"
    r"|(?P<major2>\d{1,3})(?:[-.](?P<minor2>\d{1,2})(?!\d))?-(?P<family2>opus|sonnet))"
)
_LIMITS = (  # the first that matches
    (_MYTHOS, 128_000),
    (re.compile(r"claude-opus[-.]?(?:4[-.]?(?:[6-9]|\d{2,})|[5-9]|\d{2,})"), 128_000),
    (
        re.compile(r"claude-sonnet[-.]?(?:4[-.]?(?:[6-9]|\d{2})|[5-9]|\d{2,})(?=$|[^0-9])"),
        128_000,
    ),
    (re.compile(r"claude-(?:sonnet|haiku)[-.]?[4-9]"), 64_000),
    (re.compile(r"claude-opus[-.]?(?:[5-9]|4[-.]?([5-9]|\d{2,}))"), 64_000),
    (re.compile(r"claude-opus[-.]?[4-9]"), 32_000),
)
_OTHER_LIMIT = 8192
_ENABLED = re.compile(r"claude-3[-.]7|claude-(?:sonnet|opus|haiku)-[4-9]")
_CLAUDE_3_7 = re.compile(r"claude-3[-.]7")
_CLAUDE_3_5_SONNET = re.compile(r"claude-3[-.]5-sonnet")
# LibreChat knows these by name; an older or a newer one gets no marks.
_CACHES = re.compile(
    r"claude-3-(?:haiku|sonnet|opus)|claude-3[-.]5-(?:haiku|sonnet)|claude-3[-.]7-sonnet|claude-4"
    r"|claude-haiku-4-5|claude-(?:opus|sonnet)-[45]|claude-(?:fable|mythos)-5"
)
_CACHES_NOT = re.compile(r"claude-3[-.]5-sonnet-latest")


def output_limit(model: str) -> int:
    """Return the most tokens that a model answers with, as far as its name tells."""
    return next((limit for names, limit in _LIMITS if names.search(model)), _OTHER_LIMIT)


def default_thinking(model: str) -> Thinking:
    """Return which kind of thinking a model knows."""
    if is_adaptive(model):
        return "adaptive"
    return "enabled" if _ENABLED.search(model) else "none"


def is_adaptive(model: str) -> bool:
    """Tell whether a model decides itself how long it thinks."""
    return _is_mythos(model) or _is_at_least(model, opus=(4, 6), sonnet=(4, 6))


def refuses_sampling(model: str) -> bool:
    """Tell whether a model takes neither temperature, top_p nor top_k."""
    return _is_mythos(model) or _is_at_least(model, opus=(4, 7), sonnet=(5, 0))


def hides_thinking(model: str) -> bool:
    """Tell whether a model shows its thinking only when `display` asks for it."""
    return refuses_sampling(model)


def must_be_told_not_to_think(model: str) -> bool:
    """Tell whether a model thinks unless thinking is disabled explicitly."""
    return _is_at_least(model, opus=(5, 0), sonnet=(5, 0)) and _version(model) != ("opus", 5, 5)


def caps_effort(model: str) -> bool:
    """Tell whether a model that may not think refuses the efforts above high."""
    return must_be_told_not_to_think(model) and _version(model)[0] == "opus"


def forgoes_sampling_while_thinking(model: str) -> bool:
    """Tell whether top_p and top_k are left out while a model thinks."""
    return is_adaptive(model) or _CLAUDE_3_7.search(model) is not None


def beta_headers(model: str, *, caches: bool) -> tuple[str, ...]:
    """Return the values of `anthropic-beta` that go with a model; `caches` if marks are set."""
    own: tuple[str, ...] = ()
    if caches and _CLAUDE_3_7.search(model):
        own = ("token-efficient-tools-2025-02-19", "output-128k-2025-02-19")
    elif caches and _CLAUDE_3_5_SONNET.search(model):
        own = ("max-tokens-3-5-sonnet-2024-07-15",)
    return (*own, _FINE_GRAINED_TOOLS)


def supports_caching(model: str) -> bool:
    """Tell whether a model is known to take `cache_control` marks."""
    return _CACHES.search(model) is not None and _CACHES_NOT.search(model) is None


def _is_mythos(model: str) -> bool:
    return _MYTHOS.search(model) is not None


def _version(model: str) -> tuple[str, int, int]:
    """Return family, major and minor number; ("", 0, 0) for other names."""
    match = _VERSION.search(model)
    if match is None:
        return "", 0, 0
    family = match["family"] or match["family2"]
    major, minor = match["major"] or match["major2"], match["minor"] or match["minor2"]
    return family, int(major), int(minor or 0)


def _is_at_least(model: str, *, opus: tuple[int, int], sonnet: tuple[int, int]) -> bool:
    family, *version = _version(model)
    floor = {"opus": opus, "sonnet": sonnet}.get(family)
    return floor is not None and tuple(version) >= floor
