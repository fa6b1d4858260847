"""Calls every kind of route of the API that `sam local start-api` serves.

    python -m tests.deploy.sam_local_api [--host 172.17.0.1] [options of `sam local start-api`]

Needs a Docker engine on Linux (DOCKER_HOST) and what `make build` builds.
"""

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from waystation_cli.sam_local import DOCKER_HOST_IP, LocalApi, run_sam_local

MODEL = "Demo/demo-small"
SAID = "You said: Hello! I am the demo upstream"
TITLE_WITHIN_S = 60.0
USERS_KEY = {"apiKey": "sk-of-a-user-1234"}


@dataclass(frozen=True)
class Route:
    """A request, the status that it must get, and what else its answer must be."""

    method: str
    path: str
    status: int
    holds: Callable[[httpx2.Response], bool]
    body: dict[str, Any] | None = None
    has_key: bool = True


def main() -> None:
    """Print a row for each call; end with status 1 if one is not as it must be."""
    parser = argparse.ArgumentParser(description="Call the API that `sam local` serves.")
    parser.add_argument("--host", default=DOCKER_HOST_IP, help="where containers find this machine")
    parser.add_argument("--port", type=int, default=3000)
    options, more = parser.parse_known_args()
    rows = Table("", "status", "ms", "answer", "")
    is_good = True
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with run_sam_local(host=options.host, port=options.port, log=log, more=more) as api:
            api.deployment.import_secrets({"OPENAI_API_KEY": "user_provided"})
            for route in _routes():
                began = time.perf_counter()
                answer = _answer(api, route)
                took_ms = (time.perf_counter() - began) * 1000
                is_right = answer.status_code == route.status and route.holds(answer)
                is_good &= is_right
                told = (str(answer.status_code), f"{took_ms:.0f}", answer.text[:60].strip())
                rows.add_row(f"{route.method} {route.path}", *told, "" if is_right else "wrong")
        if not is_good:
            sys.stderr.write(log.read_text(errors="replace"))
    Console(width=150, markup=False).print(rows)
    sys.exit(not is_good)


def _answer(api: LocalApi, route: Route) -> httpx2.Response:
    """Ask; for the title that a chat has begun, until it is there."""
    headers = {"Authorization": f"Bearer {api.key}"} if route.has_key else {}
    until = time.monotonic() + TITLE_WITHIN_S
    with httpx2.Client(base_url=api.url, timeout=120, trust_env=False) as client:
        while True:
            answer = client.request(route.method, route.path, headers=headers, json=route.body)
            is_early = route.path.startswith("/v1/titles/") and answer.status_code != route.status
            if not is_early or time.monotonic() > until:
                return answer
            time.sleep(1)


def _routes() -> Iterator[Route]:
    def chat(**more: object) -> dict[str, Any]:
        return {"model": MODEL, "messages": [{"role": "user", "content": "Hello!"}], **more}

    def says(text: str) -> Callable[[httpx2.Response], bool]:
        return lambda answer: text in answer.text

    def is_whole(answer: httpx2.Response) -> bool:
        is_stream = answer.headers["content-type"].startswith("text/event-stream")
        return is_stream and answer.text.endswith("data: [DONE]\n\n")

    conversation = str(uuid.uuid4())
    yield Route("GET", "/healthz", 200, says('"status":"ok"'), has_key=False)
    yield Route("GET", "/v1/models", 200, says(MODEL))
    yield Route("GET", f"/v1/models/{MODEL}", 200, says(MODEL))
    yield Route("GET", "/v1/models/Demo%2Fdemo-small", 200, says(MODEL))
    yield Route("GET", "/api/models", 200, says("demo-small"))
    yield Route("GET", "/api/endpoints", 200, says("Demo"))
    yield Route("GET", "/api/endpoints/token-config", 200, says("128000"))
    completions, messages = "/v1/chat/completions", "/v1/messages"
    yield Route("POST", completions, 200, says(SAID), chat(conversationId=conversation))
    yield Route("POST", completions, 200, is_whole, chat(stream=True))
    yield Route("POST", messages, 200, says(SAID), chat(max_tokens=100))
    yield Route("POST", completions, 401, says("invalid_api_key"), chat(), has_key=False)
    yield Route("POST", completions, 404, says("model_not_found"), chat(model="Demo/no"))
    yield Route("GET", f"/v1/titles/{conversation}", 200, says('"title":"Hello"'))
    words = {"model": MODEL, "input": "Where to go in spring?", "output": "To Paris."}
    yield Route("POST", "/v1/titles", 200, says('"title":"Where to go in spring"'), words)
    yield Route("PUT", "/v1/keys/openAI", 200, says("…1234"), USERS_KEY)
    yield Route("GET", "/api/keys?name=openAI", 200, says('"expiresAt":"never"'))
    yield Route("DELETE", "/v1/keys/openAI", 204, says(""))
    yield Route("GET", "/v1/usage", 200, says('"model":"demo-small"'))
    yield Route("GET", "/v1/balance", 200, says('"enabled":false'))
    yield Route("GET", "/v1/nowhere", 404, says("not_found"))


if __name__ == "__main__":
    main()
