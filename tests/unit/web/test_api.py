"""Apps with routes of FastAPI's: callers, errors and log lines are those of all apps."""

import json

import pytest
from fastapi import APIRouter, Query
from starlette.types import ASGIApp

from tests.support.asgi import ask
from tests.support.web_app import JSON, RUNTIME, SECRET
from waystation.web.api import create_api

SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def user_in(capsys) -> object:
    """Return the user that the last line of the log tells."""
    return json.loads(capsys.readouterr().out.splitlines()[-1])["user_id"]


def build_api() -> ASGIApp:
    router, open_router = APIRouter(), APIRouter()

    @router.get("/own")
    async def own(number: int = Query(0)) -> dict[str, int]:
        if number < 0:
            raise ValueError(SECRET)
        return {"number": number}

    @open_router.get("/open")
    async def anyone() -> dict[str, str]:
        return {"status": "ok"}

    return create_api(RUNTIME, routers=[router], open_routers=[open_router])


async def test_api_serves_callers_and_open_routes(capsys):
    api = build_api()
    assert (await ask(api, path="/own", headers=JSON)).json == {"number": 0}
    assert user_in(capsys) == "alice"
    assert (await ask(api, path="/open")).json == {"status": "ok"}


API = {
    "nobody": ("/own", {}, b"", 401, "invalid_api_key"),
    "bad parameter": ("/own", JSON, b"number=x", 400, "invalid_body"),
    "unknown route": ("/docs", JSON, b"", 404, "not_found"),
    "schema": ("/openapi.json", JSON, b"", 404, "not_found"),
}


@pytest.mark.parametrize(("path", "headers", "query", "status", "code"), API.values(), ids=API)
async def test_api_answers_errors_in_the_envelope(path, headers, query, status, code):
    answer = await ask(build_api(), path=path, headers=headers, query_string=query)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.headers | SAFE == answer.headers


async def test_api_answers_other_methods_in_the_envelope():
    answer = await ask(build_api(), "POST", "/own", headers=JSON)
    assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")


async def test_api_logs_an_unforeseen_error_by_its_place(capsys):
    answer = await ask(build_api(), path="/own", headers=JSON, query_string=b"number=-1")
    assert (answer.status, answer.json["error"]["code"]) == (500, "internal_error")
    out = capsys.readouterr().out
    assert SECRET not in out
    assert [json.loads(line)["message"] for line in out.splitlines()] == [
        "unexpected_error",
        "request",
    ]
