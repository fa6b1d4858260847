"""An entry without some of its parameters."""

from tests.support.config_entries import build_entry


def test_names_go_from_added_params_and_definitions():
    definitions = [
        {"key": "temperature", "default": 0.5},
        {"key": "max_tokens", "default": 7},
    ]
    entry = build_entry(
        addParams={"max_tokens": 5, "seed": 1}, customParams={"paramDefinitions": definitions}
    )
    kept_before = dict(entry.param_defaults)
    copy = entry.without_params({"max_tokens"}, useResponsesApi=True)
    assert copy.add_params == {"seed": 1, "useResponsesApi": True}
    assert dict(copy.param_defaults) == {"temperature": 0.5}
    assert [one.key for one in copy.custom_params.param_definitions] == ["temperature"]
    assert (entry.add_params, dict(entry.param_defaults)) == (
        {"max_tokens": 5, "seed": 1},
        kept_before,
    )


def test_what_is_added_counts_though_it_is_named():
    entry = build_entry(addParams={"a": 1})
    assert entry.without_params({"a"}, a=2).add_params == {"a": 2}


def test_all_else_stays():
    entry = build_entry(dropParams=["user"], headers={"x-a": "b"}, titleConvo=True)
    assert entry.without_params({"a"}) == entry
