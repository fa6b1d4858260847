"""Variables and placeholders in operator text."""

import base64
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.config.templates import (
    UnknownPlaceholderError,
    UnresolvedVariableError,
    expand_variables,
    fill_placeholders,
    find_variables,
    header_value,
)

texts = st.text(
    alphabet=st.one_of(st.sampled_from("${}LIBRECHAT_USER_ID\\1&"), st.characters(codec="utf-8")),
    max_size=80,
)
latin_1_texts = st.text(alphabet=st.characters(max_codepoint=255))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain $A {B}", ()),
        ("${A}", ("A",)),
        ("${B}/${A}-${B}", ("B", "A")),
        ("${A} ${unclosed", ("A",)),
    ],
)
def test_variables_are_found_once_and_in_order(text, names):
    assert find_variables(text) == names


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        pytest.param("  ${A}\n", "one", id="blanks at the ends go"),
        pytest.param("${A}${B}", "onetwo", id="neighbours"),
        pytest.param("https://${A}.test/${B}", "https://one.test/two", id="within text"),
        pytest.param("{${A}}", "{one}", id="within braces"),
        pytest.param("${SPACES}", "  x ", id="a value keeps its blanks"),
        pytest.param("${AWS_REGION}", "eu-west-1", id="the region may be read"),
    ],
)
def test_each_variable_is_replaced(text, expanded):
    values = {"A": "one", "B": "two", "SPACES": "  x ", "AWS_REGION": "eu-west-1"}
    assert expand_variables(text, values) == expanded


@pytest.mark.parametrize("value", [{}, {"KEY": ""}], ids=["missing", "empty"])
def test_variable_without_a_value_is_named(value):
    with pytest.raises(UnresolvedVariableError) as caught:
        expand_variables("Bearer ${KEY}", value)
    assert caught.value.name == "KEY"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "_X", "PATH", "JWT_SECRET", "a-b", ""])
def test_reserved_or_malformed_variable_is_never_read(name):
    with pytest.raises(UnresolvedVariableError):
        expand_variables(f"${{{name}}}", {name: "canary"})


@given(value=texts.filter(bool))
def test_value_of_a_variable_is_not_expanded_again(value):
    values = {"A": value, "LIBRECHAT_USER_ID": "canary", "USER_ID": "canary"}
    assert expand_variables("<${A}|${A}>", values) == f"<{value}|{value}>"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param("{{LIBRECHAT_USER_ID}}", "u1", id="alone"),
        pytest.param("a{{LIBRECHAT_USER_ID}}{{LIBRECHAT_BODY_MESSAGEID}}b", "au1m1b", id="several"),
        pytest.param("[{{LIBRECHAT_USER_EMAIL}}]", "[]", id="absent"),
        pytest.param("{{{LIBRECHAT_USER_ID}}}", "{u1}", id="three braces"),
        pytest.param("{{LIBRECHAT_USER_ID", "{{LIBRECHAT_USER_ID", id="unclosed"),
        pytest.param("{{ LIBRECHAT_USER_ID }}", "{{ LIBRECHAT_USER_ID }}", id="blanks inside"),
        pytest.param("{{librechat_user_id}}", "{{librechat_user_id}}", id="lower case"),
        pytest.param("{{OTHER}}", "{{OTHER}}", id="someone else's"),
    ],
)
def test_each_placeholder_is_replaced(text, filled):
    assert fill_placeholders(text, {"USER_ID": "u1", "BODY_MESSAGEID": "m1"}) == filled


@pytest.mark.parametrize("name", ["LIBRECHAT_USER_PASSWORD", "LIBRECHAT_OPENID_TOKEN", "LIBRECHAT"])
def test_unknown_placeholder_is_named(name):
    with pytest.raises(UnknownPlaceholderError) as caught:
        fill_placeholders(f"{{{{{name}}}}}", {name.removeprefix("LIBRECHAT_"): "canary"})
    assert caught.value.name == name


@given(value=latin_1_texts)
def test_value_of_a_placeholder_is_not_filled_again(value):
    values = {"USER_NAME": value, "USER_ID": "canary", "USER_EMAIL": "canary"}
    text = "{{LIBRECHAT_USER_NAME}}|{{LIBRECHAT_USER_NAME}}"
    assert fill_placeholders(text, values) == f"{value}|{value}"


@given(value=texts.filter(lambda text: re.search(r"[^\x00-\xff]", text)))
def test_value_beyond_latin_1_is_encoded(value):
    filled = fill_placeholders("n={{LIBRECHAT_USER_NAME}}", {"USER_NAME": value})
    assert filled.startswith("n=b64:")
    assert base64.b64decode(filled.removeprefix("n=b64:")).decode() == value


def test_header_value_loses_blanks_at_its_ends_only():
    assert header_value(" \ta \t é\t ") == "a \t é"


@pytest.mark.parametrize("char", ["\r", "\n", "\0", "\x1b", "\x7f", "Ā", "山"])
def test_header_value_refuses_what_cannot_be_sent(char):
    with pytest.raises(ValueError, match="expected Latin-1 text on one line") as caught:
        header_value(f"secret{char}secret")
    assert "secret" not in str(caught.value)


def test_header_value_is_bounded():
    assert len(header_value("x" * 8192)) == 8192
    with pytest.raises(ValueError, match="expected at most 8 KiB"):
        header_value("x" * 8193)


@pytest.mark.parametrize(
    "part", ["${", "$", "{{", "{{LIBRECHAT_", "{{LIBRECHAT_USER_ID", "}", "_", "${A", " \t", "\n"]
)
def test_large_text_costs_linear_time(part):
    text = part * (1_000_000 // len(part))
    started = time.process_time()
    find_variables(text)
    fill_placeholders(text, {})
    expand_variables(text, {})
    with pytest.raises(ValueError, match="expected"):
        header_value(f"x{text}x")
    assert time.process_time() - started < 0.4
