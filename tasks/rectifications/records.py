"""Procedures beside the main path: measure, objection, extension, site check, publicity, hanging, look-back, reopening.

Each has its own people, dates and outcome, and blocks or allows a move (docs/decisions/0007). What is open of a kind
is open once per item or unit: partial unique indexes in the migrations.

`round` says how often the item had been returned or reopened when the record was made: a check, a publicity, a
look-back counts in its own round only.
"""

from piccolo.columns import Date
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, identifier, key, link, measure, moment, number, one_of, text
from backend.evidence.tables import Evidence
from backend.geo import Datum
from backend.people.tables import Person
from backend.units.tables import Unit
from tasks.rectifications.tables import Rectification
from tasks.rectifications.words import Answer, CheckResult, Ground, HangReason, LookBackResult, MeasureState


class RecordEvidence(Table):
    """A file of a procedure: proof of an objection, photos of a site check, of a look-back, of a reopening.

    `record` is the id of that objection, check, look-back or reopening.
    """

    id = key()
    rectification = link(Rectification)
    record = identifier()
    evidence = link(Evidence)
    position = number()

    once_on_a_record = Unique(["record", "evidence"])


class Measure(Table):
    """整改措施: what a responsible unit says it will do, and whether it did or why not (T9). It stays its unit's."""

    id = key()
    rectification = link(Rectification)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    wording = text()
    due_on = Date(null=True, default=None)
    responsible_person = text()
    state = text()
    settled_by = link(Person, null=True)
    settled_at = moment(null=True)
    settled_note = text(null=True)

    state_is_known = one_of("state", MeasureState)


class Objection(Table):
    """异议: a responsible unit contests the item, once; ruled by the office, not by who inspected (T4 to T6)."""

    id = key()
    rectification = link(Rectification, index=False)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    ground = text()
    note = text()
    duplicate_of = link(Rectification, null=True)
    rule_by = moment()
    decided_by = link(Person, null=True)
    decided_at = moment(null=True)
    answer = text(null=True)
    decision = text(null=True)
    to_unit = link(Unit, null=True)

    ground_is_known = one_of("ground", Ground)
    answer_is_known = one_of("answer", Answer)
    once_per_unit = Unique(["rectification", "unit"])


class Extension(Table):
    """延期: asked for before the due day; granted, it moves the shared date and never the original one (T8)."""

    id = key()
    rectification = link(Rectification)
    unit = link(Unit)
    by = link(Person)
    at = moment()
    note = text()
    done_so_far = text()
    due_before = Date(null=False, default=None)
    wanted_on = Date(null=False, default=None)
    decide_by = moment()
    decided_by = link(Person, null=True)
    decided_at = moment(null=True)
    answer = text(null=True)
    decision = text(null=True)
    granted_on = Date(null=True, default=None)

    answer_is_known = one_of("answer", Answer)


class SiteCheck(Table):
    """现场核查: at least two checkers go back to the place (T12 to T14). Hidden from the unit until concluded."""

    id = key()
    rectification = link(Rectification)
    round = number()
    assigned_by = link(Person)
    assigned_at = moment()
    note = text()
    called_off_at = moment(null=True)
    result = text(null=True)
    concluded_by = link(Person, null=True)
    concluded_at = moment(null=True)
    conclusion = text(null=True)
    false_rectification = flag()
    lat = measure(null=True)
    lng = measure(null=True)
    accuracy_m = measure(null=True)
    datum = text(null=True)
    reported_lat = measure(null=True)
    reported_lng = measure(null=True)
    altitude_m = measure(null=True)
    heading_deg = measure(null=True)
    speed_mps = measure(null=True)
    distance_m = measure(null=True)
    outside_reason = text(null=True)

    result_is_known = one_of("result", CheckResult)
    datum_is_known = one_of("datum", Datum)


class SiteChecker(Table):
    """Who was asked to go, and whether they were there."""

    id = key()
    site_check = link(SiteCheck, index=False)
    person = link(Person)
    present = flag()

    once_on_a_check = Unique(["site_check", "person"])


class SampleSeed(Table):
    """The secret of a day's sample: kept from before its first draw, so that every draw can be replayed."""

    day = Date(primary_key=True, null=False, default=None)
    seed = text()
    made_at = moment()


class Publicity(Table):
    """公示: a text without personal data, shown for some days before the item is closed (T15)."""

    id = key()
    rectification = link(Rectification, index=False)
    round = number()
    by = link(Person)
    at = moment()
    wording = text()
    starts_on = Date(null=False, default=None)
    ends_on = Date(null=False, default=None)
    until = moment()


class PublicObjection(Table):
    """公示异议: what somebody said against closing, as the office took it down (T17)."""

    id = key()
    publicity = link(Publicity)
    by = link(Person)
    at = moment()
    note = text()
    decided_by = link(Person, null=True)
    decided_at = moment(null=True)
    answer = text(null=True)
    decision = text(null=True)

    answer_is_known = one_of("answer", Answer)


class Hanging(Table):
    """挂账: accepted as long-term, until a day on which it is looked at again (T19, T20)."""

    id = key()
    rectification = link(Rectification)
    by = link(Person)
    at = moment()
    reason_code = text()
    note = text()
    paper = text()
    review_on = Date(null=False, default=None)
    resumed_by = link(Person, null=True)
    resumed_at = moment(null=True)
    resume_note = text(null=True)
    resumption = identifier(null=True)

    reason_is_known = one_of("reason_code", HangReason)


class LookBack(Table):
    """回头看: whether a closed item still holds (T18)."""

    id = key()
    rectification = link(Rectification)
    round = number()
    by = link(Person)
    at = moment()
    result = text()
    note = text()

    result_is_known = one_of("result", LookBackResult)


class Reopening(Table):
    """重开: the same item under the same number, with a new date."""

    id = key()
    rectification = link(Rectification)
    by = link(Person)
    at = moment()
    note = text()
    due_on = Date(null=False, default=None)
