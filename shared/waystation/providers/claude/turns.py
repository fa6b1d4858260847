"""What the turns of a Messages request tell about the one that is asked for."""

_THINKING = ("thinking", "redacted_thinking")


def ends_with_answer(messages: object) -> bool:
    """Tell whether the model is to go on with the beginning of an answer."""
    last = _messages(messages)[-1:]
    return bool(last) and last[0].get("role") == "assistant"


def lacks_signed_thinking(messages: object) -> bool:
    """Tell whether tools are being called in a turn that began without thinking.

    With `thinking: enabled` the API takes the results of tools only if the turn still has the
    thinking that it began with. A turn goes back to where the user last said something else.

    Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, 2026-11.
    """
    has_results = False
    for message in reversed(_messages(messages)):
        kinds = _kinds(message)
        if message.get("role") == "assistant":
            if not has_results or any(kind in _THINKING for kind in kinds):
                return False
        elif "tool_result" in kinds:
            has_results = True
        else:
            break
    return has_results


def _messages(messages: object) -> list[dict[str, object]]:
    return messages if isinstance(messages, list) else []


def _kinds(message: dict[str, object]) -> list[object]:
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return [block.get("type") for block in blocks if isinstance(block, dict)]
