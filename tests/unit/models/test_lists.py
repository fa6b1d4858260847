"""What is listed when upstreams answer, and when they do not."""

import json
from decimal import Decimal

import pytest

from tests.support.config_entries import build_entry
from tests.support.fakes import Clock, Reply, ScriptedEgress, build_snapshot_of, built_ins
from tests.support.listing import build_lists
from waystation.config.schema import Endpoint
from waystation.credentials.own import OwnCredentials
from waystation.errors import ExpiredUserKeyError, UpstreamUnreachableError
from waystation.identity.user import User
from waystation.ledger.learned import LearnedPrices
from waystation.models.lists import Listing, ModelLists
from waystation_cli.local.memory_table import InMemoryTable

ALICE, BOB = User("alice", {"email": "alice@a.test"}), User("bob", {"email": "bob@b.test"})
FETCH = {"default": ["mine"], "fetch": True}
SNAPSHOT = build_snapshot_of()


def answer(*ids: str, **fields: object) -> Reply:
    data = [{"id": name, **fields} for name in ids]
    return Reply(steps=[json.dumps({"data": data}).encode()])


def fetching(**changes: object) -> Endpoint:
    return build_entry(**({"models": FETCH} | changes))


async def list_of(lists: ModelLists, entry: Endpoint, user: User = ALICE) -> Listing:
    (found,) = await lists.list_all([entry], SNAPSHOT, user)
    return found


def told(found: Listing) -> tuple[tuple[str, ...], str]:
    return found.models.ids, found.source


async def test_the_upstream_tells_which_models_there_are():
    egress = ScriptedEgress(answer("b", "a"))
    assert told(await list_of(build_lists(egress), fetching())) == (("b", "a"), "fetched")
    (sent,) = egress.sent
    assert dict(sent.headers)["authorization"] == "Bearer key-of-acme"


@pytest.mark.parametrize(
    "entry",
    [
        build_entry(models={"default": ["mine"]}),
        fetching(provider="anthropic"),
    ],
    ids=["no fetch", "anthropic"],
)
async def test_upstreams_are_not_asked_unless_the_entry_says_so(entry):
    egress = ScriptedEgress()
    assert told(await list_of(build_lists(egress), entry)) == (("mine",), "default")
    assert egress.sent == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(), "empty_list"),
        (Reply(401), "http_401"),
        (Reply(302, {"location": "https://elsewhere.test"}), "upstream_redirect"),
        (Reply(steps=[b"<html>"]), "upstream_invalid_response"),
        (UpstreamUnreachableError("The upstream cannot be reached."), "upstream_unreachable"),
    ],
    ids=["empty", "401", "redirect", "junk", "unreachable"],
)
async def test_a_failure_is_told_once_and_kept_for_ten_seconds(reply, code, caplog):
    clock, egress = Clock(), ScriptedEgress(reply, answer("new"))
    lists = build_lists(egress, now=clock)
    for _ in range(2):
        assert told(await list_of(lists, fetching())) == (("mine",), "default")
        clock.at += 9
    assert told(await list_of(lists, fetching())) == (("new",), "fetched")
    (line,) = caplog.records
    assert (line.message, line.endpoint, line.error_code) == ("models_fetch_failed", "Acme", code)
    assert "acme.test" not in str(vars(line))


async def test_a_list_serves_all_users_for_two_minutes():
    clock, egress = Clock(), ScriptedEgress(answer("old"), answer("new"))
    lists = build_lists(egress, now=clock)
    assert told(await list_of(lists, fetching(), ALICE))[0] == ("old",)
    clock.at += 119
    assert told(await list_of(lists, fetching(), BOB))[0] == ("old",)
    clock.at += 1
    assert told(await list_of(lists, fetching(), BOB))[0] == ("new",)


@pytest.mark.parametrize(
    "personal",
    [
        {"headers": {"X-User": "{{LIBRECHAT_USER_EMAIL}}"}},
        {"headers": {"X-User": "{{LIBRECHAT_USER_GOOGLEID}}"}},
        {"headers": {"X-User": "${HIDDEN}"}},
        {"models": FETCH | {"userIdQuery": True}},
        {"apiKey": "user_provided"},
    ],
    ids=["placeholder", "empty placeholder", "in a variable", "userIdQuery", "own key"],
)
async def test_each_user_has_a_list_of_their_own(personal):
    egress = ScriptedEgress(answer("of alice"), answer("of bob"))
    own = OwnCredentials("key-of-a-user")
    hidden = {"HIDDEN": "{{LIBRECHAT_USER_GOOGLEID}}"}
    lists = build_lists(egress, own=own, secrets=hidden)
    for _ in range(2):
        assert told(await list_of(lists, fetching(**personal), ALICE))[0] == ("of alice",)
        assert told(await list_of(lists, fetching(**personal), BOB))[0] == ("of bob",)


@pytest.mark.parametrize(
    "own", [None, OwnCredentials(), OwnCredentials("key")], ids=["nothing", "empty", "no URL"]
)
async def test_a_user_without_a_key_or_url_has_the_entrys_list(own, caplog):
    egress = ScriptedEgress()
    entry = fetching(apiKey="user_provided", baseURL="user_provided")
    assert told(await list_of(build_lists(egress, own=own), entry)) == (("mine",), "default")
    assert (egress.sent, caplog.records) == ([], [])


async def test_a_users_url_is_asked_with_the_users_key_and_no_configured_header():
    egress = ScriptedEgress(answer("theirs"))
    entry = fetching(baseURL="user_provided", headers={"X-Secret": "s"})
    lists = build_lists(egress, own=OwnCredentials("key-of-a-user", "https://user.test/v1"))
    assert told(await list_of(lists, entry)) == (("theirs",), "fetched")
    (sent,) = egress.sent
    assert sent.url == "https://user.test/v1/models"
    assert dict(sent.headers) == {
        "accept": "application/json",
        "authorization": "Bearer key-of-a-user",
    }


@pytest.mark.parametrize(
    ("entry", "own", "code"),
    [
        (fetching(apiKey="${NOWHERE}"), None, "endpoint_misconfigured"),
        (
            fetching(apiKey="user_provided"),
            ExpiredUserKeyError("Your key has expired."),
            ExpiredUserKeyError.code,
        ),
        (
            fetching(baseURL="user_provided"),
            OwnCredentials("key", "http://127.0.0.1/v1"),
            "invalid_base_url",
        ),
    ],
    ids=["unset variable", "expired key", "forbidden URL"],
)
async def test_an_entry_that_cannot_be_asked_has_its_own_list(entry, own, code, caplog):
    egress = ScriptedEgress()
    assert told(await list_of(build_lists(egress, own=own), entry)) == (("mine",), "default")
    assert egress.sent == []
    lines = [one for one in caplog.records if one.getMessage() == "models_fetch_failed"]
    assert [line.__dict__["error_code"] for line in lines] == [code]


async def test_ollama_is_asked_for_tags_first():
    tags = Reply(steps=[b'{"models": [{"name": "llama3:8b"}]}'])
    egress = ScriptedEgress(tags)
    found = await list_of(build_lists(egress), fetching(name="OLLAMA"))
    assert told(found) == (("llama3:8b",), "fetched")
    assert [sent.url for sent in egress.sent] == ["https://llm.acme.test/api/tags"]


@pytest.mark.parametrize("tags", [Reply(404), Reply(steps=[b"{}"])], ids=["404", "no models"])
async def test_ollama_without_tags_is_asked_like_any_other(tags):
    egress = ScriptedEgress(tags, answer("a"))
    assert told(await list_of(build_lists(egress), fetching(name="ollama-gpu")))[0] == ("a",)
    assert [sent.url.rpartition("/")[2] for sent in egress.sent] == ["tags", "models"]


async def test_two_endpoints_with_the_same_question_share_one_call():
    egress = ScriptedEgress(answer("a"))
    entries = [fetching(), fetching(name="Acme 2")]
    found = await build_lists(egress).list_all(entries, SNAPSHOT, ALICE)
    assert [told(one) for one in found] == [(("a",), "fetched")] * 2
    assert len(egress.sent) == 1


async def test_other_headers_are_another_question():
    egress = ScriptedEgress(answer("a"), answer("b"))
    entries = [fetching(), fetching(name="Acme 2", headers={"X-A": "1"})]
    found = await build_lists(egress).list_all(entries, SNAPSHOT, ALICE)
    assert [one.models.ids for one in found] == [("a",), ("b",)]


PRICED = {
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    "context_length": 1000,
}


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({}, Decimal(1)),
        ({"apiKey": "user_provided"}, None),
        ({"baseURL": "user_provided"}, None),
        ({"headers": {"X-User": "{{LIBRECHAT_USER_ID}}"}}, None),
        ({"models": FETCH | {"userIdQuery": True}}, None),
    ],
    ids=["operator's", "own key", "own URL", "placeholder", "userIdQuery"],
)
async def test_prices_are_learned_only_from_what_the_operator_alone_asks(changes, price):
    table, url = InMemoryTable(), "https://llm.acme.test/v1"
    prices = LearnedPrices(table, now_ms=lambda: 1_780_000_000_000)
    entry = fetching(name="OpenRouter", **changes)
    own = OwnCredentials("key", url)
    lists = build_lists(ScriptedEgress(answer("a/b", **PRICED)), own=own, prices=prices)
    assert told(await list_of(lists, entry)) == (("a/b",), "fetched")
    chat = LearnedPrices(table, now_ms=lambda: 1_780_000_000_000)
    found = await chat.find(entry, url, "a/b")
    assert (found.prompt if found else None) == price


async def test_of_openai_itself_only_chats_are_listed():
    egress = ScriptedEgress(answer("gpt-4o", "whisper-1"))
    (openai,) = await built_ins(OPENAI_API_KEY="k").find(["openAI"])
    lists = build_lists(egress, secrets={"OPENAI_API_KEY": "k"})
    assert told(await list_of(lists, openai))[0] == ("gpt-4o",)


async def test_an_endpoint_without_a_key_is_not_asked():
    values = {
        "AZURE_API_KEY": "k",
        "AZURE_OPENAI_API_INSTANCE_NAME": "i",
        "AZURE_OPENAI_API_DEPLOYMENT_NAME": "d",
    }
    (azure,) = await built_ins(**values).find(["azureOpenAI"])
    egress = ScriptedEgress()
    assert told(await list_of(build_lists(egress, secrets=values), azure)) == ((), "default")
    assert egress.sent == []
