"""Where a Converse request goes: `bedrock:<region>` is the base URL of an endpoint."""

import re

from waystation.errors import EndpointMisconfiguredError, InvalidBodyError
from waystation.providers.provider import CallContext

_SCHEME = "bedrock:"
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")


def converse_url(context: CallContext, region: object, *, is_stream: bool) -> str:
    """Return `bedrock:<region>/converse`, or `…/converse-stream`.

    `region` is what addParams says, None for the one of the base URL. Raises InvalidBodyError for
    one that is none, EndpointMisconfiguredError for a base URL that names none.
    """
    if region is not None and not (isinstance(region, str) and _REGION.fullmatch(region)):
        raise InvalidBodyError("region must be the name of an AWS region.", param="region")
    chosen = region or context.base_url.removeprefix(_SCHEME)
    if not _REGION.fullmatch(chosen):
        raise EndpointMisconfiguredError(
            f"Endpoint '{context.endpoint.name}': its URL does not name an AWS region."
        )
    return f"{_SCHEME}{chosen}/{'converse-stream' if is_stream else 'converse'}"
