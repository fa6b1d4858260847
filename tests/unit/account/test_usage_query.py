"""What may stand in the query string of /v1/usage."""

import pytest

from waystation.account.usage_query import MAX_ROWS, parse_usage_query
from waystation.errors import InvalidBodyError
from waystation.ledger.usage_queries import Only, Span
from waystation.wire.moments import read_moment

NOW = read_moment("2026-11-23T12:00:00Z")


def span_of(**parameters: str) -> Span:
    pairs = [(name.strip("_"), value) for name, value in parameters.items()]
    return parse_usage_query(pairs, NOW).span


def span(first: str, last: str) -> Span:
    return Span(read_moment(first), read_moment(last))


def test_nothing_asks_for_this_month_by_endpoint_and_model():
    query = parse_usage_query([], NOW)
    assert query.span == span("2026-11-01", "2026-11-24")
    assert (query.group_by, query.only, query.user) == (("endpoint", "model"), Only(), None)
    assert (query.format, query.limit, query.offset) == (None, MAX_ROWS, 0)


SPANS = {
    "date to date": ({"from_": "2026-10-01", "to": "2026-10-31"}, ("2026-10-01", "2026-11-01")),
    "one day": ({"from_": "2026-10-05", "to": "2026-10-05"}, ("2026-10-05", "2026-10-06")),
    "until now": ({"from_": "2026-09-15"}, ("2026-09-15", "2026-11-24")),
    "its month": ({"to": "2026-10-31"}, ("2026-10-01", "2026-11-01")),
    "moments": (
        {"from_": "2026-10-01T00:00:00Z", "to": "2026-10-31T00:00:00Z"},
        ("2026-10-01", "2026-10-31"),
    ),
    "whole days": (
        {"from_": "2026-10-01T10:00:00Z", "to": "2026-10-02T10:00:00Z"},
        ("2026-10-01", "2026-10-03"),
    ),
    "zone": (
        {"from_": "2026-10-02T01:00:00+02:00", "to": "2026-10-02T02:00:00+02:00"},
        ("2026-10-01", "2026-10-02"),
    ),
    "thirteen months": (
        {"from_": "2025-11-30", "to": "2026-11-01"},
        ("2025-11-30", "2026-11-02"),
    ),
}


@pytest.mark.parametrize("case", SPANS.values(), ids=SPANS)
def test_dates_are_whole_days_and_the_end_of_moments_is_not_included(case):
    parameters, expected = case
    assert span_of(**parameters) == span(*expected)


@pytest.mark.parametrize("more", [{"group_by": "conversation"}, {"conversation": "c-1"}])
def test_moments_are_exact_where_records_are_read(more):
    told = {"from_": "2026-10-01T10:00:00Z", "to": "2026-10-02T10:00:00Z"}
    assert span_of(**told, **more) == span(told["from_"], told["to"])


def test_everything_can_be_asked_for():
    pairs = {
        "group_by": "day,user, model",
        "endpoint": "A",
        "model": "m",
        "user": "bob",
        "format": "csv",
        "limit": "5",
        "offset": "10",
    }
    query = parse_usage_query(list(pairs.items()), NOW)
    assert query.group_by == ("day", "user", "model")
    assert (query.only, query.user, query.format) == (Only("A", "m"), "bob", "csv")
    assert (query.limit, query.offset) == (5, 10)


def test_empty_values_are_absent_and_credentials_no_parameters():
    query = parse_usage_query([("user", ""), ("from", ""), ("key", "k"), ("api_key", "k")], NOW)
    assert query == parse_usage_query([], NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("from", text) for text in ("yesterday", "2026-13-01", "1999-12-31", "9999-12-31")),
        *(
            ("to", text)
            for text in ("2026", "2101-01-01", "2026-11-01T25:00:00", "0", "٢٠٢٦-11-01")
        ),
        ("from", "2026-11-24"),
        ("from", "2025-10-31"),
        ("group_by", "hour"),
        ("group_by", "day,day"),
        ("format", "xml"),
        *(("limit", text) for text in ("0", "1001", "-1", "1.5", "many", "1" * 5000)),
        *(("offset", text) for text in ("-1", "1e3")),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(InvalidBodyError) as refused:
        parse_usage_query([(name, value)], NOW)
    assert refused.value.param == name


def test_unknown_and_repeated_names_are_refused():
    with pytest.raises(InvalidBodyError, match="group_by"):
        parse_usage_query([("groupby", "day")], NOW)
    with pytest.raises(InvalidBodyError, match="twice"):
        parse_usage_query([("model", "a"), ("model", "b")], NOW)
