"""Which endpoint a chat is for."""

import pytest

from tests.support.config_entries import build_entry
from tests.support.fakes import build_snapshot_of
from waystation.calls.routing import find_route
from waystation.config.snapshot import ConfigProblem
from waystation.errors import (
    EndpointMisconfiguredError,
    EndpointNotFoundError,
    GatewayError,
    InvalidBodyError,
    ModelNotFoundError,
)


def entry(name: str, *models: str, fetch: bool = False):
    return build_entry(name=name, models={"default": list(models), "fetch": fetch})


SNAPSHOT = build_snapshot_of(
    entry("Acme", "large", "small", "acme/deep"),
    entry("Beta", "small", "Acme/large", "Beta/own"),
    entry("Fetch", "listed", fetch=True),
    entry("a/b", "m"),
    entry("OpenRouter", "vendor/x", fetch=True),
    broken={"Broken": ConfigProblem("endpoints.custom[5].apiKey", "is required", 9)},
)

FOUND = {
    "listed once": ("large", None, "Acme", "large"),
    "prefix": ("Beta/small", None, "Beta", "small"),
    "prefix beside another's list": ("Acme/small", None, "Acme", "small"),
    "model with a slash": ("acme/deep", None, "Acme", "acme/deep"),
    "model with a slash and a prefix": ("Acme/acme/deep", None, "Acme", "acme/deep"),
    "whole string beats the prefix": ("Beta/own", None, "Beta", "Beta/own"),
    "name with a slash": ("a/b/m", None, "a/b", "m"),
    "list of an endpoint that fetches": ("listed", None, "Fetch", "listed"),
    "guess": ("Fetch/unlisted", None, "Fetch", "unlisted"),
    "guess with slashes": ("OpenRouter/vendor/y", None, "OpenRouter", "vendor/y"),
    "named": ("small", "Beta", "Beta", "small"),
    "named and prefixed": ("Beta/small", "Beta", "Beta", "small"),
    "named, whatever others list": ("Acme/large", "Beta", "Beta", "Acme/large"),
    "named, fetches": ("unlisted", "Fetch", "Fetch", "unlisted"),
    "named, fetches, prefixed": ("Fetch/unlisted", "Fetch", "Fetch", "unlisted"),
    "named, fetches, another's prefix": ("Acme/large", "Fetch", "Fetch", "Acme/large"),
    "named in another case": ("vendor/x", "openrouter", "OpenRouter", "vendor/x"),
    "empty name is none": ("large", "", "Acme", "large"),
}


@pytest.mark.parametrize(("model", "name", "endpoint", "sent"), FOUND.values(), ids=FOUND)
def test_route_is_found(model, name, endpoint, sent):
    route = find_route(SNAPSHOT, model, name)
    assert (route.endpoint.name, route.model) == (endpoint, sent)


SEVERAL = (
    "Several endpoints offer the model '{}': {}. "
    "Name one in `endpoint`, or as a prefix: <endpoint>/<model>."
)
REFUSED = {
    "unknown model": (
        "huge",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'huge'.",
    ),
    "unknown prefix": (
        "Gamma/large",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'Gamma/large'.",
    ),
    "prefix in another case": (
        "ACME/small",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'ACME/small'.",
    ),
    "prefix and an unlisted model": (
        "Acme/huge",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'Acme/huge'.",
    ),
    "prefix alone": (
        "Fetch/",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'Fetch/'.",
    ),
    "model is not listed and nothing guesses": (
        "unlisted",
        None,
        ModelNotFoundError,
        "model",
        "No endpoint offers the model 'unlisted'.",
    ),
    "several": (
        "small",
        None,
        InvalidBodyError,
        "model",
        SEVERAL.format("small", "'Acme', 'Beta'"),
    ),
    "whole string of one, prefix of another": (
        "Acme/large",
        None,
        InvalidBodyError,
        "model",
        SEVERAL.format("Acme/large", "'Acme', 'Beta'"),
    ),
    "unknown endpoint": (
        "large",
        "Gamma",
        EndpointNotFoundError,
        "endpoint",
        "There is no endpoint 'Gamma'.",
    ),
    "endpoint in another case": (
        "large",
        "acme",
        EndpointNotFoundError,
        "endpoint",
        "There is no endpoint 'acme'.",
    ),
    "named, not listed": (
        "huge",
        "Acme",
        ModelNotFoundError,
        "model",
        "Endpoint 'Acme' does not offer the model 'huge'.",
    ),
    "broken, named": (
        "large",
        "Broken",
        EndpointMisconfiguredError,
        None,
        "Endpoint 'Broken' is misconfigured: endpoints.custom[5].apiKey: is required",
    ),
    "broken, prefixed": (
        "Broken/large",
        None,
        EndpointMisconfiguredError,
        None,
        "Endpoint 'Broken' is misconfigured: endpoints.custom[5].apiKey: is required",
    ),
    "long model": (
        "x" * 300,
        None,
        ModelNotFoundError,
        "model",
        f"No endpoint offers the model '{'x' * 100}…'.",
    ),
}


@pytest.mark.parametrize(
    ("model", "name", "kind", "param", "message"), REFUSED.values(), ids=REFUSED
)
def test_route_is_not_found(model, name, kind, param, message):
    with pytest.raises(GatewayError) as caught:
        find_route(SNAPSHOT, model, name)
    error = caught.value
    assert (type(error), error.param, error.message) == (kind, param, message)


def test_several_guesses_are_ambiguous_and_a_listing_beats_them():
    snapshot = build_snapshot_of(
        entry("a", "x", fetch=True), entry("a/b", "y", fetch=True), entry("c", "a/b/listed")
    )
    with pytest.raises(InvalidBodyError) as caught:
        find_route(snapshot, "a/b/m", None)
    assert caught.value.message == SEVERAL.format("a/b/m", "'a', 'a/b'")
    assert find_route(snapshot, "a/b/listed", None).endpoint.name == "c"


def test_misconfigured_entry_is_a_503_that_is_not_retried():
    with pytest.raises(EndpointMisconfiguredError) as caught:
        find_route(SNAPSHOT, "m", "Broken")
    assert (caught.value.status, caught.value.code) == (503, "endpoint_misconfigured")
    assert caught.value.headers == {"x-should-retry": "false"}
