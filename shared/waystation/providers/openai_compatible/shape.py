"""Builds the request of a chat, for the chat completions API or the Responses API.

The order is: the client's values, defaults of `paramDefinitions`, addParams, what the parameter set
and the model make of them, the shape of reasoning, and dropParams last.
"""

import json
import re
from dataclasses import replace

from waystation.errors import InvalidBodyError
from waystation.providers.cache_marks import without_marks
from waystation.providers.openai_compatible.anthropic_set import shape_anthropic
from waystation.providers.openai_compatible.google_set import shape_google
from waystation.providers.openai_compatible.messages import (
    Message,
    with_cache_marks,
    with_system_role,
    without_reasoning,
)
from waystation.providers.openai_compatible.model_families import (
    drop_refused,
    name_limit,
    replays_reasoning,
    system_role,
)
from waystation.providers.openai_compatible.openrouter import shape_openrouter
from waystation.providers.openai_compatible.parameters import merge_parameters
from waystation.providers.openai_compatible.parse import ChatAnswerReader
from waystation.providers.openai_compatible.plain_chat import plain_messages, plain_tools
from waystation.providers.openai_compatible.reasoning_answer import ReasoningRules
from waystation.providers.openai_compatible.reasoning_request import shape_reasoning
from waystation.providers.openai_compatible.target import (
    default_reasoning_format,
    headers_of,
    is_openrouter,
    url_of,
)
from waystation.providers.provider import AnswerReader, CallContext, Shaped
from waystation.wire.chat_request import ChatRequest
from waystation.wire.upstream_request import UpstreamRequest

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

_WEB_SEARCH = {"type": "web_search"}
_NOT_OF_RESPONSES = frozenset({"n", "stop"})
_PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
# Sends usage unasked, and refuses to be asked. Source: https://docs.mistral.ai/api/, 2026-08.
_REFUSES_STREAM_OPTIONS = re.compile(r"/api\.mistral\.ai(?:[:/]|$)", re.IGNORECASE)


def shape_chat(request: ChatRequest, context: CallContext) -> Shaped:
    """Shape one chat. Raises InvalidBodyError, naming what the upstream's API cannot express."""
    return _Shaping(request, context).shaped()


class _Shaping:
    """One request on its way from the client's values to the upstream's."""

    def __init__(self, request: ChatRequest, context: CallContext) -> None:
        self._request = request
        self._context = context
        self._endpoint = context.endpoint
        self._ui_defaults = context.endpoint.waystation.ui_defaults
        self._set = context.endpoint.params_endpoint
        self._is_openrouter = is_openrouter(context)
        self._parameters = merge_parameters(request.params, context.endpoint, self._set)
        if request.native is not None:
            self._request = self._plain(request)
        self._model = self._chosen_model()

    def _plain(self, request: ChatRequest) -> ChatRequest:
        """Leave out what only the API that the chat came in knows."""
        keeps_marks = self._is_openrouter or self._set == "anthropic"
        fields = self._parameters.fields
        if "tools" in fields and "tools" not in self._parameters.added:
            fields["tools"] = plain_tools(fields["tools"], keeps_marks=keeps_marks)
        return replace(request, messages=plain_messages(request.messages, keeps_marks=keeps_marks))

    def shaped(self) -> Shaped:
        parameters, fields = self._parameters, self._parameters.fields
        is_stream = parameters.streams(asked=self._request.stream)
        is_responses = self._goes_to_responses()
        fields["model"] = self._model
        if "user" not in parameters.added:
            fields["user"] = self._context.user_id
        fields["stream"] = is_stream
        betas = self._shape_set(is_responses=is_responses)
        drop_refused(parameters, self._model)
        if is_stream and not is_responses:
            self._ask_usage()
        elif not is_stream and "stream_options" not in parameters.added:
            fields.pop("stream_options", None)
        body, reader = self._responses_body() if is_responses else self._chat_body()
        if "promptCache" in parameters.dropped:
            body = without_marks(body)
        return Shaped(
            UpstreamRequest(
                url=url_of(self._context, is_responses=is_responses),
                headers=headers_of(self._context, is_stream=is_stream, betas=betas),
                body=_encode(body).encode(),
            ),
            self._model,
            reader,
        )

    def _chosen_model(self) -> str:
        model = self._parameters.fields.get("model") or self._context.model
        if not isinstance(model, str):
            raise InvalidBodyError("model must be a string.", param="model")
        return model

    def _goes_to_responses(self) -> bool:
        if self._is_openrouter:
            return False
        searches = self._parameters.says("web_search") and self._set not in {"anthropic", "google"}
        return searches or self._parameters.says("useResponsesApi")

    def _shape_set(self, *, is_responses: bool) -> tuple[str, ...]:
        """Do what the parameter set asks for; return the betas that its headers name."""
        parameters, custom = self._parameters, self._endpoint.custom_params
        reasoning_format = custom.reasoning_format or default_reasoning_format(self._context)
        if is_responses and reasoning_format != "disabled":
            reasoning_format = "reasoning_object"
        if self._is_openrouter:
            shape_openrouter(
                parameters,
                model=self._model,
                ui_defaults=self._ui_defaults,
                may_reason=reasoning_format != "disabled",
            )
            return ()
        if self._set == "anthropic":
            if reasoning_format == "disabled":
                parameters.fields.pop("reasoning", None)
            return shape_anthropic(
                parameters,
                model=self._model,
                user_id=self._context.user_id,
                ui_defaults=self._ui_defaults,
            )
        if self._set == "google":
            shape_google(parameters, model=self._model, ui_defaults=self._ui_defaults)
            if not is_responses and reasoning_format != "disabled":
                reasoning_format = "reasoning_effort"
        elif parameters.says("web_search"):
            parameters.add_search_tool(_WEB_SEARCH)
        shape_reasoning(parameters, reasoning_format)
        return ()

    def _ask_usage(self) -> None:
        """Ask a chat completion that is streamed for its usage, unless the upstream refuses."""
        fields, is_operators = self._parameters.fields, "stream_options" in self._parameters.added
        given, asked = fields.pop("stream_options", None), {"include_usage": True}
        given = given if isinstance(given, dict) else {}
        if not self._context.asks_usage:
            return
        if not _REFUSES_STREAM_OPTIONS.search(self._context.base_url):
            fields["stream_options"] = asked | given if is_operators else given | asked
        elif is_operators:
            fields["stream_options"] = given

    def _responses_body(self) -> tuple[dict[str, object], AnswerReader]:
        # The other API is imported by the first chat that takes it.
        from waystation.providers.openai_compatible.responses import (  # noqa: PLC0415
            ResponsesAnswerReader,
            build_responses_body,
        )

        messages = with_system_role(self._request.messages, system_role(self._model))
        self._parameters.drop()
        self._leave_out_unknown()
        body = build_responses_body(messages, self._parameters.fields)
        for name in self._parameters.dropped:
            body.pop(name, None)
        return body, ResponsesAnswerReader()

    def _leave_out_unknown(self) -> None:
        """Take out what no client has asked for and the Responses API does not know."""
        parameters = self._parameters
        for name in _NOT_OF_RESPONSES - parameters.chosen:
            parameters.fields.pop(name, None)
        for name in _PENALTIES - parameters.chosen - parameters.added:
            if parameters.fields.get(name) == 0:  # the built-in default of a definition
                del parameters.fields[name]

    def _chat_body(self) -> tuple[dict[str, object], AnswerReader]:
        name_limit(self._parameters, self._model)
        self._parameters.drop()
        body = {**self._parameters.fields, "messages": self._chat_messages()}
        key, splits = self._endpoint.custom_params.reasoning_key, self._endpoint.splits_think_tags
        return body, ChatAnswerReader(ReasoningRules(key, splits))

    def _chat_messages(self) -> list[Message]:
        custom, replays = self._endpoint.custom_params, replays_reasoning(self._model)

        def keeps_reasoning(message: Message) -> bool:
            if custom.include_reasoning_history:
                return True
            return "tool_calls" in message and (custom.include_reasoning_content or replays)

        messages = without_reasoning(self._request.messages, keep=keeps_reasoning)
        messages = with_system_role(messages, system_role(self._model))
        if self._is_openrouter and self._parameters.caches_prompt(ui_defaults=self._ui_defaults):
            messages = with_cache_marks(messages, self._parameters.choice("promptCacheTtl"))
        return messages
