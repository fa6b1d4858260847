"""The contract of providers, kept by every one that is registered, on vectors of its own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from tests.support.config_entries import build_entry
from waystation.config.schema import Endpoint
from waystation.errors import UpstreamError
from waystation.providers.bedrock.answer import ConverseAnswerReader
from waystation.providers.openai_compatible.responses import ResponsesAnswerReader
from waystation.providers.provider import AnswerReader, CallContext
from waystation.providers.registry import provider_of
from waystation.wire.chat_request import ChatRequest
from waystation.wire.events import (
    Completion,
    Delta,
    Failed,
    Finished,
    StreamEvent,
    UsageReport,
    stream_of,
)
from waystation.wire.usage import Usage

VECTORS = Path(__file__).parent / "vectors"
OPENAI_COMPATIBLE = "openai_compatible"  # the folder of the provider without a name
OPENAI_RESPONSES = "openai_responses"  # its other API
BEDROCK = "bedrock"  # of a built-in endpoint; entries cannot name it


def _registered() -> dict[str, AnswerReader]:
    """Return what reads the answers of each provider, by the folder of its vectors."""
    annotation = get_type_hints(Endpoint)["provider"]
    names = [name for part in get_args(annotation) for name in get_args(part)]
    readers: dict[str, AnswerReader] = {
        OPENAI_COMPATIBLE: _reader(build_entry()),
        OPENAI_RESPONSES: ResponsesAnswerReader(),
        BEDROCK: ConverseAnswerReader(),
    }
    return readers | {name: _reader(build_entry(provider=name)) for name in names}


def _reader(entry: Endpoint) -> AnswerReader:
    request = ChatRequest(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True)
    context = CallContext(
        endpoint=entry,
        model="m",
        user_id="alice",
        api_key="k",
        base_url="https://llm.acme.test/v1",
        headers={},
    )
    return provider_of(entry).shape(request, context).reader


READERS = _registered()
CASES = [
    (folder, path.name.removesuffix(".expected.json"))
    for folder in READERS
    for path in sorted((VECTORS / folder).glob("*.expected.json"))
]
MAX_PLACES = 1500  # where a stream is cut in two; the longer ones are not cut everywhere
every_case = pytest.mark.parametrize(("folder", "case"), CASES, ids=lambda part: part)


def test_every_provider_has_vectors_that_say_where_they_come_from() -> None:
    assert {folder for folder, _ in CASES} == set(READERS)
    assert all((VECTORS / folder / "PROVENANCE.md").is_file() for folder in READERS)


@every_case
def test_a_whole_answer_is_read_as_expected(folder: str, case: str) -> None:
    completion = READERS[folder].parse(_read(folder, case, "response.json"))

    assert _told_whole(completion) == _expected(folder, case)


@every_case
def test_a_streamed_answer_comes_to_the_same(folder: str, case: str) -> None:
    events = _parse(READERS[folder], [_read(folder, case, "response.sse")])

    assert _fold(events) == _expected(folder, case)


@every_case
def test_a_whole_answer_told_as_a_stream_comes_to_the_same(folder: str, case: str) -> None:
    completion = READERS[folder].parse(_read(folder, case, "response.json"))

    assert _fold(stream_of(completion)) == _expected(folder, case)


@every_case
def test_bytes_may_be_split_anywhere(folder: str, case: str) -> None:
    reader, stream = READERS[folder], _read(folder, case, "response.sse")
    expected = _parse(reader, [stream])

    assert _parse(reader, [stream[at : at + 1] for at in range(len(stream))]) == expected
    for at in _places(stream):
        assert _parse(reader, [stream[:at], stream[at:]]) == expected


@every_case
def test_a_stream_cut_anywhere_ends_once(folder: str, case: str) -> None:
    reader, stream = READERS[folder], _read(folder, case, "response.sse")

    for end in _places(stream):
        *others, last = _parse(reader, [stream[:end]])
        assert isinstance(last, Finished | Failed)
        assert not any(isinstance(event, Finished | Failed) for event in others)


@every_case
def test_nothing_follows_the_end(folder: str, case: str) -> None:
    stream = _read(folder, case, "response.sse")
    parser = READERS[folder].stream_parser()
    parser.feed(stream)
    parser.finish()

    assert parser.feed(stream) == []
    assert parser.finish() == []


@every_case
def test_parsers_share_nothing(folder: str, case: str) -> None:
    reader, stream = READERS[folder], _read(folder, case, "response.sse")
    one, other = reader.stream_parser(), reader.stream_parser()
    pieces = [stream[at : at + 7] for at in range(0, len(stream), 7)]

    told = [(one.feed(piece), other.feed(piece)) for piece in pieces]
    told.append((one.finish(), other.finish()))

    assert all(mine == yours for mine, yours in told)
    assert [e for events, _ in told for e in events] == _parse(reader, [stream])


@every_case
def test_half_an_answer_is_an_upstream_error(folder: str, case: str) -> None:
    body = _read(folder, case, "response.json").rstrip()

    for end in range(0, len(body), 5):
        with pytest.raises(UpstreamError):
            READERS[folder].parse(body[:end])


def _places(stream: bytes) -> range:
    return range(0, len(stream), len(stream) // MAX_PLACES + 1)


def _read(folder: str, case: str, kind: str) -> bytes:
    return (VECTORS / folder / f"{case}.{kind}").read_bytes()


def _expected(folder: str, case: str) -> dict[str, object]:
    expected: dict[str, object] = json.loads(_read(folder, case, "expected.json"))
    return expected


def _parse(reader: AnswerReader, pieces: Sequence[bytes]) -> list[StreamEvent]:
    """Return the events of a stream that comes in these pieces."""
    parser = reader.stream_parser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.finish()]


def _told_whole(completion: Completion) -> dict[str, object]:
    return {
        "upstream_id": completion.upstream_id,
        "choices": completion.body["choices"],
        "usage": _counted(completion.usage),
    }


def _counted(usage: Usage | None) -> dict[str, object] | None:
    """Return what was counted; `None` stands for what the upstream does not tell."""
    if usage is None:
        return None
    counts = asdict(usage)
    if counts["cache_write_1h_tokens"] is None:  # only few upstreams know of it
        del counts["cache_write_1h_tokens"]
    if not counts["shares"]:
        del counts["shares"]
    return counts


def _fold(events: Sequence[StreamEvent]) -> dict[str, object]:
    """Return what a stream comes to, in the form of `_told_whole`."""
    *others, last = events
    assert isinstance(last, Finished)
    deltas = [event for event in others if isinstance(event, Delta)]
    reports = [event for event in others if isinstance(event, UsageReport)]
    usage = reports[-1].usage  # a later report replaces an earlier one
    return {
        "upstream_id": deltas[0].extra["id"],
        "choices": list(_fold_choices(deltas)),
        "usage": _counted(usage),
    }


def _fold_choices(deltas: Sequence[Delta]) -> Iterator[dict[str, Any]]:
    choices: dict[object, dict[str, Any]] = {}
    for piece in (choice for delta in deltas for choice in delta.choices):
        folded = choices.setdefault(piece["index"], {"index": piece["index"], "message": {}})
        _add(folded["message"], piece["delta"])
        folded |= {name: piece[name] for name in piece if name not in {"index", "delta"}}
    return (choices[index] for index in sorted(choices, key=str))


def _add(message: dict[str, Any], delta: Any) -> None:
    """Add a piece to what has come: texts grow, entries of lists are told apart by their index."""
    for name, value in delta.items():
        if isinstance(value, list):
            entries = message.setdefault(name, [])
            for position, entry in enumerate(value):
                index = entry.get("index", position)
                entries.extend({} for _ in range(index + 1 - len(entries)))
                _add(entries[index], _without_index(entry))
        elif isinstance(value, str) and name not in {"role", "id", "type"}:
            message[name] = (message.get(name) or "") + value
        elif isinstance(value, dict):
            _add(message.setdefault(name, {}), value)
        else:
            message[name] = value


def _without_index(entry: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in entry.items() if name != "index"}
