"""`ccserver check-config`: everything that can be wrong before start, and a line that says all is well."""

from __future__ import annotations

from ccserver.config import Config
from channels.asterisk.dialogue_load import SHIPPED_FOLDER, load_dialogues
from scripts.loader import load_scripts


def summary(config: Config) -> str:
    """Loads scripts and dialogues too. Raises ScriptError, DialogueLoadError."""
    scripts = load_scripts(config.scripts.folder)
    own = config.fastagi.dialogue_folder
    dialogues = load_dialogues([SHIPPED_FOLDER] if own is None else [SHIPPED_FOLDER, own])
    counts = (
        (len(config.pbx), "PBX"),
        (len(config.numbers), "numbers"),
        (len(config.queues), "queues"),
        (len(config.agents), "agents"),
        (len(config.devices), "devices"),
        (len(scripts), "scripts"),
        (len(dialogues), "dialogues"),
    )
    found = ", ".join(f"{count} {what}" for count, what in counts)
    return f"{config.file}: good. {found}; policy {config.policy().hash[:12]}"
