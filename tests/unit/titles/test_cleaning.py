"""What is made of what a model says to a title."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystation.titles.cleaning import MAX_TITLE_LENGTH, UNTITLED, clean_title, without_reasoning

PLAIN = {
    "as it is": ("A Plain Title", "A Plain Title"),
    "blanks around": ("  \n A\t", "A"),
    "runs of blanks": ("A \t\r\n B\u2028C", "A B C"),
    "no-break space": ("\u00a0A\u00a0\u00a0B\u00a0", "A B"),
    "byte order mark": ("\ufeffA\ufeff \ufeffB\ufeff", "A B"),
    "ideographic space": ("東京\u3000旅行", "東京 旅行"),
    "nothing": ("", UNTITLED),
    "blanks alone": (" \u00a0\ufeff\n", UNTITLED),
    "punctuation stays": ("What? Why! (How)", "What? Why! (How)"),
    "template marks stay": ("{convo} ${X} $& \\1 %s", "{convo} ${X} $& \\1 %s"),
}


@pytest.mark.parametrize(("said", "title"), PLAIN.values(), ids=PLAIN)
def test_blanks_are_joined(said: str, title: str):
    assert clean_title(said) == title


REASONING = {
    "before": ("<think>Hm.\nYes.</think>\n\nA Title", "A Title"),
    "inside": ("A <think>x</think> Title", "A Title"),
    "several": ("<think>1</think>A<think>2</think>B", "AB"),
    "any case": ("<THINK>x</Think>A", "A"),
    "attributes": ('<think class="a"\nid=b>x</think>A', "A"),
    "brackets inside": ("<think>a < b > c <think> d</think>A", "A"),
    "nothing else": ("<think>x</think>", UNTITLED),
    "no end": ("<think>x A", "<think>x A"),
    "one with an end, one without": ("<think>x</think>A <think>y", "A <think>y"),
    "an end alone": ("x</think>A", "x</think>A"),
    "another tag": ("<thinking>x</thinking>A", "<thinking>x</thinking>A"),
    "opening without bracket": ("<think x</think A", "<think x</think A"),
    "a letter that folds to k": ("<thin\u212a>x</thin\u212a>A", "<thin\u212a>x</thin\u212a>A"),
}


@pytest.mark.parametrize(("said", "title"), REASONING.values(), ids=REASONING)
def test_reasoning_is_taken_out(said: str, title: str):
    assert clean_title(said) == title


MARKS = {
    "double quotes": ('"A Title"', "A Title"),
    "single quotes": ("'A Title'", "A Title"),
    "curly quotes": ("“A Title”", "A Title"),
    "curly single quotes": ("\u2018A Title\u2019", "A Title"),
    "guillemets": ("« A Title »", "A Title"),
    "backticks": ("`A Title`", "A Title"),
    "bold": ("**A Title**", "A Title"),
    "one pair only": ("\"'A'\"", "'A'"),
    "bold before quotes": ('**"A"**', '"A"'),
    "a mark inside": ('"A" and "B"', '"A" and "B"'),
    "one side": ('"A', '"A'),
    "a fence": ("```A```", "```A```"),
    "apostrophe inside": ("'Don't Panic'", "Don't Panic"),
    "curly apostrophe inside": ("\u2018Don\u2019t Panic\u2019", "Don\u2019t Panic"),
    "a lone mark": ('"', '"'),
    "an empty pair": ('""', '""'),
    "a pair of blanks": ('" "', UNTITLED),
    "after reasoning": ('<think>x</think>"A"', "A"),
}


@pytest.mark.parametrize(("said", "title"), MARKS.values(), ids=MARKS)
def test_one_pair_of_marks_around_the_whole_goes(said: str, title: str):
    assert clean_title(said) == title


LABELS = {
    "plain": ("Title: A", "A"),
    "any case": ("TITLE:A", "A"),
    "bold": ("**Title:** A", "A"),
    "bold as a whole": ("**Title: A**", "A"),
    "then quotes": ('Title: "A"', "A"),
    "once": ("Title: Title: A", "Title: A"),
    "alone": ("Title:", UNTITLED),
    "inside": ("A Title: B", "A Title: B"),
    "a longer word": ("Subtitle: A", "Subtitle: A"),
}


@pytest.mark.parametrize(("said", "title"), LABELS.values(), ids=LABELS)
def test_leading_label_goes(said: str, title: str):
    assert clean_title(said) == title


def test_length_is_counted_in_code_points():
    assert clean_title("😀" * 200) == "😀" * 200
    assert clean_title("😀" * 201) == "😀" * 197 + "..."


def test_cut_title_does_not_end_with_a_blank():
    assert clean_title("a" * 196 + " " + "b" * 10) == "a" * 196 + "..."


def test_marks_are_taken_off_before_a_title_is_cut():
    assert clean_title(f'"{"a" * 200}"') == "a" * 200


LARGE = {
    "openings without brackets": "<think" * 170_000,
    "openings with blanks": "<think " * 150_000 + ">",
    "openings": "<think>" * 150_000,
    "endings": "</think>" * 130_000,
    "pairs": "<think></think>" * 70_000,
    "quotes": '"' * 1_000_000,
    "apostrophes": "a'" * 500_000,
    "asterisks": "*" * 1_000_000,
    "labels": "title:" * 170_000,
    "blanks": " \ufeff" * 500_000,
}


@pytest.mark.parametrize("said", LARGE.values(), ids=LARGE)
def test_megabyte_of_anything_is_read(said: str):
    """Quadratic work on such texts would take minutes, and be noticed."""
    assert len(clean_title(said)) <= MAX_TITLE_LENGTH


@given(st.text())
def test_title_is_one_line_of_bounded_length(said: str):
    title = clean_title(said)
    assert 0 < len(title) <= MAX_TITLE_LENGTH
    assert title == " ".join(title.split())


@given(st.text(), st.text(alphabet="abc <>", max_size=20), st.text())
def test_what_is_outside_of_reasoning_stays(before: str, inside: str, after: str):
    if "<think" in (before + after).lower():
        return
    assert without_reasoning(f"{before}<think>{inside}</think>{after}") == before + after
