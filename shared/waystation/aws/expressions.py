"""Writes and their conditions, as expressions of DynamoDB."""

from collections.abc import Mapping

from waystation.aws.attributes import dump, key_of
from waystation.aws.table import Put, Update, When, Write

_ABSENT = "attribute_not_exists(PK)"
_PRESENT = "attribute_exists(PK)"


def as_asked(table: str, write: Write) -> dict[str, dict[str, object]]:
    """Return a write as a transaction takes it."""
    terms = _Terms()
    asked: dict[str, object] = {"TableName": table}
    if isinstance(write, Put):
        asked["Item"] = dump(write.item)
    else:
        asked["Key"] = key_of(write.pk, write.sk)
        if changes := _changes(write, terms):
            asked["UpdateExpression"] = changes
    if condition := _condition(write.when, terms):
        asked |= {
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    if terms.names:
        asked["ExpressionAttributeNames"] = {f"#{n}": name for n, name in enumerate(terms.names)}
    if terms.values:
        values = {f":{n}": value for n, value in enumerate(terms.values)}
        asked["ExpressionAttributeValues"] = dump(values)
    return {type(write).__name__: asked}


class _Terms:
    """The names and values of an expression, which stands for them by numbers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.values: list[object] = []

    def name(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"#{self.names.index(name)}"

    def value(self, value: object) -> str:
        self.values.append(value)
        return f":{len(self.values) - 1}"

    def join(self, pairs: Mapping[str, object], between: str) -> list[str]:
        return [f"{self.name(n)}{between}{self.value(value)}" for n, value in pairs.items()]


def _changes(write: Update, terms: _Terms) -> str:
    parts = {
        "SET": terms.join(write.set, " = "),
        "ADD": terms.join(write.add, " "),
        "REMOVE": [terms.name(name) for name in write.remove],
    }
    return " ".join(f"{verb} {', '.join(pieces)}" for verb, pieces in parts.items() if pieces)


def _condition(when: When, terms: _Terms) -> str:
    of_key = {None: [], True: [_PRESENT], False: [_ABSENT]}[when.exists]
    clauses = [
        *of_key,
        *terms.join(when.equal, " = "),
        *terms.join(when.at_least, " >= "),
        *terms.join(when.below, " < "),
        *(f"attribute_not_exists({terms.name(name)})" for name in when.lacks),
    ]
    text = " AND ".join(clauses)
    return f"{_ABSENT} OR ({text})" if when.or_new and text else text
