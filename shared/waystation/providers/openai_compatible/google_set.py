"""`defaultParamsEndpoint: google`: Google's parameters on a chat completion."""

import re

from waystation.providers.openai_compatible.parameters import Parameters

# Source: https://ai.google.dev/gemini-api/docs/models, 2026-11.
_LARGE = re.compile(r"gemini-(?:2\.5|[3-9]|\d{2,})", re.IGNORECASE)
_LIMIT, _IMAGE_LIMIT, _OLDER_LIMIT = 65_535, 32_768, 8192
_SEARCH_TOOL: dict[str, object] = {"googleSearch": {}}


def shape_google(parameters: Parameters, *, model: str, ui_defaults: bool) -> None:
    """Shape the fields. Web search is Google's own tool, and only the entry can ask for it."""
    fields = parameters.fields
    if ui_defaults and parameters.limit() is None:
        fields["max_tokens"] = _output_limit(model)
    if parameters.says("web_search") and parameters.operator_searches:
        parameters.add_search_tool(_SEARCH_TOOL)


def _output_limit(model: str) -> int:
    if not _LARGE.search(model):
        return _OLDER_LIMIT
    return _IMAGE_LIMIT if "image" in model.lower() else _LIMIT
