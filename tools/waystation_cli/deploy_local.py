"""Deploys the built stack to an emulated AWS, with a configuration, secrets and a key.

`make deploy-local` runs this module; the deployment tests use its parts.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn
import yaml
from starlette.applications import Starlette

from waystation_cli.dev import DEMO_CONFIG, curl_line
from waystation_cli.local.demo_upstream import PATH, demo_routes
from waystation_cli.ministack import MiniStack, MiniStackError, run_ministack
from waystation_cli.ministack_gaps import allow_secret_batches, complete_api, open_config_bucket

SAM = Path(".local/sam/bin/sam")
LOG = Path(".local/ministack.log")
STACK_NAME = "waystation"


class DeploymentError(Exception):
    """A command failed; the text is its output."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack in the emulated AWS."""

    aws: MiniStack
    stack_name: str
    outputs: Mapping[str, str]

    @property
    def api_url(self) -> str:
        """Return what `ApiUrl` is in AWS."""
        api_id = self.outputs["ApiUrl"].removeprefix("https://").partition(".")[0]
        return f"{self.aws.url}/restapis/{api_id}/prod/_user_request_"

    def waystation(self, *arguments: str | Path) -> str:
        """Run the command line on this stack and return what it prints. Raises DeploymentError."""
        command = shutil.which("waystation", path=Path(sys.executable).parent)
        stack = ("--stack", self.stack_name)
        return run([command or "waystation", *arguments, *stack], self.aws.environment())

    def create_key(self, user_id: str) -> str:
        """Make a gateway key. Raises DeploymentError."""
        key: str = json.loads(self.waystation("keys", "create", "--user", user_id, "--json"))["key"]
        return key

    def import_secrets(self, values: Mapping[str, str]) -> None:
        """Store secrets under the stack's prefix. Raises DeploymentError."""
        lines = "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items())
        with _temporary_file(".env", lines) as path:
            self.waystation("secrets", "import", path)

    def push(self, config: str) -> None:
        """Store the text of a librechat.yaml where the stack reads it. Raises DeploymentError."""
        with _temporary_file(".yaml", config) as path:
            self.waystation("push", path)

    def delete(self) -> None:
        """Delete the stack. Raises DeploymentError."""
        run(
            [SAM, "delete", "--no-prompts", "--stack-name", self.stack_name],
            self.aws.environment(),
        )


def deploy(aws: MiniStack, stack_name: str = STACK_NAME, **parameters: str) -> Deployment:
    """Deploy what `sam build` built, with the template's parameters. Raises DeploymentError.

    Answers are buffered, for the emulated API Gateway does not stream.
    """
    here = {"Architecture": os.environ.get("ARCH", "x86_64"), "ResponseMode": "buffered"}
    parameters = here | parameters
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    run(
        [SAM, "deploy", "--stack-name", stack_name, "--parameter-overrides", *overrides],
        aws.environment(),
    )
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.url)
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    complete_api(aws, stack_name)
    allow_secret_batches(aws, stack_name)
    open_config_bucket(aws, outputs["ConfigBucket"])
    return Deployment(aws, stack_name, outputs)


def run(command: list[str | Path], environment: Mapping[str, str]) -> str:
    """Run a command to its end and return what it prints. Raises DeploymentError."""
    done = subprocess.run(  # noqa: S603 (the callers' own commands)
        command,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DeploymentError(f"{command[0]} {command[1]}: {done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def serve_demo(deployment: Deployment) -> Iterator[None]:
    """Serve the demo upstream on a free port, and have the stack serve the demo's file."""
    host = deployment.aws.host
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


@contextmanager
def _temporary_file(suffix: str, text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"content{suffix}"
        path.write_text(text, encoding="utf-8")
        yield path


if __name__ == "__main__":
    main()
