"""Who hears of what: event → kind of thing, urgency, audience, read aloud in a minute. The words: wording.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Subject(StrEnum):
    """What kind of thing an event is about: it says how an audience is found (audiences.py) and where a tap leads."""

    rectification = "rectification"
    reminder = "reminder"  # of a rectification
    batch = "batch"
    files = "files"  # of a record, that have not come
    month = "month"  # a period, a cell, a record of the monthly check
    summary = "summary"
    feedback = "feedback"
    operations = "operations"  # of this Duban itself


class Audience(StrEnum):
    """Groups of people around a thing; who they are today is asked when the event is handled."""

    responsible_units = "responsible_units"
    principals = "principals"  # of the responsible units
    lead_units = "lead_units"
    office_leaders = "office_leaders"
    closers = "closers"  # office leaders, once all units have come so far that the second key can be turned
    office = "office"
    leaders = "leaders"
    team = "team"
    former_units = "former_units"
    checkers = "checkers"
    asker = "asker"  # who asked for what the event answers
    sender = "sender"  # of a record whose files have not come
    administrators = "administrators"


class Urgency(StrEnum):
    at_once = "at_once"
    normal = "normal"


@dataclass(frozen=True, slots=True)
class Hearing:
    about: Subject
    urgency: Urgency
    audience: tuple[Audience, ...]


def heard(about: Subject, rows: Mapping[str, tuple[Urgency | Audience, ...]]) -> dict[str, Hearing]:
    """The rows of one kind of thing: verb → urgency, then who."""
    return {
        verb: Hearing(about, Urgency(urgency), tuple(Audience(one) for one in audience))
        for verb, (urgency, *audience) in rows.items()
    }


A = Audience
AT_ONCE, NORMAL = Urgency.at_once, Urgency.normal

# A verb that was ever heard stays here and keeps its words: its notices are read for ever.
# An event may name audiences itself ("audience" in its payload): then only those of its row here that it names hear it.
HEARS = {
    **heard(Subject.rectification, {
        "rectification.held": (NORMAL, A.office),
        "rectification.issued": (AT_ONCE, A.responsible_units, A.lead_units),
        "rectification.rescheduled": (NORMAL, A.responsible_units, A.lead_units),
        "rectification.answer_time_moved": (NORMAL, A.responsible_units),
        "rectification.decision_time_moved": (NORMAL, A.office, A.responsible_units),
        "rectification.acknowledged": (NORMAL, A.office),
        "rectification.accepted_silently": (NORMAL, A.responsible_units, A.office),
        "rectification.objected": (NORMAL, A.office, A.lead_units),
        "rectification.objection_declined": (AT_ONCE, A.responsible_units),
        "rectification.redirected": (AT_ONCE, A.responsible_units, A.former_units, A.lead_units),
        "rectification.objection_upheld": (NORMAL, A.responsible_units, A.lead_units, A.team),
        "rectification.extension_asked": (NORMAL, A.office),
        "rectification.extended": (NORMAL, A.responsible_units, A.lead_units),
        "rectification.extension_declined": (AT_ONCE, A.responsible_units),
        "rectification.handed_in": (NORMAL, A.principals, A.lead_units, A.office),
        "rectification.hand_in_confirmed": (NORMAL, A.lead_units),
        "rectification.hand_in_withdrawn": (AT_ONCE, A.responsible_units, A.lead_units, A.office),
        "rectification.sent_back": (AT_ONCE, A.responsible_units),
        "rectification.passed": (NORMAL, A.closers, A.responsible_units),
        "rectification.check_assigned": (NORMAL, A.checkers),
        "rectification.check_passed": (NORMAL, A.office),
        "rectification.check_failed": (AT_ONCE, A.responsible_units, A.lead_units, A.office),
        "rectification.published": (NORMAL, A.responsible_units),
        "rectification.public_objection_taken": (NORMAL, A.office),
        "rectification.public_objection_upheld": (AT_ONCE, A.responsible_units, A.lead_units),
        "rectification.closed": (NORMAL, A.responsible_units, A.lead_units, A.team),
        "rectification.looked_back": (NORMAL, A.office),
        "rectification.reopened": (AT_ONCE, A.responsible_units, A.lead_units),
        "rectification.hung": (NORMAL, A.responsible_units, A.lead_units),
        "rectification.resumed": (AT_ONCE, A.responsible_units, A.lead_units),
        "rectification.taken_over": (AT_ONCE, A.responsible_units, A.lead_units, A.former_units, A.office),
        "rectification.void_asked": (NORMAL, A.office),
        "rectification.void_declined": (NORMAL, A.office),
        "rectification.voided": (NORMAL, A.responsible_units, A.lead_units, A.team),
    }),
    **heard(Subject.batch, {
        "batch.finished": (NORMAL, A.asker),
        "batch.parked": (NORMAL, A.asker),
    }),
    **heard(Subject.files, {
        "finding.files_missing": (NORMAL, A.sender),
        "rectification.files_missing": (NORMAL, A.sender),
        "month.files_missing": (NORMAL, A.sender),
    }),
    **heard(Subject.month, {
        "month.rule_proposed": (NORMAL, A.office),
        "month.rule_approved": (NORMAL, A.lead_units, A.principals, A.asker),
        "month.rule_declined": (NORMAL, A.asker),
        "month.rule_ended": (NORMAL, A.lead_units, A.principals, A.office),
        "month.period_started": (NORMAL, A.lead_units, A.principals),
        "month.record_filed": (NORMAL, A.office),  # when it is late; the matrix shows the others
        "month.record_corrected": (NORMAL, A.office),  # likewise
        "month.record_withdrawn": (NORMAL, A.office),
        "month.exemption_asked": (NORMAL, A.office),
        "month.exempted": (NORMAL, A.lead_units, A.principals, A.asker),
        "month.exemption_declined": (NORMAL, A.lead_units, A.principals, A.asker),
        "month.exemption_revoked": (AT_ONCE, A.lead_units, A.principals, A.asker),
    }),
    **heard(Subject.summary, {
        "month.previewed": (NORMAL, A.leaders, A.office, A.lead_units),
        "month.frozen": (NORMAL, A.leaders, A.office, A.lead_units),
        "month.supplemented": (NORMAL, A.leaders, A.office, A.lead_units),
    }),
    **heard(Subject.operations, {
        "operations.troubled": (NORMAL, A.administrators, A.office),
        "operations.recovered": (NORMAL, A.administrators, A.office),
    }),
    **heard(Subject.feedback, {
        "feedback.given": (NORMAL, A.office),
        "feedback.answered": (NORMAL, A.asker),
        "feedback.closed": (NORMAL, A.asker),
    }),
    # The rule of the reminder says which of these are told; reminders/people.py who instead, where there is nobody.
    **heard(Subject.reminder, {
        "reminder.due_near": (NORMAL, A.responsible_units),
        "reminder.due_today": (AT_ONCE, A.responsible_units),
        "reminder.overdue": (AT_ONCE, A.responsible_units, A.principals, A.lead_units, A.office_leaders),
        "reminder.unsigned": (NORMAL, A.responsible_units, A.principals),
        "reminder.objection_waits": (NORMAL, A.office, A.office_leaders),
        "reminder.extension_waits": (NORMAL, A.office, A.office_leaders),
        "reminder.review_waits": (NORMAL, A.lead_units, A.office),
        "reminder.check_waits": (NORMAL, A.checkers, A.office),
        "reminder.look_back_waits": (NORMAL, A.office, A.office_leaders),
        "reminder.hanging_waits": (NORMAL, A.office, A.office_leaders),
        "reminder.report_waits": (NORMAL, A.responsible_units),
    }),
    **heard(Subject.month, {
        "reminder.month_near": (NORMAL, A.lead_units),
        "reminder.month_today": (AT_ONCE, A.lead_units),
        "reminder.month_missed": (AT_ONCE, A.lead_units, A.office),
    }),
    **heard(Subject.operations, {
        "outbox.parked": (AT_ONCE, A.administrators, A.office),
    }),
}  # fmt: skip
