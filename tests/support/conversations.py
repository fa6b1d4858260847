"""New conversations, entries that make titles of them, and ways to wait."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from tests.support.fake_upstream import Step, Steps

WITHIN_S = 10.0
TITLE_RATES = {"prompt": 1, "completion": 2, "context": 128000}
TITLE_COST = 10 * 1000 + 5 * 2000  # nano-USD of `completion()` by these rates


def new_conversation() -> str:
    """Return the id of a conversation that nobody knows yet."""
    return str(uuid.uuid4())


def first_turn(conversation_id: str, text: str = "How do I bake bread?") -> dict[str, Any]:
    """Return what the body of a conversation's first chat has beside the model."""
    message = {"role": "user", "content": text}
    return {"conversationId": conversation_id, "messages": [message]}


def titling_entries(acme: Mapping[str, object], titles_url: str) -> list[dict[str, object]]:
    """Return entries on acme's upstream: with titles made elsewhere at once or later, and without.

    `Titles` is the endpoint that makes them, at a price of its own.
    """
    rates = {"title-small": TITLE_RATES}
    made = {"titleConvo": True, "titleEndpoint": "Titles", "titleModel": "title-small"}
    return [
        {**acme, "name": "Acme", **made},
        {**acme, "name": "Later", **made, "titleTiming": "final"},
        {**acme, "name": "Plain"},
        {
            **acme,
            "name": "Titles",
            "baseURL": titles_url,
            "models": {"default": ["title-small"]},
            "tokenConfig": rates,
        },
    ]


def before(is_so: Callable[[], bool], steps: Steps) -> Iterator[Step]:
    """Answer with nothing until something is so, then with steps."""
    until = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < until
        yield 0.01
    yield from steps


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def wait_for_title(client: httpx2.Client, conversation_id: str) -> str:
    """Ask for a title until it is there."""
    until = time.monotonic() + WITHIN_S
    while True:
        answer = client.get(f"/v1/titles/{conversation_id}")
        if answer.status_code == 200:
            assert answer.json().keys() == {"title", "conversationId"}
            assert answer.json()["conversationId"] == conversation_id
            title: str = answer.json()["title"]
            return title
        assert answer.json()["error"]["code"] == "not_found", answer.text
        assert time.monotonic() < until
        time.sleep(0.02)
