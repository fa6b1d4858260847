"""Asks an upstream how many tokens a request would have. Nothing is billed, so nothing is kept."""

from dataclasses import replace

from waystation.calls.call import Call
from waystation.calls.refusals import as_the_users
from waystation.calls.senders import Sender
from waystation.calls.target import resolve_target
from waystation.config.templates import VariableResolver
from waystation.credentials.own import OwnCredentialsSource
from waystation.egress.client import MAX_ERROR_BYTES
from waystation.errors import NotFoundError, UpstreamInvalidResponseError
from waystation.providers.registry import counter_of
from waystation.providers.upstream_errors import error_from_response
from waystation.wire.json_reader import read_json_lenient
from waystation.wire.upstream_request import Reach

_REDIRECT = 300


async def count_tokens(
    call: Call, sender: Sender, secrets: VariableResolver, user_keys: OwnCredentialsSource
) -> dict[str, object]:
    """Return the upstream's own answer, as `{"input_tokens": 12}`.

    Raises NotFoundError for an endpoint whose API cannot count, and GatewayError.
    """
    counter, native = counter_of(call.endpoint), call.request.native
    if counter is None or native is None:
        raise NotFoundError(
            f"Endpoint '{call.endpoint.name}' does not count tokens: "
            "only those that speak Anthropic's own API do."
        )
    context = await resolve_target(call, secrets, user_keys)
    request = counter.shape_count(call.request, native, context)
    request = replace(request, reach=Reach(context.is_users_url, call.allowed_addresses))
    async with call.deadline.total(), sender.send(request, call.deadline) as response:
        body = await response.read(MAX_ERROR_BYTES)
    if response.status >= _REDIRECT:
        error = error_from_response(response.status, response.headers, body, context.secrets)
        raise as_the_users(error, context)
    try:
        counted = read_json_lenient(body)
    except ValueError:
        counted = None
    if not isinstance(counted, dict) or type(counted.get("input_tokens")) is not int:
        raise UpstreamInvalidResponseError("The upstream's answer is no count of tokens.")
    return counted
