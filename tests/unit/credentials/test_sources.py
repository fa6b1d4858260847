"""Where values of variables come from."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from waystation.credentials.sources import MappingSource, SecretSourceError, SsmSecretSource


class InMemorySsm:
    """As much of SSM as is asked: parameters by name, ten at a time."""

    def __init__(self, parameters: Mapping[str, str], error: Exception | None = None) -> None:
        self.parameters = parameters
        self.error = error
        self.batches: list[list[str]] = []

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, object]:  # noqa: N803
        assert WithDecryption
        assert len(Names) <= 10
        if self.error:
            raise self.error
        self.batches.append(Names)
        found = [n for n in Names if n in self.parameters]
        return {"Parameters": [{"Name": n, "Value": self.parameters[n]} for n in found]}


def build(ssm: InMemorySsm) -> SsmSecretSource:
    return SsmSecretSource(cast("Any", ssm), "/way/prod")


async def test_mapping_gives_what_it_has():
    source = MappingSource({"A": "a", "B": ""})
    assert await source.fetch({"A", "B", "C"}) == {"A": "a", "B": ""}


async def test_parameters_stand_under_the_prefix():
    ssm = InMemorySsm({"/way/prod/A": "a", "/way/other/B": "b"})
    assert await build(ssm).fetch({"A", "B"}) == {"A": "a"}


async def test_parameters_are_asked_for_ten_at_a_time():
    names = {f"N{n:02}" for n in range(23)}
    ssm = InMemorySsm({f"/way/prod/{name}": name for name in names})
    assert await build(ssm).fetch(names) == {name: name for name in names}
    assert sorted(map(len, ssm.batches)) == [3, 10, 10]
    assert {name for batch in ssm.batches for name in batch} == ssm.parameters.keys()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ClientError({"Error": {"Code": "Denied", "Message": "/way/prod/A"}}, "GetParameters"),
            "SSM refused: Denied",
        ),
        (
            EndpointConnectionError(endpoint_url="https://ssm"),
            "SSM did not answer: EndpointConnectionError",
        ),
    ],
)
async def test_refusal_names_no_secret(error, told):
    with pytest.raises(SecretSourceError) as caught:
        await build(InMemorySsm({}, error)).fetch({"A"})
    assert str(caught.value) == told
