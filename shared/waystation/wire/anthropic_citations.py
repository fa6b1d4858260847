"""Citations of a chat's answer, as those of a message.

Source: https://platform.claude.com/docs/en/build-with-claude/citations, 2026-11.
"""

from collections.abc import Mapping

_WEB = "web_search_result_location"
_OWN_KINDS = frozenset(
    {
        "char_location",
        "page_location",
        "content_block_location",
        "search_result_location",
        _WEB,
    }
)
_OF_THE_ANSWER = frozenset({"start_index", "end_index"})


def citation_of(annotation: Mapping[str, object]) -> dict[str, object] | None:
    """Return a citation, None for what the API has no kind for.

    The API wants the text that is cited, and a token that only its own search makes; both are empty
    for what another upstream found.
    """
    kind = annotation.get("type")
    told = annotation.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or not isinstance(told, Mapping):
        return None
    note = {name: value for name, value in told.items() if name not in _OF_THE_ANSWER}
    if kind == "url_citation":
        if "search_result_index" in note:
            return {"type": "search_result_location", **_without(note, "url")}
        return {"type": _WEB, "cited_text": "", "encrypted_index": "", "title": None, **note}
    return {"type": kind, **note} if kind in _OWN_KINDS else None


def _without(note: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in note.items() if key != name}
