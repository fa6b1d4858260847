"""Public prices, through the deployed functions' environment."""

import pytest

from tests.e2e.conftest import BuildGateway

ENTRY = {
    "name": "Direct",
    "apiKey": "${ACME_KEY}",
    "baseURL": "https://api.openai.com/v1",
    "models": {"default": ["gpt-4o-mini"]},
}
KNOWN = {
    "context_length": 128_000,
    "pricing": {"prompt": 0.15, "completion": 0.6},
    "pricing_source": "public",
}


@pytest.mark.parametrize(
    ("environment", "known"),
    [({}, KNOWN), ({"PUBLIC_PRICES": "on"}, KNOWN), ({"PUBLIC_PRICES": "off"}, {})],
)
def test_the_list_shows_them_unless_they_are_off(
    build_gateway: BuildGateway, environment: dict[str, str], known: dict[str, object]
) -> None:
    (model,) = build_gateway(ENTRY, **environment).get("/v1/models").json["data"]
    assert {name: value for name, value in model.items() if name in KNOWN} == known
