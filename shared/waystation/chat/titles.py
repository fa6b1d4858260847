"""Titles beside chats: which chat gets one, and when the job is sent.

A title never changes a chat: the job is sent beside the answer, or after it, and what goes wrong
with it is logged by whoever sends it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from waystation.calls.call import Call
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem
from waystation.identity.incoming import Incoming
from waystation.wire.answer_text import AnswerText
from waystation.wire.chat_request import ChatRequest
from waystation.wire.conversation_text import shown
from waystation.wire.events import Completion, StreamEvent, stream_of
from waystation.wire.title_job import MAX_TEXT_LENGTH, TitleJob

NIL_ID = "00000000-0000-0000-0000-000000000000"  # LibreChat's parent of a first message


class TitleStarter(Protocol):
    async def start(self, job: TitleJob) -> None:
        """Have a title made, and wait for no more than that. Never raises."""


class TitleBeside:
    """The title of one chat."""

    def __init__(
        self,
        starter: TitleStarter,
        job: TitleJob,
        afterwards: list[Callable[[], Awaitable[None]]],
        *,
        waits_for_answer: bool,
    ) -> None:
        """Take where to leave what is to be done when the chat has been answered."""
        self._starter = starter
        self._job = job
        self._afterwards = afterwards
        self._answer = AnswerText(MAX_TEXT_LENGTH) if waits_for_answer else None
        self._sent: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Send the job now if the answer does not matter to it, else when that is complete."""
        self._afterwards.append(self._finish)
        if self._answer is None:
            self._sent = asyncio.create_task(self._starter.start(self._job))

    def observe(self, batch: Sequence[StreamEvent]) -> None:
        """Take the text of an answer as it comes."""
        if self._answer is not None:
            self._answer.add(batch)

    def observe_whole(self, completion: Completion) -> None:
        """Take the text of a whole answer."""
        self.observe(stream_of(completion))

    async def _finish(self) -> None:
        """Send the job of an answer that is complete; wait until what was sent has gone."""
        if self._answer is not None and self._answer.is_complete:
            await self._starter.start(self._job.with_output(self._answer.text))
        if self._sent is not None:
            await self._sent


def title_beside(
    settings: TitleSettings | ConfigProblem,
    starter: TitleStarter | None,
    call: Call,
    incoming: Incoming,
    asked: ChatRequest,
) -> TitleBeside | None:
    """Return the title of a chat, None if it gets none.

    Only the first turn of a conversation gets one: `asked`, as its body says, names the
    conversation, and no message before it.
    """
    if starter is None or isinstance(settings, ConfigProblem) or not settings.title_convo:
        return None
    if not asked.conversation.get("conversationId"):
        return None
    if call.request.conversation.get("parentMessageId", NIL_ID) not in {"", NIL_ID}:
        return None
    user = incoming.caller.user
    job = TitleJob(
        request_id=f"{call.request_id}-title",
        endpoint=call.endpoint.name,
        model=call.model,
        input=_last_words(asked)[:MAX_TEXT_LENGTH],
        output="",
        conversation=call.request.conversation,
        user_id=user.id,
        user=user.fields,
        key_id=call.key_id,
        created_at_ms=call.created_at_ms,
    )
    is_final = settings.title_timing == "final"
    return TitleBeside(starter, job, incoming.afterwards, waits_for_answer=is_final)


def _last_words(request: ChatRequest) -> str:
    """Return what the user says in this turn."""
    said = (m.get("content") for m in reversed(request.messages) if m.get("role") == "user")
    return shown(next(said, None))
