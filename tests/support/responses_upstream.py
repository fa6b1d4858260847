"""Answers of an upstream that speaks OpenAI's Responses API, whole and as its events.

Items are made by `text_item`, `reasoning_item`, `call_item` and `search_item`; `response` puts them
into a whole answer, `events_of` into the events of a stream. Both are valid for OpenAI's SDK. The
functions below `events_of` make single events, for streams that are not honest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.support.event_bytes import encoded
from tests.support.fake_upstream import Step, json_reply, stream_reply

Item = dict[str, Any]
Event = dict[str, Any]


def text_item(*texts: str, citations: Sequence[Mapping[str, object]] = ()) -> Item:
    """Return a message of a part for each text; the citations are those of the first."""
    parts: list[dict[str, Any]] = [
        {"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts
    ]
    parts[0]["annotations"] = list(citations)
    return _message(parts)


def refusal_item(text: str) -> Item:
    return _message([{"type": "refusal", "refusal": text}])


def reasoning_item(*summaries: str, encrypted: str | None = None) -> Item:
    """Return the reasoning of a model that only tells summaries of it."""
    parts = [{"type": "summary_text", "text": text} for text in summaries]
    item = {"id": "rs_1", "type": "reasoning", "summary": parts}
    return item if encrypted is None else item | {"encrypted_content": encrypted}


def call_item(name: str, arguments: str, call_id: str = "call_1") -> Item:
    return {
        "id": f"fc_{call_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def custom_call_item(name: str, text: str, call_id: str = "call_2") -> Item:
    return {
        "id": f"ctc_{call_id}",
        "type": "custom_tool_call",
        "call_id": call_id,
        "name": name,
        "input": text,
    }


def search_item(query: str = "weather in Paris") -> Item:
    return {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": query},
    }


def url_citation(start: int, end: int, url: str, title: str) -> dict[str, object]:
    return {
        "type": "url_citation",
        "start_index": start,
        "end_index": end,
        "url": url,
        "title": title,
    }


def usage(
    sent: int = 10, received: int = 5, *, cached: int = 0, reasoning: int = 0
) -> dict[str, object]:
    """Return the token counts of a response; cached tokens are sent ones, reasoning is received."""
    return {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": received,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": sent + received,
    }


def response(*items: Item, **fields: object) -> dict[str, Any]:
    """Return a response that is completed, unless `fields` say otherwise."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "upstream-model",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage(),
    } | fields


def events_of(*items: Item, **fields: object) -> list[Event]:
    """Return all events of a stream; `fields` are those of the whole response at its end."""
    begun = response(status="in_progress", usage=None)
    documents = [{"type": f"response.{kind}", "response": begun} for kind in _BEGINNING]
    for index, item in enumerate(items):
        documents += _item_events(index, item)
    documents.append(ending(*items, **fields))
    return [document | {"sequence_number": n} for n, document in enumerate(documents)]


def responses_reply(*items: Item, **fields: object) -> list[Step]:
    """Answer whole."""
    return json_reply(response(*items, **fields))


def responses_streamed(*items: Item, **fields: object) -> list[Step]:
    """Answer with the events of a stream."""
    return stream_reply(*map(encoded, events_of(*items, **fields)))


def ending(*items: Item, **fields: object) -> Event:
    """Return the event that ends a stream with the whole response."""
    whole = response(*items, **fields)
    return {"type": f"response.{whole['status']}", "response": whole}


def text_delta(text: str, **fields: object) -> Event:
    return {"type": "response.output_text.delta", "output_index": 0, "delta": text} | fields


def item_added(item: Item, index: int = 0) -> Event:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def item_done(item: Item, index: int = 0) -> Event:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


_BEGINNING = ("created", "in_progress")


def _message(parts: list[dict[str, Any]]) -> Item:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": parts,
    }


def _item_events(index: int, item: Item) -> Iterator[Event]:
    empty: dict[str, Item] = {"message": {"content": []}, "reasoning": {"summary": []}}
    begun = item | empty.get(item["type"], {})
    begun |= {"arguments": ""} if item["type"] == "function_call" else {}
    begun |= {} if item["type"] == "reasoning" else {"status": "in_progress"}
    begun.pop("encrypted_content", None)
    yield item_added(begun, index)
    inside = {"message": _parts, "reasoning": _summary, "function_call": _arguments}
    events = inside[item["type"]](item) if item["type"] in inside else ()
    for event in events:
        yield event | {"output_index": index, "item_id": item["id"]}
    yield item_done(item, index)


def _parts(item: Item) -> Iterator[Event]:
    for position, part in enumerate(item["content"]):
        is_text = part["type"] == "output_text"
        told = "text" if is_text else "refusal"
        empty = part | {told: ""} | ({"annotations": []} if is_text else {})
        name = f"response.{part['type']}"
        more: Event = {"logprobs": []} if is_text else {}
        events: list[Event] = [{"type": "response.content_part.added", "part": empty}]
        events += [{"type": f"{name}.delta", "delta": x} | more for x in _pieces(part[told])]
        for number, note in enumerate(part.get("annotations", [])):
            event = {"annotation": note, "annotation_index": number}
            events.append({"type": f"{name}.annotation.added"} | event)
        events.append({"type": f"{name}.done", told: part[told]} | more)
        events.append({"type": "response.content_part.done", "part": part})
        yield from (event | {"content_index": position} for event in events)


def _summary(item: Item) -> Iterator[Event]:
    name = "response.reasoning_summary"
    for position, part in enumerate(item["summary"]):
        events: list[Event] = [{"type": f"{name}_part.added", "part": part | {"text": ""}}]
        events += [{"type": f"{name}_text.delta", "delta": x} for x in _pieces(part["text"])]
        events.append({"type": f"{name}_text.done", "text": part["text"]})
        events.append({"type": f"{name}_part.done", "part": part})
        yield from (event | {"summary_index": position} for event in events)


def _arguments(item: Item) -> Iterator[Event]:
    name = "response.function_call_arguments"
    yield from ({"type": f"{name}.delta", "delta": x} for x in _pieces(item["arguments"]))
    yield {"type": f"{name}.done", "arguments": item["arguments"]}


def _pieces(text: str) -> Iterable[str]:
    """Cut a text in two."""
    middle = (len(text) + 1) // 2
    return filter(None, (text[:middle], text[middle:]))
