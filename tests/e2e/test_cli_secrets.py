"""`waystation secrets`: what is stored, and what is shown."""

from collections.abc import Iterator

import pytest

from tests.support.cli import PREFIX, emulated_account, parameter, parameters, refuse, run, succeed


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        yield


def test_value_from_standard_input_is_stored_encrypted_and_not_shown():
    output = succeed("secrets", "put", "ACME_KEY", *PREFIX, stdin="s3cret value\n")
    assert output == "Stored /way/prod/ACME_KEY.\n"
    assert parameter("/way/prod/ACME_KEY") == ("SecureString", "s3cret value")


def test_value_can_be_replaced():
    for value in ("old", "new"):
        succeed("secrets", "put", "ACME_KEY", "--prefix", "/way/prod/", stdin=value)
    assert parameter("/way/prod/ACME_KEY") == ("SecureString", "new")


def test_file_is_imported_whole(tmp_path):
    file = tmp_path / ".env"
    file.write_text('A_KEY=a\nB_KEY="b $A_KEY"\n')
    assert succeed("secrets", "import", str(file), *PREFIX) == (
        "Stored /way/prod/A_KEY.\nStored /way/prod/B_KEY.\n"
    )
    assert parameter("/way/prod/B_KEY") == ("SecureString", "b $A_KEY")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_SECRET_ACCESS_KEY", "x", "is not a name that ${…} may refer to"),
        ("_KEY_PEPPER", "x", "is not a name that ${…} may refer to"),
        ("A-B", "x", "is not a name that ${…} may refer to"),
        ("ACME_KEY", "\n", "is empty"),
        ("ACME_KEY", "x" * 4097, "has more than 4096 bytes"),
    ],
)
def test_value_that_could_not_be_used_is_not_stored(name, value, message):
    assert refuse("secrets", "put", name, *PREFIX, stdin=value) == (
        f"error: {name} {message}; nothing was stored\n"
    )
    assert parameters() == []


def test_lines_of_a_file_that_nothing_may_refer_to_are_left_out(tmp_path):
    file = tmp_path / ".env"
    file.write_text("MONGO_URI=mongodb://db\nEMPTY=\nA_KEY=a\n")
    result = run("secrets", "import", str(file), *PREFIX)
    assert (result.exit_code, result.stdout) == (0, "Stored /way/prod/A_KEY.\n")
    assert sorted(result.stderr.splitlines()) == [
        "left out: EMPTY is empty",
        "left out: MONGO_URI is no name that ${…} may refer to",
    ]
    assert parameters() == ["/way/prod/A_KEY"]


def test_one_bad_line_of_a_file_stores_nothing(tmp_path):
    file = tmp_path / ".env"
    file.write_text(f"A_KEY=a\nB_KEY={'b' * 5000}\n")
    assert "B_KEY has more than 4096 bytes" in refuse("secrets", "import", str(file), *PREFIX)
    assert parameters() == []


def test_file_that_cannot_be_read_is_a_message(tmp_path):
    missing = tmp_path / ".env"
    assert refuse("secrets", "import", str(missing), *PREFIX).startswith(
        f"error: {missing} cannot be read: "
    )
