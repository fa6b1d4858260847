"""Where the value of a `${NAME}` comes from: the environment, else SSM SecureString."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_BATCH = 10  # names that one GetParameters call takes


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

    def __init__(self, client: "SSMClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    async def fetch(self, names: Iterable[str]) -> Mapping[str, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        asked = sorted(set(names))
        batches = [asked[at : at + _BATCH] for at in range(0, len(asked), _BATCH)]
        try:
            found = await asyncio.gather(
                *(asyncio.to_thread(self._fetch_batch, batch) for batch in batches)
            )
        except ClientError as error:
            raise SecretSourceError(f"SSM refused: {error.response['Error']['Code']}") from error
        except BotoCoreError as error:
            raise SecretSourceError(f"SSM did not answer: {type(error).__name__}") from error
        return {name: value for batch in found for name, value in batch.items()}

    def _fetch_batch(self, names: list[str]) -> dict[str, str]:
        answer = self._client.get_parameters(
            Names=[f"{self._prefix}/{name}" for name in names], WithDecryption=True
        )
        return {item["Name"].rpartition("/")[2]: item["Value"] for item in answer["Parameters"]}
