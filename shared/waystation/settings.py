"""The functions' environment, read once into a frozen value. The only reader of os.environ.

| variable | means | default |
|---|---|---|
| CONFIG_URI | where the YAML is: `s3://bucket/key`, `ssm:/name`, `file:path` | required |
| TABLE_NAME | the DynamoDB table | required |
| SECRETS_PREFIX | SSM path of the `${NAME}` secrets and the keys' pepper | required |
| AUTH_MODES | who may call: holders of `keys`, `jwt`, or both; or `authorizer` alone | `keys` |
| JWT_ISSUER | the one `iss` of tokens | required for `jwt` |
| JWT_AUDIENCE | the `aud` that tokens are for; several with commas | required for `jwt` |
| JWT_ALGORITHMS | how tokens may be signed | `RS256,ES256` |
| JWT_JWKS_URL | the keys, or the OpenID configuration | `<issuer>/.well-known/jwks.json` |
| USER_CLAIMS | the user's fields: `email=email,username=cognito:username` | the usual claims |
| ADMIN_CLAIM | `claim=value` that makes an admin | none |
| TRUSTED_CLAIM | `claim=value` of who may assert users | none |
| USER_ID_PREFIX | put before the user ids that tokens and authorizers give | none |
| CORS_ORIGINS | origins of browser apps that may call; several with commas | none |
| RESPONSE_MODE | `stream`, or `buffered` where whole answers are waited for | `buffered` |
| FIRST_BYTE_TIMEOUT_S | seconds until a streamed answer's first event | `120` |
| IDLE_TIMEOUT_S | seconds between the bytes of a streamed answer | `60` |
| TITLE_FUNCTION | name of the function that makes titles beside chats | none are made |
| OUTBOX_URL | the SQS queue for records that the table does not take | there is none |
| SWEEP_POLICY | the cost of what nobody settled: `estimate`, `hold`, `release` | `estimate` |
| KMS_KEY_ID | id or ARN of the KMS key that encrypts users' own keys | none are stored |
| LOG_LEVEL | DEBUG, INFO, WARNING, ERROR | `INFO` |
| METRICS | `on` or `off`: whether lines of the log carry CloudWatch's metrics | `on` on Lambda |
| BALANCE_OWN_KEYS | `draw` where calls with users' own keys draw on balances | `free` |
| EGRESS_PROXY | URL of the proxy all upstream calls go through | none |
| CA_BUNDLE | file with the certificates upstreams are checked against | the system's |
| GATEWAY_ALLOWED_ADDRESSES | `host:port,host:port` beside `endpoints.allowedAddresses` | none |
| PUBLIC_PRICES | `on`, or `off` where only prices of yours and of upstreams' lists count | `on` |
| VIA_TOKEN | this gateway's name, by which it notices that it asks itself | `waystation` |
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from waystation.identity_settings import KEYS_ONLY, IdentitySettings, names_in, read_identity

ENVIRONMENT_NAMES = frozenset(
    {
        "CONFIG_URI",
        "TABLE_NAME",
        "SECRETS_PREFIX",
        "AUTH_MODES",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_ALGORITHMS",
        "JWT_JWKS_URL",
        "USER_CLAIMS",
        "ADMIN_CLAIM",
        "TRUSTED_CLAIM",
        "USER_ID_PREFIX",
        "CORS_ORIGINS",
        "RESPONSE_MODE",
        "FIRST_BYTE_TIMEOUT_S",
        "IDLE_TIMEOUT_S",
        "TITLE_FUNCTION",
        "OUTBOX_URL",
        "SWEEP_POLICY",
        "KMS_KEY_ID",
        "LOG_LEVEL",
        "METRICS",
        "BALANCE_OWN_KEYS",
        "EGRESS_PROXY",
        "CA_BUNDLE",
        "GATEWAY_ALLOWED_ADDRESSES",
        "PUBLIC_PRICES",
        "VIA_TOKEN",
    }
)
_REQUIRED = ("CONFIG_URI", "TABLE_NAME", "SECRETS_PREFIX")
_RESPONSE_MODES = ("stream", "buffered")
_SWEEP_POLICIES = ("estimate", "hold", "release")
_SWITCH = ("on", "off")
_OWN_KEYS = ("free", "draw")
_FIRST_BYTE_S, _IDLE_S = 120, 60
_SECONDS = re.compile(r"[1-9][0-9]{0,2}")
_MOST_SECONDS = 900  # Lambda's own limit
_VIA_DEFAULT = "waystation"
_VIA = re.compile(r"[A-Za-z0-9._-]+")
# Where the Lambda sandbox, and what AWS puts beside it, says that it listens.
_SANDBOX_PAIRS = ("AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS")
_SANDBOX_URL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
# Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
# and https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions-config.html,
# 2026-11
_EXTENSION_PORTS = {
    "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773",
    "AWS_APPCONFIG_EXTENSION_HTTP_PORT": "2772",
}
_RUNTIME_API = "127.0.0.1:9001"
_PAIR = re.compile(r"(?:(?:tcp|udp):)?((?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[0-9]{1,5})")
_PLACE = re.compile(r"http(s?)://(\[[0-9A-Fa-f:.]+\]|[^/?#:\[\]]+)(?::([0-9]{1,5}))?")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# Lower case, no path and no default port: neither `null` nor `*` is one.
_ORIGIN = re.compile(
    r"(?!http://[^:]+:80$|https://[^:]+:443$)https?://"
    r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?"
)

ResponseMode = Literal["stream", "buffered"]
SweepPolicy = Literal["estimate", "hold", "release"]


class SettingsError(ValueError):
    """The environment cannot be used; the text lists every variable at fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked."""

    config_uri: str
    table_name: str
    secrets_prefix: str
    identity: IdentitySettings = KEYS_ONLY
    cors_origins: frozenset[str] = frozenset()
    response_mode: ResponseMode = "buffered"
    first_byte_s: int = _FIRST_BYTE_S
    idle_s: int = _IDLE_S
    title_function: str | None = None
    outbox_url: str | None = None
    sweep_policy: SweepPolicy = "estimate"
    kms_key_id: str | None = None
    own_keys_draw: bool = False
    egress_proxy: str | None = None
    ca_bundle: str | None = None
    allowed_addresses: frozenset[str] = frozenset()
    public_prices: bool = True
    via_token: str = _VIA_DEFAULT


def load_settings(
    env: Mapping[str, str] | None = None, *, keeps_user_keys: bool = False
) -> Settings:
    """Read the settings from `env`, by default the process's; to keep users' keys takes a KMS key.

    Raises SettingsError.
    """
    env = environment() if env is None else env
    required = (*_REQUIRED, "KMS_KEY_ID") if keeps_user_keys else _REQUIRED
    faults = [f"{name} is not set" for name in required if not env.get(name)]
    identity = read_identity(env, faults)
    origins = _origins(env, faults)
    mode = env.get("RESPONSE_MODE") or "buffered"
    if mode not in _RESPONSE_MODES:
        faults.append(f"RESPONSE_MODE must be one of: {', '.join(_RESPONSE_MODES)}")
    policy = env.get("SWEEP_POLICY") or "estimate"
    if policy not in _SWEEP_POLICIES:
        faults.append(f"SWEEP_POLICY must be one of: {', '.join(_SWEEP_POLICIES)}")
    faults += [
        f"{name} must be one of: {', '.join(_SWITCH)}"
        for name in ("PUBLIC_PRICES", "METRICS")
        if (env.get(name) or "on") not in _SWITCH
    ]
    own_keys = env.get("BALANCE_OWN_KEYS") or "free"
    if own_keys not in _OWN_KEYS:
        faults.append(f"BALANCE_OWN_KEYS must be one of: {', '.join(_OWN_KEYS)}")
    first_byte_s = _seconds(env, "FIRST_BYTE_TIMEOUT_S", _FIRST_BYTE_S, faults)
    idle_s = _seconds(env, "IDLE_TIMEOUT_S", _IDLE_S, faults)
    if via_token(env) != (env.get("VIA_TOKEN") or _VIA_DEFAULT):
        faults.append("VIA_TOKEN must be letters, digits, dots, hyphens and underscores")
    if faults:
        raise SettingsError("; ".join(faults))
    return Settings(
        config_uri=env["CONFIG_URI"],
        table_name=env["TABLE_NAME"],
        secrets_prefix=env["SECRETS_PREFIX"].rstrip("/"),
        identity=identity,
        cors_origins=origins,
        response_mode=cast("ResponseMode", mode),
        first_byte_s=first_byte_s,
        idle_s=idle_s,
        title_function=env.get("TITLE_FUNCTION") or None,
        outbox_url=env.get("OUTBOX_URL") or None,
        sweep_policy=cast("SweepPolicy", policy),
        kms_key_id=env.get("KMS_KEY_ID") or None,
        own_keys_draw=own_keys == "draw",
        egress_proxy=env.get("EGRESS_PROXY") or None,
        ca_bundle=env.get("CA_BUNDLE") or None,
        allowed_addresses=frozenset(_pieces(env.get("GATEWAY_ALLOWED_ADDRESSES", "").lower())),
        public_prices=env.get("PUBLIC_PRICES") != "off",
        via_token=via_token(env),
    )


def cors_origins(env: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the origins that browsers may call from. Raises SettingsError."""
    faults: list[str] = []
    origins = _origins(environment() if env is None else env, faults)
    if faults:
        raise SettingsError("; ".join(faults))
    return origins


def environment() -> Mapping[str, str]:
    """Return the process's environment as it is now."""
    return dict(os.environ)


def runs_on_lambda(env: Mapping[str, str] | None = None) -> bool:
    """Tell whether this process is a Lambda function, real or emulated."""
    return "AWS_LAMBDA_FUNCTION_NAME" in (environment() if env is None else env)


def via_token(env: Mapping[str, str] | None = None) -> str:
    """Return VIA_TOKEN, or `waystation` where it is unset or cannot stand in a header."""
    token = (environment() if env is None else env).get("VIA_TOKEN", "")
    return token if _VIA.fullmatch(token) else _VIA_DEFAULT


def forbidden_addresses(env: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the `host:port` pairs of the sandbox around this process, which serve nobody else."""
    env = environment() if env is None else env
    found = {pair for name in _SANDBOX_PAIRS for pair in _PAIR.findall(env.get(name, ""))}
    if place := _PLACE.match(env.get(_SANDBOX_URL, "")):
        found.add(f"{place[2]}:{place[3] or ('443' if place[1] else '80')}")
    defaults = _EXTENSION_PORTS if runs_on_lambda(env) else {}
    ports = [env.get(name) or defaults.get(name, "") for name in _EXTENSION_PORTS]
    found |= {f"127.0.0.1:{port}" for port in ports if port.isdecimal()}
    return frozenset(found | ({_RUNTIME_API} if runs_on_lambda(env) else set()))


def _pieces(text: str) -> list[str]:
    return list(filter(None, map(str.strip, text.split(","))))


def log_level(env: Mapping[str, str] | None = None) -> str:
    """Return LOG_LEVEL, or INFO where it is unset or no level."""
    level = (environment() if env is None else env).get("LOG_LEVEL", "").upper()
    return level if level in _LOG_LEVELS else "INFO"


def metrics_namespace(env: Mapping[str, str] | None = None) -> str | None:
    """Return the namespace of this gateway's metrics, which is its name; None if there are none."""
    env = environment() if env is None else env
    switch = env.get("METRICS") or ("on" if runs_on_lambda(env) else "off")
    return via_token(env) if switch == "on" else None


def _seconds(env: Mapping[str, str], name: str, default: int, faults: list[str]) -> int:
    text = env.get(name) or str(default)
    if _SECONDS.fullmatch(text) and int(text) <= _MOST_SECONDS:
        return int(text)
    faults.append(f"{name} must be a whole number of seconds from 1 to {_MOST_SECONDS}")
    return default


def _origins(env: Mapping[str, str], faults: list[str]) -> frozenset[str]:
    origins = names_in(env.get("CORS_ORIGINS", ""))
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        faults.append(
            "CORS_ORIGINS must list origins as browsers send them, like https://app.example.com"
        )
    return frozenset(origins)
