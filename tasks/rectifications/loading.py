"""One rectification as the rules see it, put together from its records. Sight is settled by the caller (queries.py)."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from backend import clock, settings
from backend.calendar import queries as calendar
from backend.db import raw
from backend.errors import NotFound
from backend.evidence.rules import ARRIVED
from backend.units.region_rows import Level
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import deadlines
from tasks.rectifications.item import Facts, Item, Part, Status
from tasks.rectifications.words import Ground, UnitRole

# The column that repeats an ancestor of this level on every item.
COLUMN_OF = {
    Level.province: "province",
    Level.prefecture: "prefecture",
    Level.county: "county",
    Level.township: "township",
    Level.village: "region",
}


# Fields of Item that are columns of the row, and those that are sets of people.
AS_READ = (
    "listed", "public", "sampled", "returned", "extended", "due_at", "void_asked_by", "extension", "check_passed",
    "publicity_until", "public_objection", "rebounded",
)  # fmt: skip
PEOPLE = ("team", "handed_in_by", "passed_by", "checkers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A rectification fetched for a command: the item the rules read, and what a command writes on."""

    item: Item
    facts: Facts
    row: dict[str, Any]

    @property
    def round(self) -> int:
        """How often it came back: what was checked or published before counts no more."""
        return self.row["returned"] + self.row["reopened"]

    @property
    def closing_class(self) -> ClosingClass:
        return self.item.closing_class

    def hand_in(self, unit: UUID | None) -> UUID | None:
        """The latest hand-in of a responsible unit."""
        return self.row["hand_ins"].get(unit)


async def load(rectification: UUID) -> Loaded:
    """Everything that a rule may ask of it, as of now. Raises NotFound when there is none."""
    found = await raw(_ROW, rectification)
    if not found:
        raise NotFound()
    row = dict(found[0])
    parts = await raw(_PARTS, rectification, [state.value for state in ARRIVED])
    live = [part for part in parts if part["ended_at"] is None]
    ended = [part for part in parts if part["ended_at"] is not None]
    row["hand_ins"] = {part["unit"]: part["hand_in"] for part in live}
    item = Item(
        id=rectification,
        status=Status(row["status"]),
        at=clock.now(),
        units={role: frozenset(part["unit"] for part in live if part["role"] == role) for role in UnitRole},
        parts={part["unit"]: _part(part) for part in live if part["role"] == UnitRole.responsible},
        former=frozenset(part["unit"] for part in ended if part["role"] == UnitRole.responsible),
        gone=frozenset(part["unit"] for part in ended if part["role"] != UnitRole.responsible),
        heirs={part["unit"]: part["taken_over_by"] for part in ended if part["taken_over_by"]},
        issued=row["issued_at"] is not None,
        area=frozenset(row[column] for column in COLUMN_OF.values() if row[column]),
        severity=Severity(row["severity"]),
        closing_class=ClosingClass(row["closing_class"]),
        workdays_left=await _workdays_left(row),
        check=row["site_check"],
        **cast(Any, {name: row[name] for name in AS_READ}),
        **cast(Any, {name: frozenset(row[name]) for name in PEOPLE}),
    )
    return Loaded(item=item, facts=_facts(row), row=row)


def _part(row: Any) -> Part:
    return Part(
        status=Status(row["status"] or Status.issued),
        objected=row["objected"],
        object_until=row["object_until"],
        objection=row["objection"],
        ground=row["ground"] and Ground(row["ground"]),
        files_missing=row["missing"],
        unconfirmed=row["unconfirmed"],
        word_wanted=row["unconfirmed"] and row["has_principal"] and settings.load().principal_confirms,
        percent=row["percent"] or 0,
        measures=row["measures"],
        measures_open=row["measures_open"],
    )


def _facts(row: dict[str, Any]) -> Facts:
    """What the database knows that a need asks about."""
    return Facts(
        described=bool(row["facts"].strip()),
        due=row["due_on"] is not None or row["closing_class"] in deadlines.TERMS,
        evidence=row["before"],
        no_evidence_reason=bool(row["why_no_evidence"]),
        site_item=row["finding"] is not None or row["before"] > 0,
    )


async def _workdays_left(row: dict[str, Any]) -> int | None:
    if not row["listed"] or row["due_on"] is None:
        return None
    return (await calendar.load()).workdays_between(clock.today(), row["due_on"])


# Not counted in the version, which units see too: that somebody is sent to check is not theirs to know (T12), and
# taking a case file or reminding a sender changes nothing.
SECRET = (
    "ARRAY['rectification.check_assigned', 'rectification.sampled', 'rectification.case_file_taken', "
    "'rectification.files_missing']"
)
_OPEN_CHECK = "check_.rectification = item.id AND check_.concluded_at IS NULL AND check_.called_off_at IS NULL"
# Who is sent to check now; who checked, once it is closed.
CHECKERS = (
    "ARRAY(SELECT person FROM site_checker JOIN site_check AS check_ ON check_.id = site_checker.site_check "
    f"WHERE {_OPEN_CHECK} OR (item.status = 'closed' AND check_.rectification = item.id))"
)
_ROUND = "item.returned + item.reopened"
_ROW = f"""
SELECT item.*,
  (SELECT count(*) FROM event WHERE event.subject = item.id AND verb <> ALL({SECRET})) AS version,
  (SELECT count(*) FROM finding_evidence WHERE finding_evidence.finding = item.finding)
    + (SELECT count(*) FROM record_evidence WHERE record_evidence.record = item.id) AS before,
  coalesce(item.no_evidence_reason,
    (SELECT no_evidence_reason FROM finding WHERE finding.id = item.finding)) AS why_no_evidence,
  ARRAY(SELECT person FROM visit_member WHERE visit_member.visit = item.visit) AS team,
  ARRAY(SELECT DISTINCT by FROM hand_in WHERE hand_in.rectification = item.id) AS handed_in_by,
  ARRAY(SELECT DISTINCT by FROM review WHERE review.rectification = item.id AND verb = 'pass_first') AS passed_by,
  (SELECT asked_by FROM voiding WHERE voiding.rectification = item.id AND decided_at IS NULL) AS void_asked_by,
  (SELECT id FROM extension WHERE extension.rectification = item.id AND decided_at IS NULL) AS extension,
  (SELECT id FROM site_check AS check_ WHERE {_OPEN_CHECK}) AS site_check,
  {CHECKERS} AS checkers,
  EXISTS (SELECT 1 FROM site_check WHERE site_check.rectification = item.id AND result = 'passed'
          AND round = {_ROUND}) AS check_passed,
  (SELECT max(until) FROM publicity WHERE publicity.rectification = item.id AND round = {_ROUND}) AS publicity_until,
  (SELECT public_objection.id FROM public_objection JOIN publicity ON publicity.id = publicity
   WHERE publicity.rectification = item.id AND decided_at IS NULL) AS public_objection,
  EXISTS (SELECT 1 FROM look_back WHERE look_back.rectification = item.id AND result = 'rebounded'
          AND round = {_ROUND}) AS rebounded
FROM rectification AS item WHERE item.id = $1
"""

# A part speaks for its unit and for those that were merged into it.
_PARTS = """
SELECT part.*, handed.id AS hand_in, objection.id AS objection, objection.ground,
  measured.measures, measured.measures_open,
  handed.id IS NOT NULL AND handed.principal_answer IS NULL AS unconfirmed,
  EXISTS (SELECT 1 FROM role_grant JOIN person ON person.id = role_grant.person WHERE role_grant.unit = part.unit
          AND role_grant.role = 'unit_principal' AND revoked_at IS NULL AND disabled_at IS NULL) AS has_principal,
  EXISTS (SELECT 1 FROM objection AS any_ WHERE any_.rectification = $1 AND any_.unit = ANY(own.units)) AS objected,
  (SELECT percent FROM progress WHERE progress.rectification = $1 AND progress.unit = ANY(own.units)
   AND at > coalesce((SELECT max(at) FROM reopening WHERE reopening.rectification = $1), '-infinity')
   ORDER BY at DESC, progress.id DESC LIMIT 1) AS percent,
  (SELECT count(*) FROM hand_in_evidence JOIN evidence ON evidence.id = hand_in_evidence.evidence
   WHERE hand_in_evidence.hand_in = handed.id AND evidence.state <> ALL($2::text[])) AS missing
FROM rectification_unit AS part
CROSS JOIN LATERAL (SELECT array_agg(one.unit) AS units FROM rectification_unit AS one
                    WHERE one.rectification = $1 AND part.unit IN (one.unit, one.taken_over_by)) AS own
LEFT JOIN LATERAL (SELECT id, principal_answer FROM hand_in
                   WHERE hand_in.rectification = $1 AND hand_in.unit = ANY(own.units)
                   ORDER BY at DESC, id DESC LIMIT 1) AS handed ON true
LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE state <> 'dropped') AS measures,
                   count(*) FILTER (WHERE state = 'planned') AS measures_open
                   FROM measure WHERE measure.rectification = $1 AND measure.unit = ANY(own.units)) AS measured ON true
LEFT JOIN LATERAL (SELECT id, ground FROM objection WHERE objection.rectification = $1
                   AND objection.unit = ANY(own.units) AND objection.decided_at IS NULL
                   ORDER BY at, id LIMIT 1) AS objection ON true
WHERE part.rectification = $1
"""
