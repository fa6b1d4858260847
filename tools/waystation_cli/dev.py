"""`waystation dev`: the whole gateway on this machine."""

import asyncio
import json
import shlex
from pathlib import Path
from typing import Annotated

import typer
from uvicorn.loops.auto import auto_loop_factory

from waystation.calls.target import users_part
from waystation.config.snapshot import ConfigSnapshot
from waystation.config.templates import find_variables
from waystation.credentials.secrets import Secrets
from waystation.errors import ConfigUnavailableError
from waystation.identity.gateway_keys import is_possible_key, make_key
from waystation.identity.user import User, parse_user
from waystation.settings import SettingsError
from waystation_cli.console import error_console, fail
from waystation_cli.local.stack import LocalOptions, build_local, listen, serve

DEMO_CONFIG = Path(__file__).parent / "demo" / "librechat.yaml"


def dev(
    *,
    config: Annotated[
        Path | None, typer.Option(help="Your librechat.yaml. Without it, a demo is served.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    env_file: Annotated[
        Path | None, typer.Option(help='NAME="value" lines: the first place of ${NAME}.')
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The gateway key. Without it, one is made and shown.")
    ] = None,
    user: Annotated[
        Path | None, typer.Option(help="JSON of the user the key is for, in LibreChat's fields.")
    ] = None,
    no_demo: Annotated[
        bool, typer.Option("--no-demo", help="Leave the demo upstream out.")
    ] = False,
) -> None:
    """Serve every route on one port, with emulated AWS in the process. Ctrl-C stops it."""
    for path in filter(None, (config, env_file, user)):
        if not path.is_file():
            fail(f"{path} is not a file")
    if key is not None and not is_possible_key(key):
        fail("--key must be visible ASCII of at most 512 characters")
    options = LocalOptions(
        config=config or DEMO_CONFIG,
        host=host,
        port=port,
        key=key or make_key(),
        user=_read_user(user),
        env_file=env_file,
        has_demo=not no_demo,
    )
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_serve(options))
    except KeyboardInterrupt:
        error_console.print("stopped")


async def _serve(options: LocalOptions) -> None:
    try:
        listener = listen(options)
    except OSError as error:
        fail(f"cannot listen at {options.url}: {error.strerror}")
    try:
        app, runtime = await build_local(options)
    except SettingsError as error:
        fail(str(error))
    try:
        snapshot: ConfigSnapshot | None = await runtime.config.snapshot()
    except ConfigUnavailableError:
        snapshot = None
        error_console.print(f"{options.config} cannot be used yet; `waystation validate` says why.")
    _greet(options, snapshot)
    if snapshot:
        await _show_what_works(options, snapshot, runtime.secrets)
    await serve(app, listener)


def _read_user(path: Path | None) -> User:
    if path is None:
        return User("dev")
    try:
        return parse_user(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        fail(f"{path}: {error}")


def _greet(options: LocalOptions, snapshot: ConfigSnapshot | None) -> None:
    print(f"Waystation serves {options.config} at {options.url}")
    print(f"Key (trusted, admin, user '{options.user.id}'): {options.key}")
    for name, problem in (snapshot.broken if snapshot else {}).items():
        error_console.print(f"Endpoint '{name}' is left out: {problem.path}: {problem.message}")
    print(end="", flush=True)


async def _show_what_works(
    options: LocalOptions, snapshot: ConfigSnapshot, secrets: Secrets
) -> None:
    """Print which variables are not set, and a chat with the first endpoint that lacks nothing."""
    ready: list[str] = []
    for endpoint in snapshot.endpoints:
        texts = [endpoint.api_key, endpoint.base_url, *endpoint.headers.values()]
        names = dict.fromkeys(name for text in texts for name in find_variables(text))
        values = await secrets.resolve(set(names))
        unset = [name for name in names if not values.get(name)]
        if unset:
            error_console.print(f"Endpoint '{endpoint.name}' waits for: {', '.join(unset)}")
        elif not (await users_part(endpoint, secrets)).key:
            ready.append(f"{endpoint.name}/{endpoint.models.default[0]}")
    if ready:
        print("Try it:\n  " + curl_line(options.url, options.key, ready[0]), flush=True)


def curl_line(url: str, key: str, model: str) -> str:
    """Return one line that chats through the gateway at `url`."""
    body = {
        "model": model,
        "stream": True,
        "messages": [{"role": "user", "content": "Hello!"}],
    }
    command = [
        *("curl", "-sN", f"{url}/v1/chat/completions"),
        *("-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json"),
        *("-d", json.dumps(body)),
    ]
    return shlex.join(command)
