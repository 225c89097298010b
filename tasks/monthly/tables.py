"""The monthly check: rules, their periods, cells, check records, exemptions. How a cell stands is in no column."""

from piccolo.columns import Date
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from backend.columns import flag, key, link, measure, moment, one_of, text, words
from backend.columns import number as count
from backend.evidence.tables import Evidence
from backend.geo import Datum
from backend.people.tables import Person
from backend.units.tables import Region, Unit, UnitGroup
from backend.workdays import Certainty
from inspections.findings.rules import ClosingClass, Severity
from inspections.findings.tables import Topic
from tasks.monthly.words import Answer, Roll


class MonthlyRule(Table):
    """Who checks whom every month, by which day (seed 004, 十一.2). Never edited: a change is another rule.

    `replaces` is the one that ends when this one is approved. A rule counts from its approval by a second person.
    """

    id = key()
    title = text()
    clause = text()
    target_group = link(UnitGroup, index=False)
    window_start_day = count()
    cutoff_day = count()
    inclusive = flag()
    roll = text()
    valid_from = Date(null=False, default=None)
    valid_to = Date(null=True, default=None)
    replaces = link("self", null=True, index=False)
    region = link(Region, index=False)
    by = link(Person, index=False)
    at = moment()
    decided_by = link(Person, null=True, index=False)
    decided_at = moment(null=True)
    answer = text(null=True)
    decision = text(null=True)
    ended_by = link(Person, null=True, index=False)
    ended_at = moment(null=True)
    end_reason = text(null=True)

    roll_is_known = one_of("roll", Roll)
    answer_is_one_of_two = one_of("answer", Answer)
    days_fit = Check("1 <= window_start_day AND window_start_day <= cutoff_day AND cutoff_day <= 31")


class MonthlyRuleLead(Table):
    """A lead unit of a rule; `position` is its line in the matrix."""

    id = key()
    rule = link(MonthlyRule, index=False)
    unit = link(Unit, index=False)
    position = count()

    once_in_a_monthly_rule = Unique(["rule", "unit"])


class MonthlyPeriod(Table):
    """A month of a rule, made once, with its cells. `month` is YYYY-MM; `cutoff_at` the first instant that is too late.

    `certainty` says whether the day off that moved `last_on` stands in a published list.
    """

    id = key()
    rule = link(MonthlyRule, index=False)
    month = text(index=True)
    starts_on = Date(null=False, default=None)
    last_on = Date(null=False, default=None)
    starts_at = moment()
    cutoff_at = moment(index=True)
    certainty = text()
    made_at = moment()

    one_period_of_a_month = Unique(["rule", "month"])
    certainty_is_known = one_of("certainty", Certainty)
    month_is_one = Check("\"month\" ~ '^[0-9]{4}-[0-9]{2}$'")


class MonthlyCell(Table):
    """What one lead unit owes one region in one period. Names are those of the period's first day, and stay.

    `target` is the region's member of the rule's group; `province` to `township` repeat the region's path.
    """

    id = key()
    period = link(MonthlyPeriod, index=False)
    lead_unit = link(Unit)
    lead_name = text()
    lead_position = count()
    region = link(Region)
    region_name = text()
    target = link(Unit, index=False)
    province = text(null=True)
    prefecture = text(null=True)
    county = text(null=True)
    township = text(null=True)

    one_cell_of_a_pair = Unique(["period", "lead_unit", "region"])


class MonthlyRecord(Table):
    """A check that was made: where, by whom, what came of it. `finished_at` is a claim, `received_at` decides.

    Never edited: `corrects` is the record this one stands in for, `first` the first of them all (itself, mostly), whose
    `first_received_at` decides whether the check was told in time. Withdrawing keeps the row.
    """

    id = key()
    cell = link(MonthlyCell)
    first = link("self")
    corrects = link("self", null=True, index=False)
    by = link(Person, index=False)
    received_at = moment()
    first_received_at = moment()
    finished_at = moment()
    place = text()
    region = link(Region, null=True, index=False)
    lat = measure(null=True)
    lng = measure(null=True)
    accuracy_m = measure(null=True)
    datum = text(null=True)
    reported_lat = measure(null=True)
    reported_lng = measure(null=True)
    altitude_m = measure(null=True)
    heading_deg = measure(null=True)
    speed_mps = measure(null=True)
    went = words()
    found = text()
    found_count = count()
    solved_count = count()
    guidance = text()
    correction_reason = text(null=True)
    withdrawn_by = link(Person, null=True, index=False)
    withdrawn_at = moment(null=True)
    withdraw_reason = text(null=True)

    record_corrected_once = Unique(["corrects"])
    datum_is_known = one_of("datum", Datum)
    counts_fit = Check("0 <= solved_count AND solved_count <= found_count")


class MonthlyRecordEvidence(Table):
    """A photo of a check. Once attached it stays."""

    id = key()
    record = link(MonthlyRecord, index=False)
    evidence = link(Evidence)
    position = count()

    once_on_a_check_record = Unique(["record", "evidence"])


class MonthlyHandOver(Table):
    """A problem that a check handed over: under this same id it becomes a rectification, in a reaction.

    `files` are those of the record's photos that show it, by their ids.
    """

    id = key()
    record = link(MonthlyRecord)
    position = count()
    topic = link(Topic, index=False)
    severity = text()
    facts = text()
    asks = text()
    region = link(Region, index=False)
    responsible = link(Unit, index=False)
    closing_class = text()
    due_on = Date(null=True, default=None)
    files = words()

    severity_is_known = one_of("severity", Severity)
    class_is_known = one_of("closing_class", ClosingClass)


class MonthlyExemption(Table):
    """A lead unit need not check a region this month: asked for, decided by another person, both before the cutoff.

    One may be open or in force per cell: a partial unique index beside the other hand-written ones.
    """

    id = key()
    cell = link(MonthlyCell)
    by = link(Person, index=False)
    asked_at = moment()
    reason = text()
    decided_by = link(Person, null=True, index=False)
    decided_at = moment(null=True)
    answer = text(null=True)
    decision = text(null=True)
    revoked_by = link(Person, null=True, index=False)
    revoked_at = moment(null=True)
    revoke_reason = text(null=True)

    answer_is_one_of_two = one_of("answer", Answer)
