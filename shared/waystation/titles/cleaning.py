"""Makes a title of what a model said."""

import re

UNTITLED = "Untitled Conversation"
MAX_TITLE_LENGTH = 200

_MORE = "..."
_OPENING = re.compile(r"<think\b", re.ASCII | re.IGNORECASE)
_CLOSING = re.compile(r"</think>", re.ASCII | re.IGNORECASE)
_BLANKS = re.compile(r"[\s\ufeff]+")
_LABEL = re.compile(r"(\*\*)?title:(\*\*)?\s*", re.IGNORECASE)
_BOLD = "**"
_PAIRS = (
    ('"', '"'),
    ("'", "'"),
    ("\u201c", "\u201d"),
    ("\u2018", "\u2019"),
    ("«", "»"),
    ("`", "`"),
    (_BOLD, _BOLD),
)
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")


def clean_title(raw: str) -> str:
    """Return one line of at most 200 characters.

    Reasoning blocks go, blanks are joined, a leading `Title:` goes, then one pair of marks around
    the whole. An empty title is `Untitled Conversation`.
    """
    text = _BLANKS.sub(" ", without_reasoning(raw)).strip()
    text = _without_marks(_without_label(text)).strip()
    if not text:
        return UNTITLED
    if len(text) <= MAX_TITLE_LENGTH:
        return text
    return text[: MAX_TITLE_LENGTH - len(_MORE)].rstrip() + _MORE


def without_reasoning(text: str) -> str:
    """Take out `<think>` blocks; one that never ends stays."""
    kept, position = [], 0
    while opening := _OPENING.search(text, position):
        inside = text.find(">", opening.end())
        closing = _CLOSING.search(text, inside) if inside >= 0 else None
        if closing is None:
            break  # and none of those that follow ends either
        kept.append(text[position : opening.start()])
        position = closing.end()
    return "".join([*kept, text[position:]])


def _without_label(text: str) -> str:
    label = _LABEL.match(text)
    if label is None:
        return text
    rest = text[label.end() :]
    is_all_bold = label[1] and not label[2] and rest.endswith(_BOLD)
    return rest.removesuffix(_BOLD) if is_all_bold else rest


def _without_marks(text: str) -> str:
    """Take off a pair that surrounds the whole: none of its marks is inside."""
    for left, right in _PAIRS:
        inner = text[len(left) : -len(right)]
        if not (inner and text.startswith(left) and text.endswith(right)):
            continue
        plain = _APOSTROPHE.sub("", inner)
        if left not in plain and right not in plain:
            return inner
    return text
