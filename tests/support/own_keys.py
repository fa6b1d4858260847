"""A gateway in this process whose endpoints ask each user for keys, and how it is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.types import ASGIApp

from tests.support.asgi import AsgiAnswer, ask
from tests.support.fresh_log import CapturedLog
from waystation.identity.user import User
from waystation_cli.local.stack import LocalOptions, build_local

OPERATORS_KEY = "the-key-of-the-operator"
KEY = "gateway-key-of-the-tests"


def own_entries(url: str) -> list[dict[str, object]]:
    """Return entries: `Own` takes a key, `Both` a URL too, `Plain` nothing.

    `Given` has a key of the operator's, and takes a URL; `A/b c` is a name like any other.
    `Titled` has its titles made with the user's key, `Elsewhere` with that for `Own`.
    """
    shared = {"models": {"default": ["m"]}, "headers": {"X-Team": "the-team-of-the-operator"}}
    return [
        {"name": "Own", "apiKey": "user_provided", "baseURL": url, **shared},
        {"name": "A/b c", "apiKey": "user_provided", "baseURL": url, **shared},
        {"name": "Both", "apiKey": "user_provided", "baseURL": "user_provided", **shared},
        {"name": "Given", "apiKey": OPERATORS_KEY, "baseURL": "user_provided", **shared},
        {"name": "Plain", "apiKey": OPERATORS_KEY, "baseURL": url, **shared},
        {"name": "Ollama", "apiKey": "user_provided", "baseURL": url, **shared},
        {"name": "Titled", "apiKey": "user_provided", "baseURL": url, "titleConvo": True, **shared},
        {
            "name": "Elsewhere",
            "apiKey": OPERATORS_KEY,
            "baseURL": url,
            "titleConvo": True,
            "titleEndpoint": "Own",
            **shared,
        },
    ]


@dataclass
class OwnKeysGateway:
    """`log` is all that the gateway has printed."""

    app: ASGIApp
    log: CapturedLog

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = "alice",
        query: str = "",
        headers: Mapping[str, str] = {},
    ) -> AsgiAnswer:
        """Send a request in the name of a user."""
        own = {
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "x-librechat-user-id": user,
        }
        data = None if body is None else [json.dumps(body).encode()]
        return await ask(
            self.app,
            method,
            path,
            headers={**own, **headers},
            body=data,
            query_string=query.encode(),
        )

    async def chat(
        self, endpoint: str, *, user: str = "alice", headers: Mapping[str, str] = {}, **body: Any
    ) -> AsgiAnswer:
        """Post a chat to an endpoint."""
        said = {"role": "user", "content": f"I am {user}."}
        document = {"model": "m", "endpoint": endpoint, "messages": [said], **body}
        return await self.ask("POST", "/v1/chat/completions", document, user=user, headers=headers)


async def build_own_keys_gateway(directory: Path, url: str, *allowed: str) -> OwnKeysGateway:
    """Return a gateway in front of the upstream at `url`; users may bring `allowed` addresses."""
    config = directory / "librechat.yaml"
    endpoints = {"allowedAddresses": list(allowed), "custom": own_entries(url)}
    config.write_text(yaml.safe_dump({"version": "1.3.0", "endpoints": endpoints}), "utf-8")
    options = LocalOptions(
        config=config, host="127.0.0.1", port=8000, key=KEY, user=User("dev"), has_demo=False
    )
    log = CapturedLog()
    with log.set_up():
        app, _ = await build_local(options)
    return OwnKeysGateway(app, log)
