"""Lists of models and endpoints, in OpenAI's shape and LibreChat's."""

import pytest

from tests.support.config_entries import build_entry
from tests.support.fakes import StaticConfig, build_snapshot_of, built_ins
from tests.support.listing import build_service
from waystation.config.schema import Endpoint
from waystation.config.snapshot import ConfigProblem
from waystation.errors import ConfigUnavailableError, ModelNotFoundError, SecretUnavailableError
from waystation.identity.user import User

ALICE = User("alice")
SERVICE = build_service(
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
            build_entry(name="Own URL", apiKey="${THEIRS}", baseURL="user_provided"),
            build_entry(name="OLLAMA", iconURL="google"),
            broken={"Broken": ConfigProblem("endpoints.custom[3]", "is broken", 1)},
        )
    ),
    secrets={"THEIRS": "user_provided"},
)


def listed(endpoint: str, model: str, **more: object) -> dict[str, object]:
    return {
        "id": f"{endpoint}/{model}",
        "object": "model",
        "created": 0,
        "owned_by": endpoint,
        "endpoint": endpoint,
        **more,
    }


LARGE = listed("Acme", "large", context_length=128000, pricing={"prompt": 0.15, "completion": 2.0})


async def test_openai_list_names_what_a_chat_takes():
    assert await SERVICE.openai_list(ALICE) == {
        "object": "list",
        "data": [
            LARGE,
            listed("Acme", "vendor/free"),
            listed("Own", "acme-large"),
            listed("Own URL", "acme-large"),
            listed("OLLAMA", "acme-large"),
        ],
    }


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [("Acme/large", LARGE), ("Acme/vendor/free", listed("Acme", "vendor/free"))],
)
async def test_one_model_is_its_entry_of_the_list(model_id, expected):
    assert await SERVICE.openai_model(ALICE, model_id) == expected


@pytest.mark.parametrize("model_id", ["", "large", "Acme", "Acme/", "acme/large", "Acme/x" * 99])
async def test_an_unknown_model_is_not_found(model_id):
    with pytest.raises(ModelNotFoundError) as caught:
        await SERVICE.openai_model(ALICE, model_id)
    assert len(caught.value.message) < 300


async def test_names_are_listed_by_endpoint_with_ollama_in_lower_case():
    assert await SERVICE.names_by_endpoint(ALICE) == {
        "Acme": ["large", "vendor/free"],
        "Own": ["acme-large"],
        "Own URL": ["acme-large"],
        "ollama": ["acme-large"],
    }


async def test_endpoints_are_shown_without_anything_secret():
    own_key = {"type": "custom", "userProvide": True, "userProvideURL": False}
    assert await SERVICE.endpoints() == {
        "Acme": {
            "type": "custom",
            "userProvide": False,
            "userProvideURL": False,
            "modelDisplayLabel": "Acme!",
            "iconURL": "https://acme.test/i.png",
            "order": 9999,
        },
        "Own": {**own_key, "modelDisplayLabel": "", "order": 9999},
        "Own URL": {**own_key, "userProvideURL": True, "order": 9999},
        "ollama": {**own_key, "userProvide": False, "iconURL": "google", "order": 9999},
    }


async def test_custom_params_are_shown_complete():
    params = {
        "defaultParamsEndpoint": "google",
        "paramDefinitions": [{"key": "temperature", "default": 0.5}],
    }
    service = build_service(StaticConfig(build_snapshot_of(build_entry(customParams=params))))
    shown = (await service.endpoints())["Acme"]["customParams"]
    assert isinstance(shown, dict)
    assert shown["defaultParamsEndpoint"] == "google"
    (definition,) = shown["paramDefinitions"]
    assert (definition["default"], definition["range"]) == (0.5, {"min": 0, "max": 2, "step": 0.01})


async def test_an_entry_without_its_variable_is_shown_all_the_same():
    entry = build_entry(baseURL="${NOWHERE}")
    service = build_service(StaticConfig(build_snapshot_of(entry)))
    assert (await service.endpoints())["Acme"]["userProvide"] is False


async def test_built_in_endpoints_are_shown_as_librechat_does():
    values = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_MODELS": "claude-sonnet-4-5",
        "OPENAI_API_KEY": "user_provided",
        "OPENAI_REVERSE_PROXY": "https://proxy.test/v1",
    }
    found = built_ins(**values)
    service = build_service(StaticConfig(build_snapshot_of()), found, secrets=values)
    shown = await service.endpoints()
    assert shown["anthropic"] == {"userProvide": False, "order": 6}
    assert shown["openAI"] == {"userProvide": True, "userProvideURL": False, "order": 0}
    assert (await service.names_by_endpoint(ALICE))["anthropic"] == ["claude-sonnet-4-5"]


class UnreachableBuiltIns:
    async def find(self, names: object = (), *, model: str = "") -> list[Endpoint]:
        raise SecretUnavailableError("down")


async def test_entries_are_listed_while_the_store_of_secrets_is_down():
    service = build_service(StaticConfig(build_snapshot_of()), UnreachableBuiltIns())
    assert await service.names_by_endpoint(ALICE) == {"Acme": ["acme-large"]}


async def test_version_is_that_of_the_configuration():
    assert await SERVICE.config_version() == "v1"


async def test_without_a_configuration_there_are_no_lists():
    service = build_service(StaticConfig(ConfigUnavailableError()))
    for ask in (service.openai_list, service.names_by_endpoint, service.token_config):
        with pytest.raises(ConfigUnavailableError):
            await ask(ALICE)
    with pytest.raises(ConfigUnavailableError):
        await service.endpoints()
