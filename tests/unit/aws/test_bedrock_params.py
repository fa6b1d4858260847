"""Parameters of a call, read from JSON."""

import binascii
import json

import pytest

from waystation.aws.bedrock_clients import BedrockClients
from waystation.aws.bedrock_params import read_params

OPERATION = (
    BedrockClients().take("eu-west-1", None, 1).meta.service_model.operation_model("Converse")
)


def read(*content: object, **more: object) -> dict[str, object]:
    chat = {"messages": [{"role": "user", "content": [*content]}], **more}
    return read_params(json.dumps(chat).encode(), OPERATION)


def test_only_bytes_are_decoded():
    image = {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}
    decoded = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    hidden = {"reasoningContent": {"redactedContent": "aGlkZGVu"}}
    free = {"source": {"bytes": "iVBORw=="}}
    use = {"toolUse": {"toolUseId": "t", "name": "n", "input": free}}
    result = {"toolResult": {"toolUseId": "t", "content": [image, {"json": free}]}}
    others = {"additionalModelRequestFields": free, "requestMetadata": {"bytes": "iVBORw=="}}
    assert read(image, hidden, use, result, **others) == {
        "messages": [
            {
                "role": "user",
                "content": [
                    decoded,
                    {"reasoningContent": {"redactedContent": b"hidden"}},
                    use,
                    {"toolResult": {"toolUseId": "t", "content": [decoded, {"json": free}]}},
                ],
            }
        ],
        **others,
    }


def test_what_has_another_shape_stays():
    assert read(5, {"image": 5}, {"image": {"source": {"bytes": 5}}}, surprise=[]) == {
        "messages": [
            {"role": "user", "content": [5, {"image": 5}, {"image": {"source": {"bytes": 5}}}]}
        ],
        "surprise": [],
    }


@pytest.mark.parametrize("data", ["!", "é", "iVB"])
def test_bad_base64_is_an_error(data):
    with pytest.raises(binascii.Error):
        read({"image": {"source": {"bytes": data}}})
