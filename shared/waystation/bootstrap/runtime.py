"""Joins collaborators that the caller has chosen into what a process keeps."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from waystation.account.service import AccountService
from waystation.aws.key_service import KeyService
from waystation.aws.queue import Queue
from waystation.aws.table import Table
from waystation.calls.metered import MeteredCalls
from waystation.calls.routing import Routes
from waystation.calls.senders import Sender, Senders
from waystation.chat.service import ChatService
from waystation.chat.titles import TitleStarter
from waystation.config.built_ins import BuiltIns
from waystation.config.reload import ConfigLoader
from waystation.config.snapshot import ConfigProblem
from waystation.config.sources import ConfigSource
from waystation.credentials.own import values_in_use
from waystation.credentials.secrets import Secrets
from waystation.credentials.user_keys import UserKeys
from waystation.egress.client import Egress
from waystation.egress.deadlines import FIRST_BYTE_S, IDLE_S
from waystation.identity.authentication import Authenticator, Identifies, KeyHolders
from waystation.identity.authorizer import AuthorizerContext
from waystation.identity.claims import ClaimRules
from waystation.identity.gateway_keys import GatewayKeys
from waystation.identity_settings import KEYS_ONLY, IdentitySettings
from waystation.ledger.learned import LearnedPrices
from waystation.ledger.ledger import TableLedger
from waystation.ledger.prices import ConfiguredPrices, PriceBooks
from waystation.ledger.public_prices import PublicPrices
from waystation.models.cache import ListCache
from waystation.models.lists import ModelLists
from waystation.models.service import ModelsService
from waystation.settings import ResponseMode
from waystation.titles.service import TitleService
from waystation.titles.store import TitleStore

CONFIG_REFRESH_S = 30.0
CONFIG_STALE_S = 60.0

_log = logging.getLogger("waystation.config")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a process keeps between requests."""

    config: ConfigLoader
    authenticator: Authenticator
    chat: ChatService
    models: ModelsService
    titles: TitleService
    account: AccountService
    now_ms: Callable[[], int]
    secrets: Secrets
    response_mode: ResponseMode


def live_secrets(runtime: Runtime) -> Iterable[str]:
    """Return the secrets that no line of the log may show now."""
    return (*runtime.secrets.live_values(), *values_in_use())


def build_runtime(
    *,
    table: Table,
    config_source: ConfigSource,
    secrets: Secrets,
    egress: Egress,
    response_mode: ResponseMode,
    identity: IdentitySettings = KEYS_ONLY,
    key_service: KeyService | None = None,
    config_refresh_s: float = CONFIG_REFRESH_S,
    config_stale_s: float = CONFIG_STALE_S,
    allowed_addresses: frozenset[str] = frozenset(),
    make_bedrock: Callable[[], Sender] | None = None,
    make_title_starter: Callable[[TitleService], TitleStarter] | None = None,
    outbox: Queue | None = None,
    knows_public_prices: bool = True,
    own_keys_draw: bool = False,
    first_byte_s: float = FIRST_BYTE_S,
    idle_s: float = IDLE_S,
) -> Runtime:
    """Join collaborators that the caller has chosen."""
    config = ConfigLoader(
        config_source,
        refresh_after_s=config_refresh_s,
        stale_after_s=config_stale_s,
        now=time.monotonic,
        on_rejected=_log_rejected,
        on_flawed=_log_flawed,
        on_unreadable=_log_unreadable,
        allowed_addresses=allowed_addresses,
    )
    built_ins = BuiltIns(secrets, now=time.monotonic)
    senders = Senders(egress, make_bedrock or make_bedrock_sender)
    user_keys = UserKeys(table, key_service, now_ms=_now_ms)
    learned = LearnedPrices(table, now_ms=_now_ms)
    public = PublicPrices(now_ms=_now_ms) if knows_public_prices else None
    books = PriceBooks(ConfiguredPrices(), learned, *([public] if public else []))
    calls = MeteredCalls(
        egress=senders,
        secrets=secrets,
        user_keys=user_keys,
        ledger=TableLedger(table, outbox, _now_ms),
        now_ms=_now_ms,
        prices=books,
        own_keys_draw=own_keys_draw,
    )
    lists = ModelLists(
        sender=senders,
        secrets=secrets,
        user_keys=user_keys,
        cache=ListCache(now=time.monotonic),
        prices=learned,
    )
    routes = Routes(built_ins)
    titles = TitleService(
        config=config, routes=routes, calls=calls, store=TitleStore(table, now_ms=_now_ms)
    )
    chat = ChatService(
        config=config,
        routes=routes,
        calls=calls,
        now_ms=_now_ms,
        titles=make_title_starter(titles) if make_title_starter else None,
        first_byte_s=first_byte_s,
        idle_s=idle_s,
    )
    return Runtime(
        config=config,
        authenticator=_authenticator(
            identity, table=table, secrets=secrets, egress=egress, allowed=allowed_addresses
        ),
        chat=chat,
        models=ModelsService(
            config=config, built_ins=built_ins, lists=lists, secrets=secrets, prices=public
        ),
        titles=titles,
        account=AccountService(
            config=config,
            routes=routes,
            secrets=secrets,
            user_keys=user_keys,
            now_ms=_now_ms,
        ),
        now_ms=_now_ms,
        secrets=secrets,
        response_mode=response_mode,
    )


def _authenticator(
    identity: IdentitySettings,
    *,
    table: Table,
    secrets: Secrets,
    egress: Egress,
    allowed: frozenset[str],
) -> Authenticator:
    rules = ClaimRules(identity.claims)
    keys = KeyHolders(GatewayKeys(table, now=time.monotonic), secrets)
    return Authenticator(
        keys=keys if "keys" in identity.modes else None,
        tokens=_bearer_tokens(identity, rules, egress, allowed),
        context=AuthorizerContext(rules) if "authorizer" in identity.modes else None,
    )


def _bearer_tokens(
    identity: IdentitySettings, rules: ClaimRules, egress: Egress, allowed: frozenset[str]
) -> Identifies | None:
    if identity.jwt is None:
        return None
    # What checks signatures is heavy: it is imported where there are tokens.
    from waystation.identity.bearer_tokens import BearerTokens  # noqa: PLC0415
    from waystation.identity.signing_keys import SigningKeys  # noqa: PLC0415

    keys = SigningKeys(egress, identity.jwt, now=time.monotonic, allowed_addresses=allowed)
    return BearerTokens(identity.jwt, rules, keys, now=time.monotonic, utc_now=time.time)


def make_bedrock_sender(proxy: str | None = None, ca_bundle: str | None = None) -> Sender:
    from waystation.aws.bedrock import BedrockSender  # noqa: PLC0415 (boto3 only where AWS is)

    return BedrockSender(proxy=proxy, ca_bundle=ca_bundle)


def _log_rejected(problems: tuple[ConfigProblem, ...]) -> None:
    """Tell that a new configuration is not used, and why."""
    _log.error("config_rejected", extra={"problems": [_shown(problem) for problem in problems]})


def _log_flawed(problems: tuple[ConfigProblem, ...]) -> None:
    """Tell that a new configuration is used but for what is wrong in it."""
    _log.warning("config_flawed", extra={"problems": [_shown(problem) for problem in problems]})


def _shown(problem: ConfigProblem) -> str:
    path = f"{problem.path}: " if problem.path else ""
    return f"line {problem.line}: {path}{problem.message}"


def _log_unreadable(reason: str) -> None:
    """Tell that the store of the configuration cannot be read; the last good one stays."""
    _log.error("config_unreadable", extra={"cause": reason})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
