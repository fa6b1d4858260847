"""What goes before a streamed answer's body: status and headers, as API Gateway reads them.

A JSON object, then eight NUL bytes. REST APIs and function URLs take the same form, but for headers
that are there several times: the former have `multiValueHeaders`, the latter join all but cookies.
"""

import json
from collections.abc import Iterable

END = b"\0" * 8

_COOKIE = "set-cookie"


def prelude(status: int, headers: Iterable[tuple[bytes, bytes]], *, is_rest: bool) -> bytes:
    """Return the bytes before the body; header names become lower case."""
    given: dict[str, list[str]] = {}
    for name, value in headers:
        given.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    cookies = [] if is_rest else given.pop(_COOKIE, [])
    several = {name: values for name, values in given.items() if is_rest and len(values) > 1}
    told: dict[str, object] = {
        "statusCode": status,
        "headers": {n: ", ".join(v) for n, v in given.items() if n not in several},
    }
    if several:
        told["multiValueHeaders"] = several
    if cookies:
        told["cookies"] = cookies
    return json.dumps(told, separators=(",", ":")).encode() + END
