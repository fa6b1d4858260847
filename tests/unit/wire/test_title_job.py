"""The event by which a title is asked for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.titles import build_job
from waystation.wire.title_job import is_title_job, parse_title_job

EVENT: dict[str, object] = {
    "waystation": "title",
    "version": 1,
    "request_id": "r1-title",
    "endpoint": "Acme",
    "model": "acme-large",
    "input": "Hi",
    "output": "Hello!",
    "conversation": {"conversationId": "c1"},
    "user_id": "alice",
    "user": {"email": "a@a.test"},
    "key_id": "k1",
    "created_at_ms": 5,
}


def test_job_is_an_event_and_back():
    job = build_job(output="Hello!", user={"email": "a@a.test"})
    assert job.to_event() == EVENT
    assert parse_title_job(EVENT) == job


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_any_text_survives_the_way(said: str, answered: str, user: dict[str, str]):
    job = build_job(input=said, output=answered, user=user)
    assert parse_title_job(json.loads(json.dumps(job.to_event()))) == job


def test_answer_can_be_added():
    assert build_job().with_output("O") == build_job(output="O")


def test_texts_and_fields_of_users_are_in_no_repr():
    job = build_job(input="canary", output="canary", user={"email": "canary"})
    assert "canary" not in repr(job)


@pytest.mark.parametrize(
    ("event", "is_job"),
    [
        (EVENT, True),
        ({"waystation": "title"}, True),
        ({"waystation": "other"}, False),
        ({"body": '{"waystation": "title"}', "headers": {"waystation": "title"}}, False),
        ({}, False),
        ([], False),
        ("title", False),
        (None, False),
    ],
    ids=str,
)
def test_job_is_known_by_its_mark(event: object, is_job: bool):
    assert is_title_job(event) is is_job


TEXTS = ["request_id", "endpoint", "model", "input", "output", "user_id", "key_id"]


@pytest.mark.parametrize("name", [*TEXTS, "conversation", "user", "created_at_ms"])
@pytest.mark.parametrize("value", [None, 5.5, True, ["canary"], {"a": 5}, {5: "a"}], ids=str)
def test_event_with_a_wrong_member_names_it(name: str, value: object):
    with pytest.raises(ValueError, match=f"no usable .*{name}|no usable conversationId") as caught:
        parse_title_job({**EVENT, name: value})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("conversation", [{}, {"conversationId": ""}, {"messageId": "m"}], ids=str)
def test_job_is_of_a_conversation(conversation: dict[str, str]):
    with pytest.raises(ValueError, match="no usable conversationId"):
        parse_title_job({**EVENT, "conversation": conversation})


@pytest.mark.parametrize("version", [None, 0, 2, "1"], ids=str)
def test_other_versions_are_refused(version: object):
    with pytest.raises(ValueError, match="this version of a title job is not known"):
        parse_title_job({**EVENT, "version": version})


def test_all_that_is_wrong_is_named():
    with pytest.raises(ValueError, match="a title job has no usable input, user, created_at_ms"):
        parse_title_job({**EVENT, "input": 5, "user": [], "created_at_ms": None})
