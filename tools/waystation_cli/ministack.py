"""An emulated AWS on this machine: starts MiniStack, and ends it with all that it started.

It enforces IAM as AWS does. Nothing here can reach AWS: the credentials are made up, and the
user's own profiles and credential files stay out of sight.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx2

EXECUTABLE = Path(".local/ministack/bin/ministack")
REGION = "us-east-1"

_OWNER = "test"  # the access key, and its secret, of the emulated account's owner
_READY_WITHIN_S = 30.0
_ENDS_WITHIN_S = 10.0


class MiniStackError(Exception):
    """The emulator cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class MiniStack:
    """A running emulator."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def environment(self) -> Mapping[str, str]:
        """Return this process's environment, with AWS turned to the emulator."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": _OWNER,
            "AWS_SECRET_ACCESS_KEY": _OWNER,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
        }

    def session(self) -> boto3.session.Session:
        """Return the owner's session; its clients still have to be told `endpoint_url`."""
        return boto3.session.Session(
            aws_access_key_id=_OWNER, aws_secret_access_key=_OWNER, region_name=REGION
        )

    def public_url(self, told: str) -> str:
        """Return where an API or a function URL is, of which a stack tells AWS's own URL."""
        host, _, path = told.removeprefix("https://").partition("/")
        name, kind, *_ = host.split(".")
        if kind == "lambda-url":
            return f"{self.url}/_aws/lambda-url/{name}/{path}".rstrip("/")
        return f"{self.url}/restapis/{name}/{path}/_user_request_"


@contextmanager
def run_ministack(*, host: str = "127.0.0.1", port: int = 0, log: Path) -> Iterator[MiniStack]:
    """Start MiniStack on a port (0: any free one) of one address, and end it on leaving.

    Raises MiniStackError if the port is taken or it does not get ready.
    """
    aws = MiniStack(host, _claim_port(host, port))
    with tempfile.TemporaryDirectory(prefix="waystation-") as directory, log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (no input of anyone's)
            [EXECUTABLE.absolute()],
            env=_environment(aws, directory),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(aws, process, log)
            yield aws
        finally:
            _end(process)


def _environment(aws: MiniStack, directory: str) -> dict[str, str]:
    """Return what the emulator, and so every function, gets to see: nothing of the user's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": directory,
        "TMPDIR": directory,
        "AUTH": "true",
        "AWS_ENDPOINT_URL": aws.url,  # where its functions find it
        "AWS_ACCESS_KEY_ID": _OWNER,
        "AWS_SECRET_ACCESS_KEY": _OWNER,
        "BIND_HOST": aws.host,
        "GATEWAY_PORT": str(aws.port),
        "MINISTACK_REGION": REGION,
    }


def _claim_port(host: str, port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise MiniStackError(f"{host}:{port} is taken or not this machine's") from error
        claimed: int = probe.getsockname()[1]
        return claimed


def _wait_until_ready(aws: MiniStack, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{aws.url}/_ministack/health", trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise MiniStackError(f"MiniStack did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process group, which holds the functions' interpreters too."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN_S)
