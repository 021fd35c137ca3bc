"""The configuration: `load()` turns TOML files and the environment into one frozen `Config`, or says why not."""

from __future__ import annotations

from ccserver.config_model import Config
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
from ccserver.config_source import ConfigError, Problem, load

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
