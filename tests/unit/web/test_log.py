"""The log: which fields, and without which secrets."""

import base64
import io
import json
import logging
from urllib.parse import quote

import pytest

from waystation.web.log import REQUEST_FIELDS, log_request, log_unexpected, set_up_logging

SECRET = 'pass/word+"of\\acme'
OWN_FIELDS = {"level", "location", "message", "timestamp", "service"}


@pytest.fixture
def read_lines(capsys):
    """Return what gives the lines so far."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def start_log() -> None:
    set_up_logging("INFO", lambda: [SECRET])


def test_line_of_a_request_has_its_known_fields(read_lines):
    start_log()
    log_request({"request_id": "r1", "status": 200, "cost_nanousd": 0, "stream": False})
    (line,) = read_lines()
    assert line.keys() - OWN_FIELDS == {"request_id", "status", "cost_nanousd", "stream"}
    assert (line["level"], line["message"], line["service"]) == ("INFO", "request", "waystation")
    assert (line["request_id"], line["status"], line["cost_nanousd"]) == ("r1", 200, 0)


def test_unknown_fields_and_fields_without_a_value_are_left_out(read_lines):
    start_log()
    log_request(
        {"body": "prompt", "headers": {}, "authorization": "k", "status": 200, "model": None}
    )
    (line,) = read_lines()
    assert line.keys() - OWN_FIELDS == {"status"}


def test_no_field_could_hold_what_was_said():
    for word in ("body", "content", "prompt", "header", "query", "authorization", "message"):
        assert not [name for name in REQUEST_FIELDS if word in name]


SPELLINGS = {
    "plain": SECRET,
    "URL-encoded": quote(SECRET, safe=""),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "like a key": "Bearer abcdefgh.ijkl",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_secrets_are_taken_out_of_every_line(read_lines, text):
    start_log()
    log_request({"model": f"<{text}>"})
    logging.getLogger("waystation.ledger").error("x", extra={"record": json.dumps({"a": text})})
    logging.getLogger("waystation.config").error("see %s", text)
    one, two, three = read_lines()
    assert one["model"] == "<[REDACTED]>"
    assert text not in two["record"]
    assert three["message"] == "see [REDACTED]"


def test_exception_of_another_logger_is_redacted(read_lines):
    start_log()
    error = ValueError(SECRET)
    logging.getLogger("waystation.x").error("failed", exc_info=error)
    (line,) = read_lines()
    assert "pass/word" not in json.dumps(line)


def test_unexpected_error_is_told_by_type_and_place_alone(read_lines):
    start_log()
    with pytest.raises(ValueError, match="prompt") as caught:
        int("prompt")
    log_unexpected(caught.value, "r1")
    (line,) = read_lines()
    assert line.keys() - OWN_FIELDS == {"request_id", "error_type", "trace"}
    assert (line["level"], line["message"]) == ("ERROR", "unexpected_error")
    assert (line["request_id"], line["error_type"]) == ("r1", "ValueError")
    assert len(line["trace"]) == 1
    assert "test_log.py" in line["trace"][0]
    assert "prompt" not in json.dumps(line)


def test_level_is_kept(capsys):
    set_up_logging("ERROR", list)
    log_request({"status": 200})
    assert capsys.readouterr().out == ""


def test_warnings_of_libraries_are_redacted():
    root, sink = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(sink)
    root.addHandler(handler)
    try:
        start_log()
        logging.getLogger("some.library").warning("refused %s", SECRET)
    finally:
        root.removeHandler(handler)
    assert sink.getvalue() == "refused [REDACTED]\n"
