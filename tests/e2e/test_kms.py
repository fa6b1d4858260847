"""The key service in KMS, and its stand-in in memory: one list of behaviours for both."""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from waystation.aws.clients import make_clients
from waystation.aws.key_service import CiphertextError, KeyService, KeyServiceError
from waystation.aws.kms import KmsKeyService
from waystation_cli.local.key_service import InMemoryKeyService

CONTEXT = {"uid": "alice", "endpoint": "Acme é"}


def make_service() -> KmsKeyService:
    client = boto3.client("kms")
    return KmsKeyService(client, client.create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(params=["KMS", "memory"])
def service(request: pytest.FixtureRequest) -> Iterator[KeyService]:
    if request.param == "memory":
        yield InMemoryKeyService()
        return
    with mock_aws():
        yield make_service()


async def test_what_was_encrypted_is_decrypted(service):
    secret = b"\x00sk-secret" * 100
    ciphertext = await service.encrypt(secret, CONTEXT)
    assert b"sk-secret" not in ciphertext
    assert await service.decrypt(ciphertext, CONTEXT) == secret


async def test_the_same_is_never_encrypted_the_same(service):
    first, second = [await service.encrypt(b"secret", CONTEXT) for _ in range(2)]
    assert first != second


@pytest.mark.parametrize(
    "other",
    [
        {"uid": "mallory", "endpoint": "Acme é"},
        {"uid": "alice", "endpoint": "Other"},
        {"uid": "alice"},
        {},
    ],
)
async def test_ciphertext_is_bound_to_its_context(service, other):
    ciphertext = await service.encrypt(b"secret", CONTEXT)
    with pytest.raises(CiphertextError):
        await service.decrypt(ciphertext, other)


async def test_damaged_ciphertext_is_refused(service):
    ciphertext = await service.encrypt(b"secret", CONTEXT)
    with pytest.raises(CiphertextError):
        await service.decrypt(ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), CONTEXT)


class Refusing:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> object:
        def fail(**asked: object) -> None:
            assert asked["KeyId"] == "the-key"
            assert asked["EncryptionContext"] == CONTEXT
            raise self._error

        return fail


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "sk-secret"}}, "Decrypt")


@pytest.mark.parametrize(
    ("error", "raised", "told"),
    [
        (refusal("InvalidCiphertextException"), CiphertextError, "InvalidCiphertextException"),
        (refusal("IncorrectKeyException"), CiphertextError, "IncorrectKeyException"),
        (refusal("AccessDeniedException"), KeyServiceError, "KMS refused: AccessDeniedException"),
        (refusal("ThrottlingException"), KeyServiceError, "KMS refused: ThrottlingException"),
        (
            EndpointConnectionError(endpoint_url="https://kms.invalid"),
            KeyServiceError,
            "KMS did not answer: EndpointConnectionError",
        ),
    ],
)
async def test_failure_is_told_apart_and_tells_nothing(error, raised, told):
    service = KmsKeyService(cast("Any", Refusing(error)), "the-key")
    for attempt in (service.decrypt(b"c", CONTEXT), service.encrypt(b"p", CONTEXT)):
        with pytest.raises(raised) as caught:
            await attempt
        assert str(caught.value) == told


def test_client_is_made_only_where_it_is_used():
    assert make_clients().kms is None
    kms = make_clients(uses_kms=True).kms
    assert kms is not None
    assert vars(kms.meta.config)["_user_provided_options"]["connect_timeout"] == 1
