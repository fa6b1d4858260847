"""Fields of a chat completion that most other APIs have no place for.

Source: https://platform.openai.com/docs/api-reference/chat/create, 2026-11.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

# With the values that ask for nothing.
IMPOSSIBLE: Mapping[str, tuple[object, ...]] = MappingProxyType(
    {
        "n": (1,),
        "logprobs": (False,),
        "top_logprobs": (0,),
        "logit_bias": ({},),
        "frequency_penalty": (0,),
        "presence_penalty": (0,),
        "seed": (),
        "modalities": (["text"], []),
        "audio": (),
        "prediction": (),
        "store": (False,),
        "verbosity": ("medium",),
    }
)


def take_impossible(
    fields: dict[str, object],
    impossible: Mapping[str, tuple[object, ...]],
    *,
    ignored: Collection[str] = (),
) -> str | None:
    """Take impossible fields out; return the first that asks for anything, None if none does.

    What the fields in `ignored` ask for does not count.
    """
    for name in [name for name in impossible if name in fields]:
        value = fields.pop(name)
        if name not in ignored and not any(_is_same(value, known) for known in impossible[name]):
            return name
    return None


def _is_same(value: object, known: object) -> bool:
    return isinstance(value, bool) == isinstance(known, bool) and value == known
