"""The APIs of upstreams, as far as their failures differ: honest streams in parts, and refusals.

Every answer says `TEXTS`, and costs 10 tokens of input and 5 of output.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support import anthropic_upstream as anthropic
from tests.support import responses_upstream as responses
from tests.support.event_bytes import encoded
from tests.support.fake_upstream import (
    DONE,
    RESET,
    Headers,
    Step,
    chunk_of,
    completion,
    json_reply,
    stream_reply,
)

TEXTS = ("canary of ", "an answer")
PAUSE_S = 0.05  # so that what was written before a reset arrives


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API. `begun` are the events up to the texts, `finished` says why they end.

    `counted` tells the usage, `over` is the mark of the end, `failure` an error as an event.
    """

    whole: Callable[[], Sequence[Step]]
    begun: Sequence[object]
    finished: Sequence[object]
    counted: Sequence[object]
    over: Sequence[object]
    failure: object
    refused: Callable[[str], object]

    def answer(self, *, stream: bool) -> Sequence[Step]:
        """Answer honestly."""
        if not stream:
            return self.whole()
        return stream_reply(*self.begun, *self.finished, *self.counted, *self.over)

    def refusal(self, status: int, text: str = "No.", headers: Headers = ()) -> Sequence[Step]:
        """Refuse with a status."""
        return json_reply(self.refused(text), status=status, headers=headers)

    def broken(self, *pieces: object) -> Sequence[Step]:
        """Begin a stream, add these pieces, and tear the connection down."""
        return stream_reply(*self.begun, *pieces, PAUSE_S, RESET)

    def cut_off(self, *pieces: object) -> Sequence[Step]:
        """Begin a stream, add these pieces, and end it as if it were complete."""
        return stream_reply(*self.begun, *pieces)


def _openai() -> Dialect:
    return Dialect(
        whole=lambda: json_reply(completion("".join(TEXTS))),
        begun=[chunk_of(text) for text in TEXTS],
        finished=[chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])],
        counted=[chunk_of(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})],
        over=[DONE],
        failure={"error": {"message": "Overloaded", "code": 529}},
        refused=lambda text: {"error": {"message": text}},
    )


def _anthropic() -> Dialect:
    block = anthropic.text_block("".join(TEXTS))
    begun = [
        anthropic.message_start(),
        anthropic.block_start(anthropic.text_block("")),
        *(anthropic.block_delta("text_delta", text=text) for text in TEXTS),
    ]
    return Dialect(
        whole=lambda: anthropic.messages_reply(block),
        begun=[encoded(event) for event in begun],
        finished=[encoded(anthropic.block_stop())],
        counted=[encoded(anthropic.message_delta())],
        over=[encoded(anthropic.MESSAGE_STOP)],
        failure=encoded(anthropic.error("overloaded_error", "Overloaded")),
        refused=lambda text: anthropic.error("api_error", text),
    )


def _responses() -> Dialect:
    item = responses.text_item("".join(TEXTS))
    empty = item | {"content": [], "status": "in_progress"}
    begun = responses.response(status="in_progress", usage=None)
    events = [
        {"type": "response.created", "response": begun},
        responses.item_added(empty),
        *(responses.text_delta(text) for text in TEXTS),
    ]
    return Dialect(
        whole=lambda: responses.responses_reply(item),
        begun=[encoded(event) for event in events],
        finished=[encoded(responses.item_done(item))],
        counted=[],
        over=[encoded(responses.ending(item))],
        failure=encoded({"type": "error", "code": "server_error", "message": "Overloaded"}),
        refused=lambda text: {"error": {"message": text}},
    )


OPENAI, ANTHROPIC, RESPONSES = _openai(), _anthropic(), _responses()
