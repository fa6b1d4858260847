"""Whose title settings count: the file's `all`, a built-in endpoint's section, the entry's own."""

import pytest

from tests.support.config_entries import build_entry
from waystation.config.schema_titles import DEFAULT_TITLE_MODEL, TitleSettings
from waystation.config.snapshot import ConfigProblem, ConfigSnapshot, build_snapshot, inspect


def snapshot_of(sections: str, entry: str = "") -> ConfigSnapshot:
    return build_snapshot(
        f"""
endpoints:
{sections}
  custom:
    - name: Acme
      apiKey: sk
      baseURL: https://a.test/v1
      models: {{default: [m]}}
{entry}
""".encode()
    )


def settings_of(snapshot: ConfigSnapshot) -> TitleSettings:
    settings = snapshot.title_settings(snapshot.endpoints[0])
    assert isinstance(settings, TitleSettings)
    return settings


def test_entry_speaks_for_itself():
    settings = settings_of(snapshot_of("", "      titleConvo: true\n      titleModel: small"))
    assert (settings.title_convo, settings.title_model) == (True, "small")


def test_all_hides_the_keys_of_the_entry():
    own = "      titleConvo: true\n      titleModel: small\n      titleMethod: structured"
    settings = settings_of(snapshot_of("  all: {titlePrompt: 'of all {convo}'}", own))
    assert settings.title_prompt == "of all {convo}"
    assert settings.title_model == DEFAULT_TITLE_MODEL
    assert settings.title_method == "completion"


def test_all_without_a_word_on_whether_and_when_leaves_that_to_the_entry():
    own = "      titleConvo: true\n      titleTiming: final"
    settings = settings_of(snapshot_of("  all: {streamRate: 25}", own))
    assert (settings.title_convo, settings.title_timing) == (True, "final")


@pytest.mark.parametrize("said", [True, False])
def test_all_decides_whether_there_are_titles_if_it_says_so(said: bool):
    own = f"      titleConvo: {str(not said).lower()}"
    settings = settings_of(snapshot_of(f"  all: {{titleConvo: {str(said).lower()}}}", own))
    assert settings.title_convo is said


def test_built_in_endpoint_has_a_section_of_its_own():
    snapshot = snapshot_of("  openAI: {titleConvo: true, titleModel: gpt-4o-mini}")
    built_in = build_entry().replaced(name="openAI")
    settings = snapshot.title_settings(built_in)
    assert isinstance(settings, TitleSettings)
    assert settings.title_model == "gpt-4o-mini"
    assert settings_of(snapshot).title_convo is False  # which is nobody else's


def test_section_at_fault_is_told_and_spares_the_entries():
    document = b"""
endpoints:
  all: {titlePrompt: no mark}
  custom:
    - {name: Acme, apiKey: sk, baseURL: "https://a.test/v1", models: {default: [m]}}
"""
    findings = inspect(document)
    assert [problem.path for problem in findings.errors] == ["endpoints.all.titlePrompt"]
    snapshot = build_snapshot(document)
    assert [endpoint.name for endpoint in snapshot.endpoints] == ["Acme"]
    assert isinstance(snapshot.title_settings(snapshot.endpoints[0]), ConfigProblem)


def test_section_that_is_no_mapping_is_told():
    findings = inspect(b"endpoints: {all: 5, custom: []}")
    assert [problem.path for problem in findings.errors] == ["endpoints.all"]


def test_what_all_hides_is_told():
    document = b"""
endpoints:
  all: {titleMethod: structured}
  custom:
    - {name: Acme, apiKey: "${K}", baseURL: "https://a.test/v1", models: {default: [m]},
       titleConvo: true, titleModel: small}
"""
    told = [(warning.path, warning.message) for warning in inspect(document).warnings]
    assert told == [
        ("endpoints.custom[0].titleModel", "without effect: endpoints.all is there, and hides it")
    ]
