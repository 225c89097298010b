"""Who hears of what: event → audience and urgency, read aloud in a minute. The words stand in wording.py."""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Groups of people around a rectification; who they are today is asked when the event is handled."""

    responsible_units = "responsible_units"
    lead_units = "lead_units"
    office_leaders = "office_leaders"
    office = "office"
    team = "team"


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
    "rectification.acknowledged": Hearing((A.office,), Urgency.normal),
    "rectification.handed_in": Hearing((A.lead_units, A.office), Urgency.normal),
    "rectification.sent_back": Hearing((A.responsible_units,), Urgency.at_once),
    "rectification.passed": Hearing((A.office_leaders, A.responsible_units), Urgency.normal),
    "rectification.closed": Hearing((A.responsible_units, A.lead_units, A.team), Urgency.normal),
    "rectification.void_asked": Hearing((A.office,), Urgency.normal),
    "rectification.void_declined": Hearing((A.office,), Urgency.normal),
    "rectification.voided": Hearing((A.responsible_units, A.lead_units, A.team), Urgency.normal),
}
