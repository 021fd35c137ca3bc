"""Faults that are the operator's to mend: one clear line each and exit code 2, never a traceback."""

from __future__ import annotations

import sys

EXIT_CODE = 2

KNOWN = (
    ("ccserver.config_problems", "ConfigError"),
    ("scripts.model", "ScriptError"),
    ("channels.asterisk.dialogue_load", "DialogueLoadError"),
    ("channels.asterisk.prompts.catalog", "PromptError"),
    ("ccserver.store.database", "StoreUnavailable"),
    ("ccserver.store.database", "StoreConflict"),
    ("ccserver.journal", "JournalDamaged"),
    ("ccserver.web.passwords", "WeakPassword"),
    ("ccserver.web.server", "WebRefused"),
    ("ccserver.only_one", "CannotStart"),
    ("channels.asterisk.pbx.process", "PbxFailed"),
    ("channels.asterisk.pbx.ports", "NoPorts"),
)
"""By name, so that `ccserver --help` need not import a database."""


class OperatorFault(Exception):
    """What the operator asked for cannot be done; the message says why and what to do."""


def is_known(error: BaseException) -> bool:
    """Whether the message alone is enough for the operator."""
    if isinstance(error, OperatorFault):
        return True
    kinds = (getattr(sys.modules.get(module), name, None) for module, name in KNOWN)
    return any(kind is not None and isinstance(error, kind) for kind in kinds)
