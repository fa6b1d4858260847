"""The functions' environment, read once into a frozen value. The only reader of os.environ.

| variable | means | default |
|---|---|---|
| CONFIG_URI | where the YAML is: `s3://bucket/key`, `ssm:/name`, `file:path` | required |
| TABLE_NAME | the DynamoDB table | required |
| SECRETS_PREFIX | SSM path of the `${NAME}` secrets and the keys' pepper | required |
| AUTH_MODES | how callers identify themselves: `keys` | `keys` |
| RESPONSE_MODE | `stream`, or `buffered` where whole answers are waited for | `buffered` |
| TITLE_FUNCTION | name of the function that makes titles beside chats | none are made |
| KMS_KEY_ID | id or ARN of the KMS key that encrypts users' own keys | none are stored |
| LOG_LEVEL | DEBUG, INFO, WARNING, ERROR | `INFO` |
| EGRESS_PROXY | URL of the proxy all upstream calls go through | none |
| CA_BUNDLE | file with the certificates upstreams are checked against | the system's |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

ENVIRONMENT_NAMES = frozenset(
    {
        "CONFIG_URI",
        "TABLE_NAME",
        "SECRETS_PREFIX",
        "AUTH_MODES",
        "RESPONSE_MODE",
        "TITLE_FUNCTION",
        "KMS_KEY_ID",
        "LOG_LEVEL",
        "EGRESS_PROXY",
        "CA_BUNDLE",
    }
)
_REQUIRED = ("CONFIG_URI", "TABLE_NAME", "SECRETS_PREFIX")
_AUTH_MODES = frozenset({"keys"})
_RESPONSE_MODES = ("stream", "buffered")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

ResponseMode = Literal["stream", "buffered"]


class SettingsError(ValueError):
    """The environment cannot be used; the text lists every variable at fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked."""

    config_uri: str
    table_name: str
    secrets_prefix: str
    auth_modes: frozenset[str] = frozenset({"keys"})
    response_mode: ResponseMode = "buffered"
    title_function: str | None = None
    kms_key_id: str | None = None
    egress_proxy: str | None = None
    ca_bundle: str | None = None


def load_settings(
    env: Mapping[str, str] | None = None, *, keeps_user_keys: bool = False
) -> Settings:
    """Read the settings from `env`, by default the process's; to keep users' keys takes a KMS key.

    Raises SettingsError.
    """
    env = environment() if env is None else env
    required = (*_REQUIRED, "KMS_KEY_ID") if keeps_user_keys else _REQUIRED
    faults = [f"{name} is not set" for name in required if not env.get(name)]
    modes = frozenset(filter(None, env.get("AUTH_MODES", "keys").split(",")))
    if not modes or not modes <= _AUTH_MODES:
        faults.append(f"AUTH_MODES must name some of: {', '.join(sorted(_AUTH_MODES))}")
    mode = env.get("RESPONSE_MODE") or "buffered"
    if mode not in _RESPONSE_MODES:
        faults.append(f"RESPONSE_MODE must be one of: {', '.join(_RESPONSE_MODES)}")
    if faults:
        raise SettingsError("; ".join(faults))
    return Settings(
        config_uri=env["CONFIG_URI"],
        table_name=env["TABLE_NAME"],
        secrets_prefix=env["SECRETS_PREFIX"].rstrip("/"),
        auth_modes=modes,
        response_mode=cast("ResponseMode", mode),
        title_function=env.get("TITLE_FUNCTION") or None,
        kms_key_id=env.get("KMS_KEY_ID") or None,
        egress_proxy=env.get("EGRESS_PROXY") or None,
        ca_bundle=env.get("CA_BUNDLE") or None,
    )


def environment() -> Mapping[str, str]:
    """Return the process's environment as it is now."""
    return dict(os.environ)


def runs_on_lambda(env: Mapping[str, str] | None = None) -> bool:
    """Tell whether this process is a Lambda function, real or emulated."""
    return "AWS_LAMBDA_FUNCTION_NAME" in (environment() if env is None else env)


def log_level(env: Mapping[str, str] | None = None) -> str:
    """Return LOG_LEVEL, or INFO where it is unset or no level."""
    level = (environment() if env is None else env).get("LOG_LEVEL", "").upper()
    return level if level in _LOG_LEVELS else "INFO"
