"""Parts of the operator's file: what they are read from, and how they behave as values."""

from collections.abc import Set

import pytest

from waystation.config.parts import Part, RefusedError, camel_case, yaml_key
from waystation.config.readers import flag, list_of, mapping_of, number, text


class Inner(Part):
    is_closed = True

    size: float = yaml_key(number, default=1.0)


class Outer(Part):
    own_name: str = yaml_key(text)
    base_url: str = yaml_key(text, name="baseURL", default="")
    inner: Inner = yaml_key(Inner.read, default=Inner())
    several: tuple[Inner, ...] = yaml_key(list_of(Inner.read), default=())
    marks: dict[str, str] = yaml_key(mapping_of(text), default_factory=dict)


class Derived(Outer):
    base_url: str = yaml_key(text, name="baseURL", default="derived")
    is_set: bool = yaml_key(flag, default=False)

    @classmethod
    def _look_together(cls, values: dict[str, object], wrong: Set[str]) -> None:
        if "is_set" in values and not wrong:
            raise RefusedError({("isSet",): f"not with {values['own_name']}"})


def problems_of(part: type[Part], found: object) -> object:
    with pytest.raises(RefusedError) as caught:
        part.read(found)
    return caught.value.problems


def test_keys_are_read_and_defaults_filled_in():
    part = Outer.read({"ownName": "a", "inner": {"size": 2}})

    assert (part.own_name, part.base_url, part.inner.size) == ("a", "", 2.0)
    assert part.given == {"own_name", "inner"}


def test_every_mistake_is_told_with_its_path():
    found = {"inner": {"size": "1", "more": 1}, "several": [{}, 5], "baseURL": None}

    assert problems_of(Outer, found) == {
        ("ownName",): "this key is required",
        ("baseURL",): "expected text, found nothing",
        ("inner", "size"): "expected a number, found text",
        ("inner", "more"): "there is no such key",
        ("several", 1): "expected a mapping, found a number",
    }


def test_unknown_keys_of_an_open_part_are_ignored():
    assert Outer.read({"ownName": "a", "other": 1}) == Outer(own_name="a")


def test_a_key_may_be_declared_anew_and_keeps_its_place():
    assert Derived(own_name="a").base_url == "derived"
    assert list(Derived.keys_of) == [*Outer.keys_of, "is_set"]


def test_values_are_compared_when_all_are_right():
    assert problems_of(Derived, {"ownName": "a", "isSet": True}) == {("isSet",): "not with a"}
    assert problems_of(Derived, {"ownName": 1, "isSet": True}).keys() == {("ownName",)}  # type: ignore[attr-defined]


def test_defaults_are_not_shared():
    one, other = Outer(own_name="a"), Outer(own_name="b")
    one.marks["x"] = "y"

    assert other.marks == {}


def test_copy_has_the_changes_and_tells_them_as_given():
    part = Outer.read({"ownName": "a"})
    copy = part.replaced(base_url="b")

    assert (copy.own_name, copy.base_url, part.base_url) == ("a", "b", "")
    assert copy.given == {"own_name", "base_url"}


def test_part_as_a_file_has_it():
    part = Outer.read({"ownName": "a", "several": [{"size": 1}, {}]})

    assert part.as_yaml() == {"ownName": "a", "several": ({"size": 1.0}, {})}
    assert part.as_yaml(with_defaults=True) == {
        "ownName": "a",
        "baseURL": "",
        "inner": {"size": 1.0},
        "several": ({"size": 1.0}, {"size": 1.0}),
        "marks": {},
    }


def test_part_is_frozen_and_shows_no_value():
    part = Outer.read({"ownName": "canary"})

    with pytest.raises(AttributeError, match="Outer is frozen"):
        part.own_name = "b"  # type: ignore[misc]
    assert repr(part) == "Outer(own_name)"


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "Outer needs own_name"), ({"own_name": "a", "odd": 1}, "Outer has no odd")],
)
def test_making_a_part_takes_its_attributes(values, message):
    with pytest.raises(TypeError, match=message):
        Outer(**values)


@pytest.mark.parametrize(
    ("name", "key"), [("fetch", "fetch"), ("user_id_query", "userIdQuery"), ("a_1h", "a1h")]
)
def test_keys_are_written_in_camel_case(name, key):
    assert camel_case(name) == key
