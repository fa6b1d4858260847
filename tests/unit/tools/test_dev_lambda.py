"""`make dev-lambda`: which function a request goes to."""

import pytest

from tests.support.template import FUNCTIONS, STREAMING
from waystation_cli.dev_lambda import function_of

ROUTES = [
    (event["Properties"]["Method"], event["Properties"]["Path"], name.removesuffix("Function"))
    for name, function in FUNCTIONS.items()
    for event in function.get("Events", {}).values()
    if event["Type"] == "Api"
] + [(method, path, "Chat") for method, path in STREAMING]


@pytest.mark.parametrize(("method", "path", "name"), ROUTES)
def test_routes_are_the_templates(method: str, path: str, name: str) -> None:
    assert function_of(method.upper(), path) == name
