"""Runs the events of events/ through `sam local invoke`, in containers like Lambda's.

    python -m tests.deploy.sam_local_invoke [--host 172.17.0.1] [options of `sam local invoke`]

Needs a Docker engine on Linux (DOCKER_HOST) and what `make build` builds. The rest of AWS is
emulated. The emulator and the demo upstream listen at the host's address in Docker's default
network, for that is the only one of the host's that the containers reach.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from waystation_cli.deploy_local import deploy, serve_demo
from waystation_cli.deployment import SAM, Deployment, run
from waystation_cli.ministack import run_ministack
from waystation_cli.sam_local import DOCKER_HOST_IP, local_template

EVENTS = {
    "chat.json": "ChatFunction",
    "chat-stream.json": "ChatFunction",
    "messages.json": "ChatFunction",
    "models.json": "ModelsFunction",
    "healthz.json": "ModelsFunction",
    "title.json": "TitleFunction",
    "title-job.json": "TitleFunction",
    "title-get.json": "TitleFunction",  # what the job has made
    "key-expiry.json": "AccountFunction",
    "usage.json": "AccountFunction",  # of all that is above
    "sweep.json": "UpkeepFunction",
}
JOBS = {"title-job.json", "sweep.json"}
PLACEHOLDER_KEY = "sk-waystation-local"


def main() -> None:
    """Print each answer; end with status 1 if one is no 200, or a job's not null."""
    parser = argparse.ArgumentParser(description="Run the events through `sam local invoke`.")
    parser.add_argument("--host", default=DOCKER_HOST_IP, help="where containers find this machine")
    options, more = parser.parse_known_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        aws = stack.enter_context(run_ministack(host=options.host, log=directory / "log"))
        deployment = deploy(aws)
        stack.enter_context(serve_demo(deployment))
        key = deployment.create_key("local")
        is_good = True
        for name, function in EVENTS.items():
            event = directory / name
            event.write_text(_event(name, key), encoding="utf-8")
            answer = _invoke(deployment, function, "--event", event, *more)
            status = answer.get("statusCode") if isinstance(answer, dict) else answer
            is_good &= status == (None if name in JOBS else 200)
    sys.exit(not is_good)


def _invoke(deployment: Deployment, function: str, *options: str | Path) -> object:
    command: list[str | Path] = [SAM, "local", "invoke", function, *options]
    command += ["--template", local_template(deployment)]
    answer: object = json.loads(run(command, deployment.aws.environment()).splitlines()[-1])
    sys.stdout.write(f"{function} {json.dumps(answer, indent=2)}\n")
    return answer


def _event(name: str, key: str) -> str:
    return (Path("events") / name).read_text(encoding="utf-8").replace(PLACEHOLDER_KEY, key)


if __name__ == "__main__":
    main()
