"""Keys of all items of the ledger: distinct things have distinct keys, whatever they are called."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.ledgers import OPENING, SETTLED
from waystation.aws.table import Put, Write
from waystation.calls.idempotency import read_idempotency
from waystation.identity.incoming import Incoming
from waystation.identity.user import Caller, User
from waystation.ledger.aggregates import aggregate_updates
from waystation.ledger.balances import BalanceRules, hold_write, start_writes
from waystation.ledger.records import bounded
from waystation.ledger.settling import as_opened, expire_writes, settle_writes

LONG = "x" * 199
names = st.one_of(
    st.text(alphabet=st.sampled_from("ab#%/~h\x00\x7fé"), max_size=6),
    st.sampled_from([LONG + "a", LONG + "ab", LONG + "ac", LONG + "é", "BAL", "REQ", "M#a#b#01"]),
)
visible = st.text(
    alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255
)
routes = st.sampled_from(["/v1/chat/completions", "/v1/messages"])
things = st.fixed_dictionaries(
    {"user_id": names, "endpoint": names, "model": names, "request_id": st.sampled_from("AB")}
)


def key_of(write: Write) -> tuple[str, str]:
    if isinstance(write, Put):
        return str(write.item["PK"]), str(write.item["SK"])
    return write.pk, write.sk


def keys_of(thing: dict[str, Any]) -> dict[str, object]:
    """Return the keys of a request's items, and of its places in the index."""
    opening, final = replace(OPENING, **thing), replace(SETTLED, **thing)
    opened, settled = opening.to_item(), final.to_item()
    (sums,) = aggregate_updates(settled, None)
    return {
        "REQ": key_of(Put(opened)),
        "OPEN": (opened["GSI1PK"], opened["GSI1SK"]),
        "M": key_of(sums),
        "MONTH": (sums.set["GSI1PK"], sums.set["GSI1SK"]),
        "BAL": key_of(hold_write(str(thing["user_id"]), 1, BalanceRules(1))),
    }


@given(things, things)
def test_items_of_distinct_requests_are_distinct(one, other):
    decides = {
        "REQ": ("user_id", "request_id"),
        "OPEN": ("user_id", "request_id"),
        "M": ("user_id", "endpoint", "model"),
        "MONTH": ("user_id", "endpoint", "model"),
        "BAL": ("user_id",),
    }
    ours, theirs = keys_of(one), keys_of(other)
    for kind, parts in decides.items():
        is_same = all(one[part] == other[part] for part in parts)
        assert (ours[kind] == theirs[kind]) == is_same, kind


@given(things)
def test_items_of_different_kinds_never_share_a_key(thing):
    opening = replace(OPENING, hold_nanousd=1, draws=True, **thing)
    final = replace(SETTLED, hold_nanousd=1, draws=True, **thing).to_item()
    writes = [
        *settle_writes(final, {**opening.to_item(), **as_opened(final)}).writes,
        *start_writes(str(thing["user_id"]), BalanceRules(1), 0),
    ]
    keys = {key_of(write) for write in writes}
    assert len(keys) == len(set(map(_name, writes))) == 4  # REQ, M, BAL, ADJ


@given(things)
def test_expiry_and_settling_write_the_same_items(thing):
    opened = replace(OPENING, **thing).to_item()
    final = replace(SETTLED, **thing).to_item()
    expired = [key_of(one) for one in expire_writes(opened, "estimate", 0)]
    assert expired == [key_of(one) for one in settle_writes(final, opened).writes]


@given(st.tuples(routes, visible), st.tuples(routes, visible))
def test_idempotency_keys_of_distinct_requests_are_distinct(one, other):
    ours, theirs = (_idempotency_of(*told) for told in (one, other))
    assert (ours == theirs) == (one == other)


@given(names, names)
def test_names_that_are_shown_stay_apart(one, other):
    assert (bounded(one) == bounded(other)) == (one == other)


@given(names)
def test_name_that_is_shown_is_found_by_it(name):
    shown = bounded(name)
    assert shown is not None
    assert bounded(shown) == shown
    assert len(shown.encode()) <= 200


def _idempotency_of(route: str, key: str) -> str:
    headers = {"idempotency-key": key}
    incoming = Incoming("r1", Caller(User("alice"), "k1"), headers, {}, 0.0, {})
    found = read_idempotency(incoming, route)
    assert found is not None
    return found.sk


def _name(write: Write) -> str:
    return key_of(write)[1].partition("#")[0]
