"""Findings as filed, the files and units they name, and the topics they are sorted under."""

from piccolo.columns import Text
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, key, link, measure, moment, one_of, text
from backend.columns import number as count
from backend.evidence.tables import Evidence
from backend.geo import Datum
from backend.households.tables import Household, HouseholdPerson
from backend.people.tables import Person
from backend.units.tables import Region, Unit
from inspections.findings.rules import ClosingClass, NamedRole, NonImplementation, Severity
from inspections.visits.tables import Visit


class Topic(Table):
    """大类 (2 digits) and 小类 (4 digits). Data, because every office has its own words."""

    code = Text(primary_key=True, null=False, default=None)
    parent = link("self", null=True)
    name = text()


class Finding(Table):
    """One fact as seen (发现问题). Never merged, never polished; issued items point at it.

    `number` counts the findings of a visit as they came in: what people call it by, never a key.
    """

    id = key()
    visit = link(Visit, index=False)  # one_of_a_number leads with it
    number = count()
    by = link(Person)
    topic = link(Topic)
    severity = text()
    closing_class = text()
    non_implementation = text(null=True)
    facts = text()
    asks = text()
    region = link(Region)
    household = link(Household, null=True, index=False)
    person_concerned = link(HouseholdPerson, null=True, index=False)
    place_note = text()
    lat = measure(null=True)
    lng = measure(null=True)
    accuracy_m = measure(null=True)
    datum = text(null=True)
    reported_lat = measure(null=True)
    reported_lng = measure(null=True)
    altitude_m = measure(null=True)
    heading_deg = measure(null=True)
    speed_mps = measure(null=True)
    danger_to_life = flag()
    no_evidence_reason = text()
    found_at = moment()
    received_at = moment()
    late = flag()

    severity_is_known = one_of("severity", Severity)
    class_is_known = one_of("closing_class", ClosingClass)
    non_implementation_is_known = one_of("non_implementation", NonImplementation)
    datum_is_known = one_of("datum", Datum)
    one_of_a_number = Unique(["visit", "number"])


class FindingUnit(Table):
    """A unit the inspector names for a finding."""

    id = key()
    finding = link(Finding, index=False)
    unit = link(Unit)
    role = text()

    once_per_role = Unique(["finding", "unit", "role"])
    role_is_known = one_of("role", NamedRole)


class FindingEvidence(Table):
    """A file that shows a finding. Once attached it stays."""

    id = key()
    finding = link(Finding, index=False)
    evidence = link(Evidence)
    position = count()

    once_on_a_finding = Unique(["finding", "evidence"])
