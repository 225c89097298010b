"""Visits that are open to their team, the team, and arrivals. What is sealed never stands here (style.md 5.3)."""

from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, key, link, measure, moment, one_of, text
from backend.geo import Datum
from backend.people.tables import Person
from backend.units.tables import Region
from inspections.visits.rules import Kind, Status


class Visit(Table):
    """A team is sent to a place. Opened by the office, or by the reaction to a revealed plan."""

    id = key()
    region = link(Region)
    place_name = text()
    purpose = text()
    kind = text()
    approval_number = text()
    lat = measure()
    lng = measure()
    radius_m = measure()
    status = text()
    opened_by = link(Person)
    opened_at = moment()
    submitted_by = link(Person, null=True)
    submitted_at = moment(null=True)

    status_is_known = one_of("status", Status)
    kind_is_known = one_of("kind", Kind)


class VisitMember(Table):
    """A person on the team of a visit."""

    id = key()
    visit = link(Visit, index=False)
    person = link(Person)
    lead = flag()

    once_on_a_team = Unique(["visit", "person"])


class Arrival(Table):
    """One point that proves the team was there (到达记录). Never a track, never attendance."""

    id = key()
    visit = link(Visit)
    by = link(Person)
    lat = measure()
    lng = measure()
    accuracy_m = measure()
    datum = text()
    reported_lat = measure()
    reported_lng = measure()
    altitude_m = measure(null=True)
    heading_deg = measure(null=True)
    speed_mps = measure(null=True)
    phone_at = moment()
    received_at = moment()
    distance_m = measure()
    inside = flag()
    reason = text()
    late = flag()

    datum_is_known = one_of("datum", Datum)
