"""Deploys the built stack to an emulated AWS, with a configuration, secrets and a key.

`make deploy-local` runs this module; the deployment tests use its parts.
"""

import argparse
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import uvicorn
import yaml
from starlette.applications import Starlette

from waystation_cli.deployment import Deployment, DeploymentError, architecture, sam_deploy
from waystation_cli.dev import DEMO_CONFIG, curl_line
from waystation_cli.local.demo_upstream import PATH, demo_routes
from waystation_cli.ministack import MiniStack, MiniStackError, run_ministack
from waystation_cli.ministack_gaps import complete

LOG = Path(".local/ministack.log")
STACK_NAME = "waystation"


def deploy(aws: MiniStack, stack_name: str = STACK_NAME, **parameters: str) -> Deployment:
    """Deploy what `sam build` built, with the template's parameters. Raises DeploymentError.

    Answers are buffered, for the emulated API Gateway does not stream.
    """
    here = {"Architecture": architecture(), "ResponseMode": "buffered"}
    outputs = sam_deploy(aws, stack_name, here | parameters)
    complete(aws, stack_name)
    return Deployment(aws, stack_name, outputs)


@contextmanager
def serve_demo(deployment: Deployment) -> Iterator[None]:
    """Serve the demo upstream beside the emulator, and have the stack serve the demo's file."""
    host = urlsplit(deployment.api_url).hostname
    with socket.create_server((host, 0)) as listener:
        app = Starlette(routes=demo_routes())
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            address = f"{host}:{listener.getsockname()[1]}"
            deployment.push(_demo_config(address))
            demo = {"DEMO_API_KEY": "sk-demo", "DEMO_BASE_URL": f"http://{address}{PATH}"}
            deployment.import_secrets(demo)
            yield
        finally:
            server.should_exit = True
            thread.join()


def _demo_config(address: str) -> str:
    config = yaml.safe_load(DEMO_CONFIG.read_text(encoding="utf-8"))
    config["endpoints"]["allowedAddresses"] = [address]
    return yaml.safe_dump(config, sort_keys=False)


def main() -> None:
    """Deploy, say how to chat, and wait for Ctrl-C."""
    parser = argparse.ArgumentParser(description="Deploy the built stack to an emulated AWS.")
    parser.add_argument("--port", type=int, default=0, help="the emulator's port; 0 is any")
    parser.add_argument("--config", type=Path, help="your librechat.yaml; without it, a demo")
    parser.add_argument("--env-file", type=Path, help='its secrets, as NAME="value" lines')
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            _serve(stack, options)
            signal.pause()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (MiniStackError, DeploymentError, OSError) as error:
        sys.exit(f"error: {error}")


def _serve(stack: ExitStack, options: argparse.Namespace) -> None:
    aws = stack.enter_context(run_ministack(port=options.port, log=LOG))
    print(f"Emulated AWS at {aws.url}, its log in {LOG}. Deploying ...", flush=True)
    deployment = deploy(aws)
    if options.config:
        deployment.waystation("push", options.config)
    else:
        stack.enter_context(serve_demo(deployment))
    if options.env_file:
        deployment.waystation("secrets", "import", options.env_file)
    key = deployment.create_key("local")
    print(f"Stack '{deployment.stack_name}' serves {deployment.api_url}/v1")
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    settings = " ".join(f"{name}={aws.environment()[name]}" for name in names)
    print(f"For `waystation` and `sam logs` in another shell:\n  export {settings}")
    print(f"Key (user 'local'): {key}")
    print(
        f"Try it:\n  {curl_line(deployment.api_url, key, _first_model(deployment, key))}",
        flush=True,
    )


def _first_model(deployment: Deployment, key: str) -> str:
    answer = httpx2.get(
        f"{deployment.api_url}/v1/models",
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
        trust_env=False,
    )
    if not answer.is_success:
        raise DeploymentError(f"/v1/models answers {answer.status_code}: {answer.text}")
    model: str = answer.json()["data"][0]["id"]
    return model


if __name__ == "__main__":
    main()
