"""The yardstick: FastAPI and httpx behind Mangum, which forward a chat and do nothing else.

No configuration, no keys, no prices, no records.
"""

import os

import httpx  # type: ignore[import-not-found]  # in this app's own environment
from fastapi import FastAPI, Request
from fastapi.responses import Response
from mangum import Mangum

app = FastAPI()
client = httpx.AsyncClient(base_url=os.environ["UPSTREAM_URL"], timeout=60, trust_env=False)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """Pass a body on, and the answer back."""
    answer = await client.post(
        "/chat/completions",
        content=await request.body(),
        headers={"authorization": "Bearer sk-bench", "content-type": "application/json"},
    )
    return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])


handler = Mangum(app, lifespan="off")
