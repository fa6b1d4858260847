"""How reasoning is asked for: one field, an object, or not at all."""

from waystation.providers.openai_compatible.parameters import Parameters

_MEMBERS = ("effort", "summary", "mode", "context")


def shape_reasoning(parameters: Parameters, reasoning_format: str) -> None:
    """Turn the chosen effort, summary, mode and context into what the upstream reads.

    `reasoning_format` is `reasoning_effort`, `reasoning_object` or `disabled`. A `reasoning` object
    that was given whole is sent as it is, its members filled in where it is an object that is sent.
    """
    fields = parameters.fields
    if reasoning_format == "disabled":
        fields.pop("reasoning", None)
        return
    chosen = chosen_members(parameters)
    if reasoning_format == "reasoning_object":
        given = fields.get("reasoning")
        if chosen and (given is None or isinstance(given, dict)):
            fields["reasoning"] = {**chosen, **(given or {})}
    elif "effort" in chosen:
        fields["reasoning_effort"] = chosen["effort"]


def chosen_members(parameters: Parameters) -> dict[str, object]:
    """Return the members of a `reasoning` object that were chosen."""
    choices = {name: parameters.steering.get(f"reasoning_{name}") for name in _MEMBERS}
    return {name: value for name, value in choices.items() if value not in (None, "")}
