"""/healthz, /readyz, /metrics: for machines. They answer from memory and never wait for anything."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from ccserver.web.metrics import CONTENT_TYPE, Metrics
from ccserver.web.ports import Check, Health


class Readiness(msgspec.Struct):
    """`ready` is false when a needed check is bad; each check says in words what is the matter."""

    ready: bool
    checks: list[Check]


def probes(health: Health, metrics: Metrics, with_metrics: bool) -> APIRouter:
    """The routes; /metrics only where it is wished."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return Response(b'{"alive":true}', media_type="application/json")

    @router.get("/readyz")
    async def readyz() -> Response:
        checks = list(health.checks())
        ready = all(check.ok for check in checks if check.needed)
        body = msgspec.json.encode(Readiness(ready, checks))
        return Response(body, 200 if ready else 503, media_type="application/json")

    if with_metrics:

        @router.get("/metrics")
        async def figures() -> Response:
            return Response(metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    return router
