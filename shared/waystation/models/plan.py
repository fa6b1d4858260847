"""Which requests ask an upstream for its models, and which answers may stand for them."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial

from waystation.calls.target import Resolved
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigSnapshot
from waystation.models.addresses import list_url, tags_url
from waystation.wire.upstream_request import Reach, UpstreamRequest

_OLLAMA = "ollama"


class WatchedPlaceholders(dict[str, str]):
    """The values of a user's placeholders; notes whether any was asked for."""

    was_used = False

    def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
        self.was_used = self.was_used or key.startswith("USER_")
        return super().get(key, default)


@dataclass(frozen=True, slots=True)
class Plan:
    """The requests of an entry, to be sent in turn until one tells a list.

    `tags` goes to Ollama's own API, `models` to OpenAI's. Equal `fetch_key`s mean equal requests
    for equal eyes; `cache_key` keeps endpoints apart, too. `is_personal` tells that the list may
    differ from user to user.
    """

    models: UpstreamRequest
    tags: UpstreamRequest | None
    is_personal: bool
    fetch_key: str
    cache_key: str


def plan_of(
    endpoint: Endpoint,
    resolved: Resolved,
    user_id: str,
    snapshot: ConfigSnapshot,
    *,
    is_personal: bool,
) -> Plan:
    """Return how the list of an entry is asked for on behalf of a user."""
    asks_by_user = endpoint.models.user_id_query
    is_personal |= asks_by_user or resolved.is_users_key or resolved.is_users_url
    url = list_url(
        resolved.base_url,
        is_direct=endpoint.direct_endpoint,
        user_id=user_id if asks_by_user else None,
    )
    reach = Reach(resolved.is_users_url, snapshot.allowed_addresses)
    get = partial(UpstreamRequest, body=b"", method="GET", reach=reach)
    headers = {"accept": "application/json"}
    headers |= {name.lower(): value for name, value in resolved.headers.items()}
    bearer = {"authorization": f"Bearer {resolved.api_key}"}
    models = get(url, tuple((bearer | headers).items()))
    tags = None
    if endpoint.name.lower().startswith(_OLLAMA):
        tags = get(tags_url(resolved.base_url), tuple(headers.items()))
    asked = [[one.url, one.headers] for one in (models, tags) if one is not None]
    whose = user_id if is_personal else None
    fetch_key = _digest(snapshot.version, asked, resolved.api_key, whose)
    return Plan(
        models=models,
        tags=tags,
        is_personal=is_personal,
        fetch_key=fetch_key,
        cache_key=_digest(endpoint.name, fetch_key),
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
