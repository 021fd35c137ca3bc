"""The configuration: `load()` turns TOML files and the environment into one frozen `Config`, or says why not.

config/*.toml ─┐  config_source   ┌─ unknown keys, types, ranges, lines      config_schema, config_types
CCSERVER_…   ──┼─► one tree ─────►│  config_sections → config_model.Config
secret files ──┘                  └─ what the sections mean to each other    config_check
"""

from __future__ import annotations

from ccserver.config_model import Config
from ccserver.config_problems import ConfigError, Problem
from ccserver.config_sections import (
    AgentSettings,
    Device,
    Disposition,
    Hours,
    Label,
    Number,
    Pbx,
    QueueSettings,
    Reason,
    Site,
    Tier,
)
from ccserver.config_source import load

__all__ = [
    "AgentSettings",
    "Config",
    "ConfigError",
    "Device",
    "Disposition",
    "Hours",
    "Label",
    "Number",
    "Pbx",
    "Problem",
    "QueueSettings",
    "Reason",
    "Site",
    "Tier",
    "load",
]
