"""The operator's file as a whole: usable and broken entries, reports, lookup by name."""

import hashlib
import json
import time
from textwrap import dedent

import pytest

from tests.support.config_entries import MINIMAL
from waystation.config.snapshot import (
    ConfigProblem,
    ConfigRejectedError,
    ConfigSnapshot,
    Findings,
    build_snapshot,
    inspect,
)


def inspect_entries(*entries: object) -> Findings:
    return inspect(json.dumps({"endpoints": {"custom": entries}}).encode())


def build_from(*entries: object) -> ConfigSnapshot:
    return build_snapshot(json.dumps({"endpoints": {"custom": entries}}).encode())


def test_whole_librechat_file_is_accepted():
    document = dedent(
        """\
        version: 1.2.8
        cache: yes
        interface: {privacyPolicy: {externalUrl: https://a.test}}
        mcpServers: {x: {command: npx, args: [-y, 1:30]}}
        endpoints:
          agents: {recursionLimit: 50}
          openAI: {streamRate: not-checked-here}
          allowedAddresses: ["127.0.0.1:8080", "LLM.internal:443", "[::1]:9"]
          custom:
            - name: Acme
              apiKey: ${ACME_KEY}
              baseURL: https://llm.acme.test/v1
              models:
                default: [acme-large]
        """
    ).encode()
    findings = inspect(document)
    snapshot = build_snapshot(document)
    assert findings.errors == ()
    assert [warning.path for warning in findings.warnings] == ["endpoints.openAI.streamRate"]
    assert snapshot.version == hashlib.sha256(document).hexdigest()[:12]
    assert [endpoint.name for endpoint in snapshot.endpoints] == ["Acme"]
    assert snapshot.broken == {}
    assert snapshot.allowed_addresses == {"127.0.0.1:8080", "llm.internal:443", "[::1]:9"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", ConfigProblem("", "expected a mapping with endpoints, found nothing", 1)),
        ("- a", ConfigProblem("", "expected a mapping with endpoints, found a list", 1)),
        ("# x\na: [1", ConfigProblem("", "not valid YAML: did not find expected ',' or ']'", 2)),
        ("endpoints:", ConfigProblem("endpoints", "expected a mapping, found nothing", 1)),
        (
            "endpoints:\n  custom: {a: 1}",
            ConfigProblem("endpoints.custom", "expected a list of endpoints, found a mapping", 2),
        ),
        (
            "endpoints:\n  custom:\n",
            ConfigProblem("endpoints.custom", "expected a list of endpoints, found nothing", 2),
        ),
        (
            "endpoints: {allowedAddresses: a.test:443}",
            ConfigProblem(
                "endpoints.allowedAddresses", "expected a list of host:port, found text", 1
            ),
        ),
    ],
)
def test_file_that_is_no_configuration_is_rejected(document, problem):
    with pytest.raises(ConfigRejectedError) as caught:
        build_snapshot(document.encode())
    assert caught.value.problems == (problem,)


@pytest.mark.parametrize(
    "address",
    [
        "a.test",
        "*.test:443",
        "10.0.0.0/8",
        "a.test:0",
        "a.test:65536",
        "a:b:1",
        ":443",
        "a.test:443 ",
        "u@a.test:443",
        "https://a.test:443",
        443,
        None,
    ],
)
def test_allowed_address_is_an_exact_host_and_port(address):
    document = json.dumps({"endpoints": {"allowedAddresses": ["a.test:1", address], "custom": []}})
    findings = inspect(document.encode())
    problem = ConfigProblem("endpoints.allowedAddresses[1]", "expected an exact host:port", 1)
    assert findings.file_errors == findings.errors == (problem,)


def test_empty_list_of_endpoints_is_fine():
    assert inspect_entries() == Findings((), (), (), (), {}, frozenset())


def test_file_without_custom_endpoints_serves_nothing_with_a_warning():
    findings = inspect(b"version: 1.2.8\n")
    message = "there is no endpoints.custom, so nothing is served"
    assert (findings.errors, findings.warnings) == ((), (ConfigProblem("endpoints", message, 1),))


def test_broken_entry_disables_only_itself():
    document = dedent(
        """\
        endpoints:
          custom:
            - name: One
              apiKey: ${ONE_KEY}
              baseURL: https://one.test
              models:
                default: [a]
            - name: Two
              apiKey: ${TWO_KEY}
              models:
                default: [a, 5]
              titleTiming: later
            - no entry
        """
    ).encode()
    missing = ConfigProblem("endpoints.custom[1].baseURL", "this key is required", 8)
    snapshot = build_snapshot(document)
    assert inspect(document).errors == (
        missing,
        ConfigProblem(
            "endpoints.custom[1].models.default[1]",
            "expected text, found a number; put it in quotes",
            11,
        ),
        ConfigProblem("endpoints.custom[1].titleTiming", "expected 'immediate' or 'final'", 12),
        ConfigProblem("endpoints.custom[2]", "expected a mapping, found text", 13),
    )
    assert [endpoint.name for endpoint in snapshot.endpoints] == ["One"]
    assert snapshot.broken == {"Two": missing}
    assert (snapshot.problem("One"), snapshot.problem("Two")) == (None, missing)


def test_first_of_two_entries_with_one_name_stays():
    taken = "endpoints.custom[0] has this name; upper and lower case count as the same"
    snapshot = build_from(MINIMAL, MINIMAL | {"name": "ACME"}, MINIMAL | {"apiKey": "other"})
    assert [(e.name, e.api_key) for e in snapshot.endpoints] == [("Acme", "${ACME_KEY}")]
    assert snapshot.broken == {"ACME": ConfigProblem("endpoints.custom[1].name", taken, 1)}


def test_header_without_a_name_disables_its_entry_with_a_warning():
    findings = inspect_entries(MINIMAL | {"headers": {"": "v"}})
    message = "a header without a name: every call of this endpoint is refused"
    problem = ConfigProblem("endpoints.custom[0].headers", message, 1)
    assert findings == Findings((), (problem,), (), (), {"Acme": problem}, frozenset())


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("name: no", "name"),
        ("titleConvo: yes", "titleConvo"),
        ("models: {default: [1:30]}", "models.default[0]"),
        ("tokenConfig: {m: {prompt: .nan, completion: 1, context: 1}}", "tokenConfig.m.prompt"),
        ("tokenConfig: {m: {prompt: 1_000, completion: 1, context: 1}}", "tokenConfig.m.prompt"),
        ("addParams: {deep: [{mode: off}]}", "addParams.deep[0].mode"),
        ("headers: {X-A: on}", "headers.X-A"),
    ],
)
def test_scalar_that_readers_disagree_on_is_an_error_of_its_entry(line, path):
    given = {key: value for key, value in MINIMAL.items() if not line.startswith(key)}
    text = "".join(f"   {key}: {json.dumps(value)}\n" for key, value in given.items())
    findings = inspect(f"endpoints:\n custom:\n  -\n{text}   {line}\n".encode())
    (error,) = findings.errors
    assert (error.path, error.line) == (f"endpoints.custom[0].{path}", len(given) + 4)
    assert "quote" in error.message


def test_doubtful_scalar_under_an_ignored_key_does_no_harm():
    entry = json.dumps(MINIMAL).removesuffix("}") + ", fooBar: [no]}"
    findings = inspect(f"endpoints: {{custom: [{entry}]}}".encode())
    assert (len(findings.endpoints), findings.errors) == (1, ())


def test_unknown_root_key_gets_a_warning():
    findings = inspect(b"endpoints: {custom: []}\nendpoint: {}\n")
    assert findings.warnings == (ConfigProblem("endpoint", "unknown key, ignored", 2),)


@pytest.mark.parametrize("configured", ["Ollama", "xAI", "DeepSeek", "OpenRouter", "moonshot"])
def test_known_name_is_found_in_any_case(configured):
    snapshot = build_from(MINIMAL | {"name": configured}, MINIMAL)
    names = (configured, configured.upper(), configured.lower())
    assert [snapshot.endpoint(name) for name in names] == [snapshot.endpoints[0]] * 3


def test_other_name_is_found_exactly():
    snapshot = build_from(MINIMAL)
    assert snapshot.endpoint("Acme") is snapshot.endpoints[0]
    assert (snapshot.endpoint("acme"), snapshot.endpoint("")) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "endpoints: {custom: [" + "no, " * 19_000 + "]}",
        "endpoints: {custom: [{" + ", ".join(f"k{n}: no" for n in range(9_000)) + "}]}",
        "endpoints: {custom: [" + "{name: a}, " * 6_000 + "]}",
    ],
    ids=["doubts", "unknown keys", "one name"],
)
def test_file_full_of_mistakes_is_inspected_fast(text):
    started = time.process_time()
    findings = inspect(text.encode())
    assert time.process_time() - started < 4  # 40 and more if it were not linear
    assert findings.endpoints == ()


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("interface: {contextCost: true}", True),
        ("interface: {contextCost: false}", False),
        ("interface: {contextCost: 'true'}", False),
        ("interface: [contextCost]", False),
        ("interface:", False),
        ("", False),
    ],
)
def test_prices_are_shown_only_where_the_interface_says_so(interface, expected):
    document = f"endpoints: {{custom: []}}\n{interface}\n".encode()
    assert build_snapshot(document).shows_prices is expected
