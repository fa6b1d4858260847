"""What the log tells of a call: models by their listed names, errors by whose they are."""

import pytest

from tests.support.config_entries import build_entry
from waystation.calls.noting import listed_model, notes_of_error
from waystation.errors import (
    EndpointMisconfiguredError,
    GatewayError,
    InternalError,
    InvalidBodyError,
    UpstreamFailedError,
    UpstreamRateLimitedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UserKeyRejectedError,
)

RATES = {"prompt": 1, "completion": 2, "context": 1000}


def test_models_are_told_by_the_names_that_the_entry_has():
    entry = build_entry(
        models={"default": ["listed"], "fetch": True}, tokenConfig={"priced": RATES}
    )
    names = ["listed", "priced", "a client's own idea", ""]
    assert [listed_model(entry, name) for name in names] == ["listed", "priced", "other", "other"]


def test_model_of_an_unknown_entry_is_another():
    assert listed_model(None, "listed") == "other"


@pytest.mark.parametrize(
    ("error", "source"),
    [
        (InvalidBodyError("x"), "client"),
        (UpstreamRejectedError("x", status=400), "client"),
        (UserKeyRejectedError("x"), "client"),
        (UpstreamRateLimitedError("x"), "upstream"),
        (UpstreamFailedError("x"), "upstream"),
        (UpstreamTimeoutError("x"), "upstream"),
        (EndpointMisconfiguredError("x"), "gateway"),
        (InternalError(), "gateway"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GatewayError) else value,
)
def test_error_is_told_by_whose_it_is(error: GatewayError, source: str):
    told = {"error_code": error.code or error.type, "error_source": source}
    assert notes_of_error(error) == told
