"""A deployed stack, in an AWS that is real or emulated, and what an operator does with it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import boto3

SAM = Path(".local/sam/bin/sam")


class DeploymentError(Exception):
    """A command failed; the text is its output."""


class Account(Protocol):
    """An account of an AWS."""

    @property
    def url(self) -> str | None:
        """Return where its services are; None is where AWS has them."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment of commands that reach it."""

    def session(self) -> boto3.session.Session:
        """Return a session; its clients still have to be told `endpoint_url`."""

    def public_url(self, told: str) -> str:
        """Return where that is which AWS would serve at the URL that a stack tells."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack of the gateway."""

    aws: Account
    stack_name: str
    outputs: Mapping[str, str]

    @property
    def api_url(self) -> str:
        """Return the base URL of the API."""
        return self.aws.public_url(self.outputs["ApiUrl"])

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

    def resource(self, logical_id: str) -> str:
        """Return the name that a resource of the stack has in AWS."""
        cloudformation = self.aws.session().client("cloudformation", endpoint_url=self.aws.url)
        found = cloudformation.describe_stack_resource(
            StackName=self.stack_name, LogicalResourceId=logical_id
        )
        name: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return name

    def delete(self) -> None:
        """Delete the stack. Raises DeploymentError."""
        run(
            [SAM, "delete", "--no-prompts", "--stack-name", self.stack_name],
            self.aws.environment(),
        )


def sam_deploy(
    aws: Account, stack_name: str, parameters: Mapping[str, str], *more: str | Path
) -> Mapping[str, str]:
    """Deploy what `sam build` built, with the template's parameters; return the outputs.

    `more` are options of `sam deploy`. Raises DeploymentError.
    """
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    command = [SAM, "deploy", "--stack-name", stack_name, *more]
    run([*command, "--parameter-overrides", *overrides], aws.environment())
    cloudformation = aws.session().client("cloudformation", endpoint_url=aws.url)
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def architecture() -> str:
    """Return the processor that the layer was built for."""
    return os.environ.get("ARCH", "x86_64")


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
def _temporary_file(suffix: str, text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"content{suffix}"
        path.write_text(text, encoding="utf-8")
        yield path
