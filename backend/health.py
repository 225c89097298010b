"""Housekeeping routes: alive, ready. Read without signing in, so they say counts and nothing else."""

from typing import Any

import msgspec
from litestar import Controller, Response, get

from backend import outbox, wake
from backend.db import raw
from backend.evidence import stores

LATE_AFTER = 120.0  # seconds: the promise for handing an event over (trust.md G3)


class Readiness(msgspec.Struct):
    """`ready` is false when requests cannot be served; `degraded` lists what is late or parked."""

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
    async def ready(self) -> Response[Readiness]:
        try:
            await raw("SELECT 1")
            counts = await outbox.waiting()
        except Exception:  # whatever the reason, the answer to a load balancer is the same
            return Response(Readiness(False, ["database"], 0, 0, 0.0), status_code=503)
        degraded = [] if await wake.answers() else ["queue"]
        degraded += ["store"] if await stores.store().trouble() else []
        degraded += ["parked"] if counts["parked"] else []
        degraded += ["late"] if counts["oldest"] > LATE_AFTER else []
        told = Readiness(True, degraded, int(counts["waiting"]), int(counts["parked"]), counts["oldest"])
        return Response(told)
