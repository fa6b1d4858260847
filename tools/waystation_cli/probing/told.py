"""What an answer says went wrong, fit to be shown: no secret, one line, not too long."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from waystation.providers.upstream_errors import clean_message


@dataclass(frozen=True, slots=True)
class Told:
    """Texts are empty where nothing was told."""

    message: str = ""
    code: str = ""
    param: str = ""

    @property
    def quoted(self) -> str:
        return f' It says: "{self.message}"' if self.message else ""


def read_error(error: Exception, media_type: str, secrets: Iterable[str]) -> Told:
    """Return what the `body` of an SDK's error tells; a text counts only where JSON was sent."""
    body: object = getattr(error, "body", None)
    if isinstance(body, list) and body:  # Google wraps its errors in a list
        body = body[0]
    if isinstance(body, Mapping):
        body = body.get("error", body)
    if isinstance(body, str):
        return Told(showable(body, secrets) if media_type == "application/json" else "")
    if not isinstance(body, Mapping):
        return Told()
    message = body.get("message") or body.get("detail")
    kinds = [str(body[name]) for name in ("code", "type") if body.get(name)]
    return Told(
        message=showable(message, secrets) if isinstance(message, str) else "",
        code=showable(kinds[0], secrets) if kinds else "",
        param=showable(str(body.get("param") or ""), secrets),
    )


def showable(text: str, secrets: Iterable[str]) -> str:
    """Return a text of someone else's, as it may be printed."""
    clean = clean_message(text, secrets)
    return "".join(c if c.isprintable() else " " for c in clean).strip()
