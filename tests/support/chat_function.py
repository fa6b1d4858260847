"""The chat function in a process of its own, streaming, with a key and what tests look at."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.aws_server import KEY, AwsServer
from tests.support.fake_lambda import ROOT, FakeLambda, fake_lambda
from tests.support.fake_upstream import DONE, chunk_of
from tests.support.lambda_gateway import build_config

CHAT_CODE = ROOT / "functions" / "chat"
PINGING_CODE = ROOT / "tests" / "support" / "pinging_function"
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
END = chunk_of(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
ENDING: tuple[object, ...] = (END, chunk_of(usage=USAGE), DONE)
"""What an honest stream ends with; it costs 50,000 nano-USD at the test's rates."""


@asynccontextmanager
async def chat_function(
    aws: AwsServer,
    directory: Path,
    *entries: Mapping[str, object],
    code: Path = CHAT_CODE,
    timeout_s: float = 60.0,
    balance: Mapping[str, object] | None = None,
    **environment: str,
) -> AsyncIterator[FakeLambda]:
    """Serve chats with these entries of the configuration, to alice."""
    root = {} if balance is None else {"balance": balance}
    variables = aws.environment(build_config(*entries, **root), **environment)
    async with fake_lambda(code, directory, environment=variables, timeout_s=timeout_s) as chat:
        chat.client.headers["authorization"] = f"Bearer {KEY}"
        yield chat


def process_of(chat: FakeLambda) -> Any:
    """Return the one process of a function."""
    (sandbox,) = chat.function.sandboxes
    return sandbox.process


def memory_of(process: Any) -> int:
    """Return how much memory a process has, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def open_files_of(process: Any) -> int:
    """Return how many files and connections a process has open."""
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
