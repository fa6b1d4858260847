"""Finds out where a direct call goes: the entry with variables and placeholders filled in."""

import asyncio
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from waystation.calls.call import Call
from waystation.calls.routing import find_route
from waystation.calls.target import resolve_target
from waystation.config.built_ins import NAMES, BuiltIns
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigSnapshot
from waystation.config.templates import find_variables
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource
from waystation.egress.deadlines import Deadline
from waystation.errors import (
    GatewayError,
    MissingUserKeyError,
    ModelNotFoundError,
)
from waystation.identity.user import User
from waystation_cli.env_file import EnvFileSource
from waystation_cli.probing.outcome import Cause, Diagnosis
from waystation_cli.probing.plan import Asked, DirectPlan, plan_direct

_WITH_SDK = frozenset({None, "anthropic"})


@dataclass(frozen=True, slots=True)
class Direct:
    """The plan of a direct call, or what stands against it; `secrets` may not be shown.

    `is_possible` is false where no SDK is there for it.
    """

    plan: DirectPlan | None = None
    is_possible: bool = True
    problems: tuple[Diagnosis, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def own_secrets(env_file: Path | None) -> Secrets:
    """Return where values of variables are looked for on this machine."""
    files = [EnvFileSource(env_file)] if env_file else []
    return Secrets([*files, MappingSource(dict(os.environ))], now=time.monotonic)


def with_built_in(
    snapshot: ConfigSnapshot, name: str, model: str | None, secrets: Secrets
) -> ConfigSnapshot:
    """Return the snapshot with the built-in endpoint of that name, if there is one."""
    if name not in NAMES:
        return snapshot
    built_ins = BuiltIns(secrets, now=time.monotonic)
    return snapshot.beside(asyncio.run(built_ins.find([name], model=model or "")))


def choose_model(snapshot: ConfigSnapshot, entry: Endpoint, model: str | None) -> str | None:
    """Return the entry's own name of a model, by default its first; unlisted ones as they are.

    None if none is named and none is listed.
    """
    if model is None:
        return next(iter(entry.models.default), None)
    try:
        return find_route(snapshot, model, entry.name).model
    except ModelNotFoundError:
        return model  # the upstream may know it; the gateway will say that it does not serve it


def prepare_direct(asked: Asked, snapshot: ConfigSnapshot, user: User, secrets: Secrets) -> Direct:
    """Fill in what the entry refers to, and plan the call."""
    entry = snapshot.endpoint(asked.endpoint)
    if entry is None or entry.provider not in _WITH_SDK:
        return Direct(is_possible=False)
    return asyncio.run(_prepare(asked, entry, user, secrets))


class _NoUserKeys:
    """What users have stored is theirs, and not for the operator to try out."""

    async def find(self, _user_id: str, _endpoint: str) -> None:
        return None


async def _prepare(asked: Asked, entry: Endpoint, user: User, secrets: Secrets) -> Direct:
    texts = (entry.api_key, entry.base_url, *entry.headers.values())
    names = {name for text in texts for name in find_variables(text)}
    values = await secrets.resolve(names)
    missing = sorted(names - values.keys())
    if missing:
        shown = ", ".join(f"${{{name}}}" for name in missing)
        text = f"Not set here: {shown}. Nothing was sent; --env-file FILE may give a value."
        return Direct(problems=(Diagnosis("variable", text),), secrets=tuple(values.values()))
    try:
        context = await resolve_target(_call(asked, entry, user), secrets, _NoUserKeys())
        plan = plan_direct(asked, context)
    except GatewayError as error:
        problem = Diagnosis(_cause_of(error), error.message)
        return Direct(problems=(problem,), secrets=tuple(values.values()))
    return Direct(plan, secrets=context.secrets)


def _call(asked: Asked, entry: Endpoint, user: User) -> Call:
    return Call(
        request_id="probe",
        endpoint=entry,
        model=asked.model,
        request=asked.request,
        user_id=user.id,
        key_id="probe",
        placeholders=user.placeholders(),
        config_version="",
        deadline=Deadline(math.inf),
        created_at_ms=0,
    )


def _cause_of(error: GatewayError) -> Cause:
    return "key" if isinstance(error, MissingUserKeyError) else "config"
