"""What the end-to-end tests share: a fake upstream, an emulated AWS, gateways on both."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

import anthropic
import pytest

from tests.support.aws_server import AwsServer, aws_server
from tests.support.chat_function import chat_function
from tests.support.emulated_aws import emulated_aws
from tests.support.fake_lambda import FakeLambda
from tests.support.fake_upstream import FakeUpstream, completion, json_reply
from tests.support.lambda_gateway import (
    LambdaGateway,
    build_config,
    make_gateway_key,
    make_resources,
    put_secrets,
)
from tests.support.matrix_gateway import MatrixGateway, matrix_config
from tests.support.served_gateway import KEY, ServedGateway, free_port
from tests.support.tables import make_table, shared_loader
from tests.support.users_keys import account, users_config
from waystation.aws.table import Table
from waystation.identity.user import User
from waystation_cli.local.memory_table import InMemoryTable

BuildGateway: TypeAlias = Callable[..., LambdaGateway]


@pytest.fixture(scope="session")
def _upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(_upstream: FakeUpstream) -> FakeUpstream:
    """An upstream that answers `completion()` until it is told otherwise."""
    _upstream.reset()
    _upstream.answer(json_reply(completion()))
    return _upstream


@pytest.fixture(scope="module")
def acme(_upstream: FakeUpstream) -> dict[str, object]:
    """An entry on the fake upstream: its key is in SSM, one of its two models has a price."""
    rates = {"prompt": 2, "completion": 6, "context": 128000, "cacheRead": 0.5, "cacheWrite": 2.5}
    return {
        "name": "Acme",
        "apiKey": "${ACME_KEY}",
        "baseURL": _upstream.url,
        "models": {"default": ["acme-large", "acme-free"]},
        "tokenConfig": {"acme-large": rates},
    }


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """An emulated AWS with a stack's resources; the value is the key of the user alice."""
    with emulated_aws(), shared_loader():
        make_resources()
        put_secrets({"ACME_KEY": "the-key-of-acme-5b1f7a3c"})
        yield make_gateway_key("key-of-alice", User("alice", {"email": "alice@example.com"}))


@pytest.fixture(scope="module")
def gateway(aws: str, acme: dict[str, object]) -> Iterator[LambdaGateway]:
    """A warm gateway with the one entry `acme`."""
    gateway = LambdaGateway(build_config(acme), key=aws)
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def _users_gateway(aws: str, acme: dict[str, object]) -> Iterator[LambdaGateway]:
    put_secrets({"WHOSE": "user_provided"})
    gateway = LambdaGateway(users_config(acme), key=aws)
    yield gateway
    gateway.close()


@pytest.fixture
def users_gateway(_users_gateway: LambdaGateway, upstream: FakeUpstream) -> Iterator[LambdaGateway]:
    """A warm gateway whose entries ask users for keys; none is stored, and none is logged."""
    _users_gateway.log.clear()
    yield _users_gateway
    for name in ("A%2Fb", "Claude", "Url"):
        assert account(_users_gateway, "DELETE", f"/v1/keys/{name}").status == 204
    assert "canary" not in _users_gateway.log.text


@pytest.fixture
def build_gateway(aws: str) -> Iterator[BuildGateway]:
    """Make cold gateways out of entries of `endpoints.custom`, or the text of a file."""
    built: list[LambdaGateway] = []

    def build(*entries: dict[str, object], config: str = "", **environment: str) -> LambdaGateway:
        text = config or build_config(*entries)
        built.append(LambdaGateway(text, key=aws, environment=environment))
        return built[-1]

    yield build
    for gateway in built:
        gateway.close()


@pytest.fixture(scope="module")
def _served(
    acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGateway]:
    elsewhere = {
        "Refusing": f"http://127.0.0.1:{free_port()}/v1",
        "Nowhere": "http://upstream.test/v1",
        "Nameless": f"http://{'n' * 64}.test/v1",
        "Empty": "http://a..test/v1",
        "Encrypted": str(acme["baseURL"]).replace("http:", "https:"),
    }
    entries = [acme | {"name": name, "baseURL": url} for name, url in elsewhere.items()]
    config = build_config(acme, *entries)
    with ServedGateway(config, tmp_path_factory.mktemp("served"), ACME_KEY="key-of-acme") as served:
        yield served


@pytest.fixture
def served(_served: ServedGateway) -> Iterator[ServedGateway]:
    """The app under uvicorn: the entry `acme`, and entries whose upstreams cannot be reached."""
    yield _served
    _served.table.is_down = False
    _served.remaining_ms = None


@pytest.fixture(scope="module")
def messages_gateway(
    acme: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedGateway]:
    """The app under uvicorn, with an entry for each API, and one that cannot be reached."""
    claude = acme | {
        "name": "Claude",
        "provider": "anthropic",
        "models": {"default": ["claude-sonnet-4-5"]},
        "headers": {"anthropic-beta": "context-1m-2025-08-07"},
        "tokenConfig": {"claude-sonnet-4-5": {"prompt": 3, "completion": 15, "context": 200000}},
    }
    dead = acme | {"name": "Dead", "baseURL": f"http://127.0.0.1:{free_port()}/v1"}
    directory = tmp_path_factory.mktemp("messages")
    config = build_config(acme, claude, dead)
    with ServedGateway(config, directory, ACME_KEY="key-of-acme-5b1f7a3c") as gateway:
        yield gateway


@pytest.fixture
def claude_client(
    messages_gateway: ServedGateway, monkeypatch: pytest.MonkeyPatch
) -> Iterator[anthropic.Anthropic]:
    """Anthropic's SDK in the hands of alice."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{messages_gateway.port}"
    with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def _titles() -> Iterator[FakeUpstream]:
    with FakeUpstream() as upstream:
        yield upstream


@pytest.fixture
def titles(_titles: FakeUpstream) -> FakeUpstream:
    """The upstream that makes titles."""
    _titles.reset()
    _titles.answer(json_reply(completion('Title: "Baking Bread"')))
    return _titles


@pytest.fixture(params=["DynamoDB", "memory"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """A table to which the same happens in DynamoDB and in its stand-in."""
    if request.param == "memory":
        yield InMemoryTable()
        return
    with emulated_aws():
        yield make_table()


@pytest.fixture(scope="module", params=[True, False], ids=["reserved", "opened"])
def _matrix(
    request: pytest.FixtureRequest,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MatrixGateway]:
    config = matrix_config(acme, reserves=request.param)
    directory = tmp_path_factory.mktemp("matrix")
    with MatrixGateway(config, directory, reserves=request.param) as gateway:
        yield gateway


@pytest.fixture
def matrix(_matrix: MatrixGateway) -> Iterator[MatrixGateway]:
    """A gateway whose every part may fail.

    Its requests draw on balances and have idempotency keys, or neither.
    """
    _matrix.heal()
    yield _matrix
    _matrix.heal()


@pytest.fixture(scope="module")
def served_aws() -> Iterator[AwsServer]:
    """An emulated AWS for functions in processes of their own."""
    with aws_server(ACME_KEY="the-key-of-acme-5b1f7a3c") as aws:
        yield aws


@pytest.fixture(scope="module")
async def chat_process(
    served_aws: AwsServer,
    acme: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[FakeLambda]:
    """The chat function in a process of its own, with the entry `acme`."""
    async with chat_function(served_aws, tmp_path_factory.mktemp("chat"), acme) as chat:
        yield chat
