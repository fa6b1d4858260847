"""Users' own keys through the functions' handlers: what is asked, and what is there then."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.support.fake_upstream import FakeUpstream
from tests.support.lambda_events import rest_event
from tests.support.lambda_gateway import TABLE, Answer, LambdaGateway, build_config
from tests.support.tables import open_table

OPERATORS_KEY = "the-key-of-acme-5b1f7a3c"
KEY = "canary-key-of-alice-1234"
SENT = "canary-key-in-a-header-5678"


def users_config(acme: Mapping[str, object]) -> str:
    """Return a file with `acme` and three entries that ask users: `A/b`, `Claude`, and `Url`.

    It needs the variable WHOSE to be `user_provided`.
    """
    entry = {**acme, "name": "A/b", "apiKey": "${WHOSE}", "models": {"default": ["own-model"]}}
    claude = entry | {"name": "Claude", "provider": "anthropic", "models": {"default": ["claude"]}}
    users_url = entry | {
        "name": "Url",
        "apiKey": "${ACME_KEY}",
        "baseURL": "user_provided",
        "models": {"default": ["url-model"]},
        "headers": {"X-Team": "${ACME_KEY}"},
        "addParams": {"temperature": 0.5},
    }
    address = str(acme["baseURL"]).split("/")[2]
    endpoints = {"allowedAddresses": [address], "custom": [acme, entry, claude, users_url]}
    return build_config(endpoints=endpoints)


def account(
    gateway: LambdaGateway,
    method: str,
    path: str,
    body: object = None,
    *,
    key: str | None = None,
    **query: str,
) -> Answer:
    """Ask the account function, as API Gateway does: with the path as it was sent."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {gateway.key if key is None else key}",
    }
    event = rest_event(method, path, headers, None if body is None else json.dumps(body).encode())
    event["queryStringParameters"] = query or None
    event["multiValueQueryStringParameters"] = {n: [v] for n, v in query.items()} or None
    answer = gateway.call("account", event)
    assert "canary" not in answer.text
    return answer


def put_key(gateway: LambdaGateway, name: str = "A%2Fb", **body: object) -> Answer:
    """Store `KEY` for alice."""
    return account(gateway, "PUT", f"/v1/keys/{name}", {"apiKey": KEY, **body})


def items(user: str = "alice") -> list[dict[str, Any]]:
    """Return what the table holds of a user's keys."""
    table = open_table(TABLE)
    return [dict(item) for item in asyncio.run(table.query(f"U#{user}", "KEY#"))]


def keys_sent(upstream: FakeUpstream) -> list[list[str]]:
    """Return the keys that the upstream was sent."""
    return [one.header("authorization") for one in upstream.received]
