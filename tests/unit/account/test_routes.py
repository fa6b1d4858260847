"""The routes of users' own keys: the gateway's, and LibreChat's."""

import pytest

from tests.support.logs import fresh_log
from tests.support.own_keys import OwnKeysGateway, build_own_keys_gateway

KEY = "sk-canary-of-alice-1234"
URL = "https://llm.user.test/v1"
FAR = "2999-01-31T12:00:00.000Z"
SHOWN = {"endpoint": "Own", "apiKey": "…1234", "baseURL": None, "expiresAt": None}
NONE = {"message": "You have stored no key for this endpoint.", "type": "not_found_error"}


@pytest.fixture
async def gateway(tmp_path):
    with fresh_log():
        yield await build_own_keys_gateway(tmp_path, "http://127.0.0.1:1/v1")


async def test_key_is_stored_shown_replaced_and_deleted(gateway: OwnKeysGateway):
    put = await gateway.ask("PUT", "/v1/keys/Own", {"apiKey": KEY})
    assert (put.status, put.json) == (200, SHOWN)
    assert put.headers["cache-control"] == "no-store"
    got = await gateway.ask("GET", "/v1/keys/Own")
    assert (got.status, got.json) == (200, SHOWN)
    again = await gateway.ask(
        "PUT", "/v1/keys/Own", {"apiKey": "another-key-9999", "expiresAt": FAR}
    )
    assert again.json == {**SHOWN, "apiKey": "…9999", "expiresAt": FAR}
    for _ in range(2):
        deleted = await gateway.ask("DELETE", "/v1/keys/Own")
        assert (deleted.status, deleted.body) == (204, b"")
    gone = await gateway.ask("GET", "/v1/keys/Own")
    assert (gone.status, gone.json["error"]) == (404, {**NONE, "param": None, "code": "not_found"})
    assert "canary" not in gateway.log.text


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/keys/Own", "DELETE, GET, PUT"),
        ("/api/keys", "DELETE, GET, PUT"),
        ("/api/keys/Own", "DELETE"),
    ],
)
async def test_refused_method_is_told_every_method_that_the_path_takes(
    gateway: OwnKeysGateway, path, methods
):
    answer = await gateway.ask("PATCH", path)
    assert (answer.status, answer.headers["allow"]) == (405, methods)
    assert answer.json["error"]["code"] == "method_not_allowed"


async def test_url_is_shown_by_its_host(gateway: OwnKeysGateway):
    body = {"apiKey": KEY, "baseURL": URL, "expiresAt": 4_000_000_000_000}
    put = await gateway.ask("PUT", "/v1/keys/Both", body)
    assert put.json == {
        "endpoint": "Both",
        "apiKey": "…1234",
        "baseURL": "llm.user.test",
        "expiresAt": "2096-10-02T07:06:40.000Z",
    }
    only = await gateway.ask("PUT", "/v1/keys/Given", {"baseURL": URL})
    assert (only.json["apiKey"], only.json["baseURL"]) == (None, "llm.user.test")


async def test_name_may_hold_slashes_and_blanks(gateway: OwnKeysGateway):
    put = await gateway.ask("PUT", "/v1/keys/A/b c", {"apiKey": KEY})
    assert put.json["endpoint"] == "A/b c"
    assert (await gateway.ask("DELETE", "/api/keys/A/b c")).status == 204
    assert (await gateway.ask("GET", "/v1/keys/A/b c")).status == 404


async def test_name_means_what_it_means_in_a_chat(gateway: OwnKeysGateway):
    put = await gateway.ask("PUT", "/v1/keys/OLLAMA", {"apiKey": KEY})
    assert put.json["endpoint"] == "Ollama"
    assert (await gateway.ask("GET", "/v1/keys/ollama")).status == 200
    assert (await gateway.ask("GET", "/v1/keys/own")).status == 404


REFUSALS = {
    "no endpoint": ("Nothing", {"apiKey": KEY}, 404, "endpoint_not_found", None),
    "no name": ("", {"apiKey": KEY}, 404, "endpoint_not_found", None),
    "operator's": ("Plain", {"apiKey": KEY}, 400, "invalid_body", None),
    "operator's URL": ("Own", {"apiKey": KEY, "baseURL": URL}, 400, "invalid_body", "baseURL"),
    "nothing": ("Own", {}, 400, "invalid_body", "apiKey"),
    "no object": ("Own", [KEY], 400, "invalid_body", None),
    "no header": ("Own", {"apiKey": f"{KEY}\n"}, 400, "invalid_body", "apiKey"),
    "past": ("Own", {"apiKey": KEY, "expiresAt": 5}, 400, "invalid_body", "expiresAt"),
    "private": (
        "Both",
        {"apiKey": KEY, "baseURL": "http://127.0.0.1:9/canary"},
        400,
        "invalid_base_url",
        None,
    ),
    "userinfo": (
        "Both",
        {"apiKey": KEY, "baseURL": "https://canary:x@a.test"},
        400,
        "invalid_base_url",
        None,
    ),
    "too long": (
        "Both",
        {"apiKey": "canary" * 682, "baseURL": "https://a.test/" + "x" * 200},
        400,
        "invalid_body",
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
async def test_refusal_tells_why_and_nothing_of_the_key(gateway: OwnKeysGateway, case):
    name, body, *told = case
    answer = await gateway.ask("PUT", f"/v1/keys/{name}", body)
    error = answer.json["error"]
    assert [answer.status, error["code"], error["param"]] == told
    assert "canary" not in answer.body.decode() + gateway.log.text
    assert (await gateway.ask("GET", f"/v1/keys/{name}")).status == 404


async def test_librechat_stores_asks_and_deletes(gateway: OwnKeysGateway):
    async def expiry(name: str) -> object:
        answer = await gateway.ask("GET", "/api/keys", query=f"name={name}")
        assert answer.status == 200
        return answer.json

    assert await expiry("Both") == {"expiresAt": None}
    value = f'{{"apiKey": "{KEY}", "baseURL": "{URL}"}}'
    body = {"name": "Both", "value": value, "expiresAt": FAR}
    put = await gateway.ask("PUT", "/api/keys", body)
    assert (put.status, put.body) == (201, b"")
    assert await expiry("Both") == {"expiresAt": FAR}
    assert (await gateway.ask("GET", "/v1/keys/Both")).json["baseURL"] == "llm.user.test"
    plain = await gateway.ask("PUT", "/api/keys", {"name": "Own", "value": KEY, "expiresAt": ""})
    assert plain.status == 201
    assert await expiry("Own") == {"expiresAt": "never"}
    for _ in range(2):
        assert (await gateway.ask("DELETE", "/api/keys/Both")).status == 204
    assert (await expiry("Both"), await expiry("Own")) == (
        {"expiresAt": None},
        {"expiresAt": "never"},
    )
    assert "canary" not in gateway.log.text


async def test_librechat_deletes_all_only_if_it_says_so(gateway: OwnKeysGateway):
    for name in ("Own", "Ollama"):
        for user in ("alice", "bob"):
            await gateway.ask("PUT", f"/v1/keys/{name}", {"apiKey": KEY}, user=user)
    for query in ("", "all=false", "all="):
        refused = await gateway.ask("DELETE", "/api/keys", query=query)
        assert (refused.status, refused.json["error"]["param"]) == (400, "all")
    assert (await gateway.ask("GET", "/v1/keys/Own")).status == 200
    assert (await gateway.ask("DELETE", "/api/keys", query="all=true")).status == 204
    for name in ("Own", "Ollama"):
        assert (await gateway.ask("GET", f"/v1/keys/{name}")).status == 404
        assert (await gateway.ask("GET", f"/v1/keys/{name}", user="bob")).status == 200


@pytest.mark.parametrize(
    ("method", "body", "param"),
    [("GET", None, "name"), ("PUT", {"value": "k"}, "name"), ("PUT", {"name": "Own"}, "value")],
)
async def test_librechats_mistake_is_an_envelope(gateway: OwnKeysGateway, method, body, param):
    answer = await gateway.ask(method, "/api/keys", body)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


async def test_a_key_is_of_one_user_alone(gateway: OwnKeysGateway):
    """Whose it is, the identity says: no place of a request can name another user."""
    await gateway.ask("PUT", "/v1/keys/Own", {"apiKey": KEY}, user="alice")
    others = {"userId": "alice", "user": "alice", "uid": "alice"}
    query = "name=Own&userId=alice&user=alice"
    assert (await gateway.ask("GET", "/v1/keys/Own", user="bob", query=query)).status == 404
    assert (await gateway.ask("GET", "/api/keys", user="bob", query=query)).json == {
        "expiresAt": None
    }
    for path in ("/v1/keys/Own", "/api/keys/Own"):
        assert (await gateway.ask("DELETE", path, user="bob", query=query)).status == 204
    await gateway.ask("DELETE", "/api/keys", user="bob", query=f"{query}&all=true")
    await gateway.ask("PUT", "/v1/keys/Own", {**others, "apiKey": "key-of-bob-9999"}, user="bob")
    assert (await gateway.ask("GET", "/v1/keys/Own", user="alice")).json == SHOWN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/keys/Own"),
        ("GET", "/v1/keys/Own"),
        ("DELETE", "/v1/keys/Own"),
        ("PUT", "/api/keys"),
        ("GET", "/api/keys"),
        ("DELETE", "/api/keys"),
        ("DELETE", "/api/keys/Own"),
    ],
)
async def test_every_route_needs_a_caller(gateway: OwnKeysGateway, method, path):
    headers = {"authorization": "Bearer wrong"}
    answer = await gateway.ask(method, path, {"apiKey": KEY}, headers=headers)
    assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
