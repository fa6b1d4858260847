"""`waystation probe`: what is wrong with an entry, told without a secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.anthropic_upstream import messages_reply, text_block
from tests.support.cli import run
from tests.support.fake_upstream import (
    FakeUpstream,
    Received,
    Reply,
    Steps,
    chunk_of,
    completion,
    head,
    json_reply,
    reply,
    stream_reply,
    streamed,
)
from tests.support.probing import (
    ACME_KEY,
    ACME_TEAM,
    SPELLINGS,
    Probe,
    probe_json,
    probing,
    refusal,
    write_config,
)
from tests.support.served_gateway import KEY, ServedGateway

ECHO = f"You sent {' and '.join(SPELLINGS)}, and Bearer {ACME_KEY}."


@pytest.fixture(autouse=True)
def probe(tmp_path: Path, acme: dict[str, object], upstream: FakeUpstream) -> Iterator[Probe]:
    """Probe the entry `acme` after changes."""
    with probing(tmp_path, acme | {"headers": {"X-Team": "${ACME_TEAM}"}}, upstream) as probe:
        yield probe


def test_the_entrys_own_field_that_is_refused_is_named(
    probe: Probe, upstream: FakeUpstream
) -> None:
    def strict(request: Received) -> Steps:
        extra = request.json.keys() & {"user", "seed"}
        return refusal(422, f"unknown: {sorted(extra)}") if extra else streamed("pong")

    upstream.answer(strict)

    probed = probe(addParams={"seed": 7})

    assert probed.report["direct"]["ok"] is True
    first, second = (one["message"] for one in probed.report["diagnoses"])
    assert first.endswith("In dropParams, it would not be sent: seed, user.")
    assert second == (
        "The upstream takes the chat without these fields, which the gateway adds: seed, user."
    )
    assert probe(addParams={"seed": 7}, dropParams=["user", "seed"]).exit_code == 0


def test_a_field_of_every_chat_is_named_too(probe: Probe, upstream: FakeUpstream) -> None:
    upstream.answer(refusal(400, "Unsupported parameter.", param="max_tokens"))
    assert probe().message().endswith("In dropParams, it would not be sent: max_tokens.")


def test_every_variable_without_a_value_is_named(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, upstream: FakeUpstream
) -> None:
    monkeypatch.delenv("ACME_KEY")
    monkeypatch.setenv("ACME_TEAM", "")

    probed = probe()

    assert probed.exit_code == 1
    assert sorted(probed.causes) == [("direct", "variable"), ("gateway", "config")]
    assert "Not set here: ${ACME_KEY}, ${ACME_TEAM}." in probed.message()
    assert upstream.received == []


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"apiKey": "user_provided"}, "key"),
        ({"baseURL": "user_provided"}, "key"),
        ({"apiKey": "k\xe9y"}, "key"),
    ],
    ids=["user's key", "user's URL", "beyond ASCII"],
)
def test_what_cannot_be_asked_directly_is_told(
    probe: Probe, changes: dict[str, object], cause: str
) -> None:
    assert ("direct", cause) in probe(**changes).causes


def test_a_key_in_a_header_is_named_by_the_header(probe: Probe, upstream: FakeUpstream) -> None:
    upstream.answer(refusal(401))

    probed = probe(headers={"Api-Key": "${ACME_TEAM}"}, baseURL=upstream.url)

    assert "It comes from apiKey (${ACME_KEY}) or Api-Key (${ACME_TEAM})." in probed.message()


def test_a_built_in_endpoint_is_probed_by_its_name(
    probe: Probe, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", ACME_KEY)
    monkeypatch.setenv("OPENAI_REVERSE_PROXY", upstream.url)
    config = write_config(tmp_path, {"name": "A", "baseURL": "http://x", "apiKey": "k"})

    asked = probe_json("openAI", "--config", str(config), "--model", "m")

    assert (asked.exit_code, asked.causes) == (0, [])
    assert [one.header("authorization") for one in upstream.received] == [
        [f"Bearer {ACME_KEY}"]
    ] * 2
    unnamed = run("probe", "openAI", "--config", str(config))
    assert unnamed.stderr == "error: the entry lists no models: say which --model\n"


def test_a_key_that_goes_in_a_header_goes_nowhere_else(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AZURE_API_KEY", ACME_KEY)
    monkeypatch.setenv("AZURE_OPENAI_BASEURL", f"http://{upstream.address}/openai/deployments")
    monkeypatch.setenv("AZURE_OPENAI_API_DEPLOYMENT_NAME", "d1")
    config = write_config(tmp_path, {"name": "A", "baseURL": "http://x", "apiKey": "k"})

    probe_json("azureOpenAI", "--config", str(config), "--model", "m")

    assert len(upstream.received) == 2
    for one in upstream.received:
        assert one.path.startswith("/openai/deployments/d1/chat/completions?api-version=")
        assert (one.header("authorization"), one.header("api-key")) == ([], [ACME_KEY])


@pytest.mark.parametrize(
    ("path", "cause"), [("/nothing", "url"), ("", "config")], ids=["path", "file"]
)
def test_a_deployed_gateway_that_cannot_serve_is_told(
    served: ServedGateway, path: str, cause: str
) -> None:
    url = f"http://127.0.0.1:{served.port}{path}"

    probed = probe_json("Unknown", "--url", url, "--key", KEY, "--model", "m")

    assert (probed.exit_code, probed.causes) == (1, [("gateway", cause)])


def _leaks(status: int) -> list[Reply]:
    """Return answers that tell a secret wherever one can be told."""
    return [
        refusal(status, ECHO, code=ACME_TEAM, param=ACME_TEAM, type=ACME_TEAM),
        refusal(status, "x" * 490 + ACME_KEY),
        json_reply({"error": ECHO}, status=status),
        json_reply([{"error": {"message": ECHO}}], status=status),
        reply(ECHO.encode(), status=status, content_type="text/html"),
        json_reply({}, status=status, reason=ECHO, headers=[("location", f"http://{ACME_TEAM}/")]),
    ]


@pytest.mark.parametrize(
    ("options", "changes"),
    [((), {}), (("--no-stream", "--json"), {"provider": "anthropic"})],
    ids=["OpenAI's SDK", "Anthropic's SDK"],
)
def test_no_secret_is_printed(
    tmp_path: Path,
    acme: dict[str, object],
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    options: tuple[str, ...],
    changes: dict[str, object],
) -> None:
    for name in ("OPENAI_LOG", "ANTHROPIC_LOG"):
        monkeypatch.setenv(name, "debug")
    config = write_config(tmp_path, acme | {"headers": {"X-Team": "${ACME_TEAM}"}} | changes)
    choice = {"index": 0, "finish_reason": ACME_TEAM, "message": {"content": ECHO}}
    answers = [*_leaks(400), *(_leaks(status)[0] for status in (401, 404, 429, 500))]
    answers += [_leaks(302)[-1], [head(200, reason=ECHO) + ECHO.encode()]]
    answers += [
        json_reply(completion(model=ACME_KEY, choices=[choice])),
        stream_reply(chunk_of("pong", model=ACME_KEY), {"error": {"message": ECHO}}),
        messages_reply(text_block(ECHO), model=ACME_KEY),
    ]
    for answer in answers:
        upstream.answer(answer)
        result = run("probe", "Acme", "--config", str(config), *options)
        printed = result.output + "".join(capfd.readouterr())
        assert "Acme" in printed
        assert [secret for secret in SPELLINGS if secret[:8] in printed] == []


def test_what_an_upstream_says_cannot_steer_a_terminal(
    probe: Probe, upstream: FakeUpstream
) -> None:
    upstream.answer(refusal(400, "a\x1b[2Jb\nc"))
    assert 'It says: "a [2Jb c"' in probe().message()
