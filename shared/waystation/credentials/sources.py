"""Where the value of a `${NAME}` comes from: the environment, else SSM SecureString."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from waystation.aws.failures import AwsError, RefusedError
from waystation.aws.parameters import MAX_NAMES, Parameters


class SecretSourceError(Exception):
    """The store did not answer; the text names no secret."""


class SecretSource(Protocol):
    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the values of those names that are known. Raises SecretSourceError."""


class MappingSource:
    """Values that are at hand, such as the process's environment."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        return {name: self._values[name] for name in names if name in self._values}


class SsmSecretSource:
    """SecureStrings under one path: `${NAME}` is the parameter `<prefix>/NAME`."""

    def __init__(self, parameters: Parameters, prefix: str) -> None:
        self._parameters = parameters
        self._prefix = prefix

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        asked = [f"{self._prefix}/{name}" for name in sorted(set(names))]
        batches = [asked[at : at + MAX_NAMES] for at in range(0, len(asked), MAX_NAMES)]
        try:
            found = await asyncio.gather(*map(self._parameters.get_several, batches))
        except RefusedError as error:
            raise SecretSourceError(f"SSM refused: {error.cause}") from error
        except AwsError as error:
            raise SecretSourceError(f"SSM did not answer: {error.cause}") from error
        return {one.name.rpartition("/")[2]: one.value for batch in found for one in batch}
