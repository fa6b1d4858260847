"""Titles as LibreChat was recorded to ask for them and to clean them, and what differs here.

Every case is asserted: as recorded but for the default prompt and the role (`title-prompt`,
`title-role`), or as `deliberate/titles.json` says, which names the differences of
docs/differences.md that each of its cases shows.
"""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_recorded_config import cases, placeholder_values
from tests.contract.test_recorded_requests import DOCUMENTED, compared, told
from tests.support.anthropic_upstream import message, text_block
from tests.support.calls import completion, json_answer
from tests.support.fakes import Reply
from tests.support.responses_upstream import response, text_item
from tests.support.title_making import body_of, build_titles, make_title
from waystation.errors import GatewayError
from waystation.wire.upstream_request import UpstreamRequest

HERE = Path(__file__).parent
DELIBERATE = json.loads((HERE / "deliberate" / "titles.json").read_text("utf-8"))
AS_IT_WAS = {"ttl-014", "ttl-019", "ttl-034"}
"""Cases that show no difference at all: no request, or a structured one by a user's message."""

LIBRECHATS_PROMPT = (
    "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
    "Only return the title itself.\n\nConversation:\n"
)
DOCUMENTED_PROMPT = (
    "Analyze this conversation and provide:\n1. The detected language of the conversation\n"
    "2. A concise title in the detected language (5 words or less, no punctuation or quotation)\n\n"
)
SAID = ("content", "tool_calls", "reasoning_content")


def as_made(case: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked of upstreams, with the title, or with `refused` and a code."""
    return asyncio.run(made(case["input"]))


async def made(given: dict[str, Any]) -> dict[str, Any]:
    entry = given["endpoints"][0]
    model = given["params"]["model"]
    listed = entry["models"]["default"]
    entry = entry | {
        "waystation": {"uiDefaults": True},
        "models": {"default": [*listed, *({model} - set(listed))]},
    }
    sections = {"all": given["endpointsAll"]} if "endpointsAll" in given else {}
    endpoints = sections | {"custom": [entry]}
    plan = given["upstreamReply"]
    runtime, egress = build_titles(endpoints, lambda request: replied(request, plan))
    values = placeholder_values(given["user"], None)
    fields = {name: values[f"USER_{name.upper()}"] for name in given["user"] if name != "id"}
    asked = body_for(entry["name"], given)
    try:
        title = await make_title(runtime, asked, user_id=given["user"]["id"], user=fields)
        outcome = {"title": title.text}
    except GatewayError as error:
        outcome = {"refused": error.code or error.type}
    return {"requests": [told(request) for request in egress.sent], **outcome}


def body_for(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a client asks for the title of a case."""
    # LibreChat joins the parts of its answers so: one that is no text leaves an empty line.
    texts = (part["text"] if part["type"] == "text" else "" for part in given["answerParts"])
    said = {"input": given["userText"], "output": "\n".join(texts)}
    return {"endpoint": name, "model": given["params"]["model"], **said, **given["body"]}


def replied(request: UpstreamRequest, plan: dict[str, Any]) -> Reply:
    """Return what the upstream of a case answers, in the API that it was asked by."""
    if plan.keys() & {"rawBody", "rawText", "status"}:
        body = plan["rawText"] if "rawText" in plan else json.dumps(plan["rawBody"])
        headers = {"content-type": "application/json"}
        return Reply(plan.get("status", 200), headers, [body.encode()])
    if request.url.endswith("/messages"):
        return json_answer(message(text_block(plan["content"])))
    body = body_of(request)
    if "input" in body:
        return json_answer(response(text_item(plan["content"])))
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message_of(body, plan)},
        "finish_reason": plan.get("finish_reason", "stop"),
    }
    return json_answer(completion(choices=[choice]))


def message_of(body: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """Return the message of a chat completion; a structured result by a tool, if there is one."""
    results = plan.get("multi") or ([plan["args"]] if "args" in plan else [])
    texts = [plan["rawArgs"]] if "rawArgs" in plan else [json.dumps(result) for result in results]
    if not texts:
        return {name: plan[name] for name in SAID if name in plan}
    if "tools" not in body:
        return {"content": texts[0]}
    name = plan.get("toolName") or body["tools"][0]["function"]["name"]
    calls = [
        {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": text}}
        for i, text in enumerate(texts)
    ]
    return {"content": None, "tool_calls": calls}


def as_recorded(case: dict[str, Any]) -> dict[str, Any]:
    """Return what LibreChat did."""
    requests = [
        {"url": sent["url"], "headers": compared(sent["headers"]), "body": sent["body"]}
        for sent in case["expected"]["requests"]
    ]
    title = case["expected"].get("title")
    outcome = {"refused": True} if title is None else {"title": title}
    return {"requests": requests, **outcome}


def as_documented(recorded: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """Return the same with the documented default prompt, and the role that is set."""
    entry = case["input"]["endpoints"][0]
    is_native = entry.get("provider") == "anthropic"
    role = "user" if is_native else entry.get("titleMessageRole", "system")
    changed = copy.deepcopy(recorded)
    for request in changed["requests"]:
        body = request["body"]
        (asked,) = body["messages"] if "messages" in body else body["input"]
        asked["role"] = role
        asked["content"] = asked["content"].replace(LIBRECHATS_PROMPT, DOCUMENTED_PROMPT)
    return changed


def is_same(ours: dict[str, Any], recorded: dict[str, Any]) -> bool:
    return ours == recorded | ({"refused": ours.get("refused")} if "refused" in recorded else {})


@pytest.mark.parametrize("case", cases("titles"))
def test_titles_are_made_as_recorded_or_differ_on_purpose(case):
    ours, deliberate = as_made(case), DELIBERATE.get(case["id"])
    recorded = as_recorded(case)
    documented = as_documented(recorded, case)
    if deliberate is None:
        assert is_same(ours, documented), ours
    else:
        assert ours == deliberate["ours"]
        assert not is_same(ours, documented), "it does not differ any more"
    assert is_same(ours, recorded) is (case["id"] in AS_IT_WAS)


def test_every_difference_is_documented():
    named = {name for case in DELIBERATE.values() for name in case["differences"]}
    assert named | {"title-prompt", "title-role"} <= DOCUMENTED
