"""Built-in endpoints, made of their variables."""

from typing import Any

import pytest

from tests.support.fakes import StaticSecrets
from waystation.config.built_ins import LOOK_AGAIN_S, NAMES, BuiltIns

AZURE = {
    "AZURE_API_KEY": "k",
    "AZURE_OPENAI_API_INSTANCE_NAME": "acme",
    "AZURE_OPENAI_API_DEPLOYMENT_NAME": "gpt 4o",
}


async def find(name: str, model: str = "", **values: str) -> Any:
    found = await BuiltIns(StaticSecrets(**values), now=lambda: 0.0).find([name], model=model)
    return found[0] if found else None


KEYS = {
    "openAI": ("OPENAI_API_KEY", "https://api.openai.com/v1", None),
    "google": (
        "GOOGLE_KEY",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        None,
    ),
    "anthropic": ("ANTHROPIC_API_KEY", "https://api.anthropic.com", "anthropic"),
    "bedrock": ("BEDROCK_AWS_DEFAULT_REGION", "bedrock:${BEDROCK_AWS_DEFAULT_REGION}", "bedrock"),
}


@pytest.mark.parametrize("name", KEYS)
async def test_an_endpoint_exists_as_soon_as_its_variable_is_set(name):
    variable, url, provider = KEYS[name]
    assert await find(name) is None
    offered = await find(name, **{variable: "user_provided"})
    assert (offered is not None) == (name in {"openAI", "google", "anthropic"})
    endpoint = await find(name, **{variable: "the-value"})
    assert (endpoint.name, endpoint.base_url, endpoint.provider) == (name, url, provider)
    assert "the-value" not in str(endpoint)
    assert endpoint.models.fetch
    assert endpoint.models.default == ()


async def test_all_that_exist_are_found_in_order():
    values = {"GOOGLE_KEY": "g", "OPENAI_API_KEY": "o"}
    found = await BuiltIns(StaticSecrets(**values), now=lambda: 0.0).find()
    assert [endpoint.name for endpoint in found] == ["openAI", "google"]
    assert set(NAMES) >= {"openAI", "google"}


async def test_a_list_of_models_is_the_list():
    endpoint = await find("openAI", OPENAI_API_KEY="k", OPENAI_MODELS="gpt-5, o3,")
    assert endpoint.models.default == ("gpt-5", "o3")
    assert not endpoint.models.fetch


PROXIES = {
    "base": ("https://proxy.test/v1", False),
    "whole": ("https://proxy.test/v1/chat/completions", True),
}


@pytest.mark.parametrize(("url", "is_direct"), PROXIES.values(), ids=PROXIES)
async def test_a_reverse_proxy_takes_the_place_of_the_url(url, is_direct):
    endpoint = await find("openAI", OPENAI_API_KEY="k", OPENAI_REVERSE_PROXY=url)
    assert endpoint.base_url == "${OPENAI_REVERSE_PROXY}"
    assert endpoint.direct_endpoint == is_direct


async def test_an_organization_is_named():
    endpoint = await find("openAI", OPENAI_API_KEY="k", OPENAI_ORGANIZATION="o")
    assert endpoint.headers == {"OpenAI-Organization": "${OPENAI_ORGANIZATION}"}


URLS: dict[str, tuple[dict[str, str], str]] = {
    "a deployment": (
        {},
        "https://acme.openai.azure.com/openai/deployments/gpt%204o?api-version=2024-10-21",
    ),
    "a version": (
        {"AZURE_OPENAI_API_VERSION": "2025-01-01-preview"},
        "https://acme.openai.azure.com/openai/deployments/gpt%204o?api-version=2025-01-01-preview",
    ),
    "a whole host": (
        {"AZURE_OPENAI_API_INSTANCE_NAME": "acme.cognitiveservices.azure.com"},
        "https://acme.cognitiveservices.azure.com/openai/deployments/gpt%204o"
        "?api-version=2024-10-21",
    ),
    "a deployment for each model": (
        {"AZURE_USE_MODEL_AS_DEPLOYMENT_NAME": "TRUE"},
        "https://acme.openai.azure.com/openai/deployments/gpt-41?api-version=2024-10-21",
    ),
    "a base URL": (
        {"AZURE_OPENAI_BASEURL": "https://gw.test/${INSTANCE_NAME}/${DEPLOYMENT_NAME}?v=1"},
        "https://gw.test/acme/gpt%204o?v=1",
    ),
    "a base URL without names": (
        {"AZURE_OPENAI_BASEURL": "https://gw.test/azure/"},
        "https://gw.test/azure/gpt%204o?api-version=2024-10-21",
    ),
}


@pytest.mark.parametrize(("values", "url"), URLS.values(), ids=URLS)
async def test_azure_has_the_deployment_in_the_url(values, url):
    endpoint = await find("azureOpenAI", "gpt-4.1", **(AZURE | values))
    assert endpoint.base_url == url
    assert (endpoint.api_key, endpoint.headers) == ("", {"api-key": "${AZURE_API_KEY}"})


@pytest.mark.parametrize(
    "missing", ["AZURE_OPENAI_API_INSTANCE_NAME", "AZURE_OPENAI_API_DEPLOYMENT_NAME"]
)
async def test_azure_needs_an_instance_and_a_deployment(missing):
    values = {name: value for name, value in AZURE.items() if name != missing}
    assert await find("azureOpenAI", **values) is None


async def test_what_is_absent_is_looked_for_once_a_minute():
    secrets, clock = StaticSecrets(), [0.0]
    built_ins = BuiltIns(secrets, now=lambda: clock[0])
    assert await built_ins.find(["openAI"]) == []
    secrets.values["OPENAI_API_KEY"] = "k"
    assert await built_ins.find(["openAI"]) == []
    clock[0] = LOOK_AGAIN_S
    assert [endpoint.name for endpoint in await built_ins.find(["openAI"])] == ["openAI"]
