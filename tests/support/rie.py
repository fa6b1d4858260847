"""AWS's own emulator of the Runtime API, out of the SAM CLI, with the managed runtime's client.

It answers whole, and takes one event at a time.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.fake_lambda import ROOT
from tests.support.served_gateway import free_port

SAM_VENV = ROOT / ".local" / "sam"
START_S = 20.0

_NAMES = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
_INVOKE = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, slots=True)
class Emulated:
    """A function under the emulator."""

    url: str
    log_path: Path

    def invoke(self, event: object) -> Any:
        """Have an event served; return what comes of it."""
        answer = httpx2.post(f"{self.url}{_INVOKE}", json=event, trust_env=False, timeout=30)
        return answer.raise_for_status().json()

    def log(self) -> list[dict[str, Any]]:
        """Return the documents that the function has logged."""
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def emulated(
    code: Path, layer: Path, directory: Path, environment: Mapping[str, str]
) -> Iterator[Emulated]:
    """Run the function in `code` by the wrapper of `layer`, as Lambda runs the managed client."""
    log_path = directory / "emulator.log"
    url = f"127.0.0.1:{free_port()}"
    emulator: list[str | Path] = [_emulator(), "--runtime-interface-emulator-address", url]
    emulator += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    managed_client = [sys.executable, "-m", "awslambdaric", "app.handler"]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*emulator, layer / "stream", *managed_client],
            cwd=code,
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_FUNCTION_NAME": code.name,
                "PYTHONPATH": f"{code}:{layer / 'python'}",
                **environment,
            },
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(f"http://{url}", process)
            yield Emulated(f"http://{url}", log_path)
        finally:
            process.terminate()
            process.wait()


def _emulator() -> Path:
    (found,) = SAM_VENV.glob(f"lib/*/site-packages/samcli/local/rapid/{_NAMES[platform.machine()]}")
    return found


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "the emulator has ended"
        assert time.monotonic() < end, "the emulator does not listen"
        try:
            httpx2.get(url, trust_env=False)
        except httpx2.ConnectError:
            time.sleep(0.05)
        else:
            return
