"""The ways on which a user brings a URL, and an upstream that answers all of them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import httpx2

from tests.support.anthropic_upstream import messages_reply, text_block
from tests.support.fake_upstream import FakeUpstream, Received, Steps, completion, json_reply
from tests.support.fake_upstream import streamed as streamed_completion
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, COUNT, KEY, MESSAGES, ServedGateway

OPERATORS_KEY = "key-of-the-operator-8c2f"
TEAM = "team-of-the-operator-1b7d"
USERS_KEY = "canary-key-of-the-user-93aa"
OPERATORS_SECRETS = {"OPERATORS_KEY": OPERATORS_KEY, "TEAM": TEAM}
SAID = [{"role": "user", "content": "canary-prompt"}]
COOKIE = "canary-cookie-55e1"

Way: TypeAlias = Callable[[ServedGateway, str], httpx2.Response]


def users_urls_config(*allowed: str, operators_url: str = "http://127.0.0.1:9/v1") -> str:
    """Return a file: `Mine`, `Claude` and `Listed` take users' URLs, `Plain` is the operator's."""
    shared: dict[str, object] = {
        "apiKey": "${OPERATORS_KEY}",
        "headers": {"X-Team": "${TEAM}", "Authorization": "Bearer ${OPERATORS_KEY}"},
        "models": {"default": ["m"]},
        "titleConvo": True,
        "titleModel": "current_model",
    }
    users = shared | {"baseURL": "user_provided"}
    entries: list[dict[str, object]] = [
        users | {"name": "Mine"},
        users | {"name": "Claude", "provider": "anthropic"},
        users | {"name": "Listed", "models": {"default": ["of-the-entry"], "fetch": True}},
        shared | {"name": "Plain", "baseURL": operators_url},
    ]
    return build_config(endpoints={"custom": entries, "allowedAddresses": list(allowed)})


def brought(url: str) -> dict[str, str]:
    """Return the headers that bring a URL with a request, and a cookie beside them."""
    own = {"x-endpoint-api-key": USERS_KEY, "x-endpoint-base-url": url}
    return {**own, "cookie": f"session={COOKIE}"}


def put_url(served: ServedGateway, endpoint: str, url: str) -> httpx2.Response:
    """Store a URL and a key."""
    body = {"apiKey": USERS_KEY, "baseURL": url}
    return served.client.put(f"/v1/keys/{endpoint}", json=body)


def _sent(path: str, endpoint: str = "Mine", **fields: Any) -> Way:
    def ask(served: ServedGateway, url: str) -> httpx2.Response:
        body = {"endpoint": endpoint, "model": "m", "messages": SAID, **fields}
        return served.client.post(path, json=body, headers=brought(url))

    return ask


def _stored(served: ServedGateway, url: str) -> httpx2.Response:
    stored = put_url(served, "Mine", url)
    if stored.status_code != httpx2.codes.OK:
        return stored
    return served.chat(endpoint="Mine", model="m", messages=SAID)


WAYS: Mapping[str, Way] = {
    "stored": _stored,
    "chat": _sent(CHAT),
    "stream": _sent(CHAT, stream=True),
    "messages": _sent(MESSAGES, max_tokens=5),
    "native messages": _sent(MESSAGES, "Claude", max_tokens=5),
    "count": _sent(COUNT, "Claude"),
    "title": _sent("/v1/titles"),
}
"""Each brings a URL and has it asked; `stored` answers what storing does if that is refused."""


def answer_any(request: Received) -> Steps:
    """Answer whatever is asked, honestly."""
    if request.path.endswith("/count_tokens"):
        return json_reply({"input_tokens": 3})
    if request.path.endswith("/messages"):
        return messages_reply(text_block("Hello!"))
    if request.path.endswith("/models"):
        return json_reply({"data": [{"id": "of-the-upstream"}]})
    return streamed_completion("Hello!") if request.json.get("stream") else json_reply(completion())


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Return what a client sees of an answer, without the id of its request."""
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], "<id>")


def expect_nothing_of_others(upstream: FakeUpstream) -> None:
    """Expect that no byte of the operator's secrets or of the caller's was sent to a user's URL."""
    assert upstream.received
    for request in upstream.received:
        assert USERS_KEY.encode() in request.raw
        assert request.raw.count(USERS_KEY.encode()) == 1
        for secret in (OPERATORS_KEY, TEAM, KEY, COOKIE, "x-endpoint", "X-Team", "x-team"):
            assert secret.encode() not in request.raw


def expect_no_charge(served: ServedGateway) -> None:
    """Expect that what was asked has cost nothing, and that nothing is held."""
    for record in served.records():
        assert (record["state"], record["cost"], record["hold"]) == ("RELEASED", 0, 0)


def expect_quiet_log(served: ServedGateway, *texts: str) -> None:
    """Expect no URL, key, prompt or address in the log, nor these texts."""
    log = served.log.text
    assert log
    secrets = ("canary", "://", "127.0.0", "169.254", KEY, OPERATORS_KEY, TEAM, "x-endpoint")
    assert [text for text in (*secrets, *texts) if text in log] == []


def blocked(served: ServedGateway) -> list[dict[str, Any]]:
    """Return the log's lines of refused URLs."""
    return [line for line in served.log.lines() if line["message"] == "ssrf_blocked"]
