"""How conversations get their titles: of an entry, of `endpoints.all`, of a built-in endpoint.

Source: https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint,
2026-11.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from waystation.config.schema_params import Part
from waystation.config.schema_rules import Text, TitlePrompt, TitleTemplate

CURRENT_MODEL = "current_model"
DEFAULT_TITLE_MODEL = "gpt-3.5-turbo"
DEFAULT_TITLE_PROMPT = """\
Analyze this conversation and provide:
1. The detected language of the conversation
2. A concise title in the detected language (5 words or less, no punctuation or quotation)

{convo}"""
DEFAULT_TITLE_TEMPLATE = "User: {input}\nAI: {output}"

# Sections of `endpoints` that LibreChat asks before an entry, the first for every endpoint.
TITLE_SECTIONS = ("all", "openAI", "azureOpenAI", "google", "anthropic", "bedrock")

TitleTiming: TypeAlias = Literal["immediate", "final"]


class TitleSettings(Part):
    """What the title keys say, with the documented defaults."""

    title_convo: bool = False
    title_timing: TitleTiming = "immediate"
    title_method: Literal["completion", "structured", "functions"] = "completion"
    title_model: Annotated[str, AfterValidator(lambda text: text or DEFAULT_TITLE_MODEL)] = (
        DEFAULT_TITLE_MODEL
    )
    title_prompt: TitlePrompt = DEFAULT_TITLE_PROMPT
    title_prompt_template: TitleTemplate = DEFAULT_TITLE_TEMPLATE
    title_endpoint: Annotated[Text, AfterValidator(lambda text: text or None)] = None
    title_message_role: Literal["system", "user", "assistant"] = "system"

    def behind(self, section: "TitleSettings") -> "TitleSettings":
        """Return what counts where a section of the file stands before these settings.

        The section hides them as a whole, as in LibreChat; but whether there are titles, and when,
        is theirs to say where it does not.
        """
        unsaid = {"title_convo", "title_timing"} - section.model_fields_set
        return section.model_copy(update={name: getattr(self, name) for name in unsaid})
