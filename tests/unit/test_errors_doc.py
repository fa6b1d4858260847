"""The errors, as they are documented."""

import re
from collections.abc import Iterator
from pathlib import Path

from waystation import errors
from waystation.errors import GatewayError, UpstreamRejectedError
from waystation.ledger import errors as ledger_errors

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d{3}) \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)


def classes(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    for one in base.__subclasses__():
        yield one
        yield from classes(one)


OURS = {errors.__name__, ledger_errors.__name__}
CODED = [one for one in classes() if getattr(one, "code", None) and one.__module__ in OURS]
FACTS = {(one.status, one.type, str(one.code)) for one in CODED}


def test_every_code_belongs_to_one_class():
    codes = [one.code for one in CODED]
    assert sorted(set(map(str, codes))) == sorted(map(str, codes))


def test_page_lists_every_code_with_its_status_and_type():
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = [(int(status), kind, code) for status, code, kind in ROW.findall(page)]
    assert len(rows) == len(set(rows))
    assert set(rows) == FACTS


def test_trees_in_the_modules_list_every_class():
    tree = f"{errors.__doc__}{ledger_errors.__doc__}"
    shown = set(re.findall(r"\b(\w+Error)\b", tree))
    assert shown == {"GatewayError", *(one.__name__ for one in classes())}
    for one in CODED:
        assert re.search(rf"\b{one.__name__} +{one.status} {one.code}\b", tree), one


def test_error_of_the_upstream_keeps_its_own_words():
    error = UpstreamRejectedError("No.", status=422, code="c", type="t", param="p")
    assert error.status == 422
    assert error.to_envelope() == {
        "error": {"message": "No.", "type": "t", "param": "p", "code": "c"}
    }
    assert UpstreamRejectedError("No.", status=400).type == "invalid_request_error"


def test_only_errors_that_are_worth_it_may_be_retried():
    never = {one.__name__ for one in classes() if not one.retryable}
    assert never == {
        "EndpointMisconfiguredError",
        "IdempotencyCompletedError",
        "InternalError",
        "LoopDetectedError",
        "ResponseTooLargeError",
        "UpstreamAuthFailedError",
        "UpstreamError",
        "UpstreamFailedError",
        "UpstreamInvalidResponseError",
        "UpstreamRedirectError",
        "UpstreamRejectedError",
        "UpstreamTimeoutError",
        "UpstreamUnreachableError",
        "UserKeyRejectedError",
    }
