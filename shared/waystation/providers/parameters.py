"""What a client, the defaults and addParams ask for, merged; every dialect names its fields."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Chosen:
    """The values of one call.

    `fields` are those of the request; `steering` goes by LibreChat's names and is never sent;
    `dropped` names the fields that dropParams takes out.
    """

    fields: dict[str, object]
    steering: dict[str, object] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def says(self, name: str) -> bool:
        """Tell whether a switch is on: only the value true counts."""
        return self.steering.get(name) is True

    def choice(self, name: str) -> str | None:
        """Return the text that was chosen for a name, None if there is none."""
        value = self.steering.get(name)
        return value if isinstance(value, str) and value else None

    def caches_prompt(self, *, ui_defaults: bool) -> bool:
        """Tell whether the prompt is to be cached: as chosen, unless dropParams forbids it."""
        return "promptCache" not in self.dropped and self.prefers_cache(ui_defaults=ui_defaults)

    def prefers_cache(self, *, ui_defaults: bool) -> bool:
        """Tell whether a cache was chosen; LibreChat's interface chooses one by default."""
        chosen = self.steering.get("promptCache")
        return ui_defaults if chosen is None else chosen is True

    def streams(self, *, asked: bool) -> bool:
        """Tell whether the upstream is to stream: as asked, unless a setting forbids it."""
        return asked and not (
            self.says("disableStreaming") or self.steering.get("streaming") is False
        )
