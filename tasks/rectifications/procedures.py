"""Reading the procedures of one item: measures, objections, extensions, checks, publicity, hanging, looking back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.evidence import queries as evidence
from backend.evidence.queries import EvidenceShape
from tasks.rectifications.words import Answer, CheckResult, Ground, HangReason, LookBackResult, MeasureState


class Decided(msgspec.Struct):
    """What was asked by whom, and what was answered; empty while it waits.

    Here and below, `arrived` of `declared` files are on the server's disk.
    """

    id: UUID
    by: UUID
    by_name: str
    at: datetime
    note: str
    decided_by_name: str | None
    decided_at: datetime | None
    answer: Answer | None
    decision: str | None


class MeasureShape(msgspec.Struct):
    """`late`: not done, and the day the unit set itself is over. `settled`: done or dropped, by whom and why."""

    id: UUID
    unit: UUID
    unit_name: str
    by_name: str
    at: datetime
    text: str
    due_on: date | None
    responsible_person: str
    state: MeasureState
    late: bool
    settled_by_name: str | None
    settled_at: datetime | None
    settled_note: str | None


class ObjectionShape(Decided):
    """`rule_by`: until when a ruling is due. `to_unit`: who got the part when it was redirected."""

    unit: UUID
    unit_name: str
    ground: Ground
    duplicate_of: UUID | None
    rule_by: datetime
    to_unit: UUID | None
    to_unit_name: str | None
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


class ExtensionShape(Decided):
    unit: UUID
    unit_name: str
    done_so_far: str
    due_before: date
    wanted_on: date
    granted_on: date | None
    decide_by: datetime


class CheckerShape(msgspec.Struct):
    person: UUID
    name: str
    present: bool


class SiteCheckShape(msgspec.Struct):
    """Distances in metres. Shown to the responsible unit only once it is concluded."""

    id: UUID
    assigned_by_name: str
    assigned_at: datetime
    note: str
    called_off_at: datetime | None
    checkers: list[CheckerShape]
    result: CheckResult | None
    concluded_by_name: str | None
    concluded_at: datetime | None
    conclusion: str | None
    distance_m: float | None
    outside_reason: str | None
    false_rectification: bool
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


class PublicObjectionShape(Decided):
    pass


class PublicityShape(msgspec.Struct):
    id: UUID
    by_name: str
    at: datetime
    text: str
    starts_on: date
    ends_on: date
    objections: list[PublicObjectionShape]


class HangingShape(msgspec.Struct):
    id: UUID
    by_name: str
    at: datetime
    reason_code: HangReason
    note: str
    paper: str
    review_on: date
    resumed_by_name: str | None
    resumed_at: datetime | None
    resume_note: str | None


class LookBackShape(msgspec.Struct):
    id: UUID
    by_name: str
    at: datetime
    result: LookBackResult
    note: str
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


class ReopeningShape(msgspec.Struct):
    id: UUID
    by_name: str
    at: datetime
    note: str
    due_on: date
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


async def of(rectification: UUID, *, checks_hidden: bool) -> dict[str, list[dict[str, Any]]]:
    """Everything of one item, oldest first, in the shapes above. Sight of the item is settled by the caller.

    With `checks_hidden` a site check is left out until it is concluded.
    """
    found = {
        "measures": await _measures(rectification),
        "objections": await _rows("objection", "at", rectification, _DECIDED + _UNIT + _TO_UNIT),
        "extensions": await _rows("extension", "at", rectification, _DECIDED + _UNIT),
        "site_checks": await _checks(rectification, checks_hidden),
        "publicity": await _publicity(rectification),
        "hangings": await _rows("hanging", "at", rectification, _name("resumed_by")),
        "look_backs": await _rows("look_back", "at", rectification),
        "reopenings": await _rows("reopening", "at", rectification),
    }
    kinds = ("objections", "site_checks", "look_backs", "reopenings")
    with_files = [row for kind in kinds for row in found[kind]]
    files = await evidence.shapes("record_evidence", "record", [row["id"] for row in with_files]) if with_files else {}
    for row in with_files:
        row |= evidence.counted(files.get(row["id"], []))
    return found


def _name(column: str) -> str:
    return f", (SELECT name FROM person WHERE person.id = said.{column}) AS {column}_name"


_DECIDED = _name("decided_by")
_UNIT = ", (SELECT name FROM unit WHERE unit.id = said.unit) AS unit_name"
_TO_UNIT = ", (SELECT name FROM unit WHERE unit.id = said.to_unit) AS to_unit_name"


async def _rows(table: str, order: str, rectification: UUID, more: str = "") -> list[dict[str, Any]]:
    """`table`, `order` and `more` are our own words."""
    rows = await raw(
        f"SELECT said.*{_name('by') if order == 'at' else ''}{more} FROM {table} AS said "
        f"WHERE rectification = $1 ORDER BY {order}, id",
        rectification,
    )
    return [dict(row) for row in rows]


async def _measures(rectification: UUID) -> list[dict[str, Any]]:
    found = await _rows("measure", "at", rectification, _UNIT + _name("settled_by"))
    today = clock.today()
    for row in found:
        overdue = row["due_on"] is not None and row["due_on"] < today
        row |= {"text": row["wording"], "late": overdue and row["state"] == MeasureState.planned}
    return found


async def _checks(rectification: UUID, hidden: bool) -> list[dict[str, Any]]:
    names = _name("assigned_by") + _name("concluded_by")
    found = await _rows("site_check", "assigned_at", rectification, names)
    shown = [row for row in found if row["concluded_at"] or not hidden]
    people = await raw(
        "SELECT site_check, person, name, present FROM site_checker JOIN person ON person.id = person "
        "WHERE site_check = ANY($1::uuid[]) ORDER BY name",
        [row["id"] for row in shown],
    )
    for row in shown:
        row["checkers"] = [dict(one) for one in people if one["site_check"] == row["id"]]
    return shown


async def _publicity(rectification: UUID) -> list[dict[str, Any]]:
    found = await _rows("publicity", "at", rectification)
    said = await raw(
        f"SELECT said.*{_name('by')}{_DECIDED} FROM public_objection AS said WHERE publicity = ANY($1::uuid[]) "
        "ORDER BY at, id",
        [row["id"] for row in found],
    )
    for row in found:
        row["text"] = row["wording"]
        row["objections"] = [dict(one) for one in said if one["publicity"] == row["id"]]
    return found
