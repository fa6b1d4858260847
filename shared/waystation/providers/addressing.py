"""Where a request goes: the URL of an API below a base URL, and the headers of a call."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit, urlunsplit


def url_below(base_url: str, path: str) -> str:
    """Return the URL of `path` below a base URL; a query of the base stays behind the path."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + path))


def merge_headers(
    own: Mapping[str, str], configured: Mapping[str, str], *, betas: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call: configured ones win over our own, but for the content type.

    `betas` are added to the `anthropic-beta` that is configured. Names come out in lower case.
    """
    lowered = {name.lower(): value for name, value in configured.items()}
    merged = {**own, **lowered, "content-type": "application/json"}
    if betas := list(betas):
        given = lowered.get("anthropic-beta", "").split(",")
        names = [name for text in given if (name := text.strip())]
        merged["anthropic-beta"] = ",".join(dict.fromkeys([*names, *betas]))
    return tuple(merged.items())
