"""The throw-away stacks of `make smoke-aws`: the gateway, and an upstream that streams words."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from waystation_cli.deployment import Account, Deployment, architecture, sam_deploy

WORDS = 20
SPACING_S = 0.2
DEMO_MODEL = "Smoke/words"
# What the words' record must say: 10 tokens in and one for each word out, at 1 and 2 USD a million.
DEMO_COST_NANOUSD = 10 * 1000 + WORDS * 2000

_UPSTREAM = Path(__file__).parent / "upstream.yaml"


@dataclass(frozen=True, slots=True)
class SmokeStacks:
    """The names of the stacks, which begin alike, and how answers are passed on.

    `complete` makes up for what an emulated AWS leaves undone in the gateway's stack.
    """

    aws: Account
    name: str
    response_mode: str = "stream"
    complete: Callable[[str], None] | None = None

    @property
    def upstream_name(self) -> str:
        """Return the name of the upstream's stack."""
        return f"{self.name}-upstream"

    def deploy_gateway(self) -> Deployment:
        """Deploy what `sam build` built. Raises DeploymentError."""
        parameters = {
            "Architecture": architecture(),
            "ResponseMode": self.response_mode,
            "TableDeletionProtection": "false",
            "LogRetentionDays": "1",
        }
        outputs = sam_deploy(self.aws, self.name, parameters, "--s3-prefix", self.name)
        if self.complete:
            self.complete(self.name)
        return Deployment(self.aws, self.name, outputs)

    def deploy_upstream(self, gateway: Deployment) -> None:
        """Deploy the upstream, and have the gateway serve it. Raises DeploymentError."""
        key = secrets.token_urlsafe(32)
        parameters = {
            "Architecture": architecture(),
            "ResponseMode": self.response_mode,
            "LayerArn": _layer_of(gateway),
            "KeyDigest": hashlib.sha256(key.encode()).hexdigest(),
            "Words": str(WORDS),
            "SpacingMs": str(round(SPACING_S * 1000)),
        }
        options = ("--template-file", _UPSTREAM, "--capabilities", "CAPABILITY_IAM")
        places = ("--resolve-s3", "--s3-prefix", self.name)
        outputs = sam_deploy(self.aws, self.upstream_name, parameters, *options, *places)
        url = self.aws.public_url(outputs["Url"])
        gateway.import_secrets({"SMOKE_API_KEY": key})
        gateway.push(demo_config(url, is_public=url == outputs["Url"]))


def _layer_of(gateway: Deployment) -> str:
    """Return the ARN of the gateway's layer; SAM makes its logical id anew for each version."""
    client = gateway.aws.session().client("lambda", endpoint_url=gateway.aws.url)
    found = client.get_function_configuration(FunctionName=gateway.resource("ChatFunction"))
    return found["Layers"][0]["Arn"]


def demo_config(url: str, *, is_public: bool = True) -> str:
    """Return a librechat.yaml with the upstream at a URL; one that is not public is allowed."""
    base = url.rstrip("/")
    entry = {
        "name": "Smoke",
        "apiKey": "${SMOKE_API_KEY}",
        "baseURL": f"{base}/v1",
        "models": {"default": ["words"]},
        "tokenConfig": {"words": {"prompt": 1, "completion": 2, "context": 1000}},
    }
    endpoints: dict[str, object] = {"custom": [entry]}
    if not is_public:
        endpoints["allowedAddresses"] = [base.split("/")[2]]
    return yaml.safe_dump({"version": "1.3.14", "endpoints": endpoints}, sort_keys=False)
