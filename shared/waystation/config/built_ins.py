"""LibreChat's built-in endpoints, which exist as soon as their variables are set.

Their names and variables are LibreChat's. Source: https://www.librechat.ai/docs/configuration/dotenv,
2026-11. Values are resolved when a call needs them, like those of any entry.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

from waystation.config.parts import yaml_key
from waystation.config.readers import one_of, text
from waystation.config.schema import USER_PROVIDED, Endpoint, Models
from waystation.config.templates import VariableResolver

NAMES = ("openAI", "azureOpenAI", "google", "anthropic", "bedrock")
LOOK_AGAIN_S = 60.0

_OPENAI_URL = "https://api.openai.com/v1"
_GOOGLE_URL = "https://generativelanguage.googleapis.com/v1beta/openai"
_ANTHROPIC_URL = "https://api.anthropic.com"
_Provider: TypeAlias = Literal["anthropic", "bedrock"]
_AZURE_VERSION = "2024-10-21"  # where AZURE_OPENAI_API_VERSION is not set


class BuiltInEndpoint(Endpoint):
    """An endpoint that stands in no file; `provider: bedrock` is only to be had here."""

    name: str = yaml_key(text)
    api_key: str = yaml_key(text, default="")
    models: Models = yaml_key(Models.read, default=Models(default=(), fetch=True))
    provider: _Provider | None = yaml_key(  # type: ignore[assignment]
        one_of(_Provider), default=None
    )


class BuiltIns:
    """Tells which built-in endpoints there are. What is not set is looked for once a minute."""

    def __init__(self, secrets: VariableResolver, *, now: Callable[[], float]) -> None:
        """Take the resolver of the entries' variables, and a clock in seconds."""
        self._secrets = secrets
        self._now = now
        self._absent: dict[str, float] = {}

    async def find(self, names: Iterable[str] = NAMES, *, model: str = "") -> list[Endpoint]:
        """Return the endpoints of those names that exist, as they serve that model.

        Raises SecretUnavailableError.
        """
        now = self._now()
        wanted = [
            _BUILT_INS[name]
            for name in names
            if now - self._absent.get(name, now - LOOK_AGAIN_S) >= LOOK_AGAIN_S
        ]
        if not wanted:
            return []
        values = await self._secrets.resolve({name for one in wanted for name in one.variables})
        found = [(one.name, one.build(values, model)) for one in wanted]
        self._absent |= {name: now for name, endpoint in found if endpoint is None}
        return [endpoint for _, endpoint in found if endpoint is not None]


def is_openai_itself(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint is the built-in one of OpenAI, at OpenAI's own address."""
    return isinstance(endpoint, BuiltInEndpoint) and endpoint.base_url == _OPENAI_URL


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """The variables an endpoint cannot be without, those it looks at, and how it is made."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[[Mapping[str, str], str], dict[str, object] | None]
    takes_user_keys: bool = True

    @property
    def variables(self) -> tuple[str, ...]:
        return self.required + self.optional

    def build(self, values: Mapping[str, str], model: str) -> Endpoint | None:
        """Return the endpoint; None without what it needs, of users' own only where it may be."""
        if not all(values.get(name) for name in self.required):
            return None
        if not self.takes_user_keys and USER_PROVIDED in map(values.get, self.required):
            return None
        fields = self.make(values, model)
        if fields is None:
            return None
        return BuiltInEndpoint.read({"name": self.name} | fields)


def _openai(values: Mapping[str, str], _model: str) -> dict[str, object]:
    organization = {"OpenAI-Organization": "${OPENAI_ORGANIZATION}"}
    return {
        "apiKey": "${OPENAI_API_KEY}",
        **_address(values, "OPENAI_REVERSE_PROXY", _OPENAI_URL),
        **_models(values, "OPENAI_MODELS"),
        "headers": organization if "OPENAI_ORGANIZATION" in values else {},
        "customParams": {"defaultParamsEndpoint": "openAI"},
    }


def _azure(values: Mapping[str, str], model: str) -> dict[str, object] | None:
    """Return a deployment as an entry: Azure has it in the path, and its key in `api-key`."""
    base = _azure_base(values)
    deployment = _azure_deployment(values, model)
    if base is None or deployment is None:
        return None
    parts = urlsplit(base.replace("${DEPLOYMENT_NAME}", deployment))
    path = parts.path.rstrip("/")
    path = path if deployment in path.split("/") else f"{path}/{deployment}"
    version = values.get("AZURE_OPENAI_API_VERSION", _AZURE_VERSION)
    query = parts.query or f"api-version={quote(version, safe='')}"
    return {
        "baseURL": urlunsplit(parts._replace(path=path, query=query)),
        "headers": {"api-key": "${AZURE_API_KEY}"},
        **_models(values, "AZURE_OPENAI_MODELS"),
        "customParams": {"defaultParamsEndpoint": "azureOpenAI"},
    }


def _azure_base(values: Mapping[str, str]) -> str | None:
    """Return the URL above the deployments. It holds no secret, so it is put together here."""
    instance = values.get("AZURE_OPENAI_API_INSTANCE_NAME")
    if base := values.get("AZURE_OPENAI_BASEURL"):
        return base.replace("${INSTANCE_NAME}", instance or "")
    if instance is None:
        return None
    host = instance if instance.endswith(".azure.com") else f"{instance}.openai.azure.com"
    return f"https://{host}/openai/deployments"


def _azure_deployment(values: Mapping[str, str], model: str) -> str | None:
    """Return the one deployment of the variable, or the one that is called like the model."""
    if values.get("AZURE_USE_MODEL_AS_DEPLOYMENT_NAME", "").lower() == "true" and model:
        return quote(model.replace(".", ""), safe="")
    named = values.get("AZURE_OPENAI_API_DEPLOYMENT_NAME")
    return quote(named, safe="") if named else None


def _google(values: Mapping[str, str], _model: str) -> dict[str, object]:
    return {
        "apiKey": "${GOOGLE_KEY}",
        **_address(values, "GOOGLE_REVERSE_PROXY", _GOOGLE_URL),
        **_models(values, "GOOGLE_MODELS"),
        "customParams": {"defaultParamsEndpoint": "google"},
    }


def _anthropic(values: Mapping[str, str], _model: str) -> dict[str, object]:
    return {
        "provider": "anthropic",
        "apiKey": "${ANTHROPIC_API_KEY}",
        **_address(values, "ANTHROPIC_REVERSE_PROXY", _ANTHROPIC_URL),
        **_models(values, "ANTHROPIC_MODELS"),
    }


def _bedrock(values: Mapping[str, str], _model: str) -> dict[str, object]:
    return {
        "provider": "bedrock",
        "baseURL": "bedrock:${BEDROCK_AWS_DEFAULT_REGION}",
        **_models(values, "BEDROCK_AWS_MODELS"),
    }


def _address(values: Mapping[str, str], variable: str, url: str) -> dict[str, object]:
    """Return where to send to: a proxy may be given as the whole URL of chat completions."""
    proxy = values.get(variable, "")
    is_whole = proxy.rstrip("/").endswith("/chat/completions")
    return {"baseURL": f"${{{variable}}}" if proxy else url, "directEndpoint": is_whole}


def _models(values: Mapping[str, str], variable: str) -> dict[str, object]:
    """Return the models that a variable lists; without it, the upstream judges."""
    listed = [name.strip() for name in values.get(variable, "").split(",") if name.strip()]
    return {"models": {"default": listed}} if listed else {}


_BUILT_INS = {
    one.name: one
    for one in (
        _BuiltIn(
            "openAI",
            ("OPENAI_API_KEY",),
            ("OPENAI_REVERSE_PROXY", "OPENAI_MODELS", "OPENAI_ORGANIZATION"),
            _openai,
        ),
        _BuiltIn(
            "azureOpenAI",
            ("AZURE_API_KEY",),
            (
                "AZURE_OPENAI_API_INSTANCE_NAME",
                "AZURE_OPENAI_API_DEPLOYMENT_NAME",
                "AZURE_OPENAI_API_VERSION",
                "AZURE_OPENAI_BASEURL",
                "AZURE_USE_MODEL_AS_DEPLOYMENT_NAME",
                "AZURE_OPENAI_MODELS",
            ),
            _azure,
            takes_user_keys=False,
        ),
        _BuiltIn("google", ("GOOGLE_KEY",), ("GOOGLE_REVERSE_PROXY", "GOOGLE_MODELS"), _google),
        _BuiltIn(
            "anthropic",
            ("ANTHROPIC_API_KEY",),
            ("ANTHROPIC_REVERSE_PROXY", "ANTHROPIC_MODELS"),
            _anthropic,
        ),
        _BuiltIn(
            "bedrock",
            ("BEDROCK_AWS_DEFAULT_REGION",),
            ("BEDROCK_AWS_MODELS",),
            _bedrock,
            takes_user_keys=False,
        ),
    )
}
