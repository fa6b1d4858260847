"""Goes through a chat's messages by their roles, for APIs of instructions and turns.

Calls of the older way, `function_call`, have no ids of their own: they are numbered.
"""

from abc import ABC, abstractmethod

from waystation.errors import InvalidBodyError
from waystation.wire.checks import object_at, text_in

Message = dict[str, object]


class TurnBuilder(ABC):
    """Takes messages one by one; a dialect says what becomes of each. Raises InvalidBodyError."""

    def __init__(self) -> None:
        self._older_calls = 0

    def add(self, value: object, where: str) -> None:
        """Take the next message; `where` names it in errors."""
        message = object_at(value, where)
        match message.get("role"):
            case "system" | "developer":
                self._add_instructions(message, where)
            case "user":
                self._add_user(message, where)
            case "assistant":
                self._add_assistant(message, where)
            case "tool":
                self._add_result(message, text_in(message, "tool_call_id", where), where)
            case "function":
                self._add_result(message, self._answered_call_id(where), where)
            case _:
                raise InvalidBodyError(f"{where}.role is not known.", param=f"{where}.role")

    @abstractmethod
    def _add_instructions(self, message: Message, where: str) -> None: ...

    @abstractmethod
    def _add_user(self, message: Message, where: str) -> None: ...

    @abstractmethod
    def _add_assistant(self, message: Message, where: str) -> None: ...

    @abstractmethod
    def _add_result(self, message: Message, call_id: str, where: str) -> None: ...

    def _next_call_id(self) -> str:
        """Return the id of a call of the older way."""
        self._older_calls += 1
        return self._older_call_id()

    def _answered_call_id(self, where: str) -> str:
        if not self._older_calls:
            raise InvalidBodyError(
                f"{where} answers a function that no message before it calls.",
                param=f"{where}.role",
            )
        return self._older_call_id()

    def _older_call_id(self) -> str:
        return f"call_function_{self._older_calls}"
