"""Where values of variables come from."""

from collections.abc import Mapping, Sequence

import pytest

from waystation.aws.failures import AwsError, NoAnswerError, NoCredentialsError, RefusedError
from waystation.aws.parameters import Parameter
from waystation.credentials.sources import MappingSource, SecretSourceError, SsmSecretSource


class InMemoryParameters:
    """Parameters by name, ten at a time, or one error."""

    def __init__(self, parameters: Mapping[str, str], error: AwsError | None = None) -> None:
        self.parameters = parameters
        self.error = error
        self.batches: list[list[str]] = []

    async def get(self, name: str) -> Parameter:
        raise AssertionError("secrets are asked for together")

    async def get_several(self, names: Sequence[str]) -> list[Parameter]:
        assert len(names) <= 10
        if self.error:
            raise self.error
        self.batches.append(list(names))
        return [Parameter(n, self.parameters[n]) for n in names if n in self.parameters]


def build(parameters: InMemoryParameters) -> SsmSecretSource:
    return SsmSecretSource(parameters, "/way/prod")


async def test_mapping_gives_what_it_has():
    source = MappingSource({"A": "a", "B": ""})
    assert await source.fetch({"A", "B", "C"}) == {"A": "a", "B": ""}


async def test_parameters_stand_under_the_prefix():
    ssm = InMemoryParameters({"/way/prod/A": "a", "/way/other/B": "b"})
    assert await build(ssm).fetch({"A", "B"}) == {"A": "a"}


async def test_parameters_are_asked_for_ten_at_a_time():
    names = {f"N{n:02}" for n in range(23)}
    ssm = InMemoryParameters({f"/way/prod/{name}": name for name in names})
    assert await build(ssm).fetch(names) == {name: name for name in names}
    assert sorted(map(len, ssm.batches)) == [3, 10, 10]
    assert {name for batch in ssm.batches for name in batch} == ssm.parameters.keys()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            RefusedError("GetParameters", "Denied", 400, {"message": "/way/prod/A"}),
            "SSM refused: Denied",
        ),
        (NoAnswerError("ReadTimeout", is_sent=True), "SSM did not answer: ReadTimeout"),
        (NoCredentialsError("no credentials"), "SSM did not answer: NoCredentials"),
    ],
)
async def test_refusal_names_no_secret(error, told):
    with pytest.raises(SecretSourceError) as caught:
        await build(InMemoryParameters({}, error)).fetch({"A"})
    assert str(caught.value) == told
