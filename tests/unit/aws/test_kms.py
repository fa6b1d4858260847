"""What is asked of KMS, and what is told of its failures."""

import base64

import pytest

from tests.support.aws_services import answer, refusal, scripted_service
from tests.support.fake_upstream import RESET, Step
from waystation.aws.key_service import CiphertextError, KeyServiceError
from waystation.aws.kms import KmsKeyService

CONTEXT = {"uid": "alice"}
FAILURES: list[tuple[list[Step], type[Exception], str]] = [
    (refusal("InvalidCiphertextException"), CiphertextError, "InvalidCiphertextException"),
    (refusal("IncorrectKeyException"), CiphertextError, "IncorrectKeyException"),
    (refusal("AccessDeniedException"), KeyServiceError, "KMS refused: AccessDeniedException"),
    (refusal("ThrottlingException"), KeyServiceError, "KMS refused: ThrottlingException"),
    ([RESET], KeyServiceError, "KMS did not answer: ConnectionLost"),
    (answer({}), KeyServiceError, "KMS did not answer: InvalidAnswer"),
    (
        answer({"Plaintext": "canary!", "CiphertextBlob": 1}),
        KeyServiceError,
        "KMS did not answer: InvalidAnswer",
    ),
]


@pytest.mark.parametrize(("steps", "raised", "told"), FAILURES)
async def test_failure_is_told_apart_and_tells_nothing(
    steps: list[Step], raised: type[Exception], told: str
):
    with scripted_service("kms", steps, keeps_connections=False) as scripted:
        service = KmsKeyService(scripted.service, "the-key")
        for attempt in (service.decrypt(b"canary", CONTEXT), service.encrypt(b"canary", CONTEXT)):
            with pytest.raises(raised) as caught:
                await attempt
            assert str(caught.value) == told


async def test_key_and_context_go_with_each_call():
    blob = base64.b64encode(b"\x00\xff").decode()
    with scripted_service("kms", answer({"Plaintext": blob, "CiphertextBlob": blob})) as scripted:
        service = KmsKeyService(scripted.service, "the-key")
        assert await service.encrypt(b"p", CONTEXT) == b"\x00\xff"
        assert await service.decrypt(b"c", CONTEXT) == b"\x00\xff"
    shared = {"KeyId": "the-key", "EncryptionContext": CONTEXT}
    assert scripted.asked == [
        {"Plaintext": "cA==", **shared},
        {"CiphertextBlob": "Yw==", **shared},
    ]
    targets = [one.header("x-amz-target") for one in scripted.upstream.received]
    assert targets == [["TrentService.Encrypt"], ["TrentService.Decrypt"]]
