"""How a list is asked for, and whose answers may stand for whose."""

import pytest

from tests.support.config_entries import build_entry
from tests.support.fakes import build_snapshot_of
from waystation.calls.target import Resolved
from waystation.models.plan import Plan, WatchedPlaceholders, plan_of

SNAPSHOT = build_snapshot_of()


def plan(
    *,
    user_id: str = "alice",
    api_key: str = "key-of-acme",
    base_url: str = "https://llm.test/v1",
    headers: dict[str, str] | None = None,
    version: str = "v1",
    is_personal: bool = False,
    is_users_key: bool = False,
    **entry: object,
) -> Plan:
    resolved = Resolved(api_key, base_url, headers or {}, (), is_users_key=is_users_key)
    snapshot = build_snapshot_of(version=version)
    endpoint = build_entry(**entry)
    return plan_of(endpoint, resolved, user_id, snapshot, is_personal=is_personal)


def by_user(**models: object) -> dict[str, object]:
    return {"default": ["m"], "fetch": True, "userIdQuery": True, **models}


def test_the_key_is_sent_and_nothing_of_the_caller():
    found = plan()
    assert (found.models.method, found.models.url) == ("GET", "https://llm.test/v1/models")
    assert dict(found.models.headers) == {
        "accept": "application/json",
        "authorization": "Bearer key-of-acme",
    }
    assert found.models.body == b""
    assert found.tags is None


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("value", ["Token t", ""])
def test_a_configured_authorization_is_the_only_one(name, value):
    assert [v for n, v in plan(headers={name: value}).models.headers if n == "authorization"] == [
        value
    ]


def test_of_ollama_tags_are_asked_for_without_the_key():
    found = plan(name="Ollama-gpu", headers={"X-A": "1"})
    assert found.tags is not None
    assert found.tags.url == "https://llm.test/api/tags"
    assert dict(found.tags.headers) == {"accept": "application/json", "x-a": "1"}
    assert dict(found.models.headers)["authorization"] == "Bearer key-of-acme"


def test_equal_questions_of_two_endpoints_are_one_question_and_two_answers():
    one, other = plan(), plan(name="Other")
    assert one.fetch_key == other.fetch_key
    assert one.cache_key != other.cache_key


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": "another"},
        {"base_url": "https://llm.test/v2"},
        {"base_url": "https://llm.test/v1?x=1"},
        {"headers": {"X-A": "1"}},
        {"version": "v2"},
        {"is_personal": True},
        {"is_users_key": True},
        {"models": by_user()},
        {"name": "ollama"},
        {"headers": {"Authorization": "Bearer key-of-acme"}, "api_key": "another"},
    ],
    ids=str,
)
def test_any_difference_is_another_question(changes):
    assert plan(**changes).fetch_key != plan().fetch_key


@pytest.mark.parametrize(
    "personal",
    [{"is_personal": True}, {"is_users_key": True}, {"models": by_user()}],
    ids=["placeholder", "own key", "userIdQuery"],
)
def test_what_is_personal_is_each_users_own(personal):
    assert plan(**personal).is_personal
    assert plan(**personal).fetch_key == plan(**personal).fetch_key
    assert plan(**personal).fetch_key != plan(**personal, user_id="bob").fetch_key


def test_what_is_not_personal_is_for_all():
    assert not plan().is_personal
    assert plan().cache_key == plan(user_id="bob").cache_key


def test_only_placeholders_of_the_user_are_watched_for():
    values = WatchedPlaceholders({"USER_ID": "alice"})
    assert (values.get("BODY_MESSAGEID", ""), values.was_used) == ("", False)
    assert (values.get("USER_EMAIL", ""), values.was_used) == ("", True)
    assert values.get("USER_ID", "") == "alice"
