"""Who hears of what: event → audience and urgency, read aloud in a minute. The words stand in wording.py."""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Groups of people around a rectification; who they are today is asked when the event is handled."""

    responsible_units = "responsible_units"
    principals = "principals"  # of the responsible units
    lead_units = "lead_units"
    office_leaders = "office_leaders"
    office = "office"
    team = "team"
    former_units = "former_units"
    checkers = "checkers"
    asker = "asker"  # of a batch, whose subject is no rectification
    sender = "sender"  # of a record whose files have not come


class Urgency(StrEnum):
    at_once = "at_once"
    normal = "normal"


@dataclass(frozen=True, slots=True)
class Hearing:
    audience: tuple[Audience, ...]
    urgency: Urgency


A = Audience
HEARS = {
    "rectification.held": Hearing((A.office,), Urgency.normal),
    "rectification.issued": Hearing((A.responsible_units, A.lead_units), Urgency.at_once),
    "rectification.rescheduled": Hearing((A.responsible_units, A.lead_units), Urgency.normal),
    "rectification.answer_time_moved": Hearing((A.responsible_units,), Urgency.normal),
    "rectification.decision_time_moved": Hearing((A.office, A.responsible_units), Urgency.normal),
    "rectification.acknowledged": Hearing((A.office,), Urgency.normal),
    "rectification.accepted_silently": Hearing((A.responsible_units, A.office), Urgency.normal),
    "rectification.objected": Hearing((A.office, A.lead_units), Urgency.normal),
    "rectification.objection_declined": Hearing((A.responsible_units,), Urgency.at_once),
    "rectification.redirected": Hearing((A.responsible_units, A.former_units, A.lead_units), Urgency.at_once),
    "rectification.objection_upheld": Hearing((A.responsible_units, A.lead_units, A.team), Urgency.normal),
    "rectification.extension_asked": Hearing((A.office,), Urgency.normal),
    "rectification.extended": Hearing((A.responsible_units, A.lead_units), Urgency.normal),
    "rectification.extension_declined": Hearing((A.responsible_units,), Urgency.at_once),
    "rectification.handed_in": Hearing((A.principals, A.lead_units, A.office), Urgency.normal),
    "rectification.hand_in_confirmed": Hearing((A.lead_units,), Urgency.normal),
    "rectification.hand_in_withdrawn": Hearing((A.responsible_units, A.lead_units, A.office), Urgency.at_once),
    "rectification.sent_back": Hearing((A.responsible_units,), Urgency.at_once),
    "rectification.passed": Hearing((A.office_leaders, A.responsible_units), Urgency.normal),
    "rectification.check_assigned": Hearing((A.checkers,), Urgency.normal),
    "rectification.check_passed": Hearing((A.office,), Urgency.normal),
    "rectification.check_failed": Hearing((A.responsible_units, A.lead_units, A.office), Urgency.at_once),
    "rectification.published": Hearing((A.responsible_units,), Urgency.normal),
    "rectification.public_objection_taken": Hearing((A.office,), Urgency.normal),
    "rectification.public_objection_upheld": Hearing((A.responsible_units, A.lead_units), Urgency.at_once),
    "rectification.closed": Hearing((A.responsible_units, A.lead_units, A.team), Urgency.normal),
    "rectification.looked_back": Hearing((A.office,), Urgency.normal),
    "rectification.reopened": Hearing((A.responsible_units, A.lead_units), Urgency.at_once),
    "rectification.hung": Hearing((A.responsible_units, A.lead_units), Urgency.normal),
    "rectification.resumed": Hearing((A.responsible_units, A.lead_units), Urgency.at_once),
    "rectification.taken_over": Hearing((A.responsible_units, A.lead_units, A.former_units, A.office), Urgency.at_once),
    "rectification.void_asked": Hearing((A.office,), Urgency.normal),
    "rectification.void_declined": Hearing((A.office,), Urgency.normal),
    "rectification.voided": Hearing((A.responsible_units, A.lead_units, A.team), Urgency.normal),
}
