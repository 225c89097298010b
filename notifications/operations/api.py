"""HTTP of what is wrong with this Duban itself, in sentences for people and in numbers for machines."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from backend import heartbeats, outbox
from backend.clock import now
from backend.errors import Forbidden
from backend.roles import OFFICE, Actor, Role
from backend.trust_reports.api import Language, english
from notifications.deliveries import queries as deliveries
from notifications.operations import queries
from notifications.operations.queries import Operations
from notifications.operations.rules import FAILED_WITHIN, Trouble

PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class OperationsController(Controller):
    path = "/api/operations"
    tags = ["operations"]

    @get("/", summary="What is wrong with this Duban itself now, what was, and what to do")
    async def show(self, actor: NamedDependency[Actor], language: Language = "zh-CN") -> Operations:
        if not actor.has(Role.sys_admin, *OFFICE):
            raise Forbidden("系统运行情况由管理员和督查办查看。")
        return await queries.told(english=english(language))


class MetricsController(Controller):
    """Read without signing in, like /readyz: counts and names of sweeps, nothing else."""

    path = "/metrics"
    tags = ["operations"]
    security: Any = []

    @get("/", summary="Numbers for Prometheus")
    async def show(self) -> Response[bytes]:
        registry = CollectorRegistry()
        counts = await outbox.waiting()
        _set(registry, "duban_outbox_waiting", "Events that wait for their reactions", counts["waiting"])
        _set(registry, "duban_outbox_parked", "Events that failed again and again", counts["parked"])
        _set(registry, "duban_outbox_oldest_seconds", "Age of the oldest event that waits", counts["oldest"])
        _set(
            registry, "duban_deliveries_late_seconds", "Age of the oldest due delivery", await deliveries.behind(now())
        )
        failed = await deliveries.failed(now() - FAILED_WITHIN)
        _set(registry, "duban_deliveries_failed", "Deliveries given up within 24 hours", failed)
        alive = await heartbeats.last()
        if alive is not None:
            silent = (now() - alive).total_seconds()
            _set(registry, "duban_worker_silent_seconds", "Since the last sign of life of a worker", silent)
        ages = Gauge("duban_sweep_age_seconds", "Since a sweep last came through", ["sweep"], registry=registry)
        for name, age in await queries.sweeps():
            ages.labels(name).set(age)
        troubles = Gauge("duban_trouble", "1 for each trouble that stands", ["trouble"], registry=registry)
        there = {it.trouble for it in await queries.standing()}
        for trouble in Trouble:
            troubles.labels(trouble.value).set(trouble in there)
        return Response(generate_latest(registry), media_type=PLAIN)


def _set(registry: CollectorRegistry, name: str, what: str, value: float) -> None:
    Gauge(name, what, registry=registry).set(value)
