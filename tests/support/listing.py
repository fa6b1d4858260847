"""Services that list models, over scripted upstreams."""

from collections.abc import Callable, Mapping

from tests.support.fakes import Clock, ScriptedEgress, StaticConfig, StaticSecrets, StaticUserKeys
from tests.support.fakes import built_ins as no_built_ins
from waystation.calls.routing import BuiltInSource
from waystation.calls.senders import Sender
from waystation.credentials.own import OwnCredentials
from waystation.ledger.learned import LearnedPrices
from waystation.models.cache import ListCache
from waystation.models.lists import ModelLists
from waystation.models.service import ModelsService
from waystation_cli.local.memory_table import InMemoryTable


def build_lists(
    sender: Sender | None = None,
    *,
    own: OwnCredentials | Exception | None = None,
    now: Callable[[], float] | None = None,
    prices: LearnedPrices | None = None,
    secrets: Mapping[str, str] = {},
) -> ModelLists:
    """Return lists; `own` is what every user has stored, `secrets` what variables stand for."""
    return ModelLists(
        sender=sender or ScriptedEgress(),
        secrets=StaticSecrets(ACME_KEY="key-of-acme", **secrets),
        user_keys=StaticUserKeys(own),
        cache=ListCache(now=now or Clock()),
        prices=prices or LearnedPrices(InMemoryTable(), now_ms=lambda: 1_780_000_000_000),
    )


def build_service(
    config: StaticConfig,
    built_ins: BuiltInSource | None = None,
    lists: ModelLists | None = None,
    secrets: Mapping[str, str] = {},
) -> ModelsService:
    """Return a service; without `lists`, no upstream can be asked."""
    return ModelsService(
        config=config,
        built_ins=built_ins or no_built_ins(),
        lists=lists or build_lists(secrets=secrets),
        secrets=StaticSecrets(ACME_KEY="key-of-acme", **secrets),
    )
