"""Texts from outside, made fit for every database and bounded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SHORT = 200
LINE = 500
TEXT = 8_000
MAX_PAIRS = 50


def clean(text: str, limit: int = SHORT) -> str:
    """Without NUL (PostgreSQL refuses it) and lone surrogates (UTF-8 has none), cut at `limit` characters."""
    return text[:limit].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_pairs(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first MAX_PAIRS of them."""
    cleaned = [(clean(name), clean(value, LINE)) for name, value in pairs]
    return cleaned[:MAX_PAIRS]


def clean_map(values: Mapping[str, str]) -> dict[str, str]:
    return dict(clean_pairs(values.items()))
