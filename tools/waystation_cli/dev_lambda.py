"""Runs the stack's functions as Lambda does, streaming, on the emulated AWS of `deploy_local`.

`make dev-lambda` runs this module. Every function has processes of its own with the built layer,
behind an API that lets streams through, which the emulated one does not. Cold starts are printed.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import uvicorn

from waystation_cli.deploy_local import deploy, serve_demo
from waystation_cli.deployment import Deployment, DeploymentError, run
from waystation_cli.dev import curl_line
from waystation_cli.local_lambda.front import LocalApi
from waystation_cli.local_lambda.function import FunctionSpec, LocalFunction
from waystation_cli.ministack import MiniStackError, run_ministack

LOG = Path(".local/ministack.log")
LAYER = Path(".aws-sam/build/SharedLayer")
TIMEOUT_S = 300.0
DEMO_MODEL = "Demo/demo-small"
# By what a path begins with; the models function answers everything else, and all OPTIONS.
FUNCTION_OF = {
    "/v1/chat/": "Chat",
    "/v1/messages": "Chat",
    "/v1/titles": "Title",
    "/api/convos/gen_title/": "Title",
    "/v1/keys/": "Account",
    "/api/keys": "Account",
    "/v1/usage": "Account",
    "/v1/balance": "Account",
}


def function_of(method: str, path: str) -> str:
    """Return the function that the template gives a route to."""
    if method == "OPTIONS":
        return "Models"
    return next((name for start, name in FUNCTION_OF.items() if path.startswith(start)), "Models")


def main() -> None:
    """Deploy, say how to chat, and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run the built functions as Lambda does.")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            aws = stack.enter_context(run_ministack(log=LOG))
            print(f"Emulated AWS at {aws.url}. Deploying ...", flush=True)
            deployment = deploy(aws)
            stack.enter_context(serve_demo(deployment))
            functions, key = functions_of(deployment, tell=print), deployment.create_key("local")
            print(f"Key (user 'local'): {key}")
            url = f"http://127.0.0.1:{options.port}"
            print(f"Try it:\n  {curl_line(url, key, DEMO_MODEL)}", flush=True)
            asyncio.run(_serve(functions, options.port))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (MiniStackError, DeploymentError, OSError) as error:
        sys.exit(f"error: {error}")


def functions_of(
    deployment: Deployment,
    *,
    log: IO[bytes] | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, LocalFunction]:
    """Return the stack's functions by what the template calls them, not started yet.

    Raises DeploymentError.
    """
    interpreter = ("make", "--silent", "--no-print-directory", "-C", "shared", "interpreter")
    python = run([*interpreter], deployment.aws.environment()).strip()
    return {
        name: LocalFunction(
            FunctionSpec(
                name=name,
                code=Path("functions", name.lower()).absolute(),
                layer=LAYER.absolute(),
                environment=_environment(deployment, f"{name}Function"),
                timeout_s=TIMEOUT_S,
                python=python or sys.executable,
                log=log,
                tell=tell,
            )
        )
        for name in ("Chat", "Models", "Title", "Account")
    }


async def _serve(functions: Mapping[str, LocalFunction], port: int) -> None:
    app = LocalApi(functions, function_of)
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="warning"))
    try:
        await server.serve()
    finally:
        for function in functions.values():
            await function.close()


def _environment(deployment: Deployment, logical_id: str) -> Mapping[str, str]:
    """Return the variables that a function was deployed with, and the way to the emulated AWS."""
    aws = deployment.aws
    functions = aws.session().client("lambda", endpoint_url=aws.url)
    found = functions.get_function_configuration(FunctionName=deployment.resource(logical_id))
    deployed = found["Environment"]["Variables"]
    emulated = {n: v for n, v in aws.environment().items() if n.startswith("AWS_")}
    return {**deployed, **emulated, "RESPONSE_MODE": "stream"}


if __name__ == "__main__":
    main()
