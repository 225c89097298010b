"""Housekeeping routes: alive, ready. Read without signing in, so they say counts and nothing else."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend import outbox, wake
from backend.db import raw
from backend.evidence import stores

# The names of what is wrong, as the concepts above know it.
Troubles = Callable[[], Awaitable[list[str]]]


class Readiness(msgspec.Struct):
    """`ready` is false when requests cannot be served; `degraded` lists what is away, late, parked or failed."""

    ready: bool
    degraded: list[str]
    waiting: int
    parked: int
    oldest_seconds: float


class HealthController(Controller):
    path = "/"
    tags = ["operations"]
    security: Any = []

    @get("/healthz", summary="The process is alive")
    async def alive(self) -> dict[str, str]:
        return {"status": "ok"}

    @get("/readyz", summary="Database, queue, store and worker, as numbers")
    async def ready(self, troubles: NamedDependency[Troubles]) -> Response[Readiness]:
        try:
            await raw("SELECT 1")
            counts, wrong = await outbox.waiting(), await troubles()
        except Exception:  # whatever the reason, the answer to a load balancer is the same
            return Response(Readiness(False, ["database"], 0, 0, 0.0), status_code=503)
        degraded = [] if await wake.answers() else ["queue"]
        degraded += ["store"] if await stores.store().trouble() else []
        degraded += wrong
        told = Readiness(True, degraded, int(counts["waiting"]), int(counts["parked"]), counts["oldest"])
        return Response(told)
