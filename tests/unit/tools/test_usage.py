"""What was used, added up."""

from typing import Any

from waystation_cli.usage import Sum, summarize


def record(endpoint: str = "Acme", model: str = "large", **attributes: object) -> dict[str, object]:
    return {"PK": "U#a", "SK": "REQ#1", "endpoint": endpoint, "model": model, **attributes}


PRICED: dict[str, Any] = {
    "priced": True,
    "cost": 100,
    "tokens": {"in": 10, "out": 5, "cacheRead": 4},
}


def test_records_are_added_up_by_endpoint_and_model_dearest_first():
    found = summarize(
        [
            record(model="small", priced=True, cost=50, tokens={"in": 1, "out": 1}),
            record(**PRICED),
            record(**PRICED, usage_source="estimated"),
            record(endpoint="Beta", priced=False, tokens={"in": 7, "out": 1}),
            record(endpoint="Beta", cost=0),
        ]
    )
    assert found == [
        Sum("Acme", "large", 2, 0, 1, 200, {"in": 20, "cacheRead": 8, "cacheWrite": 0, "out": 10}),
        Sum("Acme", "small", 1, 0, 0, 50, {"in": 1, "cacheRead": 0, "cacheWrite": 0, "out": 1}),
        Sum("Beta", "large", 2, 1, 0, 0, {"in": 7, "cacheRead": 0, "cacheWrite": 0, "out": 1}),
    ]


def test_nothing_comes_to_nothing():
    assert summarize([]) == []
