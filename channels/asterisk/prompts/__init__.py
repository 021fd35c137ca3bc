"""What callers hear: prompts by id, composed numbers, and the sound files that speak them."""

from channels.asterisk.prompts.catalog import (
    PromptCatalog,
    PromptError,
    PromptSet,
    SoundFolders,
    load_prompts,
    missing_prompts,
)
from channels.asterisk.prompts.compose import (
    LANGUAGES,
    announce_position,
    compose_digits,
    compose_number,
    compose_ordinal,
    compose_wait,
    composed_ids,
)
from channels.asterisk.prompts.synthesis import SynthesisError, synthesise

__all__ = [
    "LANGUAGES",
    "PromptCatalog",
    "PromptError",
    "PromptSet",
    "SoundFolders",
    "SynthesisError",
    "announce_position",
    "compose_digits",
    "compose_number",
    "compose_ordinal",
    "compose_wait",
    "composed_ids",
    "load_prompts",
    "missing_prompts",
    "synthesise",
]
