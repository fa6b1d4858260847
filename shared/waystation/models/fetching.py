"""Asks one upstream for its models. Whatever goes wrong is a value, never an exception."""

import asyncio
from collections.abc import Callable

from waystation.calls.senders import Sender
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    GatewayError,
    UpstreamInvalidResponseError,
    UpstreamRedirectError,
)
from waystation.models.cache import Failed
from waystation.models.plan import Plan
from waystation.models.reading import ModelList, read_ollama_tags, read_openai_list
from waystation.wire.upstream_request import UpstreamRequest

FETCH_S = 5.0  # for all that is asked of one upstream
MAX_LIST_BYTES = 1024 * 1024

_REDIRECT, _CLIENT_ERROR = 300, 400
_EMPTY = Failed("empty_list")


async def fetch_list(plan: Plan, sender: Sender) -> ModelList | Failed:
    """Return the list, or why there is none, within five seconds."""
    ends_at = asyncio.get_running_loop().time() + FETCH_S
    deadline = Deadline(ends_at, first_byte_s=FETCH_S)
    if plan.tags is not None:
        found = await _ask(plan.tags, read_ollama_tags, sender, deadline)
        if isinstance(found, ModelList):
            return found
    return await _ask(plan.models, read_openai_list, sender, deadline)


async def _ask(
    request: UpstreamRequest,
    read: Callable[[bytes], ModelList],
    sender: Sender,
    deadline: Deadline,
) -> ModelList | Failed:
    try:
        async with deadline.total(), sender.send(request, deadline) as answer:
            if answer.status >= _CLIENT_ERROR:
                return Failed(f"http_{answer.status}")
            if answer.status >= _REDIRECT:
                return Failed(UpstreamRedirectError.code)
            found = read(await answer.read(MAX_LIST_BYTES))
    except GatewayError as error:  # of an upstream, or of a user's URL
        return Failed(error.code or error.type)
    except ValueError:
        return Failed(UpstreamInvalidResponseError.code)
    return found if found.ids else _EMPTY
