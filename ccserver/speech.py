"""Prompts before the first call: spoken where no recording is, checked, resolved to files.

With `fastagi.sounds_folder` (the PBX's `sounds/ccserver` on this machine) a missing prompt is spoken there by
espeak-ng, and one that stays missing stops the start. Without it the PBX is elsewhere: its administrator
copies the folder, and nothing can be checked from here.
"""

from __future__ import annotations

from ccserver.config import Config
from ccserver.data import shipped
from channels.asterisk.prompts import (
    PromptCatalog,
    PromptError,
    SoundFolders,
    load_prompts,
    missing_prompts,
    synthesise,
)

SHOWN = 10


def prepare(config: Config) -> PromptCatalog:
    """The catalogue for call entry and dialogues. Takes seconds the first time: off the loop. Raises
    PromptError."""
    catalog = load_prompts(shipped("config") / "prompts", config.site.language)
    own = config.fastagi.sounds_folder
    if own is None:
        return catalog
    own.mkdir(parents=True, exist_ok=True)
    folders = SoundFolders(own, config.fastagi.asterisk_sounds_folder)
    synthesise(catalog, folders)
    missing = missing_prompts(catalog, folders)
    if missing:
        names = ", ".join(missing[:SHOWN])
        raise PromptError(f"{len(missing)} prompts have no sound file in {own}: {names}; record them there")
    catalog.resolve(folders)
    return catalog
