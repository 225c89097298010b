"""Rectifications, their units' parts, and the records of the main path. Procedures on the side are in records.py."""

from piccolo.columns import Date, Text
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, key, link, moment, one_of, text
from backend.columns import number as count
from backend.evidence.tables import Evidence
from backend.households.tables import Household, HouseholdPerson
from backend.people.tables import Person
from backend.units.tables import Region, Unit
from backend.workdays import Certainty
from inspections.findings.rules import ClosingClass, Severity
from inspections.findings.tables import Finding, Topic
from inspections.visits.tables import Visit
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.words import Answer, ReturnReason, Source, UnitRole


class Rectification(Table):
    """整改事项. Lateness is computed; `province` to `township` repeat the region's path for lists, and `returned`,
    `reopened`, `extended` repeat how many records there are (docs/decisions/0013). For lists the database keeps the
    column `urgency` (the due instant, or one after all others) and copies in rectification_unit and
    rectification_search; triggers write them, no command does (docs/decisions/0018).

    `due_on` is shared by all units; `original_due_on` is the one that counts for "on time", whatever was granted.
    `due_rule` and `due_from` say how it came about (deadlines.py); `deadline_text` is what the paper says, as written.
    """

    id = key()
    number = text(null=True, unique=True)
    source = text()
    finding = link(Finding, null=True, index=False)
    visit = link(Visit, null=True)
    topic = link(Topic)
    severity = text()
    closing_class = text()
    facts = text()
    asks = text()
    found_where = text(null=True)
    no_evidence_reason = text(null=True)
    region = link(Region, index=False)
    province = text(null=True)
    prefecture = text(null=True)
    county = text(null=True)
    township = text(null=True)
    household = link(Household, null=True, index=False)
    person_concerned = link(HouseholdPerson, null=True, index=False)
    status = text(index=True)
    drafted_at = moment()
    issued_at = moment(null=True)
    due_on = Date(null=True, default=None)
    due_at = moment(null=True, index=True)
    due_certainty = text(null=True)
    original_due_on = Date(null=True, default=None)
    due_rule = text(null=True)
    due_from = Date(null=True, default=None)
    deadline_text = text(null=True)
    closed_at = moment(null=True)
    look_back_on = Date(null=True, default=None)
    review_on = Date(null=True, default=None)
    listed = flag()
    public = flag()
    sampled = flag()
    returned = count(default=0)
    reopened = count(default=0)
    extended = count(default=0)

    one_item_per_finding = Unique(["finding"])
    status_is_known = one_of("status", Status)
    source_is_known = one_of("source", Source)
    severity_is_known = one_of("severity", Severity)
    class_is_known = one_of("closing_class", ClosingClass)
    certainty_is_known = one_of("due_certainty", Certainty)


class RectificationUnit(Table):
    """A unit's part in a rectification. A responsible unit's part has a status of its own; `ended_at` is set when the
    item was redirected away from it, or the unit was merged into the one that has `taken_over_by`; the row stays.
    `accept_by` and `object_until` are counted from `asked_on`, the day it was asked.
    """

    id = key()
    rectification = link(Rectification, index=False)
    unit = link(Unit, index=False)
    role = text()
    status = text(null=True)
    asked_on = Date(null=True, default=None)
    accept_by = moment(null=True)
    object_until = moment(null=True)
    ended_at = moment(null=True)
    taken_over_by = link(Unit, null=True, index=False)

    one_role_each = Unique(["rectification", "unit"])
    role_is_known = one_of("role", UnitRole)
    status_is_known = one_of("status", Status)


class Acknowledgement(Table):
    """签收: the responsible unit names the person who answers for it."""

    id = key()
    rectification = link(Rectification)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    responsible_person = text()
    phone = text()


class Progress(Table):
    """报进展."""

    id = key()
    rectification = link(Rectification)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    note = text()
    percent = count()
    lower_reason = text()


class HandIn(Table):
    """申请销号: what was done, by when, and who of the unit's leadership is said to have confirmed it (`confirmed_by`).

    A claim until it is reviewed. `principal` is who of the leadership said so in the system, or withdrew it.
    """

    id = key()
    rectification = link(Rectification)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    note = text()
    finished_on = Date(null=True, default=None)
    similar_sweep = text()
    confirmed_by = text()
    principal = link(Person, null=True)
    principal_at = moment(null=True)
    principal_answer = text(null=True)
    principal_note = text(null=True)

    answer_is_known = one_of("principal_answer", Answer)


class HandInEvidence(Table):
    """A file that shows what was done. Once attached it stays."""

    id = key()
    hand_in = link(HandIn, index=False)
    evidence = link(Evidence)
    position = count()

    once_on_a_hand_in = Unique(["hand_in", "evidence"])


class Review(Table):
    """What a reviewer decided: `verb` is pass_first, send_back or close_out; `hand_in` of `unit` was looked at."""

    id = key()
    rectification = link(Rectification)
    hand_in = link(HandIn, null=True)
    unit = link(Unit, null=True)
    by = link(Person)
    at = moment()
    verb = text()
    note = text()
    reason_code = text(null=True)

    verb_is_known = one_of("verb", Verb)
    reason_is_known = one_of("reason_code", ReturnReason)


class Voiding(Table):
    """作废 takes two: one office leader asks, another person of the office upholds it or declines.

    One may be open at a time: a partial unique index beside the other hand-written ones.
    """

    id = key()
    rectification = link(Rectification)
    asked_by = link(Person)
    asked_at = moment()
    note = text()
    duplicate_of = link(Rectification, null=True)
    decided_by = link(Person, null=True)
    decided_at = moment(null=True)
    answer = text(null=True)

    answer_is_one_of_two = one_of("answer", Answer)


class CalendarRun(Table):
    """A calendar, by its fingerprint, and when the latest complete run began that counted every open date with it."""

    calendar = Text(primary_key=True, null=False, default=None)
    began_at = moment()
    looked_at = count()
    moved = count()
