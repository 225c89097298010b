"""Door: create_app() puts controllers, sign-in, error map and housekeeping routes together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.logging import LoggingConfig
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from backend import attesting, body, db, events, health, openapi, problems, receipts, wake
from backend.calendar.api import CalendarController, DeadlineController
from backend.errors import Problem
from backend.feedback import queries as feedback
from backend.feedback.api import FeedbackController
from backend.households.api import HouseholdController
from backend.households.queries import Shown
from backend.originals.api import OriginalController
from backend.people.api import PEOPLE_CONTROLLERS
from backend.people.sign_in import SignInMiddleware, provide_actor
from backend.screens import ScreenController
from backend.trust_reports.api import ReportedEvidenceController
from backend.units.api import RegionController, UnitController, UnitGroupController
from backend.uploads import quota
from backend.uploads.api import UploadController, speaks_tus
from inspections.checklists import queries as checklists
from inspections.checklists.api import ChecklistController, VisitChecklistController
from inspections.findings import queries as findings
from inspections.findings.api import FindingController, TopicController
from inspections.visits.api import VisitController
from notifications.deliveries.api import ChannelController, DeliveryController
from notifications.feeds.api import CalendarFeedController, FeedController
from notifications.inbox.api import NoticeController
from notifications.operations import queries as operations
from notifications.operations.api import MetricsController, OperationsController
from notifications.preferences.api import PreferenceController
from notifications.reminders.api import ReminderController
from notifications.summaries.api import SummaryController
from notifications.today.api import KeptHouseholdsController, TodayController
from tasks.batches.api import BatchController
from tasks.case_files.api import CaseFileController
from tasks.decisions.api import DecisionController
from tasks.household_clearing.api import HouseholdClearingController
from tasks.monthly import evidence_settings as monthly_evidence
from tasks.monthly import queries as monthly
from tasks.monthly.api import MonthlyController
from tasks.numbers.api import NumbersController
from tasks.rectifications import evidence_settings
from tasks.rectifications import queries as rectifications
from tasks.rectifications.api import EffectController, RectificationController
from tasks.rectifications.procedures_api import ProcedureController
from tasks.views.api import ViewController

CONTROLLERS = [
    *PEOPLE_CONTROLLERS,
    RegionController,
    UnitController,
    UnitGroupController,
    CalendarController,
    DeadlineController,
    TopicController,
    VisitController,
    FindingController,
    ChecklistController,
    VisitChecklistController,
    OriginalController,
    UploadController,
    ReportedEvidenceController,
    RectificationController,
    EffectController,
    ViewController,
    ProcedureController,
    CaseFileController,
    HouseholdController,
    HouseholdClearingController,
    BatchController,
    MonthlyController,
    NumbersController,
    DecisionController,
    NoticeController,
    ChannelController,
    DeliveryController,
    PreferenceController,
    ReminderController,
    SummaryController,
    TodayController,
    KeptHouseholdsController,
    FeedbackController,
    attesting.AttestingController,
    health.HealthController,
    FeedController,
    CalendarFeedController,
    OperationsController,
    MetricsController,
    ScreenController,
]

# Evidence is read through what it hangs on: these say whether the actor sees a thing that shows it.
EVIDENCE_READERS = (
    findings.shows_evidence,
    rectifications.shows_evidence,
    monthly.shows_evidence,
    feedback.shows_evidence,
)
# And what a file hangs on, from the bottom up: its trust report compares the file with that.
EVIDENCE_SETTINGS = (findings.settings, evidence_settings.settings, monthly_evidence.settings)

# What a visit must have before it is handed in, beside an arrival.
SUBMISSION_CHECKS = (checklists.check_complete,)


def shown_households() -> Shown:
    """A unit or team sees the households that its rectifications concern."""
    return rectifications.shows_household


@asynccontextmanager
async def connections(_: Litestar) -> AsyncIterator[None]:
    """The pool lives as long as the app. The queue's connection is made at the first wake.

    Raises what the database says when its tables are not there yet.
    """
    await db.open_pool()
    try:
        await attesting.publish()
        yield
    finally:
        await wake.close()
        await db.close_pool()


def named(app: ASGIApp) -> ASGIApp:
    """Every request has an id, kept with the events it causes and shown in every refusal."""

    async def with_id(scope: Scope, receive: Receive, send: Send) -> None:
        events.request_id.set(uuid4().hex)
        receipts.body_sha256.set(receipts.NO_BODY)
        await app(scope, receive, send)

    return with_id


async def safe_headers(message: Message, _: Any) -> None:
    """Nothing is cached by strangers, sniffed, framed or run (ASVS 5.0.0-3.4)."""
    if message["type"] == "http.response.start":
        given = {name for name, _ in message["headers"]}
        message["headers"] = [*message["headers"], *(pair for pair in SAFE_HEADERS if pair[0] not in given)]


SAFE_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


def create_app() -> Litestar:
    """The whole application, ready for a server or for a test."""
    return Litestar(
        route_handlers=CONTROLLERS,
        middleware=[named, SignInMiddleware],
        dependencies={
            "actor": Provide(provide_actor),
            "allowance": Provide(lambda: quota.allow_file, sync_to_thread=False),
            "readers": Provide(lambda: EVIDENCE_READERS, sync_to_thread=False),
            "settings": Provide(lambda: EVIDENCE_SETTINGS, sync_to_thread=False),
            "submission_checks": Provide(lambda: SUBMISSION_CHECKS, sync_to_thread=False),
            "troubles": Provide(lambda: operations.names, sync_to_thread=False),
            "shown": Provide(shown_households, sync_to_thread=False),
        },
        exception_handlers={
            Problem: problems.of_problem,
            HTTPException: problems.of_http,
            RecursionError: problems.of_recursion,
            **dict.fromkeys(db.LOST, problems.of_lost_database),
            Exception: problems.of_bug,
        },
        request_class=body.StrictRequest,
        request_max_body_size=body.MOST_BYTES,
        before_send=[safe_headers, speaks_tus],
        lifespan=[connections],
        state=State(),
        openapi_config=openapi.CONFIG,
        logging_config=LoggingConfig(
            log_exceptions="never",  # problems.of_bug logs bugs once, with the request's id
            root={"level": logging.getLevelName(logging.INFO), "handlers": ["queue_listener"]},
        ),
    )


app = create_app()
