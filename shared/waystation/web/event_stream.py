"""Sends event streams to clients: events as they come, and pings where none come for a while."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from waystation.errors import InternalError
from waystation.web.envelopes import CLIENT, NOTES, last_event_of, ping_of
from waystation.web.log import log_unexpected
from waystation.wire.answers import Client

PING_AFTER_S = 15.0  # proxies commonly give a silent connection up after half a minute or more


class EventStreamResponse:
    """Sends encoded events as they come, and a ping after `ping_after_s` seconds of silence.

    Pings stand between events, never before the first one of the upstream.
    A client that has gone does not stop it: the upstream is read to its usage and the call settled.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], *, ping_after_s: float) -> None:
        self._chunks = chunks
        self._ping_after_s = ping_after_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client: Client = scope[CLIENT]
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        line = _Line(send, client, ping=ping_of(scope), ping_after_s=self._ping_after_s)
        leaving = asyncio.create_task(_notice_leaving(receive, client))
        try:
            await line.send(start)
            async with aclosing(self._safe_chunks(scope)) as chunks:
                async for chunk in chunks:
                    if chunk and not client.is_gone:
                        await line.send(_body(chunk, more_body=True))
            await _stop(leaving)  # servers say the same of an answer that is complete
            if not client.is_gone:
                await line.send(_body(b"", more_body=False))
        finally:
            await line.close()
            await _stop(leaving)

    async def _safe_chunks(self, scope: Scope) -> AsyncGenerator[bytes, None]:
        """Turn an unforeseen error into a last event: the status has been sent already."""
        try:
            async with aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    yield chunk
        except Exception as error:
            log_unexpected(error, str(scope[NOTES]["request_id"]))
            yield last_event_of(InternalError(), scope)


class _Line:
    """The way to a client. One timer looks for silence; there is no task but for a ping."""

    def __init__(self, send: Send, client: Client, *, ping: bytes, ping_after_s: float) -> None:
        self._send = send
        self._client = client
        self._ping = _body(ping, more_body=True)
        self._ping_after_s = ping_after_s
        self._loop = asyncio.get_running_loop()
        self._quiet_since: float | None = None  # None while something is being sent
        self._pinging: asyncio.Task[None] | None = None
        self._is_next = False  # whether a message waits for a ping to be gone
        self._timer = self._loop.call_later(ping_after_s, self._look)

    async def send(self, message: Message) -> None:
        """Send a message, after a ping that is on its way; note where the client has gone."""
        if self._pinging is not None:
            self._is_next = True
            await self._pinging
            self._is_next = False
        await self._deliver(message)

    async def close(self) -> None:
        """Send no more pings, and give one up that nobody takes."""
        self._timer.cancel()
        if self._pinging is not None:
            await _stop(self._pinging)

    async def _deliver(self, message: Message) -> None:
        self._quiet_since = None
        try:
            await self._send(message)
        except (OSError, ClientDisconnect):
            self._client.is_gone = True
        self._quiet_since = self._loop.time()

    def _look(self) -> None:
        """Ping if nothing has been sent for long enough; look again when that may be so."""
        if self._client.is_gone:
            return
        now = self._loop.time()
        due = self._ping_after_s + (now if self._quiet_since is None else self._quiet_since)
        if due <= now:
            due = now + self._ping_after_s
            if not self._is_next:
                self._pinging = self._loop.create_task(self._send_ping())
        self._timer = self._loop.call_at(due, self._look)

    async def _send_ping(self) -> None:
        try:
            await self._deliver(self._ping)
        finally:
            self._pinging = None


def _body(chunk: bytes, *, more_body: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more_body}


async def _notice_leaving(receive: Receive, client: Client) -> None:
    """Wait until the server says that the client has left, which not every server does."""
    while (await receive())["type"] != "http.disconnect":
        pass
    client.is_gone = True


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
