"""Rectifications, their units, and the small records of what was said about them."""

from piccolo.columns import Date
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import key, link, moment, number, one_of, text
from backend.evidence.tables import Evidence
from backend.people.tables import Person
from backend.units.tables import Region, Unit
from backend.workdays import Certainty
from inspections.findings.rules import ClosingClass, Severity
from inspections.findings.tables import Finding, Topic
from inspections.visits.tables import Visit
from tasks.rectifications.rules import Answer, ReturnReason, Source, Status, UnitRole, Verb


class Rectification(Table):
    """整改事项. Lateness and counts are computed; `province` to `township` repeat the region's path for lists."""

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
    region = link(Region)
    province = text(null=True, index=True)
    prefecture = text(null=True, index=True)
    county = text(null=True, index=True)
    township = text(null=True, index=True)
    status = text(index=True)
    drafted_at = moment()
    issued_at = moment(null=True)
    due_on = Date(null=True, default=None)
    due_at = moment(null=True, index=True)
    due_certainty = text(null=True)
    closed_at = moment(null=True)

    one_item_per_finding = Unique(["finding"])
    status_is_known = one_of("status", Status)
    source_is_known = one_of("source", Source)
    severity_is_known = one_of("severity", Severity)
    class_is_known = one_of("closing_class", ClosingClass)
    certainty_is_known = one_of("due_certainty", Certainty)


class RectificationUnit(Table):
    """A unit's part in a rectification."""

    id = key()
    rectification = link(Rectification, index=False)
    unit = link(Unit, index=False)
    role = text()

    one_role_each = Unique(["rectification", "unit"])
    role_is_known = one_of("role", UnitRole)


class Acknowledgement(Table):
    """签收: the responsible unit names the person who answers for it."""

    id = key()
    rectification = link(Rectification)
    by = link(Person)
    at = moment()
    responsible_person = text()
    phone = text()


class Progress(Table):
    """报进展."""

    id = key()
    rectification = link(Rectification)
    by = link(Person)
    at = moment()
    note = text()
    percent = number()


class HandIn(Table):
    """申请销号: what was done, by when, and who of the unit's leadership confirmed it. A claim until it is reviewed."""

    id = key()
    rectification = link(Rectification)
    by = link(Person)
    at = moment()
    note = text()
    finished_on = Date(null=True, default=None)
    similar_sweep = text()
    confirmed_by = text()


class HandInEvidence(Table):
    """A file that shows what was done. Once attached it stays."""

    id = key()
    hand_in = link(HandIn, index=False)
    evidence = link(Evidence)
    position = number()

    once_on_a_hand_in = Unique(["hand_in", "evidence"])


class Review(Table):
    """What a reviewer decided: `verb` is pass_first, send_back or close_out. `hand_in` is what was looked at."""

    id = key()
    rectification = link(Rectification)
    hand_in = link(HandIn, null=True)
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
