"""Dates that follow the calendar: items counted in working days are counted again, batch by batch. When: jobs.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend import clock, events
from backend.calendar.queries import Override
from backend.db import raw, transaction
from backend.roles import SYSTEM
from backend.workdays import Calendar, end_of_day
from tasks.rectifications import deadlines
from tasks.rectifications.deadlines import Recount
from tasks.rectifications.item import TICKING

BATCH = 500
NONE_YET = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did. `last` is where the next begins; None: there is nothing behind it."""

    looked_at: int
    moved: int
    last: UUID | None


async def count_again(after: UUID, overrides: Sequence[Override], calendar: Calendar) -> Batch:
    """Count the next items again, each locked; move those whose day is another now, and tell.

    Only items that tick, are not due yet and were counted in working days. Done twice it changes nothing.
    """
    async with transaction():
        today = clock.today()
        rows = await raw(
            "SELECT id, due_on, due_at, due_certainty, due_rule, due_from, issued_at FROM rectification "
            "WHERE id > $1 AND status = ANY($2) AND due_at > $3 AND due_rule LIKE 'workdays:%' "
            f"ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE",
            after,
            [status.value for status in TICKING],
            clock.now(),
        )
        changed: list[tuple[Any, Recount]] = []
        for row in rows:
            found = deadlines.again(row["due_rule"], row["due_from"], row["due_on"], today, calendar)
            if found and (found.on, found.certainty) != (row["due_on"], row["due_certainty"]):
                changed.append((row, found))
        if changed:
            await _write(changed)
            for row, found in changed:
                await _tell(row, found, overrides)
        moved = sum(found.on != row["due_on"] for row, found in changed)
        return Batch(len(rows), moved, rows[-1]["id"] if len(rows) == BATCH else None)


async def finish(fingerprint: str, began_at: datetime, looked_at: int, moved: int) -> None:
    """Every open date was counted with this calendar."""
    async with transaction():
        await raw(
            "INSERT INTO calendar_run (calendar, began_at, looked_at, moved) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (calendar) DO UPDATE SET began_at = excluded.began_at, looked_at = excluded.looked_at, "
            "moved = excluded.moved",
            fingerprint,
            began_at,
            looked_at,
            moved,
        )


async def _write(changed: Sequence[tuple[Any, Recount]]) -> None:
    """A time of day that was given stays the time of the new day."""
    await raw(
        "UPDATE rectification SET due_on = new.due_on, due_at = new.due_at, due_certainty = new.certainty, "
        "original_due_on = CASE WHEN original_due_on = rectification.due_on THEN new.due_on ELSE original_due_on END "
        "FROM unnest($1::uuid[], $2::date[], $3::timestamptz[], $4::text[]) AS new (id, due_on, due_at, certainty) "
        "WHERE rectification.id = new.id",
        [row["id"] for row, _ in changed],
        [found.on for _, found in changed],
        [end_of_day(found.on) - (end_of_day(row["due_on"]) - row["due_at"]) for row, found in changed],
        [found.certainty.value for _, found in changed],
    )


async def _tell(row: Any, found: Recount, overrides: Sequence[Override]) -> None:
    facts = {"rule": row["due_rule"], "counted_from": row["due_from"], "certainty": found.certainty}
    if found.on == row["due_on"]:
        await events.record("rectification.recounted", row["id"], actor=SYSTEM, due_on=found.on, **facts)
        return
    await events.record(
        "rectification.rescheduled",
        row["id"],
        actor=SYSTEM,
        before=row["due_on"],
        due_on=found.on,
        counted=found.counted,
        why=why(row["due_from"], row["due_on"], row["issued_at"], found, overrides),
        **facts,
    )


def why(first: date, before: date, since: datetime, found: Recount, overrides: Sequence[Override]) -> str:
    """Which days within the term the office settled since it began; otherwise the published lists have changed."""
    last = max(before, found.counted)
    settled = [
        f"{_short(it.day)}定为{'工作日' if it.working else '休息日'}（{it.source}）"
        for it in overrides
        if first < it.day <= last and it.set_at >= since
    ]
    told = "工作日历调整：" + "，".join(settled) if settled else "工作日历调整：放假安排已公布"
    if found.on != found.counted:
        told += f"；重新推算应为{_short(found.counted)}，不因更正而逾期，定为{_short(found.on)}"
    return told + "。"


def _short(day: date) -> str:
    return f"{day.month}月{day.day}日"
