"""When the issuer's keys are fetched, and how long they serve."""

import asyncio

import pytest

from tests.support.fake_upstream import FakeUpstream, Received, gzip_reply, json_reply, reply
from tests.support.logs import kept_lines
from tests.support.tokens import (
    ISSUER,
    Times,
    bearer_tokens,
    jwk,
    key_set,
    loopback_egress,
    settings_of,
    token,
)
from waystation.errors import InvalidApiKeyError, SigningKeysUnavailableError
from waystation.identity.signing_keys import SigningKeys

DOWN = reply(b"", status=503)


def build(issuer: FakeUpstream, times: Times, path: str = "/jwks.json") -> SigningKeys:
    return SigningKeys(loopback_egress(), settings_of(issuer, path=path), now=times.now)


async def test_keys_are_fetched_once_an_hour(issuer: FakeUpstream, times: Times):
    keys = build(issuer, times)
    for times.passed in (0, 60, 3599):
        assert await keys.find("RS256") == [jwk()]
    assert len(issuer.received) == 1
    times.passed = 3600
    assert await keys.find("RS256") == [jwk()]
    assert len(issuer.received) == 2


async def test_new_key_is_found_a_minute_later_at_the_latest(issuer: FakeUpstream, times: Times):
    issuer.answer(key_set(jwk("RS256")))
    tokens = bearer_tokens(settings_of(issuer), times)
    await tokens.identify(token("RS256"))
    issuer.answer(key_set(jwk("ES256")))
    times.passed = 59
    with pytest.raises(InvalidApiKeyError):
        await tokens.identify(token("ES256"))
    times.passed = 60
    assert (await tokens.identify(token("ES256"))).user.id == "alice"
    with pytest.raises(InvalidApiKeyError):  # the old key is gone
        await tokens.identify(token("RS256"))
    assert len(issuer.received) == 2


async def test_storm_of_unknown_keys_is_one_fetch_a_minute(issuer: FakeUpstream, times: Times):
    keys = build(issuer, times)
    for minute in range(3):
        times.passed = minute * 60
        found = await asyncio.gather(*(keys.find(f"unknown-{n}") for n in range(100)))
        assert found == [[]] * 100
    assert len(issuer.received) == 3


async def test_requests_at_one_time_share_the_fetch(issuer: FakeUpstream, times: Times):
    issuer.answer([0.1, *key_set()])
    keys = build(issuer, times)
    assert await asyncio.gather(*(keys.find("RS256") for _ in range(50))) == [[jwk()]] * 50
    assert len(issuer.received) == 1


async def test_fetch_outlives_the_request_that_began_it(issuer: FakeUpstream, times: Times):
    issuer.answer([0.1, *key_set()])
    keys = build(issuer, times)
    first = asyncio.create_task(keys.find("RS256"))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(keys.find("RS256"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == [jwk()]
    assert len(issuer.received) == 1


def test_keys_serve_every_loop(issuer: FakeUpstream, times: Times):
    keys = build(issuer, times)
    assert asyncio.run(keys.find("RS256")) == [jwk()]
    times.passed = 3600
    assert asyncio.run(keys.find("RS256")) == [jwk()]
    assert len(issuer.received) == 2


def test_fetch_of_a_loop_that_stands_still_is_not_waited_for(issuer: FakeUpstream, times: Times):
    issuer.answer([0.2, *key_set()])
    keys = build(issuer, times)
    standing = asyncio.new_event_loop()
    with pytest.raises(TimeoutError):
        standing.run_until_complete(asyncio.wait_for(keys.find("RS256"), 0.02))
    times.passed = 5
    assert asyncio.run(asyncio.wait_for(keys.find("RS256"), 5)) == [jwk()]
    standing.run_until_complete(asyncio.sleep(0.3))
    standing.close()


async def test_without_any_keys_it_is_the_gateway_that_fails(issuer: FakeUpstream, times: Times):
    issuer.answer(DOWN)
    tokens = bearer_tokens(settings_of(issuer), times)
    with pytest.raises(SigningKeysUnavailableError) as caught:
        await tokens.identify(token())
    for _ in range(10):
        with pytest.raises(SigningKeysUnavailableError):
            await tokens.identify(token())
    assert (caught.value.status, caught.value.code) == (503, "signing_keys_unavailable")
    assert caught.value.headers["retry-after"] == "5"
    assert len(issuer.received) == 1
    issuer.answer(key_set())
    times.passed = 5
    assert (await tokens.identify(token())).user.id == "alice"


async def test_old_keys_serve_for_a_day_while_there_are_no_newer(
    issuer: FakeUpstream, times: Times
):
    keys = build(issuer, times)
    await keys.find("RS256")
    issuer.answer(DOWN)
    times.passed = 24 * 3600 - 1
    assert await keys.find("RS256") == [jwk()]
    assert await keys.find("unknown") == []
    assert len(issuer.received) == 2
    times.passed = 24 * 3600 + 60
    with pytest.raises(SigningKeysUnavailableError):
        await keys.find("RS256")


ANSWERS = {
    "status 500": (json_reply({"keys": []}, status=500), "the answer has status 500"),
    "redirect": (
        reply(b"", status=302, headers=[("location", "http://127.0.0.1:1/keys")]),
        "the answer has status 302",
    ),
    "no JSON": (reply(b"<html>"), "the answer is not JSON"),
    "a list": (json_reply([]), "the answer is no JSON object"),
    "no keys": (json_reply({}), "the answer is no key set"),
    "keys are an object": (json_reply({"keys": {}}), "the answer is no key set"),
    "too large": (json_reply({"keys": [], "more": "x" * 65536}), "ResponseTooLargeError"),
    "compressed": (gzip_reply({"keys": []}), "UpstreamInvalidResponseError"),
    "silence": ([b""], "UpstreamInvalidResponseError"),
}


@pytest.mark.parametrize(("answer", "cause"), ANSWERS.values(), ids=ANSWERS)
async def test_what_is_no_key_set_is_not_used(issuer: FakeUpstream, times: Times, answer, cause):
    issuer.answer(answer)
    with kept_lines("waystation.identity") as lines, pytest.raises(SigningKeysUnavailableError):
        await build(issuer, times).find("RS256")
    assert [vars(line)["cause"] for line in lines] == [cause]
    assert len(issuer.received) == 1


async def test_issuer_that_cannot_be_reached(times: Times):
    with FakeUpstream() as gone:
        settings = settings_of(gone)
    keys = SigningKeys(loopback_egress(), settings, now=times.now)
    with pytest.raises(SigningKeysUnavailableError):
        await keys.find("RS256")


def configuration(server: FakeUpstream, /, **changes: object):
    """Serve an OpenID configuration at /.well-known, and the keys elsewhere."""
    document = {"issuer": ISSUER, "jwks_uri": f"http://{server.address}/keys"} | changes

    def answer(request: Received):
        return key_set() if request.path == "/keys" else json_reply(document)

    return answer


WELL_KNOWN = "/.well-known/openid-configuration"


async def test_openid_configuration_leads_to_the_keys(issuer: FakeUpstream, times: Times):
    issuer.answer(configuration(issuer))
    assert await build(issuer, times, WELL_KNOWN).find("RS256") == [jwk()]
    assert [request.path for request in issuer.received] == [WELL_KNOWN, "/keys"]


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://login.example.com"},
        {"issuer": None},
        {"jwks_uri": "http://login.example.com/keys"},
        {"jwks_uri": "file:///etc/keys"},
        {"jwks_uri": 7},
    ],
    ids=["another issuer", "no issuer", "not https", "file", "no text"],
)
async def test_configuration_must_be_the_issuers(issuer: FakeUpstream, times: Times, changes):
    issuer.answer(configuration(issuer, **changes))
    with kept_lines("waystation.identity") as lines, pytest.raises(SigningKeysUnavailableError):
        await build(issuer, times, WELL_KNOWN).find("RS256")
    assert [vars(line)["cause"].startswith("the OpenID") for line in lines] == [True]
    assert [request.path for request in issuer.received] == [WELL_KNOWN]


async def test_configuration_leads_one_step_and_no_further(issuer: FakeUpstream, times: Times):
    issuer.answer(json_reply({"issuer": ISSUER, "jwks_uri": f"http://{issuer.address}/again"}))
    with pytest.raises(SigningKeysUnavailableError):
        await build(issuer, times, WELL_KNOWN).find("RS256")
    assert [request.path for request in issuer.received] == [WELL_KNOWN, "/again"]
