"""What a request itself brings, and that it stays out of the log of that request."""

import asyncio

from waystation.credentials.own import (
    OwnCredentials,
    forgotten_in_the_end,
    keep_out_of_log,
    read_headers,
    values_in_use,
)


def test_headers_bring_a_key_and_a_url():
    headers = {"x-endpoint-api-key": " key ", "x-endpoint-base-url": "https://a.test"}
    assert read_headers(headers) == OwnCredentials("key", "https://a.test")
    assert read_headers({"x-endpoint-api-key": "key"}) == OwnCredentials("key", None)
    assert read_headers({"x-endpoint-base-url": "u", "x-endpoint-api-key": " "}) == OwnCredentials(
        None, "u"
    )


def test_empty_headers_bring_nothing():
    assert read_headers({}) is None
    assert read_headers({"x-endpoint-api-key": "", "x-endpoint-base-url": " "}) is None


def test_representation_shows_nothing():
    assert "canary" not in repr(OwnCredentials("canary", "https://canary.test"))


async def test_what_one_request_brings_is_known_in_it_alone():
    async def request(key: str) -> tuple[str, ...]:
        keep_out_of_log(OwnCredentials(key))
        await asyncio.sleep(0)
        keep_out_of_log(OwnCredentials(None, f"https://{key}.test"))
        return await asyncio.create_task(inner())

    async def inner() -> tuple[str, ...]:
        return values_in_use()

    one, other = await asyncio.gather(
        asyncio.create_task(request("one")), asyncio.create_task(request("other"))
    )
    assert one == ("one", "https://one.test")
    assert other == ("other", "https://other.test")
    assert values_in_use() == ()


async def test_what_a_task_of_a_request_finds_is_known_in_all_of_it():
    async def find(key: str) -> None:
        keep_out_of_log(OwnCredentials(key))

    with forgotten_in_the_end():
        await asyncio.gather(*(asyncio.create_task(find(key)) for key in ("one", "two")))
        assert sorted(values_in_use()) == ["one", "two"]
        with forgotten_in_the_end():
            assert values_in_use() == ()
        assert len(values_in_use()) == 2
    assert values_in_use() == ()


async def test_the_latest_are_kept_each_once():
    async def request() -> tuple[str, ...]:
        for n in (*range(100), 99, 98):
            keep_out_of_log(OwnCredentials(f"key-{n}"))
        return values_in_use()

    assert await asyncio.create_task(request()) == tuple(f"key-{n}" for n in range(36, 100))
