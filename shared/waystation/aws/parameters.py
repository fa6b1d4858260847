"""Parameters of SSM, as the two operations this project asks of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from waystation.aws.failures import NoAnswerError
from waystation.aws.json_service import JsonService
from waystation.aws.service import Service

MAX_NAMES = 10  # of one call


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, decrypted."""

    name: str
    value: str = field(repr=False)
    version: int = 0


class Parameters(Protocol):
    """Both methods raise AwsError."""

    async def get(self, name: str) -> Parameter:
        """Return a parameter; RefusedError has the cause ParameterNotFound if there is none."""

    async def get_several(self, names: Sequence[str]) -> list[Parameter]:
        """Return those of at most `MAX_NAMES` that there are."""


class SsmParameters:
    """Parameters of an account and region."""

    def __init__(self, service: Service) -> None:
        self._ssm = JsonService(service, "AmazonSSM", "1.1")

    async def get(self, name: str) -> Parameter:
        answer = await self._ssm.call("GetParameter", {"Name": name, "WithDecryption": True})
        return _parameter(answer.get("Parameter"))

    async def get_several(self, names: Sequence[str]) -> list[Parameter]:
        asked = {"Names": list(names), "WithDecryption": True}
        answer = await self._ssm.call("GetParameters", asked)
        return [_parameter(one) for one in answer.get("Parameters", ())]


def _parameter(told: Any) -> Parameter:
    try:
        return Parameter(told["Name"], told["Value"], told["Version"])
    except (KeyError, TypeError) as error:
        raise NoAnswerError("InvalidAnswer", is_sent=True) from error
