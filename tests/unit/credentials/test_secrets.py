"""Secrets, resolved when a call needs them."""

import asyncio

import pytest

from tests.support.fakes import Clock, ScriptedSecretStore
from waystation.credentials.secrets import FRESH_S, STALE_S, Secrets
from waystation.credentials.sources import MappingSource
from waystation.errors import SecretUnavailableError


async def test_sources_are_asked_in_order_and_the_store_for_the_rest():
    store = ScriptedSecretStore(A="store", B="store", C="store", D="store")
    secrets = Secrets(
        [MappingSource({"A": "first"}), MappingSource({"A": "second", "B": "second"})],
        store,
        now=Clock(),
    )
    assert await secrets.resolve(["A", "B", "C", "X"]) == {
        "A": "first",
        "B": "second",
        "C": "store",
    }
    assert store.asked == [{"C", "X"}]


async def test_store_is_not_asked_when_others_know():
    store = ScriptedSecretStore()
    assert await Secrets([MappingSource({"A": "a"})], store, now=Clock()).resolve(["A"]) == {
        "A": "a"
    }
    assert store.asked == []


async def test_without_a_store_only_local_sources_count():
    assert await Secrets([MappingSource({"A": "a"})], now=Clock()).resolve(["A", "B"]) == {"A": "a"}


async def test_local_sources_are_asked_every_time():
    values = {"A": "old"}
    secrets = Secrets([MappingSource(values)], now=Clock())
    await secrets.resolve(["A"])
    values["A"] = "new"
    assert await secrets.resolve(["A"]) == {"A": "new"}


async def test_value_is_kept_for_five_minutes():
    store, clock = ScriptedSecretStore(A="old"), Clock()
    secrets = Secrets([], store, now=clock)
    await secrets.resolve(["A"])
    store.values["A"] = "new"
    clock.at += FRESH_S - 1
    assert await secrets.resolve(["A"]) == {"A": "old"}
    clock.at += 1
    assert await secrets.resolve(["A"]) == {"A": "new"}
    assert len(store.asked) == 2


async def test_only_what_is_not_fresh_is_fetched():
    store, clock = ScriptedSecretStore(A="a", B="b"), Clock()
    secrets = Secrets([], store, now=clock)
    await secrets.resolve(["A"])
    assert await secrets.resolve(["A", "B"]) == {"A": "a", "B": "b"}
    assert store.asked == [{"A"}, {"B"}]


async def test_unknown_name_is_asked_for_again():
    store = ScriptedSecretStore()
    secrets = Secrets([], store, now=Clock())
    assert await secrets.resolve(["A"]) == {}
    store.values["A"] = "a"
    assert await secrets.resolve(["A"]) == {"A": "a"}


async def test_empty_value_is_absent():
    secrets = Secrets([MappingSource({"A": ""})], ScriptedSecretStore(A="x", B=""), now=Clock())
    assert await secrets.resolve(["A", "B"]) == {}


async def test_stale_value_serves_for_an_hour_while_the_store_is_down():
    store, clock = ScriptedSecretStore(A="a"), Clock()
    secrets = Secrets([], store, now=clock)
    await secrets.resolve(["A"])
    store.is_down = True
    clock.at += STALE_S - 1
    assert await secrets.resolve(["A"]) == {"A": "a"}
    clock.at += 1
    with pytest.raises(SecretUnavailableError):
        await secrets.resolve(["A"])


async def test_value_that_was_never_known_cannot_be_served_while_the_store_is_down():
    store = ScriptedSecretStore(A="a")
    secrets = Secrets([], store, now=Clock())
    await secrets.resolve(["A"])
    store.is_down = True
    with pytest.raises(SecretUnavailableError) as caught:
        await secrets.resolve(["A", "B"])
    assert caught.value.to_envelope()["error"] == {
        "message": "The store of the gateway's secrets cannot be reached.",
        "type": "service_unavailable",
        "param": None,
        "code": "secret_unavailable",
    }
    assert await secrets.resolve(["A"]) == {"A": "a"}


async def test_requests_at_the_same_time_share_one_fetch():
    store = ScriptedSecretStore(A="a", B="b", C="c")
    store.gate = asyncio.Event()
    secrets = Secrets([], store, now=Clock())
    wanted = (["A"], ["A"], ["A", "B"], ["B", "C"])
    tasks = [asyncio.create_task(secrets.resolve(names)) for names in wanted]
    await asyncio.sleep(0)
    store.gate.set()
    assert await asyncio.gather(*tasks) == [
        {"A": "a"},
        {"A": "a"},
        {"A": "a", "B": "b"},
        {"B": "b", "C": "c"},
    ]
    assert store.asked == [{"A"}, {"B"}, {"C"}]


async def test_request_that_is_cancelled_does_not_spoil_the_fetch_of_another():
    store = ScriptedSecretStore(A="a")
    store.gate = asyncio.Event()
    secrets = Secrets([], store, now=Clock())
    first, second = (asyncio.create_task(secrets.resolve(["A"])) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    store.gate.set()
    assert await second == {"A": "a"}
    assert store.asked == [{"A"}]


async def test_failure_is_shared_and_not_kept():
    store = ScriptedSecretStore(A="a")
    store.gate, store.is_down = asyncio.Event(), True
    secrets = Secrets([], store, now=Clock())
    tasks = [asyncio.create_task(secrets.resolve(["A"])) for _ in range(2)]
    await asyncio.sleep(0)
    store.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [SecretUnavailableError] * 2
    store.is_down = False
    assert await secrets.resolve(["A"]) == {"A": "a"}


async def test_every_value_in_use_is_known_to_the_filter_of_the_log():
    secrets = Secrets([MappingSource({"A": "a"})], ScriptedSecretStore(B="b", C="c"), now=Clock())
    await secrets.resolve(["A", "B", "X"])
    assert sorted(secrets.live_values()) == ["a", "b"]
