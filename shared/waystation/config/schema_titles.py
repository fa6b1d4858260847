"""How conversations get their titles: of an entry, of `endpoints.all`, of a built-in endpoint.

Source: https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint,
2026-11.
"""

from typing import Literal, TypeAlias

from waystation.config.parts import Part, yaml_key
from waystation.config.readers import flag, not_null, one_of, text, then
from waystation.config.schema_rules import title_prompt, title_template

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
_Method: TypeAlias = Literal["completion", "structured", "functions"]
_Role: TypeAlias = Literal["system", "user", "assistant"]


class TitleSettings(Part):
    """What the title keys say, with the documented defaults."""

    title_convo: bool = yaml_key(flag, default=False)
    title_timing: TitleTiming = yaml_key(one_of(TitleTiming), default="immediate")
    title_method: _Method = yaml_key(one_of(_Method), default="completion")
    title_model: str = yaml_key(
        then(text, lambda model: model or DEFAULT_TITLE_MODEL), default=DEFAULT_TITLE_MODEL
    )
    title_prompt: str = yaml_key(title_prompt, default=DEFAULT_TITLE_PROMPT)
    title_prompt_template: str = yaml_key(title_template, default=DEFAULT_TITLE_TEMPLATE)
    title_endpoint: str | None = yaml_key(
        then(not_null(text), lambda name: name or None), default=None
    )
    title_message_role: _Role = yaml_key(one_of(_Role), default="system")

    def behind(self, section: "TitleSettings") -> "TitleSettings":
        """Return what counts where a section of the file stands before these settings.

        The section hides them as a whole, as in LibreChat; but whether there are titles, and when,
        is theirs to say where it does not.
        """
        unsaid = {"title_convo", "title_timing"} - section.given
        return section.replaced(**{name: getattr(self, name) for name in unsaid})
