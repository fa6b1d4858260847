"""Who sends which request."""

import asyncio

from tests.support.fakes import Reply, ScriptedEgress
from waystation.calls.senders import Sender, Senders
from waystation.egress.deadlines import Deadline
from waystation.wire.upstream_request import UpstreamRequest


async def send(senders: Senders, request: UpstreamRequest) -> int:
    deadline = Deadline(asyncio.get_running_loop().time() + 5)
    async with senders.send(request, deadline) as response:
        return response.status


async def test_each_request_goes_the_way_that_it_names():
    https, bedrock = ScriptedEgress(Reply(200)), ScriptedEgress(Reply(201), Reply(202))
    made: list[Sender] = []

    def make_bedrock() -> Sender:
        made.append(bedrock)
        return bedrock

    senders = Senders(https, make_bedrock)
    plain = UpstreamRequest("https://a.test", (), b"")
    asked = UpstreamRequest("bedrock:eu-west-1/converse", (), b"", via="bedrock")
    assert await send(senders, plain) == 200
    assert made == []
    assert [await send(senders, asked), await send(senders, asked)] == [201, 202]
    assert made == [bedrock]
    assert (https.sent, bedrock.sent) == ([plain], [asked, asked])
