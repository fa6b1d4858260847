"""Which option of a request an upstream refuses."""

import pytest

from waystation.calls.refusals import names_schema_option, names_usage_option
from waystation.errors import UpstreamError, UpstreamFailedError, UpstreamRejectedError

SCHEMA = {
    "by its name": ("'response_format' is not supported by this model", None),
    "by its kind": ("Invalid value: JSON_SCHEMA", None),
    "in words": ("This model has no Structured Output.", None),
    "by the parameter": ("Unknown parameter.", "response_format"),
    "by the Responses API": ("Unsupported.", "text.format"),
}
USAGE = {
    "by its name": ("Unknown field stream_options", None),
    "by its part": ("extra: include_usage", None),
    "by the parameter": ("Unknown parameter.", "stream_options"),
}


def rejected(message: str, param: str | None = None, status: int = 400) -> UpstreamError:
    return UpstreamRejectedError(message, status=status, param=param)


@pytest.mark.parametrize(("message", "param"), SCHEMA.values(), ids=SCHEMA)
@pytest.mark.parametrize("status", [400, 422])
def test_schema_is_named(message: str, param: str | None, status: int):
    assert names_schema_option(rejected(message, param, status))
    assert not names_usage_option(rejected(message, param, status))


@pytest.mark.parametrize(("message", "param"), USAGE.values(), ids=USAGE)
@pytest.mark.parametrize("status", [400, 422])
def test_usage_is_named(message: str, param: str | None, status: int):
    assert names_usage_option(rejected(message, param, status))
    assert not names_schema_option(rejected(message, param, status))


OTHERS = {
    "another parameter": rejected("Unknown parameter.", "temperature"),
    "no words": rejected(""),
    "another status": rejected("response_format stream_options", status=404),
    "too many": rejected("response_format stream_options", status=429),
    "a failure": UpstreamFailedError("response_format stream_options"),
}


@pytest.mark.parametrize("error", OTHERS.values(), ids=OTHERS)
def test_other_faults_are_not_these(error: UpstreamError):
    assert not names_schema_option(error)
    assert not names_usage_option(error)
