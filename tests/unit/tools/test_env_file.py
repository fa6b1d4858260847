"""Environment files."""

import os

import pytest

from waystation_cli.env_file import EnvFileSource, read_env_file


def test_values_are_read_as_they_stand(tmp_path):
    file = tmp_path / ".env"
    file.write_text(
        "# comment\n"
        "A=plain\n"
        'B="with blanks # and $A ${A}"\n'
        "C='single'\n"
        "export D=exported\n"
        "E=\n"
        "F\n"
        "G=é\n",
        encoding="utf-8",
    )
    assert read_env_file(file) == {
        "A": "plain",
        "B": "with blanks # and $A ${A}",
        "C": "single",
        "D": "exported",
        "E": "",
        "G": "é",
    }


def test_file_that_is_not_utf_8_is_refused(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\n")
    with pytest.raises(UnicodeDecodeError):
        read_env_file(file)


async def test_changed_file_is_read_again(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\nB=2\n")
    source = EnvFileSource(file)
    assert await source.fetch(["A", "X"]) == {"A": "1"}
    file.write_text("A=3\n")
    os.utime(file, ns=(1, 1))
    assert await source.fetch(["A", "B"]) == {"A": "3"}


async def test_values_stay_while_the_file_cannot_be_read(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    source = EnvFileSource(file)
    assert await source.fetch(["A"]) == {"A": "1"}
    file.write_bytes(b"A=\xff2\n")
    assert await source.fetch(["A"]) == {"A": "1"}
    file.unlink()
    assert await source.fetch(["A"]) == {"A": "1"}
