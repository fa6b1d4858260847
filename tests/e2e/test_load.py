"""A little load; `make load` does it for longer, with more of everything."""

from pathlib import Path

from tests.load.phases import check, check_balance, check_log, check_refusals, loaded
from tests.load.watching import check_is_flat, watching

CREDITS = 1_000_000


async def test_streams_side_by_side_are_charged_to_the_nanousd(tmp_path: Path) -> None:
    with loaded(tmp_path) as load:
        async with watching(load.gateway.process) as samples:
            await load.streams(20, 1.5)
        check_is_flat(samples, len(load.heard), kept=2 * 20)  # to clients, and to the upstream
        assert check(load) > 0
        check_log(load)


async def test_clients_that_hang_up_are_charged_all_of_it(tmp_path: Path) -> None:
    with loaded(tmp_path) as load:
        await load.streams(20, 1.0, leaving=0.5)
        assert any(answer.has_left for answer in load.heard.values())
        check(load)
        check_log(load)


async def test_one_user_has_a_share_and_nothing_is_lost(tmp_path: Path) -> None:
    balance = {"enabled": True, "startBalance": CREDITS}
    with loaded(tmp_path, balance=balance) as load:
        await load.hot_user(30, 2)
        assert len(load.heard) == 60
        check(load)
        check_refusals(load)
        check_balance(load, "hot", CREDITS * 1000)
