"""`waystation probe`: one small chat straight to an upstream and one through the gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from waystation.config.snapshot import ConfigRejectedError, ConfigSnapshot, build_snapshot
from waystation.credentials.secrets import Secrets
from waystation.identity.gateway_keys import is_possible_key, make_key
from waystation.identity.user import User, parse_user
from waystation_cli.console import console, error_console
from waystation_cli.dev import DEMO_CONFIG
from waystation_cli.local.stack import LocalOptions
from waystation_cli.probing.ask import ask_gateway, ask_upstream
from waystation_cli.probing.diagnosis import Suspects
from waystation_cli.probing.local_gateway import serve_locally
from waystation_cli.probing.outcome import Diagnosis, Way
from waystation_cli.probing.plan import Asked
from waystation_cli.probing.report import Report
from waystation_cli.probing.target import (
    Direct,
    choose_model,
    own_secrets,
    prepare_direct,
    with_built_in,
)

TIMEOUT_S = 60.0


def probe(
    endpoint: Annotated[
        str, typer.Argument(help="Name of an entry of endpoints.custom, or a built-in.")
    ],
    *,
    model: Annotated[
        str | None, typer.Option(help="One of its models. Without it, the first of its list.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Your librechat.yaml. Without it, the demo's.")
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option(help='NAME="value" lines: the first place of ${NAME}.')
    ] = None,
    user: Annotated[
        Path | None, typer.Option(help="JSON of the user who asks, in LibreChat's fields.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="URL of a deployed gateway. Without it, one runs here.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(envvar="WAYSTATION_KEY", help="Key of the deployed gateway.")
    ] = None,
    stream: Annotated[bool, typer.Option(help="Ask for a stream.")] = True,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that each of the two may take.")
    ] = TIMEOUT_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask an upstream directly and through the gateway, and say what is wrong.

    Two small chats, which cost what they cost. No key is printed. Exit status 1 if one fails, or if
    they differ in what matters; 2 if there is nothing to ask.
    """
    for path in filter(None, (config, env_file, user)):
        if not path.is_file():
            _misuse(f"{path} is not a file")
    options = LocalOptions(
        config=config or DEMO_CONFIG,
        host="127.0.0.1",
        port=0,
        key=make_key(),
        user=_read_user(user),
        env_file=env_file,
    )
    snapshot = None if url and not config else _read_snapshot(options.config)
    with _gateway(url, key, options) as gateway:
        if snapshot:
            snapshot = with_built_in(snapshot, endpoint, model, gateway.secrets)
        asked = Asked(endpoint, _model(snapshot, endpoint, model), stream)
        report = _probe(asked, gateway, snapshot, options.user, timeout)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _print(report)
    raise typer.Exit(0 if report.is_ok else 1)


@dataclass(frozen=True, slots=True)
class _Gateway:
    url: str
    key: str = field(repr=False)
    secrets: Secrets
    is_local: bool


@contextmanager
def _gateway(url: str | None, key: str | None, options: LocalOptions) -> Iterator[_Gateway]:
    if url is None:
        with serve_locally(options) as local:
            yield _Gateway(local.url, options.key, local.secrets, is_local=True)
        return
    if not key:
        _misuse("--url needs --key, or WAYSTATION_KEY")
    if not is_possible_key(key):
        _misuse("--key must be visible ASCII of at most 512 characters")
    base = url.strip().rstrip("/").removesuffix("/v1")
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        _misuse("--url must be an http or https URL, such as the one that `sam deploy` prints")
    yield _Gateway(base, key, own_secrets(options.env_file), is_local=False)


def _probe(
    asked: Asked, gateway: _Gateway, snapshot: ConfigSnapshot | None, user: User, timeout_s: float
) -> Report:
    problem = snapshot.problem(asked.endpoint) if snapshot else None
    if problem is not None:
        note = Diagnosis("config", f"Line {problem.line}: {problem.path}: {problem.message}")
        return Report(asked, None, None, (("direct", note),))
    direct = prepare_direct(asked, snapshot, user, gateway.secrets) if snapshot else Direct()
    suspects = Suspects(
        way="gateway",
        url="the local gateway" if gateway.is_local else "--url",
        key="this program" if gateway.is_local else "--key or WAYSTATION_KEY",
        api="chat completions",
        model=asked.model,
        sent=direct.plan.sent if direct.plan else frozenset(),
        secrets=(gateway.key, *direct.secrets),
    )
    straight = ask_upstream(direct.plan, timeout_s) if direct.plan else None
    through = ask_gateway(asked, gateway.url, suspects, gateway.key, timeout_s)
    notes: list[tuple[Way, Diagnosis]] = [("direct", one) for one in direct.problems]
    is_refused = any(one.cause == "request" for one in through.diagnoses)
    if straight and straight.is_ok and is_refused and direct.plan and direct.plan.added:
        names = ", ".join(sorted(direct.plan.added))
        text = f"The upstream takes the chat without these fields, which the gateway adds: {names}."
        notes.append(("gateway", Diagnosis("request", text)))
    may_skip = not (gateway.is_local and direct.is_possible)
    return Report(asked, straight, through, tuple(notes), may_skip)


def _model(snapshot: ConfigSnapshot | None, endpoint: str, model: str | None) -> str:
    """Return the model to ask for; of an entry that is broken, any."""
    if snapshot is None:
        return model or _misuse("without --config, say which --model")
    entry = snapshot.endpoint(endpoint)
    if entry is not None:
        chosen = choose_model(snapshot, entry, model)
        return chosen or _misuse("the entry lists no models: say which --model")
    if snapshot.problem(endpoint) is None:
        known = ", ".join([*(one.name for one in snapshot.endpoints), *snapshot.broken])
        _misuse(f"there is no endpoint '{endpoint}' in the file; it has: {known or 'none'}")
    return model or ""


def _read_snapshot(file: Path) -> ConfigSnapshot:
    try:
        return build_snapshot(file.read_bytes())
    except OSError as error:
        _misuse(f"{file} cannot be read: {error.strerror}")
    except ConfigRejectedError as error:
        first = error.problems[0]
        _misuse(f"{file}:{first.line or 1}: {first.path}: {first.message}")


def _read_user(path: Path | None) -> User:
    if path is None:
        return User("dev")
    try:
        return parse_user(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        _misuse(f"{path}: {error}")


def _print(report: Report) -> None:
    way = "streamed" if report.asked.stream else "whole"
    console.print(f"{report.asked.endpoint}: {report.asked.model or 'no model'}, {way}")
    if report.direct or report.gateway:
        console.print(report.to_table())
    for one, diagnosis in report.diagnoses:
        console.print(f"{one}: {diagnosis.cause}: {diagnosis.message}")
    if report.is_ok:
        console.print("Both ways work." if report.direct else "The gateway works.")


def _misuse(message: str) -> NoReturn:
    """Say why there is nothing to ask, and end with status 2."""
    error_console.print(f"error: {message}")
    raise typer.Exit(2)
