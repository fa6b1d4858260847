"""Reading bounded YAML: values, lines, doubts, limits."""

import contextlib
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.config.yaml_reader import HAS_LIBYAML, YamlDocument, YamlError, read_yaml

PARSERS = [
    pytest.param(False, id="pure"),
    pytest.param(True, id="libyaml", marks=pytest.mark.skipif(not HAS_LIBYAML, reason="absent")),
]
both_parsers = pytest.mark.parametrize("use_libyaml", PARSERS)


def read(text: str, use_libyaml: bool = HAS_LIBYAML) -> YamlDocument:
    return read_yaml(dedent(text).encode(), use_libyaml=use_libyaml)


def problem_of(text: str, use_libyaml: bool = HAS_LIBYAML) -> tuple[str, int | None]:
    with pytest.raises(YamlError) as caught:
        read(text, use_libyaml)
    return caught.value.problem, caught.value.line


@both_parsers
def test_document_becomes_plain_data(use_libyaml):
    document = read(
        """\
        # a comment
        text: plain
        quoted: "5"
        list: [1, -2, 0x1F, 1.5, 1e-07, .5]
        flags: {a: true, b: False}
        nothing: [null, ~, ]
        empty:
        block: |
          two
          lines
        """,
        use_libyaml,
    )
    assert document.value == {
        "text": "plain",
        "quoted": "5",
        "list": [1, -2, 31, 1.5, 1e-07, 0.5],
        "flags": {"a": True, "b": False},
        "nothing": [None, None],
        "empty": None,
        "block": "two\nlines\n",
    }
    assert document.doubts == {}


@pytest.mark.parametrize(
    "scalar", ["2023-06-01", "y", "n", "1.2.3", "gpt-4o", "12e", "0.1.0", "a: b".replace(" ", "")]
)
def test_scalar_that_readers_agree_on_is_text(scalar):
    document = read(f"a: {scalar}")
    assert (document.value, document.doubts) == ({"a": scalar}, {})


@pytest.mark.parametrize(
    "scalar",
    "yes No ON off 1:30 190:20:30 1_000 1_000.5 .nan -.inf 0777 0o17 0b11 1e999".split(),  # noqa: SIM905
)
def test_scalar_that_readers_disagree_on_stays_text_with_a_doubt(scalar):
    document = read(f"a: [{scalar}]")
    assert document.value == {"a": [scalar]}
    assert list(document.doubts) == [("a", 0)]


def test_quotes_remove_the_doubt():
    assert read("a: ['no', \"1:30\"]").doubts == {}


def test_number_of_any_length_is_read_fast():
    document = read(f"a: {'9' * 5000}")
    assert list(document.doubts) == [("a",)]


def test_keys_are_text_as_written():
    assert read("{no: 1, 5: 2, null: 3, 2024-01-01: 4}").value == {
        "no": 1,
        "5": 2,
        "null": 3,
        "2024-01-01": 4,
    }


@both_parsers
def test_alias_and_merge_are_expanded(use_libyaml):
    document = read(
        """\
        base: &base {a: 1, b: 2}
        other: &other {b: 3, c: 4}
        alias: *base
        merged: {<<: [*base, *other], a: 0}
        """,
        use_libyaml,
    )
    assert document.value == {
        "base": {"a": 1, "b": 2},
        "other": {"b": 3, "c": 4},
        "alias": {"a": 1, "b": 2},
        "merged": {"a": 0, "b": 2, "c": 4},
    }


def test_alias_of_a_scalar_keeps_its_value_and_doubt():
    document = read("[&a 5, *a, &b no, *b]")
    assert document.value == [5, 5, "no", "no"]
    assert list(document.doubts) == [(2,), (3,)]


def test_core_tags_are_obeyed():
    tagged = read("[!!str 5, !!int 7, !!float 2, !!bool true, !!null '', ! 5, !!seq [], !!map {}]")
    assert tagged.value == ["5", 7, 2, True, None, "5", [], {}]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_utf_8_is_read_with_and_without_byte_order_mark(mark):
    assert read_yaml(mark + "name: 山".encode()).value == {"name": "山"}


@pytest.mark.parametrize("text", ["", "# nothing", "---\n", "---\n...\n"])
def test_empty_document_is_nothing(text):
    assert read(text).value is None


@both_parsers
def test_lines_are_found_by_path(use_libyaml):
    document = read(
        """\
        # one
        endpoints:
          custom:
            - name: a
              models:
                default: [x,
                          y]
            - name: b
        """,
        use_libyaml,
    )
    custom = ("endpoints", "custom")
    paths = [
        (),
        ("endpoints",),
        (*custom, 0),
        (*custom, 0, "models", "default", 1),
        (*custom, 1, "name"),
        (*custom, 1, "apiKey"),
        ("absent", "deeper"),
    ]
    assert [document.line_of(path) for path in paths] == [2, 2, 4, 7, 8, 8, 2]


@both_parsers
@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a: 1\n---\nb: 2", 2, id="two documents"),
        pytest.param("a: 1\nb: !!python/name:os.system x", 2, id="foreign tag"),
        pytest.param("a: !!binary aGk=", 1, id="binary tag"),
        pytest.param("a: !custom [1]", 1, id="own tag"),
        pytest.param("a: !!map [1]", 1, id="tag of another kind"),
        pytest.param("a: !!int x", 1, id="value that does not fit its tag"),
        pytest.param("a: 1\nb: 2\na: 3", 3, id="duplicate key"),
        pytest.param("a: 1\n'a': 2", 2, id="duplicate key in quotes"),
        pytest.param("? [1]\n: 2", 1, id="list as key"),
        pytest.param("a: {{X}}", 1, id="mapping as key"),
        pytest.param("&a x: 1\n*a : 2", 2, id="alias as key"),
        pytest.param("!!int 5: 1", 1, id="tag on a key"),
        pytest.param("a: &a [1, *a]", 1, id="recursive alias"),
        pytest.param("a: *b", 1, id="alias without anchor"),
        pytest.param("a: {<<: 5}", 1, id="merge of a scalar"),
        pytest.param("a: {<<: {b: 1}, <<: {c: 1}}", 1, id="two merges"),
        pytest.param("a: 1\n\tb: 2", 2, id="tab as indent"),
        pytest.param("a: [1", 1, id="unclosed list"),
        pytest.param("a: 'x\n", 1, id="unclosed quote"),
        pytest.param("a: b: c", 1, id="two colons"),
        pytest.param("x\n\0", 2, id="control character"),
    ],
)
def test_document_is_refused_with_its_line(text, line, use_libyaml):
    with pytest.raises(YamlError) as caught:
        read_yaml(text.encode(), use_libyaml=use_libyaml)
    assert caught.value.line == line


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(YamlError) as caught:
        read_yaml(b"a: 1\nb: \xff")
    assert (caught.value.problem, caught.value.line) == ("not UTF-8 text", 2)


def test_size_is_bounded():
    read_yaml(b"#" * (256 * 1024))
    with pytest.raises(YamlError, match="larger than 256 KiB"):
        read_yaml(b"#" * (256 * 1024 + 1))


@both_parsers
def test_depth_is_bounded(use_libyaml):
    read("[" * 32 + "1" + "]" * 32, use_libyaml)
    problem = ("nested deeper than 32 levels", 1)
    assert problem_of("[" * 33 + "1" + "]" * 33, use_libyaml) == problem
    assert problem_of("[&a " + "[" * 20 + "]" * 20 + ", " + "[" * 12 + "*a", use_libyaml) == problem


def test_values_are_bounded():
    read("[" + "1," * 19_999 + "]")
    assert problem_of("[" + "1," * 20_000 + "]") == (
        "more than 20000 values once aliases are expanded",
        1,
    )


@both_parsers
@pytest.mark.parametrize("secret", ["sk-live-0123456789", "{{LIBRECHAT"])
@pytest.mark.parametrize(
    "template",
    [
        "a: [%s: %s",
        "a: '%s",
        'a: "\\%s"',
        "%s: %s: %s",
        "a: *%s",
        "a: !%s x",
        "@%s",
        "a: [%s: ]: }",
    ],
)
def test_error_never_quotes_the_document(template, secret, use_libyaml):
    with pytest.raises(YamlError) as caught:
        read(template.replace("%s", secret), use_libyaml)
    assert secret not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


@given(st.text(alphabet="ab01:-_.,[]{}&*!|>'\"%@#?~ \t\n<", max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(YamlError):
        assert read_yaml(text.encode()).line_of(("a",)) is not None
