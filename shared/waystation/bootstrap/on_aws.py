"""Makes the runtime of a function: the environment says which collaborators."""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from waystation.aws.clients import AwsClients, tls_with
from waystation.aws.dynamo_table import DynamoTable
from waystation.aws.key_service import KeyService
from waystation.aws.kms import KmsKeyService
from waystation.aws.parameters import SsmParameters
from waystation.aws.title_function import TitleFunction
from waystation.bootstrap.fetching import fetch_ahead
from waystation.bootstrap.runtime import Runtime, build_runtime, live_secrets, make_bedrock_sender
from waystation.chat.titles import TitleStarter
from waystation.config.inspection import is_exact_address
from waystation.config.sources import (
    ConfigSource,
    FileLocation,
    FileSource,
    S3Location,
    S3Source,
    SsmSource,
    parse_config_uri,
)
from waystation.credentials.secrets import Secrets
from waystation.credentials.sources import MappingSource, SsmSecretSource
from waystation.egress.addresses import AddressRules
from waystation.egress.client import Egress
from waystation.egress.dialling import Dialler
from waystation.settings import (
    Settings,
    SettingsError,
    environment,
    forbidden_addresses,
    load_settings,
    runs_on_lambda,
)
from waystation.titles.service import TitleService


class LazyRuntime:
    """Makes the runtime on first use, once. `keeps_user_keys` makes the KMS key a required one.

    It is asked for by each request; beside the first, what that will wait for is fetched.
    """

    def __init__(self, *, keeps_user_keys: bool = False) -> None:
        self._keeps_user_keys = keeps_user_keys
        self._runtime: Runtime | None = None
        self._fetching: asyncio.Task[None] | None = None

    def __call__(self) -> Runtime:
        runtime = self.make()
        if self._fetching is None:
            fetching = fetch_ahead(runtime.config, runtime.secrets)
            self._fetching = asyncio.get_running_loop().create_task(fetching)
        return runtime

    def make(self) -> Runtime:
        """Return the runtime, without a call of AWS. Raises SettingsError."""
        if self._runtime is None:
            settings = load_settings(keeps_user_keys=self._keeps_user_keys)
            self._runtime = _runtime_of(settings)
        return self._runtime

    def live_secrets(self) -> Iterable[str]:
        """Return the operator's secrets in memory, and what this request's user has brought."""
        return live_secrets(self._runtime) if self._runtime else ()


def start(*, keeps_user_keys: bool = False) -> LazyRuntime:
    """Return the process's runtime.

    On Lambda it is made at once, while the processor is unthrottled.

    Raises SettingsError on Lambda where the environment cannot be used.
    """
    runtime = LazyRuntime(keeps_user_keys=keeps_user_keys)
    if runs_on_lambda():
        runtime.make()
    return runtime


def _runtime_of(settings: Settings) -> Runtime:
    egress = _egress(settings)
    bundle = settings.ca_bundle
    make_tls = partial(tls_with, bundle) if bundle else egress.tls
    clients = AwsClients(environment(), make_tls=make_tls)
    secrets = Secrets(
        [MappingSource(environment())],
        SsmSecretSource(SsmParameters(clients.service("ssm")), settings.secrets_prefix),
        now=time.monotonic,
    )
    return build_runtime(
        table=DynamoTable(clients.service("dynamodb"), settings.table_name),
        config_source=_config_source(settings, clients),
        secrets=secrets,
        egress=egress,
        response_mode=settings.response_mode,
        allowed_addresses=_allowed_addresses(settings),
        identity=settings.identity,
        key_service=_key_service(settings, clients),
        make_bedrock=partial(make_bedrock_sender, settings.egress_proxy, settings.ca_bundle),
        make_title_starter=_title_starter(settings, clients),
    )


def _key_service(settings: Settings, clients: AwsClients) -> KeyService | None:
    if settings.kms_key_id is None:
        return None
    return KmsKeyService(clients.service("kms"), settings.kms_key_id)


def _title_starter(
    settings: Settings, clients: AwsClients
) -> Callable[[TitleService], TitleStarter] | None:
    if settings.title_function is None:
        return None
    function = TitleFunction(clients.service("lambda"), settings.title_function)
    return lambda _: function


def _egress(settings: Settings) -> Egress:
    try:
        return Egress(
            proxy=settings.egress_proxy,
            ca_bundle=settings.ca_bundle,
            dialler=Dialler(AddressRules(never=forbidden_addresses())),
            via=settings.via_token,
        )
    except (OSError, ValueError) as error:
        raise SettingsError("EGRESS_PROXY or CA_BUNDLE cannot be used") from error


def _allowed_addresses(settings: Settings) -> frozenset[str]:
    if not all(map(is_exact_address, settings.allowed_addresses)):
        raise SettingsError("GATEWAY_ALLOWED_ADDRESSES must hold exact host:port pairs")
    return settings.allowed_addresses


def _config_source(settings: Settings, clients: AwsClients) -> ConfigSource:
    try:
        location = parse_config_uri(settings.config_uri)
    except ValueError as error:
        raise SettingsError(f"CONFIG_URI: {error}") from error
    match location:
        case S3Location(bucket=bucket, key=key):
            return S3Source(clients.bucket(bucket), bucket, key)
        case FileLocation(path=path):
            return FileSource(Path(path))
        case _:
            return SsmSource(SsmParameters(clients.service("ssm")), location.name)
