"""What happens to a title: asked for once, cleaned, and kept where it was made beside a chat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from waystation.aws.table import TableError
from waystation.calls.accounting import OnSettled
from waystation.calls.call import Call
from waystation.calls.metered import MeteredCalls
from waystation.calls.noting import listed_model, notes_of, notes_of_error
from waystation.calls.routing import Routes
from waystation.config.schema import Endpoint
from waystation.config.schema_titles import TitleSettings
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot, SnapshotSource
from waystation.credentials.own import OwnCredentials
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    EndpointMisconfiguredError,
    EndpointNotFoundError,
    GatewayError,
    LedgerUnavailableError,
    TitlesOffError,
)
from waystation.identity.user import User
from waystation.ledger.records import Idempotency, LedgerRecord, bounded
from waystation.titles.cleaning import clean_title
from waystation.titles.prompt import build_prompt
from waystation.titles.reading import read_title
from waystation.titles.request import build_request, entry_for_titles, title_model
from waystation.titles.store import StoredTitle, TitleStore
from waystation.wire.title_job import TitleJob

WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # LibreChat's, before it says that there is no title

_log = logging.getLogger("waystation.titles")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a client means, in the configuration that counts for its request."""

    snapshot: ConfigSnapshot
    endpoint: str
    model: str


@dataclass(frozen=True, slots=True)
class Title:
    """A title, and the usage of the call that made it, in OpenAI's shape with the cost."""

    text: str
    usage: object


def note_into(notes: dict[str, object], snapshot: ConfigSnapshot) -> OnSettled:
    """Return what notes which endpoint made a title, and what it cost."""

    def on_settled(record: LedgerRecord) -> None:
        listed = listed_model(snapshot.endpoint(record.endpoint), record.model)
        notes.update(notes_of(record), endpoint=record.endpoint, listed_model=listed)

    return on_settled


class TitleService:
    """Makes titles. Keeps nothing of a request."""

    def __init__(
        self,
        *,
        config: SnapshotSource,
        routes: Routes,
        calls: MeteredCalls,
        store: TitleStore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._routes = routes
        self._calls = calls
        self._store = store
        self._sleep = sleep

    async def choose(self, model: str, endpoint: str | None) -> Chosen:
        """Decide which endpoint and model a client means, as for a chat. Raises GatewayError."""
        snapshot = await self._config.snapshot()
        route = await self._routes.find(snapshot, model, endpoint)
        return Chosen(snapshot, route.endpoint.name, route.model)

    async def make(
        self,
        job: TitleJob,
        snapshot: ConfigSnapshot,
        ends_at: float,
        on_settled: OnSettled,
        *,
        own: OwnCredentials | None = None,
        idempotency: Idempotency | None = None,
    ) -> Title:
        """Ask once for a title, by the settings of the job's endpoint.

        `own` is what the request brings of the user's for that endpoint, and for no other.
        `idempotency` is the key of a request that is made at most once.

        Raises TitlesOffError where these say that there are none, and GatewayError.
        """
        settings = await self._settings(snapshot, job)
        model = title_model(settings, job.model)
        endpoint = await self._endpoint(snapshot, settings, job, model)
        wanted = build_request(
            settings,
            endpoint,
            model=model,
            prompt=build_prompt(settings, job.input, job.output),
            conversation=job.conversation,
        )
        ids = {f"BODY_{field.upper()}": text for field, text in job.conversation.items()}
        call = Call(
            request_id=job.request_id,
            endpoint=entry_for_titles(endpoint),
            model=model,
            request=wanted.request,
            user_id=job.user_id,
            key_id=job.key_id,
            placeholders=User(job.user_id, job.user).placeholders() | ids,
            config_version=snapshot.version,
            deadline=Deadline(ends_at),
            created_at_ms=job.created_at_ms,
            kind="title",
            plainer=wanted.plainer,
            own=own if endpoint.name == job.endpoint else None,
            allowed_addresses=snapshot.allowed_addresses,
            balance=snapshot.balance,
            idempotency=idempotency,
        )
        completion = await self._calls.complete(call, on_settled)
        raw = read_title(completion.body, is_structured=wanted.is_structured)
        return Title(clean_title(raw), completion.body["usage"])

    async def run(self, job: TitleJob, ends_at: float) -> None:
        """Make the title of a conversation, once, and keep it; what goes wrong is logged.

        Raises LedgerUnavailableError if the table does not answer.
        """
        user_id, conversation_id = job.user_id, job.conversation["conversationId"]
        told: dict[str, object] = {"request_id": job.request_id, "endpoint": job.endpoint}

        try:
            if not await self._store.claim(user_id, conversation_id, job.request_id):
                _log.info("title_exists", extra=told)
                return
            title: Title | None = None
            try:
                snapshot = await self._config.snapshot()
                title = await self.make(job, snapshot, ends_at, note_into(told, snapshot))
            except GatewayError as error:
                told |= notes_of_error(error)
                _log.warning("title_failed", extra=told)
            finally:  # what nobody foresaw is told by whoever runs the job
                await self._keep(user_id, conversation_id, title)
        except TableError as error:
            told |= {"error_code": "ledger_unavailable", "cause": str(error)}
            _log.error("title_failed", extra=told)
            raise LedgerUnavailableError("The store of titles cannot be reached.") from error
        if title is not None:
            _log.info("title_made", extra=told)

    async def _keep(self, user_id: str, conversation_id: str, title: Title | None) -> None:
        if title is not None:
            await self._store.save(user_id, conversation_id, title.text)
        else:
            await self._store.fail(user_id, conversation_id)

    async def find(self, user_id: str, conversation_id: str) -> StoredTitle | None:
        """Return what became of a user's title. Raises LedgerUnavailableError."""
        try:
            return await self._store.find(user_id, conversation_id)
        except TableError as error:
            raise LedgerUnavailableError("The store of titles cannot be reached.") from error

    async def wait_for(
        self, user_id: str, conversation_id: str, ends_at: float
    ) -> StoredTitle | None:
        """Return a title as soon as it is there: LibreChat looks six times within 15.5 s.

        Raises LedgerUnavailableError.
        """
        found = await self.find(user_id, conversation_id)
        for seconds in WAITS_S:
            is_over = found is not None and found.state != "PENDING"
            if is_over or asyncio.get_running_loop().time() + seconds > ends_at:
                break
            await self._sleep(seconds)
            found = await self.find(user_id, conversation_id)
        return found

    async def _settings(self, snapshot: ConfigSnapshot, job: TitleJob) -> TitleSettings:
        endpoint = await self._routes.find_endpoint(snapshot, job.endpoint, job.model)
        if endpoint is None:
            raise EndpointNotFoundError(f"There is no endpoint '{bounded(job.endpoint)}'.")
        settings = snapshot.title_settings(endpoint)
        if isinstance(settings, ConfigProblem):
            raise EndpointMisconfiguredError(
                f"The settings of titles are wrong: {settings.path}: {settings.message}"
            )
        if not settings.title_convo:
            raise TitlesOffError(
                f"Endpoint '{job.endpoint}' makes no titles: titleConvo is not true."
            )
        return settings

    async def _endpoint(
        self, snapshot: ConfigSnapshot, settings: TitleSettings, job: TitleJob, model: str
    ) -> Endpoint:
        """Return the endpoint that makes the title: titleEndpoint, or else the chat's own."""
        names = [job.endpoint]
        if settings.title_endpoint and settings.title_endpoint != job.endpoint:
            names.insert(0, settings.title_endpoint)
        for name in names:
            endpoint = await self._routes.find_endpoint(snapshot, name, model)
            if endpoint is not None:
                return endpoint
            told = {"endpoint": job.endpoint, "title_endpoint": bounded(name)}
            _log.warning("title_endpoint_unknown", extra=told)
        raise EndpointNotFoundError(f"There is no endpoint '{bounded(job.endpoint)}'.")
