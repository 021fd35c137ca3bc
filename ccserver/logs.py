"""The log: one line an event, words first, JSON when nobody is looking (`CCSERVER_LOG=json`, or no terminal).

Tracebacks are plain: the pretty ones print local variables, and those hold customers and secrets. Twisted and
the standard library log through the same door.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from twisted.logger import STDLibLogObserver, globalLogBeginner

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def set_up(environ: Mapping[str, str] = os.environ) -> None:
    """Once, before anything logs."""
    as_json = environ.get("CCSERVER_LOG") == "json" or not sys.stderr.isatty()
    finish: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    level = getattr(logging, environ.get("CCSERVER_LOG_LEVEL", "INFO").upper(), logging.INFO)
    structlog.configure(
        processors=[*_SHARED, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("websockets", "asyncio", "httpx", "alembic", "uvicorn", "twisted"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    globalLogBeginner.beginLoggingTo([STDLibLogObserver("twisted")], redirectStandardIO=False)  # type: ignore[list-item]
