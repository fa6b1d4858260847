"""Metered calls for tests: calls, answers of upstreams, and what came of them."""

import asyncio
import json

from tests.support.config_entries import build_entry, token_config
from tests.support.fakes import (
    Reply,
    ScriptedEgress,
    StaticSecrets,
    StaticUserKeys,
    Step,
)
from waystation.calls.call import Call
from waystation.calls.metered import MeteredCalls
from waystation.config.schema import Endpoint
from waystation.credentials.own import OwnCredentials
from waystation.egress.deadlines import Deadline
from waystation.ledger.ledger import Ledger
from waystation.ledger.prices import PriceBook
from waystation.wire.chat_request import ChatRequest

SECRET = "the-key-of-acme-5b1f7a3c"
RAW_USAGE: dict[str, object] = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
}
COST = 10 * 1000 + 5 * 2000
"""What `RAW_USAGE` costs at the rates of `priced_entry`, in nano-USD."""


def priced_entry(**changes: object) -> Endpoint:
    """Return the minimal entry, its model at 1 and 2 USD per million tokens."""
    rates = {"acme-large": token_config()["m"]}
    return build_entry(**({"tokenConfig": rates} | changes))


def build_call(
    *,
    is_stream: bool = False,
    entry: Endpoint | None = None,
    seconds: float = 10.0,
    placeholders: dict[str, str] | None = None,
    params: dict[str, object] | None = None,
    config_version: str = "v1",
    first_byte_s: float = 10.0,
    idle_s: float = 10.0,
) -> Call:
    """Return a chat of alice's whose input has 8 characters."""
    ends_at = asyncio.get_running_loop().time() + seconds
    return Call(
        request_id="01JZZZZZZZZZZZZZZZZZZZZZZZ",
        endpoint=entry or priced_entry(),
        model="acme-large",
        request=ChatRequest(
            model="acme-large",
            messages=[{"role": "user", "content": "12345678"}],
            stream=is_stream,
            params=params or {},
            conversation={"conversationId": "c1"},
        ),
        user_id="alice",
        key_id="k1",
        placeholders={"USER_ID": "alice"} if placeholders is None else placeholders,
        config_version=config_version,
        deadline=Deadline(ends_at, first_byte_s, idle_s),
        created_at_ms=1_780_000_000_000,
    )


def build_calls(
    egress: ScriptedEgress,
    ledger: Ledger,
    own: OwnCredentials | None = None,
    prices: PriceBook | None = None,
    **variables: str,
) -> MeteredCalls:
    """Return calls over a scripted upstream, settled in `ledger` a second later.

    `own` is what every user has stored.
    """
    return MeteredCalls(
        egress=egress,
        secrets=StaticSecrets(**({"ACME_KEY": SECRET} | variables)),
        user_keys=StaticUserKeys(own),
        ledger=ledger,
        now_ms=lambda: 1_780_000_001_000,
        prices=prices,
    )


def completion(usage: object = RAW_USAGE, **changes: object) -> dict[str, object]:
    """Return a whole answer that says Hello."""
    message = {"role": "assistant", "content": "Hello"}
    body: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "acme-large-0711",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    return body | ({} if usage is None else {"usage": usage}) | changes


def json_answer(document: object, status: int = 200) -> Reply:
    """Return a whole answer."""
    headers = {"content-type": "application/json"}
    return Reply(status, headers, [json.dumps(document).encode()])


def data(document: object) -> bytes:
    """Return one event of a stream."""
    return f"data: {json.dumps(document)}\n\n".encode()


def chunk(text: str, finish: str | None = None) -> bytes:
    """Return the event of one delta."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return data({"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [choice]})


def usage_chunk(usage: object = RAW_USAGE) -> bytes:
    """Return the event that tells the usage."""
    return data({"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [], "usage": usage})


DONE = b"data: [DONE]\n\n"


def stream_answer(*steps: Step) -> Reply:
    """Return a streamed answer."""
    return Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, steps)
