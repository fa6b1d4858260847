"""A small OpenAI-compatible upstream in words of its own, streamed word by word.

It needs no key. Every second prompt token counts as cached, so that costs have something to show.
Asked for a title, it answers with the first words of the conversation.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

PATH = "/demo-upstream/v1"
WORD_DELAY_S = 0.03
TITLE_WORDS = 5

_FIRST_TURN = re.compile(r"^User: (.*)", re.MULTILINE)


def demo_routes() -> list[Route]:
    """Return the upstream's one route."""
    return [Route(f"{PATH}/chat/completions", _chat, methods=["POST"])]


async def _chat(request: Request) -> Response:
    body = await request.json()
    words = _reply(body)
    prompt = len(json.dumps(body["messages"])) // 4
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(words),
        "total_tokens": prompt + len(words),
        "prompt_tokens_details": {"cached_tokens": prompt // 2},
    }
    head = {"id": "chatcmpl-demo", "created": int(time.time()), "model": body["model"]}
    if body.get("stream"):
        return StreamingResponse(_stream(head, words, usage), media_type="text/event-stream")
    message = {"role": "assistant", "content": "".join(words)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _reply(body: dict[str, object]) -> list[str]:
    messages = body["messages"]
    last = messages[-1] if isinstance(messages, list) else {}
    content = last.get("content")
    said = content if isinstance(content, str) else "something with pictures"
    if last.get("role") == "system":  # no chat ends so, but a request for a title does
        words = _title(said)
    else:
        text = f"You said: {said} I am the demo upstream, and this answer went through the gateway."
        words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def _title(prompt: str) -> list[str]:
    turn = _FIRST_TURN.search(prompt)
    words = re.findall(r"[\w'-]+", turn[1] if turn else prompt)
    return words[:TITLE_WORDS] or ["Conversation"]


async def _stream(
    head: dict[str, object], words: list[str], usage: dict[str, object]
) -> AsyncIterator[str]:
    head = {**head, "object": "chat.completion.chunk"}
    for n, word in enumerate(words):
        delta = {"role": "assistant", "content": word} if n == 0 else {"content": word}
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        await asyncio.sleep(WORD_DELAY_S)
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({**head, "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _event(chunk: dict[str, object]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"
