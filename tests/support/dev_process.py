"""`waystation dev` as a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.support.served_gateway import CHAT, chat_body, free_port

READY_S = 20.0  # more than it takes, for a machine that is busy
KEY = "key-of-the-tests"


class DevProcess:
    """A context manager; the gateway is ready when it is entered, and gone when it is left."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        config: str | None = None,
        environment: Mapping[str, str] | None = None,
        key: str | None = KEY,
    ) -> None:
        self.config = directory / "librechat.yaml"
        self.output = directory / "output"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.key = key
        self._command = [str(Path(sys.executable).with_name("waystation")), "dev", *arguments]
        self._command += ["--port", self.url.rpartition(":")[2]]
        if key is not None:
            self._command += ["--key", key]
        if config is not None:
            self.config.write_text(config, encoding="utf-8")
            self._command += ["--config", str(self.config)]
        self._environment = {"PATH": os.environ["PATH"], **(environment or {})}

    def __enter__(self) -> "DevProcess":
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )
        headers = {"authorization": f"Bearer {self.key}"}
        self.client = httpx2.Client(base_url=self.url, headers=headers, trust_env=False)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def chat(self, **body: Any) -> httpx2.Response:
        """Post a chat; `model` and `messages` have defaults."""
        return self.client.post(CHAT, json=chat_body(**body))

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the status that the process ends with."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(5)

    def _wait(self) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            with contextlib.suppress(httpx2.ConnectError):
                if self.client.get("/healthz").is_success:
                    return
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.05)
        raise AssertionError(f"not ready in {READY_S} s: {self.output.read_text()}")
