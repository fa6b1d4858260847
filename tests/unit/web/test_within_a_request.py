"""What a request leaves in its task: nothing; and what its lines of the log say meanwhile."""

import asyncio
import json
import logging
from typing import Any

from starlette.types import Receive, Scope, Send

from tests.support.asgi import ask
from tests.support.web_app import RUNTIME
from waystation.credentials.own import OwnCredentials, keep_out_of_log, values_in_use
from waystation.web.app import wrap_app
from waystation.web.log import lines_of, set_up_logging


async def _bring_a_key(scope: Scope, receive: Receive, send: Send) -> None:
    assert values_in_use() == ()
    keep_out_of_log(OwnCredentials("canary-key"))
    logging.getLogger("waystation.egress").warning("beside")
    await asyncio.create_task(_tell("later"))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _tell(text: str) -> None:
    logging.getLogger("waystation.egress").warning(text, extra={"request_id": "of-its-own"})


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_keys_of_a_request_are_not_in_use_in_the_next_of_the_same_task():
    app = wrap_app(_bring_a_key, RUNTIME)
    for _ in range(2):
        assert (await ask(app)).status == 204
        assert values_in_use() == ()


async def test_every_line_tells_the_request_that_it_is_of(capsys):
    app = wrap_app(_bring_a_key, RUNTIME)
    first, second = await ask(app), await ask(app)
    logging.getLogger("waystation").warning("outside")

    *told, outside = lines(capsys.readouterr().out)
    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    expected = [[one, "of-its-own", one] for one in ids]
    assert [line["request_id"] for line in told] == [*expected[0], *expected[1]]
    assert "request_id" not in outside


async def test_lines_inside_of_others_are_of_the_inner_request(capsys):
    set_up_logging("INFO", list)
    log = logging.getLogger("waystation")
    with lines_of("r1"):
        with lines_of("r2"):
            log.info("inner")
        log.info("outer")
    assert [line["request_id"] for line in lines(capsys.readouterr().out)] == ["r2", "r1"]
