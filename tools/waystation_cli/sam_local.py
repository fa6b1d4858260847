"""Runs the stack's API in containers like Lambda's, by `sam local start-api`.

`make sam-local` runs this module. The rest of AWS is emulated: the emulator and the demo upstream
listen at the host's address in Docker's default network, for that is the only one of the host's
that the containers reach.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from waystation_cli.deploy_local import deploy, serve_demo
from waystation_cli.deployment import SAM, Deployment, DeploymentError
from waystation_cli.dev import curl_line
from waystation_cli.dev_lambda import DEMO_MODEL
from waystation_cli.ministack import MiniStackError, run_ministack

BUILD = Path(".aws-sam/build")
DOCKER_HOST_IP = "172.17.0.1"
VARIABLES = {
    "CONFIG_URI": "ConfigUri",
    "TABLE_NAME": "TableName",
    "SECRETS_PREFIX": "SecretsPrefix",
    "KMS_KEY_ID": "UserKeysKey",
}
_READY_WITHIN_S = 300.0  # the first container's image is put together meanwhile
_ENDS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class LocalApi:
    """The API that `sam local` serves, and a key for it."""

    url: str
    key: str
    deployment: Deployment


@contextmanager
def run_sam_local(
    *, host: str, port: int, log: Path, more: Sequence[str] = ()
) -> Iterator[LocalApi]:
    """Deploy to an emulated AWS at `host`, and serve the API on loopback until leaving.

    `more` are options of `sam local start-api`; `log` takes what it and the functions print.
    Raises DeploymentError, MiniStackError.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        aws = stack.enter_context(run_ministack(host=host, log=directory / "ministack.log"))
        deployment = deploy(aws)
        stack.enter_context(serve_demo(deployment))
        stack.enter_context(_start_api(deployment, port, log, more))
        yield LocalApi(f"http://127.0.0.1:{port}", deployment.create_key("local"), deployment)


def local_template(deployment: Deployment) -> Path:
    """Write the built template with the emulator's values in the functions' environment.

    `sam local` passes only variables that the template names, and takes none of AWS's own.
    """
    template: dict[str, Any] = yaml.safe_load((BUILD / "template.yaml").read_text("utf-8"))
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables |= {name: deployment.outputs[output] for name, output in VARIABLES.items()}
    variables["AWS_ENDPOINT_URL"] = deployment.aws.url
    chat = template["Resources"]["ChatFunction"]["Properties"]["Environment"]["Variables"]
    chat["TITLE_FUNCTION"] = deployment.resource("TitleFunction")
    path = BUILD / "template-local.yaml"
    path.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return path


@contextmanager
def _start_api(deployment: Deployment, port: int, log: Path, more: Sequence[str]) -> Iterator[None]:
    template = local_template(deployment)
    command: list[str | Path] = [SAM, "local", "start-api", "--template", template]
    command += ["--port", str(port), "--warm-containers", "LAZY", *more]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where a shell has it ignored
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (the operator's own options)
            command,
            env=deployment.aws.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, port, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)  # at any other it leaves its containers
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)
            process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx2.HTTPError):
            health = f"http://127.0.0.1:{port}/healthz"
            if httpx2.get(health, timeout=120, trust_env=False).is_success:
                return
        time.sleep(1)
    raise DeploymentError(f"sam local start-api:\n{log.read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Deploy, say how to chat, and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description="Serve the API in containers like Lambda's.",
        epilog="What is not known here goes to `sam local start-api`.",
    )
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--host", default=DOCKER_HOST_IP, help="where containers find this machine")
    options, more = parser.parse_known_args()
    log = Path(".local/sam-local.log")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print("Deploying to an emulated AWS, and starting the first container ...", flush=True)
        with run_sam_local(host=options.host, port=options.port, log=log, more=more) as api:
            print(f"`sam local` serves {api.url}/v1, its log and the functions' in {log}")
            print(f"Key (user 'local'): {api.key}")
            print(f"Try it:\n  {curl_line(api.url, api.key, DEMO_MODEL)}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (MiniStackError, DeploymentError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
