"""Measures the built chat function as Lambda runs it; `make bench` runs this module.

It has what a deployed one has: keys, the configuration in S3, secrets and records in the emulated
AWS. Beside it, in turn, a plain forwarder is measured: see `benchmark`.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from waystation_cli.benchmark.figures import (
    BenchmarkError,
    Events,
    Figures,
    chat_event,
    measure,
    median_of,
    package_mb,
    table,
)
from waystation_cli.benchmark.upstream import MODEL, Upstream
from waystation_cli.deploy_local import deploy
from waystation_cli.deployment import Deployment, DeploymentError
from waystation_cli.dev_lambda import LAYER, LOG, functions_of
from waystation_cli.local_lambda.function import FunctionSpec
from waystation_cli.ministack import MiniStackError, run_ministack

NAIVE = Path(__file__).parent / "benchmark" / "naive"
NAIVE_VENV = Path(".local/naive")
FUNCTIONS_LOG = Path(".local/bench.log")


def main() -> None:
    """Deploy, measure in turn, and print the medians."""
    parser = argparse.ArgumentParser(description="Measure the built chat function.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300, help="warm ones, a round")
    options = parser.parse_args()
    try:
        with ExitStack() as stack:
            aws = stack.enter_context(run_ministack(log=LOG))
            print("Deploying to the emulated AWS ...", file=sys.stderr, flush=True)
            deployment = deploy(aws)
            log = stack.enter_context(FUNCTIONS_LOG.open("wb"))
            chat = functions_of(deployment, log=log)["Chat"].spec
            comparing = _compare(deployment, chat, options.rounds, options.requests)
            print(_with_sizes(asyncio.run(comparing)))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (BenchmarkError, MiniStackError, DeploymentError, OSError) as error:
        sys.exit(f"error: {error}")


async def _compare(
    deployment: Deployment, chat: FunctionSpec, rounds: int, requests: int
) -> Mapping[str, Figures]:
    upstream = Upstream()
    await upstream.start()
    try:
        deployment.push(_config(upstream.address))
        key = deployment.create_key("bench")
        events = Events(chat_event(key, stream=False), chat_event(key, stream=True))
        found: dict[str, list[Figures]] = {"forwarder": [], "Waystation": []}
        specs = {"forwarder": _forwarder(chat, upstream.address), "Waystation": chat}
        for number in range(rounds):
            for name, spec in specs.items():
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
                found[name].append(await measure(spec, events, upstream, requests))
    finally:
        upstream.close()
    return {name: median_of(figures) for name, figures in found.items()}


def _with_sizes(figures: Mapping[str, Figures]) -> str:
    (packages,) = NAIVE_VENV.glob("lib/python*/site-packages")
    size = "package, MB"
    return table(
        {**figures["forwarder"], size: package_mb(packages)},
        {**figures["Waystation"], size: package_mb(LAYER / "python")},
    )


def _forwarder(chat: FunctionSpec, address: str) -> FunctionSpec:
    return FunctionSpec(
        name="Forwarder",
        code=NAIVE,
        layer=NAIVE,
        environment={"UPSTREAM_URL": f"http://{address}/v1"},
        timeout_s=chat.timeout_s,
        python=str((NAIVE_VENV / "bin" / "python").absolute()),
        log=chat.log,
    )


def _config(address: str) -> str:
    entry = {
        "name": "Bench",
        "apiKey": "sk-bench",
        "baseURL": f"http://{address}/v1",
        "models": {"default": [MODEL]},
        "headers": {"X-User-ID": "{{LIBRECHAT_USER_ID}}"},
        "tokenConfig": {MODEL: {"prompt": 2, "completion": 6, "context": 128000}},
    }
    return json.dumps({"endpoints": {"allowedAddresses": [address], "custom": [entry]}})


if __name__ == "__main__":
    main()
