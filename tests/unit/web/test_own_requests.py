"""Requests that this gateway has sent itself, and those that only look so."""

import pytest
from starlette.exceptions import HTTPException

from tests.support.asgi import AsgiAnswer, ask
from tests.support.web_app import JSON, RUNTIME, handle
from waystation.web.app import PostRoute, create_app, wrap_app


async def post(**headers: str) -> AsgiAnswer:
    app = create_app([PostRoute("/chat", handle)], RUNTIME)
    return await ask(app, "POST", "/chat", headers=headers, body=[b"{}"])


AGENTS = ["waystation/waystation", "Waystation/WAYSTATION b/1", "a/1 (x) waystation/waystation, c"]


@pytest.mark.parametrize("agent", AGENTS)
async def test_a_request_of_our_own_that_has_lost_its_via_is_refused(agent):
    answer = await post(**{**JSON, "user-agent": agent})
    assert (answer.status, answer.json["error"]["code"]) == (508, "loop_detected")


@pytest.mark.parametrize("agent", ["waystation", "waystation/waystation-2", "waystation/", "é"])
async def test_requests_may_be_sent_by_other_gateways(agent):
    assert (await post(**{**JSON, "user-agent": agent})).status == 200


OTHERS = ["1.1 waystation-2", "1.1 x.cloudfront.net (CloudFront)", "waystation", "", ",", "1.1 é"]


@pytest.mark.parametrize("via", OTHERS)
async def test_requests_may_come_through_others(via):
    assert (await post(**{**JSON, "via": via})).status == 200


async def test_an_app_may_have_a_name_of_its_own():
    app = wrap_app(_refusing, RUNTIME, via="waystation-a1")
    assert (await ask(app, headers={"via": "1.1 waystation-a1"})).status == 508
    assert (await ask(app, headers={"user-agent": "waystation/waystation-a1"})).status == 508
    assert (await ask(app, headers={"via": "1.1 waystation"})).status == 404
    assert (await ask(app, headers={"user-agent": "waystation/waystation"})).status == 404


async def _refusing(*_: object) -> None:
    raise HTTPException(404)
