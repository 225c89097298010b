"""What the commands share: locking with the unit in focus, parts and item moving together, files, what lapses."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend import clock, events
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Incomplete
from backend.evidence import commands as evidence
from backend.evidence.rules import Declaration
from backend.once import different
from backend.roles import Actor
from backend.units import queries as units
from backend.workdays import Calendar, end_of_day
from tasks.rectifications import deadlines, rules
from tasks.rectifications.deadlines import Deadline
from tasks.rectifications.item import IN_WORK, Status, Units, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.records import RecordEvidence
from tasks.rectifications.rules import Move, Moved
from tasks.rectifications.tables import Rectification, RectificationUnit
from tasks.rectifications.words import Answer, UnitRole

ACCEPT_AFTER = 2  # working days; silence is acceptance (T3)
OBJECT_WITHIN = 3  # working days (T4)
RULE_WITHIN = 3  # working days on an objection; a late ruling is shown, it decides nothing
DECIDE_WITHIN = 10  # working days on an extension (T8); likewise
RETURNS = frozenset({Verb.send_back, Verb.fail_check, Verb.uphold_public_objection})


async def advance(found: Loaded, move: Move, units: Iterable[UUID | None] = (), **columns: Any) -> Status:
    """The parts of these units move, the item follows, other columns are written with it; where it stands then.

    What sends something back is counted, and ends what was open of the round.
    """
    if move.verb in RETURNS:
        columns["returned"] = found.row["returned"] + 1
        await end_round(found.item.id)
    moved = frozenset(unit for unit in units if unit)
    if move.of != Moved.item and move.end is not None and move.end in IN_WORK:
        await raw(
            "UPDATE rectification_unit SET status = $3 WHERE rectification = $1 AND unit = ANY($2::uuid[]) "
            "AND role = 'responsible' AND ended_at IS NULL",
            found.item.id,
            list(moved),
            move.end.value,
        )
    status = rules.after(move, found.item, moved)
    if status != found.item.status or columns:
        await Rectification.update({"status": status.value, **columns}).where(Rectification.id == found.item.id)
    return status


def named(unit: UUID | None) -> dict[str, UUID]:
    """The unit as part of a request's content: a repetition that left it out is still the same request."""
    return {"unit": unit} if unit else {}


async def add_units(rectification: UUID, named: Units) -> None:
    """Units join the item, each in its role."""
    rows = [
        RectificationUnit(id=uuid7(), rectification=rectification, unit=unit, role=role.value, status=_first(role))
        for role, members in named.items()
        for unit in sorted(members)
    ]
    if rows:
        await RectificationUnit.insert(*rows)


async def leave_out(rectification: UUID, units: frozenset[UUID]) -> None:
    """Units that a draft named and that shall not get it."""
    await raw(
        "DELETE FROM rectification_unit WHERE rectification = $1 AND unit = ANY($2::uuid[])",
        rectification,
        list(units),
    )


async def ask(rectification: UUID, units: frozenset[UUID], today: date, calendar: Calendar) -> None:
    """The clocks of these responsible units (all, when none is named) start."""
    await raw(
        "UPDATE rectification_unit SET accept_by = $3, object_until = $4, asked_on = $5 WHERE rectification = $1 "
        "AND role = 'responsible' AND ended_at IS NULL AND (unit = ANY($2::uuid[]) OR cardinality($2::uuid[]) = 0)",
        rectification,
        list(units),
        within(ACCEPT_AFTER, today, calendar),
        within(OBJECT_WITHIN, today, calendar),
        today,
    )


def within(workdays: int, today: date, calendar: Calendar) -> datetime:
    """The instant at which the nth working day after today is over."""
    return end_of_day(calendar.add_workdays(today, workdays)[0])


async def check_live(named: Iterable[UUID], field: str) -> None:
    """Raises BadRequest for a unit that has ended, and says who took over."""
    for gone in await units.ended(named, clock.today()):
        told = f"，职责由{gone.successor_name}承接" if gone.successor_name else ""
        raise BadRequest(
            f"{gone.name}已撤并{told}，请改选单位。", "unit_ended", field=field,
            unit=str(gone.id), successor=str(gone.successor) if gone.successor else None,
        )  # fmt: skip


async def attach(rectification: UUID, record: UUID, manifest: Sequence[Declaration], actor: Actor) -> None:
    """The files of a procedure. They follow in any order, as those of a finding do."""
    await evidence.declare(manifest, actor)
    await hang(rectification, record, [line.id for line in manifest])


async def hang(rectification: UUID, record: UUID, files: Sequence[UUID]) -> None:
    """Files that are declared already, in this order."""
    if files:
        await RecordEvidence.insert(
            *(
                RecordEvidence(id=uuid7(), rectification=rectification, record=record, evidence=file, position=position)
                for position, file in enumerate(files)
            )
        )


async def same_files(record: UUID, manifest: Sequence[Declaration], actor: Actor) -> None:
    """The request came before: the same files, or Conflict."""
    rows = await raw("SELECT evidence FROM record_evidence WHERE record = $1", record)
    if {row["evidence"] for row in rows} != {line.id for line in manifest}:
        raise different()
    await evidence.declare(manifest, actor)


async def same_said(rectification: UUID, move: str, record: UUID, **content: Any) -> None:
    """The request came before: what its record does not keep stands in its event. Raises Conflict where it differs."""
    for event in await events.of_subjects([rectification], [move]):
        if str(record) in event.payload.values():
            now = msgspec.to_builtins(content)
            if any(event.payload.get(name, value) != value for name, value in now.items()):
                raise different()


async def check_fresh(manifest: Sequence[Declaration]) -> None:
    """Raises Incomplete for a file that hangs on something already: an after-photo is taken after."""
    rows = await raw(
        "SELECT evidence FROM hand_in_evidence WHERE evidence = ANY($1::uuid[]) "
        "UNION ALL SELECT evidence FROM finding_evidence WHERE evidence = ANY($1::uuid[]) "
        "UNION ALL SELECT evidence FROM record_evidence WHERE evidence = ANY($1::uuid[])",
        [line.id for line in manifest],
    )
    if rows:
        used = str(rows[0]["evidence"])
        raise Incomplete("照片已经用过，请重新拍照片。", "evidence.used_before", field="evidence", evidence=used)


async def lapse(rectification: UUID) -> None:
    """The item ended: what still waited for an answer waits no more."""
    for table in ("objection", "extension", "voiding"):
        await raw(
            f"UPDATE {table} SET decided_at = $2, answer = $3 WHERE rectification = $1 AND decided_at IS NULL",
            rectification,
            clock.now(),
            Answer.lapsed.value,
        )
    await end_round(rectification)


async def lapse_extension(rectification: UUID, units: Iterable[UUID]) -> None:
    """What these units asked for, and was not answered, lapses with their part."""
    await raw(
        "UPDATE extension SET decided_at = $3, answer = $4 WHERE rectification = $1 "
        "AND unit = ANY($2::uuid[]) AND decided_at IS NULL",
        rectification,
        list(units),
        clock.now(),
        Answer.lapsed.value,
    )


async def end_round(rectification: UUID) -> None:
    """What was checked and shown is not what will be handed in next: nobody goes there, no objection to it waits."""
    await call_off_check(rectification)
    await raw(
        "UPDATE public_objection SET decided_at = $2, answer = $3 FROM publicity WHERE publicity.id = publicity "
        "AND publicity.rectification = $1 AND decided_at IS NULL",
        rectification,
        clock.now(),
        Answer.lapsed.value,
    )


async def call_off_check(rectification: UUID) -> None:
    """The people of an open site check need not go."""
    await raw(
        "UPDATE site_check SET called_off_at = $2 WHERE rectification = $1 AND concluded_at IS NULL "
        "AND called_off_at IS NULL",
        rectification,
        clock.now(),
    )


async def seed_of(day: date) -> str:
    """The secret of the day's sample, made at the first need and never again."""
    await raw(
        "INSERT INTO sample_seed (day, seed, made_at) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING",
        day,
        secrets.token_hex(32),
        clock.now(),
    )
    return (await raw("SELECT seed FROM sample_seed WHERE day = $1", day))[0]["seed"]


def given(day: date, *, later_than: date | None = None) -> dict[str, Any]:
    """The columns of a date that a person gives; no calendar moves it. Raises BadRequest as `check_ahead` does."""
    check_ahead(day, later_than=later_than)
    return Deadline(on=day).columns()


def check_ahead(day: date, field: str = "due_on", *, later_than: date | None = None) -> None:
    """Raises BadRequest for a day that is not ahead, not later, or absurdly far."""
    deadlines.check_ahead(day, clock.today(), field)
    if later_than is not None and day <= later_than:
        raise BadRequest("新的期限要晚于原来的期限。", "not_later", field=field)


def _first(role: UnitRole) -> str | None:
    """Only responsible units' parts move."""
    return Status.issued.value if role == UnitRole.responsible else None
