"""Tries the built stack in your own AWS account, and takes all of it away again.

`make smoke-aws` runs this module: it deploys under a name of its own, streams chats through the
API URL, says whether their events came one by one, and reads the ledger. It asks before it begins.
"""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx2
from botocore.exceptions import BotoCoreError, ClientError

from waystation_cli.deployment import DeploymentError
from waystation_cli.smoke.calls import USER, Target, check
from waystation_cli.smoke.removal import KMS_WAIT_DAYS, Removal
from waystation_cli.smoke.stacks import DEMO_COST_NANOUSD, DEMO_MODEL, SPACING_S, SmokeStacks

NAME = "waystation-smoke-"
TIMEOUT_S = 120.0


class OwnAccount:
    """The account that the environment and the profiles of this machine lead to."""

    def __init__(self) -> None:
        self._session = boto3.session.Session()  # one, as some ask for a code each

    @property
    def url(self) -> None:
        return None

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "SAM_CLI_TELEMETRY": "0"}

    def session(self) -> boto3.session.Session:
        return self._session

    def public_url(self, told: str) -> str:
        return told


@dataclass(frozen=True, slots=True)
class OwnUpstream:
    """A librechat.yaml of the operator's, and the model to ask; `env_file` has its secrets."""

    config: Path
    model: str
    env_file: Path | None = None


def make_name() -> str:
    """Return a name that no stack has."""
    return f"{NAME}{secrets.token_hex(4)}"


def smoke(
    stacks: SmokeStacks, own: OwnUpstream | None = None, tell: Callable[[str], None] = print
) -> bool:
    """Deploy, ask, and remove; return whether all was good and nothing is left.

    What is deployed is removed too where something fails, and on Ctrl-C, which is raised again.
    """
    is_good = False
    try:
        is_good = _try(stacks, own, tell)
    except DeploymentError as error:
        tell(f"FAILED  {error}")
    except (BotoCoreError, ClientError, httpx2.HTTPError) as error:
        tell(f"FAILED  {type(error).__name__}: {error}")
    finally:
        tell("Removing all of it (a few minutes); Ctrl-C leaves the rest ...")
        names = (stacks.upstream_name, stacks.name)
        removal = Removal(stacks.aws, stacks.name, names)
        removal.run()
        tell(_told_of(removal))
    return is_good and not removal.left


def _try(stacks: SmokeStacks, own: OwnUpstream | None, tell: Callable[[str], None]) -> bool:
    tell(f"Deploying {stacks.name} (a few minutes) ...")
    gateway = stacks.deploy_gateway()
    tell(f"It serves {gateway.api_url}/v1")
    if own:
        gateway.waystation("push", own.config)
        if own.env_file:
            gateway.waystation("secrets", "import", own.env_file)
    else:
        tell(f"Deploying {stacks.upstream_name} ...")
        stacks.deploy_upstream(gateway)
    target = Target(
        gateway,
        gateway.create_key(USER),
        own.model if own else DEMO_MODEL,
        spacing_s=None if own else SPACING_S,
        cost_nanousd=None if own else DEMO_COST_NANOUSD,
        has_to_stream=stacks.response_mode == "stream",
    )
    are_good = []
    with httpx2.Client(timeout=TIMEOUT_S) as client:
        for finding in check(target, client):
            tell(f"{'ok' if finding.is_good else 'FAILED':8}{finding.what}: {finding.told}")
            are_good.append(finding.is_good)
    return all(are_good)


def _told_of(removal: Removal) -> str:
    if removal.left:
        return "\n  ".join(["STILL THERE, remove it by hand:", *removal.left])
    if not removal.has_kept_key:
        return "Nothing is left but the SAM CLI's own bucket."
    return (
        f"Nothing is left but a KMS key that AWS deletes in {KMS_WAIT_DAYS} days and a backup that"
        " DynamoDB keeps for 35, neither of which costs anything, and the SAM CLI's own bucket."
    )


def main() -> None:
    """Say where, ask, and try. Ends with status 1 if something is wrong or left."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    aws = OwnAccount()
    try:
        session = aws.session()
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: no AWS account: {error}")
    stacks = SmokeStacks(aws, make_name())
    print(f"Account {account}, region {session.region_name}.")
    print(
        f"This deploys the stack {stacks.name}, chats with it three times, and deletes it. It takes"
        " ten minutes and costs a few US cents at most, beside what an upstream of yours charges."
    )
    if not options.yes and not _agrees():
        sys.exit("Nothing was done.")
    own = OwnUpstream(options.config, options.model, options.env_file) if options.config else None
    try:
        sys.exit(not smoke(stacks, own))
    except KeyboardInterrupt:
        sys.exit("stopped")


def _agrees() -> bool:
    try:
        return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:  # nobody is there to ask
        return False


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make smoke-aws", description="Try the built stack in your own AWS account."
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--config", type=Path, help="your librechat.yaml, in place of a demo")
    parser.add_argument("--model", help="what to ask there, as <endpoint>/<model>")
    parser.add_argument("--env-file", type=Path, help='its secrets, as NAME="value" lines')
    options = parser.parse_args()
    if (options.config is None) != (options.model is None):
        parser.error("--config and --model go together")
    if options.env_file and not options.config:
        parser.error("--env-file needs --config")
    for path in filter(None, (options.config, options.env_file)):
        if not path.is_file():
            parser.error(f"{path} is not a file")
    return options


if __name__ == "__main__":
    main()
