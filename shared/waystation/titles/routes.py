"""POST /v1/titles, GET /v1/titles/{conversationId} and LibreChat's gen_title."""

from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from waystation.calls.idempotency import read_idempotency
from waystation.credentials.own import read_headers
from waystation.errors import NotFoundError
from waystation.identity.assertions import asserted_ids
from waystation.identity.incoming import Incoming, incoming_of
from waystation.ledger.records import bounded
from waystation.titles.body import parse_title_body
from waystation.titles.service import TitleService, note_into
from waystation.titles.store import StoredTitle
from waystation.wire.title_job import TitleJob

_NONE_YET = "There is no title for this conversation, or none yet."
# What LibreChat's own server answers, and its clients know.
_LIBRECHATS_NONE = "Title not found or method not implemented for the conversation's endpoint"

Known = Annotated[Incoming, Depends(incoming_of)]


class TitlesRuntime(Protocol):
    @property
    def titles(self) -> TitleService: ...
    @property
    def now_ms(self) -> Callable[[], int]: ...


def build_router(get_runtime: Callable[[], TitlesRuntime]) -> APIRouter:
    """Return the routes, which need a caller; the titles of others are not found."""
    router = APIRouter()

    @router.post("/v1/titles")
    async def make_title(incoming: Known) -> dict[str, object]:
        return await _make(get_runtime(), incoming)

    @router.get("/v1/titles/{conversation_id}")
    async def get_title(conversation_id: str, incoming: Known) -> dict[str, object]:
        user_id = incoming.caller.user.id
        found = await get_runtime().titles.find(user_id, conversation_id)
        if (title := _text_of(found)) is None:
            raise NotFoundError(_NONE_YET)
        return {"title": title, "conversationId": conversation_id}

    @router.get("/api/convos/gen_title/{conversation_id}")
    async def wait_for_title(conversation_id: str, incoming: Known) -> JSONResponse:
        user_id = incoming.caller.user.id
        titles = get_runtime().titles
        found = await titles.wait_for(user_id, conversation_id, incoming.ends_at)
        if (title := _text_of(found)) is not None:
            return JSONResponse({"title": title})
        envelope = NotFoundError(_NONE_YET).to_envelope()
        incoming.notes["error_code"] = NotFoundError.code
        return JSONResponse({"message": _LIBRECHATS_NONE, **envelope}, status_code=404)

    return router


async def _make(runtime: TitlesRuntime, incoming: Incoming) -> dict[str, object]:
    body = parse_title_body(incoming.body)
    named = body.endpoint or incoming.headers.get("x-endpoint") or None
    incoming.notes.update(model=bounded(body.model))
    chosen = await runtime.titles.choose(body.model, named)
    incoming.notes.update(endpoint=chosen.endpoint, model=bounded(chosen.model))
    caller = incoming.caller
    ids = asserted_ids(incoming.headers) if caller.is_trusted else {}
    conversation = {**ids, **body.conversation}
    job = TitleJob(
        request_id=incoming.request_id,
        endpoint=chosen.endpoint,
        model=chosen.model,
        input=body.input,
        output=body.output,
        conversation=conversation,
        user_id=caller.user.id,
        user=caller.user.fields,
        key_id=caller.key_id,
        created_at_ms=runtime.now_ms(),
    )

    own = read_headers(incoming.headers)
    on_settled = note_into(incoming.notes, chosen.snapshot)
    idempotency = read_idempotency(incoming, "/v1/titles")
    title = await runtime.titles.make(
        job, chosen.snapshot, incoming.ends_at, on_settled, own=own, idempotency=idempotency
    )
    conversation_id = conversation.get("conversationId")
    return {"title": title.text, "conversationId": conversation_id, "usage": title.usage}


def _text_of(found: StoredTitle | None) -> str | None:
    return found.title if found is not None else None
