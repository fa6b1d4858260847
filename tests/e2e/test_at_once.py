"""Many requests at once: as many go to the upstream as can be paid, or as have another key."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tests.support.books import audit
from tests.support.fake_upstream import FakeUpstream, Received, Steps, completion, json_reply
from tests.support.lambda_gateway import build_config
from tests.support.served_gateway import CHAT, ServedGateway, chat_body

COST = 10 * 2000 + 5 * 6000
ALL, PAID = 20, 7


@pytest.fixture
def served(acme: dict[str, object], tmp_path: Path) -> Iterator[ServedGateway]:
    config = build_config(acme, balance={"enabled": True, "startBalance": 100_000})
    with ServedGateway(config, tmp_path, ACME_KEY="key-of-acme") as gateway:
        yield gateway


class Held:
    """Answers that come when they are let go."""

    def __init__(self) -> None:
        self._gone = threading.Event()

    def let_go(self) -> None:
        self._gone.set()

    def __call__(self, request: Received) -> Steps:
        until = time.monotonic() + 8
        while not self._gone.is_set() and time.monotonic() < until:
            yield 0.01
        yield from json_reply(completion())


def balance_of(served: ServedGateway) -> dict[str, object]:
    item = served.run(served.table.get("U#alice", "BAL"))
    assert item is not None
    return dict(item)


def leave_for(served: ServedGateway, holds: int) -> int:
    """Make a request, and leave the balance with enough for so many more, and not for one more."""
    first = served.chat(max_tokens=100)
    hold = int(str(served.record_of(first)["hold"]))
    item = balance_of(served)
    left = holds * hold + hold - 1
    taken = left - int(str(item["avail"]))
    adjustment = {"PK": "U#alice", "SK": "ADJ#taken", "amount": taken}
    served.run(served.table.put(adjustment))
    granted = int(str(item["granted"])) + taken
    served.run(served.table.put(item | {"avail": left, "granted": granted}))
    return left


def check_books(served: ServedGateway) -> None:
    audit([i for i in served.run(served.table.scan("")) if str(i["PK"])[:2] in ("U#", "A#")])


def test_balance_for_seven_of_twenty_lets_exactly_seven_out(
    served: ServedGateway, upstream: FakeUpstream
) -> None:
    left = leave_for(served, PAID)
    upstream.reset()
    held = Held()
    upstream.answer(held)
    with ThreadPoolExecutor(ALL) as pool:
        waiting = {pool.submit(served.chat, max_tokens=100) for _ in range(ALL)}
        while len(waiting) > PAID:
            done, waiting = wait(waiting, timeout=8, return_when=FIRST_COMPLETED)
            assert done, "fewer were refused than should be"
            assert {future.result().status_code for future in done} == {402}
        check_books(served)
        held.let_go()
        assert [future.result().status_code for future in waiting] == [200] * PAID
    assert len(upstream.received) == PAID
    item = balance_of(served)
    assert (item["avail"], item["held"], item["inflight"]) == (left - PAID * COST, 0, 0)
    check_books(served)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_ten_with_one_key_are_one_call_and_one_charge(
    served: ServedGateway, upstream: FakeUpstream, *, stream: bool
) -> None:
    held = Held()
    upstream.answer(held)

    def post(_: int) -> int:
        body = chat_body(max_tokens=100, stream=stream)
        answer = served.client.post(CHAT, json=body, headers={"idempotency-key": "one"})
        if answer.status_code == 409:
            held.let_go()
        return answer.status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(post, range(10)))
    assert sorted(statuses) == [200] + [409] * 9
    assert len(upstream.received) == 1
    item = balance_of(served)
    assert (item["spent"], item["held"], item["inflight"]) == (COST, 0, 0)
    check_books(served)
