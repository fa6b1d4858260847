"""Built-in endpoints: there as soon as their variables are, with nothing in the file."""

import pytest

from tests.e2e.conftest import BuildGateway
from tests.support.fake_upstream import FakeUpstream

KEY = "key-of-a-built-in-endpoint"


@pytest.mark.parametrize(
    ("name", "key", "proxy"),
    [
        ("openAI", "OPENAI_API_KEY", "OPENAI_REVERSE_PROXY"),
        ("google", "GOOGLE_KEY", "GOOGLE_REVERSE_PROXY"),
    ],
)
def test_a_key_is_all_it_takes(
    build_gateway: BuildGateway, upstream: FakeUpstream, name: str, key: str, proxy: str
) -> None:
    gateway = build_gateway(
        **{key: KEY, proxy: upstream.url, "GATEWAY_ALLOWED_ADDRESSES": upstream.address}
    )

    answer = gateway.chat(model=f"{name}/some-model")

    assert answer.status == 200
    assert upstream.last.header("authorization") == [f"Bearer {KEY}"]
    assert upstream.last.json["model"] == "some-model"
    record = gateway.record_of(answer)
    assert (record["endpoint"], record["model"]) == (name, "some-model")


def test_azure_takes_its_key_and_the_deployment_its_own_way(
    build_gateway: BuildGateway, upstream: FakeUpstream
) -> None:
    gateway = build_gateway(
        AZURE_API_KEY=KEY,
        AZURE_OPENAI_BASEURL=upstream.url,
        AZURE_OPENAI_API_DEPLOYMENT_NAME="our-gpt",
        AZURE_OPENAI_MODELS="gpt-4o",
        GATEWAY_ALLOWED_ADDRESSES=f"llm.internal:443, {upstream.address}",
    )

    assert gateway.chat(model="gpt-4o").status == 200
    assert upstream.last.header("api-key") == [KEY]
    assert upstream.last.header("authorization") == []
    assert upstream.last.path.endswith("/our-gpt/chat/completions?api-version=2024-10-21")
    assert gateway.get("/api/models").json["azureOpenAI"] == ["gpt-4o"]


def test_without_variables_there_are_none(
    build_gateway: BuildGateway, upstream: FakeUpstream, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme)

    assert gateway.chat(model="openAI/gpt-4o").status == 404
    assert gateway.chat(model="gpt-4o", endpoint="openAI").status == 404
    assert list(gateway.get("/api/models").json) == ["Acme"]
    assert upstream.received == []
