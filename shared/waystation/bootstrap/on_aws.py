"""Makes the runtime of a function: the environment says which collaborators."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from waystation.aws.key_service import KeyService
from waystation.aws.queue import Queue
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

if TYPE_CHECKING:
    from waystation.aws.clients import AwsClients


class LazyRuntime:
    """Makes the runtime on first use, once. `keeps_user_keys` makes the KMS key a required one."""

    def __init__(self, *, keeps_user_keys: bool = False) -> None:
        self._keeps_user_keys = keeps_user_keys
        self._runtime: Runtime | None = None

    def __call__(self) -> Runtime:
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
        runtime()
    return runtime


def _runtime_of(settings: Settings) -> Runtime:
    from waystation.aws.clients import make_clients  # noqa: PLC0415 (boto3 only where AWS is)
    from waystation.aws.dynamo_table import DynamoTable  # noqa: PLC0415

    clients = make_clients(
        calls_functions=settings.title_function is not None,
        uses_kms=settings.kms_key_id is not None,
        sends_messages=settings.outbox_url is not None,
    )
    secrets = Secrets(
        [MappingSource(environment())],
        SsmSecretSource(clients.ssm, settings.secrets_prefix),
        now=time.monotonic,
    )
    return build_runtime(
        table=DynamoTable(clients.dynamodb, settings.table_name),
        config_source=_config_source(settings, clients),
        secrets=secrets,
        egress=_egress(settings),
        response_mode=settings.response_mode,
        allowed_addresses=_allowed_addresses(settings),
        identity=settings.identity,
        key_service=_key_service(settings, clients),
        make_bedrock=partial(make_bedrock_sender, settings.egress_proxy, settings.ca_bundle),
        make_title_starter=_title_starter(settings, clients),
        outbox=_outbox(settings, clients),
        knows_public_prices=settings.public_prices,
        own_keys_draw=settings.own_keys_draw,
        first_byte_s=settings.first_byte_s,
        idle_s=settings.idle_s,
    )


def _key_service(settings: Settings, clients: "AwsClients") -> KeyService | None:
    if settings.kms_key_id is None or clients.kms is None:
        return None
    from waystation.aws.kms import KmsKeyService  # noqa: PLC0415 (boto3 where AWS is)

    return KmsKeyService(clients.kms, settings.kms_key_id)


def _outbox(settings: Settings, clients: "AwsClients") -> Queue | None:
    if settings.outbox_url is None or clients.sqs is None:
        return None
    from waystation.aws.sqs_queue import SqsQueue  # noqa: PLC0415 (boto3 where AWS is)

    return SqsQueue(clients.sqs, settings.outbox_url)


def _title_starter(
    settings: Settings, clients: "AwsClients"
) -> Callable[[TitleService], TitleStarter] | None:
    if settings.title_function is None or clients.functions is None:
        return None
    from waystation.aws.title_function import TitleFunction  # noqa: PLC0415 (boto3 where AWS is)

    function = TitleFunction(clients.functions, settings.title_function)
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


def _config_source(settings: Settings, clients: "AwsClients") -> ConfigSource:
    try:
        location = parse_config_uri(settings.config_uri)
    except ValueError as error:
        raise SettingsError(f"CONFIG_URI: {error}") from error
    match location:
        case S3Location(bucket=bucket, key=key):
            return S3Source(clients.s3, bucket, key)
        case FileLocation(path=path):
            return FileSource(Path(path))
        case _:
            return SsmSource(clients.ssm, location.name)
