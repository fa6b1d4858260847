"""The upstream of `make smoke-aws`: streams words, an event each, at a known pace.

A function of its own with a URL, streaming by the gateway's runtime. Whoever calls it has to know
a secret, of which it knows the SHA-256 alone.
"""

import asyncio
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator

from mangum import Mangum
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

WORDS = int(os.environ["WORDS"])
SPACING_S = int(os.environ["SPACING_MS"]) / 1000
KEY_DIGEST = os.environ["KEY_DIGEST"]

_HEAD = {"id": "chatcmpl-smoke", "created": 0, "model": "words"}
_USAGE = {"prompt_tokens": 10, "completion_tokens": WORDS, "total_tokens": 10 + WORDS}


async def chat(request: Request) -> Response:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    digest = hashlib.sha256(key.encode()).hexdigest()
    if scheme.lower() != "bearer" or not hmac.compare_digest(digest, KEY_DIGEST):
        return JSONResponse({"error": {"message": "Wrong key."}}, 401)
    if (await request.json()).get("stream"):
        return StreamingResponse(_events(), media_type="text/event-stream")
    message = {"role": "assistant", "content": " ".join(map(str, range(WORDS)))}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    whole = {"object": "chat.completion", "choices": choices, "usage": _USAGE}
    return JSONResponse(_HEAD | whole)


async def _events() -> AsyncIterator[str]:
    for number in range(WORDS):
        yield _event([{"index": 0, "delta": {"content": f"{number} "}, "finish_reason": None}])
        await asyncio.sleep(SPACING_S)
    yield _event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    yield _event([], usage=_USAGE)
    yield "data: [DONE]\n\n"


def _event(choices: list[object], **more: object) -> str:
    chunk = {**_HEAD, "object": "chat.completion.chunk", "choices": choices, **more}
    return f"data: {json.dumps(chunk)}\n\n"


app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])
handler = Mangum(app, lifespan="off")
