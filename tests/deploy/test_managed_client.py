"""The chat function under AWS's own emulator, by the client of the managed runtime.

Nothing streams there: the layer's wrapper steps aside, and answers are whole.
"""

import json
from collections.abc import Iterator

import pytest

from tests.support.aws_server import KEY, AwsServer, aws_server
from tests.support.fake_lambda import ROOT, make_layer
from tests.support.fake_upstream import FakeUpstream, completion, json_reply, streamed
from tests.support.lambda_events import rest_event, url_event
from tests.support.lambda_gateway import build_config
from tests.support.rie import Emulated, emulated
from tests.support.served_gateway import CHAT, chat_body, sse_data

BUFFERED = {"RESPONSE_MODE": "buffered"}
UNDER_SAM = {"RESPONSE_MODE": "stream", "AWS_SAM_LOCAL": "true"}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with aws_server(ACME_KEY="the-key-of-acme-5b1f7a3c") as aws:
        yield aws


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=[BUFFERED, UNDER_SAM], ids=["buffered", "under SAM"])
def chat(
    request: pytest.FixtureRequest,
    aws: AwsServer,
    upstream: FakeUpstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Emulated]:
    acme = {
        "name": "Acme",
        "apiKey": "${ACME_KEY}",
        "baseURL": upstream.url,
        "models": {"default": ["acme-large"]},
    }
    directory = tmp_path_factory.mktemp("emulated")
    environment = aws.environment(build_config(acme), **request.param)
    code = ROOT / "functions" / "chat"
    with emulated(code, make_layer(directory), directory, environment) as chat:
        yield chat


def event_of(make=rest_event, **body: object) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    event: dict[str, object] = make("POST", CHAT, headers, json.dumps(chat_body(**body)).encode())
    return event


@pytest.mark.parametrize("make", [rest_event, url_event], ids=["REST", "URL"])
def test_answer_is_whole(chat: Emulated, upstream: FakeUpstream, make) -> None:
    upstream.answer(json_reply(completion("Good day.")))
    answer = chat.invoke(event_of(make))
    assert answer["statusCode"] == 200
    message = json.loads(answer["body"])["choices"][0]["message"]
    assert message["content"] == "Good day."


def test_stream_comes_at_once(chat: Emulated, upstream: FakeUpstream) -> None:
    upstream.answer(streamed("Good ", "day."))
    answer = chat.invoke(event_of(stream=True))
    headers = {**answer["headers"], **answer.get("multiValueHeaders", {})}
    assert "text/event-stream" in str(headers["content-type"])
    *_, last = sse_data(answer["body"].split("\n"))
    assert (answer["statusCode"], last) == (200, "[DONE]")


def test_one_process_serves_one_event_after_the_other(
    chat: Emulated, upstream: FakeUpstream
) -> None:
    upstream.answer(json_reply(completion()))
    for _ in range(3):
        assert chat.invoke(event_of())["statusCode"] == 200
    assert chat.invoke(event_of(model="Acme/unknown"))["statusCode"] == 404
    assert chat.log_path.read_text(encoding="utf-8").count("INIT START") == 1
    assert [line["status"] for line in chat.log()][-4:] == [200, 200, 200, 404]
