"""A second opinion on what a table holds of its users: reckoned from records and grants alone.

Nothing here asks the code under test: keys and sums are written down as they should be.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from waystation.aws.table import Item

Key = tuple[str, str]

_MONEY = ("avail", "held", "spent", "granted", "inflight")
_KEPT_BY_STATE = {
    "open": {"RESERVED", "EXPIRED"},
    "done": {"SETTLED"},
    "free": {"RELEASED"},
}


def audit(items: Iterable[Item]) -> None:
    """Fail unless balances, sums, the index and idempotency keys are what the records make them."""
    by_key: dict[Key, Mapping[str, Any]] = {(str(i["PK"]), str(i["SK"])): i for i in items}
    requests = {key: item for key, item in by_key.items() if key[1].startswith("REQ#")}
    assert _balances_told(by_key) == _balances_due(by_key, requests)
    assert _sums_told(by_key) == _sums_due(requests.values())
    for item in requests.values():
        assert ("GSI1PK" in item, "GSI1SK" in item) == (item["state"] == "RESERVED",) * 2
        assert item["state"] in {"RESERVED", "SETTLED", "RELEASED", "EXPIRED"}
    for (pk, sk), item in by_key.items():
        if sk.startswith("IDM#"):
            holder = requests[pk, f"REQ#{item['request_id']}"]
            assert holder["state"] in _KEPT_BY_STATE[item["state"]]
            assert holder["idempotency"] == sk


def part(text: str) -> str:
    """Return a short text as a part of a key."""
    for sign in "%#/":  # the sign that escapes comes first
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _balances_told(by_key: Mapping[Key, Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    return {
        pk: {name: item.get(name, 0) for name in _MONEY}
        for (pk, sk), item in by_key.items()
        if sk == "BAL"
    }


def _balances_due(
    by_key: Mapping[Key, Mapping[str, Any]], requests: Mapping[Key, Mapping[str, Any]]
) -> dict[str, dict[str, int]]:
    due: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_MONEY, 0))
    for (pk, sk), item in by_key.items():
        if sk.startswith("ADJ#"):
            due[pk]["granted"] += item["amount"]
    for (pk, _), item in requests.items():
        if not item.get("draws"):
            continue
        if item["state"] == "RESERVED":
            due[pk]["held"] += item["hold"]
            due[pk]["inflight"] += 1
        elif item.get("cost"):
            due[pk]["spent"] += item["cost"]
    for money in due.values():
        money["avail"] = money["granted"] - money["held"] - money["spent"]
    return dict(due)


def _sums_told(by_key: Mapping[Key, Mapping[str, Any]]) -> dict[Key, dict[str, object]]:
    return {key: _present(item) for key, item in by_key.items() if key[0].startswith("A#")}


def _sums_due(records: Iterable[Mapping[str, Any]]) -> dict[Key, dict[str, object]]:
    due: dict[Key, Counter[str]] = defaultdict(Counter)
    names: dict[Key, dict[str, object]] = {}
    for record in records:
        if record["state"] == "RESERVED":
            continue
        user, month, day = part(record["user_id"]), record["created_at"][:7], record["created_at"]
        place = f"{part(record['endpoint'])}#{part(record['model'])}#{day[8:10]}"
        key = (f"A#{user}#{month}", f"M#{place}")
        due[key] += _counts(record)
        names[key] = {name: record[name] for name in ("user_id", "endpoint", "model")} | {
            "PK": key[0],
            "SK": key[1],
            "GSI1PK": f"MONTH#{month}#{crc32(user.encode()) % 10}",
            "GSI1SK": f"{user}#{place}",
        }
    return {key: names[key] | _present(counts) for key, counts in due.items()}


def _counts(record: Mapping[str, Any]) -> Counter[str]:
    if record["state"] == "RELEASED":
        return Counter(errors=1)
    return Counter(
        requests=1,
        titles=int(record["kind"] == "title"),
        estimated=int(record.get("usage_source") == "estimated"),
        unpriced=int("tokens" in record and "rates" not in record),
        cost=record.get("cost", 0),
        **record.get("tokens", {}),
    )


def _present(item: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in item.items() if value != 0}
