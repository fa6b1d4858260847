"""What `make bench` measures a function by: its processes, its answers, its upstream."""

import json
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.fake_lambda import TOY, make_layer
from tests.support.lambda_events import rest_event
from waystation_cli.benchmark.figures import (
    BenchmarkError,
    Events,
    chat_event,
    measure,
    median_of,
    package_mb,
    table,
)
from waystation_cli.benchmark.processes import cpu_s, peak_mb, tree_of
from waystation_cli.benchmark.upstream import EVENTS, Upstream
from waystation_cli.local_lambda.function import FunctionSpec

BUSY = """
import subprocess, sys, time
held = bytearray(60_000_000)
end = time.process_time() + 0.2
while time.process_time() < end: pass
child = subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"])
child.wait()
"""
ECHOED = rest_event("POST", "/echo", {}, b"chatcmpl-bench")


@pytest.fixture
async def upstream():
    upstream = Upstream()
    await upstream.start()
    yield upstream
    upstream.close()


def spec_of(code: Path, directory: Path) -> FunctionSpec:
    environment = {"RESPONSE_MODE": "stream", "SEEN": str(directory / "seen")}
    return FunctionSpec("toy", code, make_layer(directory), environment)


async def test_figures_of_a_function(tmp_path: Path, upstream: Upstream) -> None:
    figures = await measure(spec_of(TOY, tmp_path), Events(ECHOED, ECHOED), upstream, 10)

    cold = figures["init, ms"] + figures["first request, ms"]
    assert figures["cold: init + first request, ms"] == pytest.approx(cold)
    assert figures["warm p50, ms"] <= figures["warm p99, ms"]
    assert figures["stream: writes per 40 events"] == 1
    assert figures["peak memory, MB"] > 10
    assert figures["processor for that, ms"] >= 10  # a new interpreter's


async def test_an_answer_that_is_none_ends_the_measurement(tmp_path: Path, upstream: Upstream):
    events = Events(rest_event("POST", "/early", {}, b""), ECHOED)

    with pytest.raises(BenchmarkError, match="toy: Fault"):
        await measure(spec_of(TOY, tmp_path), events, upstream, 1)


async def test_a_function_that_cannot_be_loaded_ends_the_measurement(
    tmp_path: Path, upstream: Upstream
):
    (tmp_path / "code").mkdir()

    with pytest.raises(BenchmarkError, match="toy did not start"):
        await measure(spec_of(tmp_path / "code", tmp_path), Events(ECHOED, ECHOED), upstream, 1)


def test_processes_are_counted_with_all_that_came_from_them() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(tree_of(process.pid)) == 2
        assert cpu_s(process.pid) >= 0.2
        assert peak_mb(process.pid) >= 60_000_000 / 2**20
        process.communicate(b"\n")
    assert cpu_s(process.pid) == peak_mb(process.pid) == 0.0


async def test_upstream_answers_whole_and_in_events(upstream: Upstream) -> None:
    url = f"http://{upstream.address}/v1/chat/completions"
    async with httpx2.AsyncClient(trust_env=False) as client:
        whole = (await client.post(url, json={})).json()
        streamed = await client.post(url, json={"stream": True})

    assert whole["usage"]["completion_tokens"] == EVENTS
    *events, done = streamed.text.strip().split("\n\n")
    assert done == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert sum("content" in choice["delta"] for c in chunks for choice in c["choices"]) == EVENTS
    assert chunks[-1]["usage"] == whole["usage"]
    assert upstream.first_event_at > 0


def test_chat_is_an_event_of_a_rest_api() -> None:
    event = json.loads(json.dumps(chat_event("sk-key", stream=True)))

    assert event["headers"]["authorization"] == "Bearer sk-key"
    assert json.loads(event["body"])["stream"] is True
    assert len(event["body"]) == pytest.approx(4096, rel=0.05)


def test_package_is_what_is_deployed(tmp_path: Path) -> None:
    for name, size in {
        "one/a.py": 1_000_000,
        "one/__pycache__/a.pyc": 7,
        "pip/b.py": 7,
        "pip-24.0.dist-info/METADATA": 7,
        "simplejson-4.0.dist-info/METADATA": 7,
        "runtime_client.cpython-313.so": 7,
        "two-1.0.dist-info/METADATA": 500_000,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))

    assert package_mb(tmp_path) == 1.5


def test_medians_are_told_with_their_ratio() -> None:
    yardstick = median_of([{"a, ms": 1.0}, {"a, ms": 9.0}, {"a, ms": 4.0}])

    assert table({**yardstick, "b": 0.0}, {"a, ms": 5.0, "b": 3.0}).splitlines()[2:] == [
        "| a, ms | 1.25 | 5 | 4 |",
        "| b |  | 3 | 0 |",
    ]
