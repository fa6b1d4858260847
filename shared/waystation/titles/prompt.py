"""What a model is asked for a title: the operator's templates, filled in once.

The marks `{input}`, `{output}` and `{convo}` are replaced in a single pass, so that text which
looks like a mark stays text; all other braces are literal.
"""

import re

from waystation.config.schema_titles import TitleSettings
from waystation.wire.title_job import MAX_TEXT_LENGTH

_MARKS = re.compile(r"\{(input|output)\}")


def build_prompt(settings: TitleSettings, input_text: str, output_text: str) -> str:
    """Return the prompt for a conversation; each text counts up to 8,000 characters."""
    texts = {"input": input_text[:MAX_TEXT_LENGTH], "output": output_text[:MAX_TEXT_LENGTH]}
    convo = _MARKS.sub(lambda match: texts[match[1]], settings.title_prompt_template)
    return settings.title_prompt.replace("{convo}", convo)
