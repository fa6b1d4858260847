"""The key service in KMS, and its stand-in in memory: one list of behaviours for both."""

import os
from collections.abc import Iterator

import boto3
import pytest

from tests.support.emulated_aws import emulated_aws
from waystation.aws.clients import AwsClients
from waystation.aws.key_service import CiphertextError, KeyService
from waystation.aws.kms import KmsKeyService
from waystation_cli.local.key_service import InMemoryKeyService

CONTEXT = {"uid": "alice", "endpoint": "Acme é"}


def make_service() -> KmsKeyService:
    arn = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    return KmsKeyService(AwsClients(os.environ).service("kms"), arn)


@pytest.fixture(params=["KMS", "memory"])
def service(request: pytest.FixtureRequest) -> Iterator[KeyService]:
    if request.param == "memory":
        yield InMemoryKeyService()
        return
    with emulated_aws():
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
