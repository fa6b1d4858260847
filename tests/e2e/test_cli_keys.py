"""`waystation keys`: what is stored, and what is shown."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.support.cli import (
    PREFIX,
    TABLE,
    emulated_account,
    parameter,
    refuse,
    scan,
    succeed,
    table,
)
from waystation.identity.gateway_keys import GatewayKeys, digest_of
from waystation.identity.user import Caller, User


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with emulated_account():
        yield


def create(*arguments: str) -> dict[str, str]:
    """Make a key."""
    output = succeed("keys", "create", *arguments, "--json", *TABLE, *PREFIX)
    made: dict[str, str] = json.loads(output)
    return made


def find(key: str) -> Caller | None:
    """Return who holds a key, as a function would tell."""
    pepper = parameter("/way/prod/_KEY_PEPPER")[1]
    return asyncio.run(GatewayKeys(table(), now=lambda: 0.0).find(key, pepper))


def test_key_is_shown_once_and_only_its_digest_stored():
    made = create("--user", "alice")
    kind, pepper = parameter("/way/prod/_KEY_PEPPER")
    assert (kind, len(pepper)) == ("SecureString", 64)
    assert made == {
        "key": made["key"],
        "id": digest_of(made["key"], pepper)[:12],
        "user": "alice",
    }
    assert len(scan()) == 2
    assert made["key"] not in json.dumps(scan())
    assert find(made["key"]) == Caller(User("alice"), made["id"])


def test_key_for_people_is_shown_on_a_line_of_its_own():
    output = succeed("keys", "create", "--user", "alice", *TABLE, *PREFIX)
    first, key = output.splitlines()
    caller = find(key)
    assert caller is not None
    assert first == f"Key {caller.key_id} of user 'alice'. It is not shown again:"


def test_flags_and_fields_belong_to_the_caller(tmp_path):
    file = tmp_path / "user.json"
    file.write_text(json.dumps({"_id": "x", "email": "a@a.test", "emailVerified": True}))
    made = create("--user", "alice", "--trusted", "--role", "admin", "--user-file", str(file))
    assert find(made["key"]) == Caller(
        User("alice", {"email": "a@a.test", "emailVerified": "true"}),
        made["id"],
        is_trusted=True,
        is_admin=True,
    )


def test_keys_share_the_pepper_of_the_stack():
    keys = [create("--user", name)["key"] for name in ("alice", "bob")]
    callers = [find(key) for key in keys]
    assert [caller.user.id for caller in callers if caller] == ["alice", "bob"]


def test_keys_are_listed_and_revoked_by_id():
    made = create("--user", "alice")
    assert succeed("keys", "revoke", made["id"], *TABLE) == f"Revoked {made['id']}.\n"
    assert find(made["key"]) is None
    create("--user", "bob", "--trusted")
    rows = [
        [cell.strip() for cell in line.strip("│┃").split("│" if "│" in line else "┃")]
        for line in succeed("keys", "list", *TABLE).splitlines()
        if "alice" in line or "bob" in line or "user" in line
    ]
    header, *lines = rows
    assert header == ["id", "user", "made at", "trusted", "admin", "revoked"]
    shown = {line[1]: line[3:] for line in lines}
    assert shown == {"alice": ["", "", "yes"], "bob": ["yes", "", ""]}


def test_unknown_key_cannot_be_revoked():
    assert refuse("keys", "revoke", "0123", *TABLE) == "error: there is no key 0123\n"


@pytest.mark.parametrize("text", ["[]", "{", '{"role": {}}'])
def test_user_file_that_is_no_user_is_a_message(tmp_path, text):
    file = tmp_path / "user.json"
    file.write_text(text)
    message = refuse("keys", "create", "--user", "alice", "--user-file", str(file), *TABLE, *PREFIX)
    assert message.startswith(f"error: {file}: ")
    assert scan() == []


def test_table_that_is_not_there_is_a_message():
    assert refuse("keys", "list", "--table", "other") == (
        "error: the table refused: ResourceNotFoundException\n"
    )
