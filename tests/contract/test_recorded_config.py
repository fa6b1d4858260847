"""The configuration as LibreChat was recorded to read it, and where this gateway differs.

Every case is asserted: as recorded, as one of the deliberate differences below, or, where neither
the documentation nor our rules decide, as the choice that was made.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from waystation.config.schema import Endpoint
from waystation.config.snapshot import inspect
from waystation.config.templates import expand_variables, fill_placeholders, header_value

RECORDED = Path(__file__).parent / "recorded"
REFUSED = "refused"

# Entries that LibreChat takes and we refuse, with the path of the error.
# Documented as required or as a must: empty required keys, the marks of title prompts. Ours: names
# of at most 64 characters, a context that is a positive whole number.
REFUSED_ENTRIES = {
    "cfg-012": "name",
    "cfg-019": "apiKey",
    "cfg-026": "baseURL",
    "cfg-058": "name",
    "cfg-119": "titlePrompt",
    "cfg-124": "titlePromptTemplate",
    "cfg-125": "titlePromptTemplate",
    "cfg-289": "tokenConfig.m.context",
    "cfg-290": "tokenConfig.m.context",
}
# Left open by the documentation: empty prompts hold no mark.
REFUSED_ENTRIES |= {"cfg-120": "titlePrompt", "cfg-126": "titlePromptTemplate"}
# LibreChat's schema takes these, and its start refuses them.
REFUSED_AT_START = {
    "cfg-233": "customParams.defaultParamsEndpoint",
    "cfg-254": "customParams.paramDefinitions[0].key",
    "cfg-271": "customParams.paramDefinitions[0].default",
    "cfg-275": "customParams.paramDefinitions[0].key",
}
REFUSED_ENTRIES |= REFUSED_AT_START
# Left open, too: only `endpoints` of the file is ours to judge, and a file without custom endpoints
# serves nothing.
ACCEPTED_THOUGH_REFUSED = {"cfg-315", "cfg-316", "cfg-324"}

# `${NAME}`: each one is resolved by itself, wherever it stands, ...
EXPANDED = {
    "env-041": "foo-value}",
    "env-047": "foo-value-bar-value",
    "env-048": "foo-value bar-value",
    "env-056": "foo-valuefoo-valuefoo-value",
    # ... once, so that a value stays as it is (left open by the documentation) ...
    "env-006": "${FOO}",
}
UNUSABLE = {
    "env-013": "a name has letters, digits and underscores",
    "env-014": "a name has letters, digits and underscores",
    "env-029": "a name is not empty",
    "env-052": "an empty variable counts as missing anywhere in the text",
    "env-057": "there are no default values",
    "env-084": "a name has letters, digits and underscores",
    # ... and what cannot be a header never becomes one, left open for text beyond Latin-1.
    "env-015": "text beyond Latin-1",
    "env-016": "a line break",
    "env-080": "a line break",
    "env-032": "an unclosed ${ is taken for a mistake (left open)",
    "env-033": "an unclosed ${ is taken for a mistake (left open)",
}

# Headers: text that was put in is not read again, nor are `$` and `&` special in it.
VERBATIM = {
    "hdr-111": "{{LIBRECHAT_USER_EMAIL}}",
    "hdr-112": "{{LIBRECHAT_USER_EMAIL}}",
    "hdr-114": "{{LIBRECHAT_BODY_MESSAGEID}}",
    "hdr-115": "{{LIBRECHAT_USER_ID}}",
    "hdr-116": "[A$&B]",
    "hdr-117": "[US$$100]",
    "hdr-119": "[x$'y]",
    "hdr-120": "[x$1y]",
    # Every `${NAME}` is resolved by itself, as above.
    "hdr-095": "v1:user-123",
    "hdr-098": "v1-${E2}",
    # Any field beyond Latin-1 is encoded, not three of them.
    "hdr-139": "b64:5bGx55Sw",
    # A database's `_id` is not a user's id (left open: callers always have one).
    "hdr-053": "",
}
UNSENT = {
    "missing, empty or reserved variables": (80, 92, 93, 94, *range(100, 107), 108, 109),
    "placeholders that do not exist": (54, 55, 57, 58, 59, 61, 63, 67, *range(68, 73), 160, 161),
    "values that are not text": (157, 158, 159),
}
# What a definition has from its built-in parameter, but for the interface's texts and widths.
COMPLETED = (
    "key",
    "type",
    "component",
    "default",
    "range",
    "options",
    "optionType",
    "minTags",
    "maxTags",
)
UNSENT_IDS = {f"hdr-{number:03}" for numbers in UNSENT.values() for number in numbers}


def cases(
    name: str, is_wanted: Callable[[dict[str, Any]], bool] = lambda _: True
) -> list[ParameterSet]:
    return [
        pytest.param(case, id=case["id"])
        for case in json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
        if is_wanted(case)
    ]


def has_judged_parameters(case: dict[str, Any]) -> bool:
    """Whether LibreChat's start read the parameters, its schema having taken the entry."""
    recorded = case["expected"]
    if not recorded.get("endpointSchema", {}).get("accepted"):
        return False
    at_start = recorded["loader"]
    return not at_start["loaded"] or "customParams" in at_start["custom"][0]


def in_words(path: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def as_json(value: object) -> Any:
    """An entry of ours as LibreChat's schema returns it."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def as_written(ours: dict[str, Any], given: dict[str, Any]) -> None:
    """Take from our definitions what the built-in ones brought; it is compared by itself."""
    for definition, written in zip(
        ours.get("paramDefinitions", ()), given.get("paramDefinitions", ()), strict=True
    ):
        for key in definition.keys() - written.keys():
            del definition[key]


@pytest.mark.parametrize("case", cases("config_schema"))
def test_entry_is_accepted_or_refused_as_recorded(case):
    given, recorded = case["input"], case["expected"]
    config = given.get("config") or {"endpoints": {"custom": [given.get("endpoint")]}}
    findings = inspect(json.dumps(config, ensure_ascii=False).encode())
    verdict = recorded.get("endpointSchema") or recorded["configSchema"]
    base = "" if "config" in given else "endpoints.custom[0]"
    expected = [(base + in_words(issue["path"])).lstrip(".") for issue in verdict.get("issues", [])]
    if case["id"] in REFUSED_ENTRIES:
        expected = [f"{base}.{REFUSED_ENTRIES[case['id']]}"]
    if case["id"] in ACCEPTED_THOUGH_REFUSED:
        expected = []
    # A path may lead further into what is wrong than the recorded one.
    paths = [error.path for error in findings.errors]
    assert [path for path in expected if not any(p.startswith(path) for p in paths)] == []
    assert [p for p in paths if not any(p.startswith(path) for path in expected)] == []


@pytest.mark.parametrize("case", cases("config_schema"))
def test_accepted_entry_holds_what_was_recorded(case):
    parsed = case["expected"].get("endpointSchema", {}).get("parsed")
    findings = inspect(
        json.dumps({"endpoints": {"custom": [case["input"].get("endpoint")]}}).encode()
    )
    if parsed is None or not findings.endpoints:
        return
    ours = as_json(findings.endpoints[0].as_yaml())
    if "customParams" in parsed:
        ours["customParams"].setdefault("defaultParamsEndpoint", "custom")
        as_written(ours["customParams"], case["input"]["endpoint"]["customParams"])
    models = parsed["models"]["default"]
    parsed["models"]["default"] = [m if isinstance(m, str) else m["name"] for m in models]
    if parsed.get("titleModel") == "":
        parsed["titleModel"] = "gpt-3.5-turbo"
    assert ours == parsed


def completed(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: d[key] for key in COMPLETED if key in d} for d in definitions]


@pytest.mark.parametrize("case", cases("config_schema", has_judged_parameters))
def test_parameters_are_refused_or_completed_as_at_the_start(case):
    given, at_start = case["input"]["endpoint"], case["expected"]["loader"]
    findings = inspect(json.dumps({"endpoints": {"custom": [given]}}).encode())
    if not at_start["loaded"]:
        path = REFUSED_AT_START[case["id"]]
        assert [error.path for error in findings.errors] == [f"endpoints.custom[0].{path}"]
        return
    [endpoint] = findings.endpoints
    recorded = at_start["custom"][0]["customParams"]
    definitions = recorded["paramDefinitions"]
    if "customParams" not in given:
        # LibreChat's interface caches prompts of OpenRouter unasked; here that is `uiDefaults`.
        assert [definition["key"] for definition in definitions] == ["promptCache"]
        definitions = []
    ours = endpoint.custom_params.as_yaml(with_defaults=True)
    assert completed(as_json(ours["paramDefinitions"])) == completed(definitions)
    # The page gives `provider: anthropic` its own set unless another one was chosen.
    expected = endpoint.provider or recorded["defaultParamsEndpoint"]
    assert endpoint.params_endpoint == expected


@pytest.mark.parametrize("case", cases("openai_requests"))
def test_parameters_of_chats_are_judged_as_at_the_start(case):
    given, error = case["input"]["endpoint"], case["expected"].get("error") or ""
    findings = inspect(json.dumps({"endpoints": {"custom": [given]}}).encode())
    found = [e.path for e in findings.errors if "customParams" in e.path]
    assert bool(found) is error.startswith("loadCustomConfig")


def headers_on_the_wire(
    headers: dict[str, str], env: dict[str, str], values: dict[str, str]
) -> dict[str, str] | str:
    """What would be sent, or REFUSED where the entry or the call is."""
    entry = {"name": "Acme", "apiKey": "k", "baseURL": "https://llm.test", "headers": headers}
    try:
        endpoint = Endpoint.read(entry | {"models": {"default": ["m"]}})
        return {
            name.lower(): header_value(fill_placeholders(expand_variables(text, env), values))
            for name, text in endpoint.headers.items()
        }
    except ValueError:
        return REFUSED


@pytest.mark.parametrize("case", cases("env_vars"))
def test_variables_are_expanded_as_recorded(case):
    given, recorded = case["input"], case["expected"]
    expected = REFUSED if recorded["stillUnresolved"] else recorded["value"].strip()
    expected = EXPANDED.get(case["id"], REFUSED if case["id"] in UNUSABLE else expected)
    sent = headers_on_the_wire({"X-Probe": given["value"]}, given["env"], {})
    assert sent == (REFUSED if expected == REFUSED else {"x-probe": expected})


def placeholder_values(
    user: dict[str, object] | None, body: dict[str, object] | None
) -> dict[str, str]:
    """Fields as text, the way a caller's identity and the body provide them."""
    fields = {f"USER_{key.upper()}": value for key, value in (user or {}).items()}
    fields |= {f"BODY_{key.upper()}": value for key, value in (body or {}).items()}
    known = {key: value for key, value in fields.items() if value is not None}
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in known.items()}


@pytest.mark.parametrize("case", cases("headers"))
def test_headers_are_filled_in_as_recorded(case):
    given, recorded = case["input"], case["expected"]
    expected = recorded.get("wire", REFUSED if "wireError" in recorded else {})
    if case["id"] in UNSENT_IDS:
        expected = REFUSED
    if case["id"] in VERBATIM:
        expected = {"x-h": VERBATIM[case["id"]]}
    values = placeholder_values(given["user"], given["body"])
    assert headers_on_the_wire(given["headers"], given["env"], values) == expected
