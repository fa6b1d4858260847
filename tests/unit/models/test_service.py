"""Lists of models and endpoints."""

import pytest

from tests.support.config_entries import build_entry
from tests.support.fakes import StaticConfig, build_snapshot_of, built_ins
from waystation.config.snapshot import ConfigProblem
from waystation.errors import ConfigUnavailableError
from waystation.models.service import ModelsService

SERVICE = ModelsService(
    StaticConfig(
        build_snapshot_of(
            build_entry(
                models={"default": ["large", "vendor/free"]},
                tokenConfig={"large": {"prompt": 0.15, "completion": 2, "context": 128000}},
                headers={"X-Secret": "${OTHER}"},
                iconURL="https://acme.test/i.png",
                modelDisplayLabel="Acme!",
            ),
            build_entry(name="Own", apiKey="user_provided", modelDisplayLabel=""),
            build_entry(name="Own URL", apiKey="user_provided", baseURL="user_provided"),
            broken={"Broken": ConfigProblem("endpoints.custom[3]", "is broken", 1)},
        )
    ),
    built_ins(),
)


async def test_openai_list_names_what_a_chat_takes():
    assert await SERVICE.openai_list() == {
        "object": "list",
        "data": [
            {
                "id": "Acme/large",
                "object": "model",
                "created": 0,
                "owned_by": "Acme",
                "endpoint": "Acme",
                "context_length": 128000,
                "pricing": {"prompt": 0.15, "completion": 2.0},
            },
            {
                "id": "Acme/vendor/free",
                "object": "model",
                "created": 0,
                "owned_by": "Acme",
                "endpoint": "Acme",
            },
            {
                "id": "Own/acme-large",
                "object": "model",
                "created": 0,
                "owned_by": "Own",
                "endpoint": "Own",
            },
            {
                "id": "Own URL/acme-large",
                "object": "model",
                "created": 0,
                "owned_by": "Own URL",
                "endpoint": "Own URL",
            },
        ],
    }


async def test_names_are_listed_by_endpoint():
    assert await SERVICE.names_by_endpoint() == {
        "Acme": ["large", "vendor/free"],
        "Own": ["acme-large"],
        "Own URL": ["acme-large"],
    }


async def test_endpoints_are_shown_without_anything_secret():
    assert await SERVICE.endpoints() == {
        "Acme": {
            "type": "custom",
            "userProvide": False,
            "userProvideURL": False,
            "modelDisplayLabel": "Acme!",
            "iconURL": "https://acme.test/i.png",
            "order": 9999,
        },
        "Own": {
            "type": "custom",
            "userProvide": True,
            "userProvideURL": False,
            "order": 9999,
        },
        "Own URL": {
            "type": "custom",
            "userProvide": True,
            "userProvideURL": True,
            "modelDisplayLabel": "AI",
            "order": 9999,
        },
    }


async def test_version_is_that_of_the_configuration():
    assert await SERVICE.config_version() == "v1"


async def test_without_a_configuration_there_are_no_lists():
    service = ModelsService(StaticConfig(ConfigUnavailableError()), built_ins())
    for ask in (service.openai_list, service.names_by_endpoint, service.endpoints):
        with pytest.raises(ConfigUnavailableError):
            await ask()
