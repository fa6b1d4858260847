"""The failure matrix: a title that fails has a record of its own, and its chat knows nothing."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.conversations import wait_until
from tests.support.dialects import OPENAI
from tests.support.failure_matrix import USED, Asker, Row, Way, new_asker
from tests.support.fake_upstream import RESET, FakeUpstream, Step
from tests.support.matrix_gateway import API_KEY, MatrixGateway, matrix_config
from tests.support.served_gateway import CHAT
from waystation.aws.table import Item

either_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module", params=["immediate", "final"])
def _titling(
    request: pytest.FixtureRequest,
    acme: dict[str, object],
    _titles: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MatrixGateway]:
    rates = {"prompt": 2, "completion": 6, "context": 128000}
    titled = {
        "name": "Titled",
        "titleConvo": True,
        "titleEndpoint": "Namer",
        "titleModel": "acme-large",
        "titleTiming": request.param,
        "tokenConfig": {"acme-large": rates},
    }
    namer = acme | {"name": "Namer", "baseURL": _titles.url, "tokenConfig": {"acme-large": rates}}
    config = matrix_config(acme, acme | titled, namer, reserves=True)
    directory = tmp_path_factory.mktemp("titling")
    with MatrixGateway(config, directory, reserves=True) as gateway:
        yield gateway


@pytest.fixture
def titling(_titling: MatrixGateway) -> Iterator[MatrixGateway]:
    """A gateway of balances, with an entry whose titles another upstream makes."""
    _titling.heal()
    yield _titling
    _titling.heal()


def records_of(asker: Asker, kind: str) -> list[Item]:
    return [one for one in asker.items("REQ#") if one["kind"] == kind]


@either_way
@pytest.mark.parametrize(
    ("failing", "state", "code"),
    [
        (OPENAI.refusal(500, f"Not with {API_KEY}."), "RELEASED", "upstream_error"),
        (OPENAI.refusal(429), "RELEASED", "upstream_rate_limited"),
        ([RESET], "SETTLED", "upstream_error"),
    ],
    ids=["500", "429", "reset"],
)
def test_title_that_fails(
    titling: MatrixGateway,
    upstream: FakeUpstream,
    titles: FakeUpstream,
    *,
    failing: Sequence[Step],
    state: str,
    code: str,
    stream: bool,
) -> None:
    upstream.answer(OPENAI.answer(stream=stream))
    titles.answer(failing)
    asker = new_asker(titling, upstream)
    way = Way(CHAT, "Titled/acme-large", OPENAI)

    answer = asker.ask(way, stream=stream, conversationId="c1")

    asker.expect_answer(Row(200), answer, stream=stream)
    wait_until(lambda: _is_over(records_of(asker, "title")))
    (chat,) = records_of(asker, "chat")
    (title,) = records_of(asker, "title")
    assert (chat["state"], chat["cost"], chat.get("error_code")) == ("SETTLED", USED, None)
    assert (title["state"], title["error_code"]) == (state, code)
    usage = None if state == "RELEASED" else "estimated"
    assert title.get("usage_source") == usage
    asker.expect_sums([chat, title])
    asker.expect_balance([chat, title])
    wait_until(lambda: any(one["message"] == "title_failed" for one in titling.log.lines()))
    assert len(upstream.received) == len(titles.received) == 1
    asker.expect_no_canary()


def _is_over(found: list[Item]) -> Any:
    return found and found[0]["state"] != "RESERVED"
