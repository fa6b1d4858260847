"""Moments as clients write them."""

import pytest

from waystation.wire.moments import read_moment, write_moment


@pytest.mark.parametrize(
    ("given", "milliseconds"),
    [
        ("2030-01-31T12:00:00.250Z", 1_896_091_200_250),
        ("2030-01-31T12:00:00.250+02:00", 1_896_084_000_250),
        ("2030-01-31T12:00:00", 1_896_091_200_000),
        ("2030-01-31", 1_896_048_000_000),
        (1_896_091_200_250, 1_896_091_200_250),
        (1.5, 1),
        (0, 0),
    ],
)
def test_moment_is_read(given, milliseconds):
    assert read_moment(given) == milliseconds


@pytest.mark.parametrize(
    "given",
    [
        "",
        "never",
        "tomorrow",
        "1896091200250",
        True,
        None,
        [],
        {},
        -1,
        10**15,
        1e300,
        "0001-01-01T00:00+23:00",
    ],
)
def test_what_is_no_moment_is_refused(given):
    with pytest.raises(ValueError, match=r"not|Invalid"):
        read_moment(given)


@pytest.mark.parametrize("milliseconds", [0, 1, 1_896_091_200_250, 253_402_300_799_999])
def test_moment_is_written_as_it_was_read(milliseconds):
    assert read_moment(write_moment(milliseconds)) == milliseconds


def test_moment_is_written_in_utc():
    assert write_moment(1_896_091_200_250) == "2030-01-31T12:00:00.250Z"
