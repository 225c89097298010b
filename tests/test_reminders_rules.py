"""When a rule speaks, which one speaks last, and who is told when nobody is there: over real calendars, no database."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import clock
from backend.errors import BadRequest
from backend.workdays import Calendar, Certainty, TermUnit
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders import rules
from notifications.reminders.rules import Anchor, Phase, Rule
from notifications.reminders.wanted import Wanted, check
from tests import reminders_make as make
from tests.reminders_make import moment

PLAIN = Calendar()
KNOWN, ASSUMED = Certainty.known, Certainty.assumed
A = Anchor


def a_rule(anchor: Anchor, offset: int, at: str = "09:00", unit: TermUnit = TermUnit.workdays, **said) -> Rule:
    id = uuid4()
    content = {
        "id": id, "series": id, "since": make.LONG_AGO, "anchor": anchor, "offset": offset, "unit": unit,
        "at": time.fromisoformat(at), "tells": (Audience.office,), "urgency": Urgency.normal,
        "valid_from": make.LONG_AGO,
    }  # fmt: skip
    return Rule(**(content | said))


def spoken(anchor: Anchor, day: date, at: str, target: date, calendar: Calendar = PLAIN, since=make.LONG_AGO):
    """The offsets of the default rules that speak of a target at a moment, with what is left."""
    stages = rules.plan(make.rules(anchor, since), moment(day, at), day, calendar)
    return [
        (stage.rule.offset, stage.left[(target - stage.first).days])
        for stage in stages
        if stage.first <= target <= stage.last
    ]


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("offset", "target", "day", "certainty"),
    [
        (-7, date(2026, 12, 4), date(2026, 11, 25), KNOWN),
        (-3, date(2026, 12, 4), date(2026, 12, 1), KNOWN),
        (-1, date(2026, 12, 7), date(2026, 12, 4), KNOWN),  # over a weekend
        (-1, date(2026, 11, 15), date(2026, 11, 13), KNOWN),  # due on a Sunday
        (0, date(2026, 11, 15), date(2026, 11, 15), KNOWN),  # the day itself, whatever it is
        (-1, date(2026, 2, 24), date(2026, 2, 14), KNOWN),  # the Saturday before the Spring Festival is worked
        (-3, date(2026, 2, 24), date(2026, 2, 12), KNOWN),
        (-7, date(2026, 2, 25), date(2026, 2, 9), KNOWN),
        (-1, date(2026, 10, 10), date(2026, 10, 9), KNOWN),  # due on a make-up Saturday
        (-3, date(2026, 10, 10), date(2026, 9, 30), KNOWN),
        (1, date(2026, 2, 13), date(2026, 2, 14), KNOWN),
        (3, date(2026, 2, 13), date(2026, 2, 25), KNOWN),
        (10, date(2026, 9, 30), date(2026, 10, 20), KNOWN),  # 08, 09, 10 (make-up), 12 to 16, 19, 20
        (-3, date(2027, 1, 5), date(2026, 12, 31), ASSUMED),  # golden fact 4: 2027 must not crash, and is not sure
        (-1, date(2026, 12, 31), date(2026, 12, 30), KNOWN),
        (1, date(2026, 12, 31), date(2027, 1, 1), ASSUMED),  # taken for a working Friday until the list is out
        (10, date(2026, 12, 25), date(2027, 1, 8), ASSUMED),
    ],
)
def test_working_days_are_counted_as_the_state_council_says(offset, target, day, certainty):
    assert rules.speaks_on(a_rule(A.due, offset), target, PLAIN) == (day, certainty)


def test_days_are_days_and_always_certain():
    rule = a_rule(A.due, -10, unit=TermUnit.days)
    assert rules.speaks_on(rule, date(2027, 1, 5), PLAIN) == (date(2026, 12, 26), KNOWN)


def test_the_same_day_counted_again_when_the_list_is_out():
    rule, target = a_rule(A.due, -1), date(2027, 1, 4)
    assert rules.speaks_on(rule, target, PLAIN) == (date(2027, 1, 1), ASSUMED)
    out = Calendar({date(2027, 1, 1): False, date(2027, 1, 2): False, date(2027, 1, 3): False, date(2027, 1, 4): True})
    assert rules.speaks_on(rule, target, out) == (date(2026, 12, 31), KNOWN)


@pytest.mark.parametrize(
    ("last_on", "aim"),
    [
        (date(2026, 2, 15), date(2026, 2, 14)),  # golden facts 2 and 3
        (date(2026, 3, 15), date(2026, 3, 13)),
        (date(2026, 8, 15), date(2026, 8, 14)),
        (date(2026, 11, 15), date(2026, 11, 13)),
        (date(2026, 12, 15), date(2026, 12, 15)),
    ],
)
def test_a_month_is_aimed_at_by_its_last_working_day(last_on, aim):
    assert rules.speaks_on(a_rule(A.month, 0), last_on, PLAIN) == (aim, KNOWN)
    before = rules.speaks_on(a_rule(A.month, -1), last_on, PLAIN)[0]
    assert PLAIN.workdays_between(before, aim) == 1
    assert rules.speaks_on(a_rule(A.month, 1, unit=TermUnit.days), last_on, PLAIN)[0] == last_on + timedelta(days=1)


@given(st.dates(date(2019, 1, 1), date(2029, 12, 31)), st.integers(1, 40))
def test_before_and_after_are_two_sides_of_the_same_count(target, n):
    before, after = (rules.speaks_on(a_rule(A.due, offset), target, PLAIN)[0] for offset in (-n, n))
    assert PLAIN.is_workday(before) and PLAIN.is_workday(after)
    assert PLAIN.workdays_between(target, after) == n
    assert PLAIN.workdays_between(before, target) == n - (not PLAIN.is_workday(target))


# ── which ────────────────────────────────────────────────────────────────────────────────────────────────────────

FRIDAY = date(2026, 12, 4)


@pytest.mark.parametrize(
    ("day", "at", "says"),
    [
        (date(2026, 11, 25), "08:59", []),
        (date(2026, 11, 25), "09:00", [(-7, 7)]),
        (date(2026, 11, 30), "23:59", [(-7, 4)]),  # nothing for three days: the seven-day one, once, with what is left
        (date(2026, 12, 1), "08:59", [(-7, 3)]),
        (date(2026, 12, 1), "09:00", [(-3, 3)]),
        (date(2026, 12, 3), "09:00", [(-1, 1)]),
        (date(2026, 12, 4), "08:00", []),  # one day left is true no longer, and it is not nine yet
        (date(2026, 12, 4), "09:00", [(0, 0)]),
        (date(2026, 12, 4), "15:00", [(0, 0)]),
        (date(2026, 12, 5), "09:00", []),  # a Saturday: not due any more, not reminded on a day off
        (date(2026, 12, 7), "08:59", []),
        (date(2026, 12, 7), "09:00", [(1, -1)]),
        (date(2026, 12, 9), "09:00", [(3, -3)]),
        (date(2026, 12, 18), "09:00", [(10, -10)]),
        (date(2027, 8, 18), "09:00", [(10, -183)]),
        (date(2028, 1, 31), "09:00", []),  # older than anybody is to be flooded with
    ],
)
def test_of_each_target_the_last_word_is_spoken_and_no_other(day, at, says):
    assert spoken(A.due, day, at, FRIDAY) == says


def test_nine_and_fifteen_are_two_rules_and_the_later_replaces_the_missed_earlier_one():
    at_nine = rules.plan(make.rules(A.due), moment(FRIDAY), FRIDAY, PLAIN)
    at_three = rules.plan(make.rules(A.due), moment(FRIDAY, "15:00"), FRIDAY, PLAIN)
    assert [stage.rule.at for stage in at_nine if stage.first == stage.last == FRIDAY] == [time(9)]
    assert [stage.rule.at for stage in at_three if stage.first == stage.last == FRIDAY] == [time(15)]


def test_three_days_down_bring_one_word_not_three():
    """Due on Wednesday the 2nd; nothing ran from the 27th (-3) until after the 1st (-1)."""
    assert spoken(A.due, date(2026, 12, 1), "10:00", date(2026, 12, 2)) == [(-1, 1)]


def test_rules_that_speak_at_the_same_moment_all_speak():
    pair = [a_rule(A.due, -3), a_rule(A.due, -3, tells=(Audience.lead_units,)), a_rule(A.due, -7)]
    stages = rules.plan(pair, moment(date(2026, 12, 1)), date(2026, 12, 1), PLAIN)
    assert {stage.rule.id for stage in stages if stage.first <= FRIDAY <= stage.last} == {rule.id for rule in pair[:2]}


def test_a_rule_speaks_only_while_it_holds():
    for rule in (a_rule(A.due, -3, valid_to=date(2026, 11, 30)), a_rule(A.due, -3, valid_from=date(2026, 12, 2))):
        assert rules.plan([rule], moment(date(2026, 12, 1)), date(2026, 12, 1), PLAIN) == []


def test_a_new_rule_does_not_speak_of_what_it_would_have_said_before_it_was_there():
    day = date(2026, 12, 1)
    old, new = a_rule(A.due, -7), a_rule(A.due, -5, since=day, valid_from=day)
    stages = rules.plan([old, new], moment(day), day, PLAIN)
    said = {stage.rule.offset for stage in stages if stage.first <= FRIDAY <= stage.last}
    assert said == {-7}  # five days before the 4th was the 27th: nobody had asked for it then


def test_what_was_late_before_the_rules_began_is_not_dug_out():
    began = date(2026, 12, 10)  # three working days after the 7th
    assert spoken(A.due, date(2026, 12, 10), "09:00", date(2026, 12, 7), since=began) == [(3, -3)]
    assert spoken(A.due, date(2026, 12, 10), "09:00", date(2026, 11, 2), since=began) == []


def test_days_in_a_row_are_one_stage_and_carry_what_is_left_of_each():
    (stage, *others) = [
        stage for stage in rules.plan(make.rules(A.due), moment(date(2026, 11, 25)), date(2026, 11, 25), PLAIN)
        if stage.rule.offset == -7
    ]  # fmt: skip
    # From the 1st on the three-day one has not spoken yet; due on the 30th it has.
    assert (stage.first, stage.last, others) == (date(2026, 12, 1), FRIDAY, [])
    assert stage.left == [4, 5, 6, 7] and set(stage.certainty) == {KNOWN}


def test_a_target_of_next_year_is_said_to_be_assumed():
    day = date(2026, 12, 30)
    stages = rules.plan(make.rules(A.due), moment(day), day, PLAIN)
    of_january = [stage for stage in stages if stage.first <= date(2027, 1, 8) <= stage.last]
    assert [stage.certainty[(date(2027, 1, 8) - stage.first).days] for stage in of_january] == [ASSUMED]


def test_the_weekly_report_is_asked_for_this_week_only():
    thursday = a_rule(A.weekly_report, -1, unit=TermUnit.days)
    monday = a_rule(A.weekly_report, 3, unit=TermUnit.days)
    day = date(2026, 11, 26)
    stages = rules.plan([thursday, monday], moment(day), day, PLAIN)
    assert {(stage.rule.offset, stage.first, stage.last) for stage in stages} == {
        (-1, date(2026, 11, 27), date(2026, 11, 27)),
        (3, date(2026, 11, 20), date(2026, 11, 20)),
    }
    friday = rules.plan([thursday], moment(date(2026, 11, 27)), date(2026, 11, 27), PLAIN)
    assert [stage.left for stage in friday] == [[0]], "missed on Thursday: the day is not over"
    assert rules.plan([thursday], moment(date(2026, 12, 1)), date(2026, 12, 1), PLAIN)[0].first == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("day", "at", "says"),
    [
        (date(2026, 11, 12), "09:00", [-1]),
        (date(2026, 11, 13), "08:00", []),  # it is the last working day already
        (date(2026, 11, 13), "09:00", [0]),
        (date(2026, 11, 14), "10:00", [0]),  # missed on Friday: the weekend is time yet
        (date(2026, 11, 15), "23:59", [0]),
        (date(2026, 11, 16), "08:59", []),
        (date(2026, 11, 16), "09:00", [1]),
    ],
)
def test_the_month_of_a_sunday_the_15th(day, at, says):
    assert [offset for offset, _ in spoken(A.month, day, at, date(2026, 11, 15))] == says


@settings(max_examples=40, deadline=None)
@given(st.dates(date(2026, 1, 1), date(2027, 6, 30)), st.sampled_from(["00:00", "08:30", "09:00", "14:59", "15:00"]))
def test_no_target_has_two_words_at_once_and_none_is_untrue(day, at):
    met: dict[date, int] = {}
    for stage in rules.plan(make.rules(A.due), moment(day, at), day, PLAIN):
        for n, left in enumerate(stage.left):
            target = stage.first + timedelta(days=n)
            met[target] = met.get(target, 0) + 1
            assert left == PLAIN.workdays_between(day, target)
            match stage.rule.phase:
                case Phase.soon:
                    assert day < target
                case Phase.today:
                    assert day == target
                case Phase.late:
                    assert day > target
    assert set(met.values()) <= {1}


@settings(max_examples=25, deadline=None)
@given(st.dates(date(2026, 1, 1), date(2027, 6, 30)))
def test_the_preview_of_a_day_is_what_the_day_would_say_minute_by_minute(day):
    said = set()
    for at in ("09:00", "15:00"):
        for stage in rules.plan(make.rules(A.due), moment(day, at), day, PLAIN):
            for n in range(len(stage.left)):
                target = stage.first + timedelta(days=n)
                if rules.speaks_on(stage.rule, target, PLAIN)[0] == day and stage.rule.at == time.fromisoformat(at):
                    said.add((stage.rule.id, target))
    shown = {
        (stage.rule.id, stage.first + timedelta(days=n))
        for _, stage in rules.speaking_on(make.rules(A.due), day, PLAIN)
        for n in range(len(stage.left))
    }
    assert shown == said


def heard_before(anchor: Anchor, day: date, at: str, target: date) -> dict[Audience, str]:
    """Whom the last word on a target does not tell and an earlier one does, and when that one spoke."""
    for stage in rules.plan(make.rules(anchor), moment(day, at), day, PLAIN):
        if stage.first <= target <= stage.last:
            moments = {who: at[(target - stage.first).days] for who, at in stage.before.items()}
            return {who: f"{clock.local(at):%m-%d %H:%M}" for who, at in moments.items() if at}
    return {}


def test_a_later_word_knows_who_should_have_heard_an_earlier_one():
    assert heard_before(A.due, date(2026, 12, 9), "09:00", FRIDAY) == {Audience.responsible_units: "12-07 09:00"}
    assert heard_before(A.due, date(2026, 12, 18), "09:00", FRIDAY) == {Audience.responsible_units: "12-07 09:00"}
    assert heard_before(A.due, date(2026, 12, 7), "09:00", FRIDAY) == {}  # all of them hear this one
    assert heard_before(A.look_back, date(2026, 12, 11), "09:00", FRIDAY) == {Audience.office: "12-04 09:00"}


def test_of_two_rules_at_one_moment_one_speaks_to_those_who_missed_an_earlier_word():
    first = a_rule(A.due, 1, tells=(Audience.responsible_units,))
    pair = [a_rule(A.due, 3, tells=(Audience.lead_units,)), a_rule(A.due, 3, tells=(Audience.office,))]
    stages = rules.plan([first, *pair], moment(date(2026, 12, 9)), date(2026, 12, 9), PLAIN)
    found = [stage.before for stage in stages if stage.first <= FRIDAY <= stage.last]
    assert [sorted(before) for before in found] == [[Audience.responsible_units], []]


def test_what_was_missed_on_its_day_is_said_after_it_where_the_words_are_the_same():
    for anchor, offset in ((A.look_back, 0), (A.hanging, 0), (A.extension, 0), (A.objection, -1)):
        saturday = date(2026, 12, 5)
        assert (offset, 0) in spoken(anchor, saturday, "10:00", FRIDAY), anchor
    assert spoken(A.look_back, date(2026, 12, 8), "10:00", FRIDAY) == [(0, -2)]
    assert spoken(A.look_back, date(2026, 12, 11), "09:00", FRIDAY) == [(5, -5)]


# ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("there", "met"),
    [
        ({Audience.principals: "钱"}, (Audience.principals, "钱")),
        ({Audience.lead_units: "李"}, (Audience.lead_units, "李")),
        ({Audience.office: "周"}, (Audience.office, "周")),
        ({Audience.office_leaders: "吴"}, (Audience.office_leaders, "吴")),
        ({Audience.leaders: "陈"}, (Audience.leaders, "陈")),
        ({Audience.responsible_units: "赵"}, (Audience.leaders, ())),  # below, not above
    ],
)
def test_where_nobody_is_the_next_step_up_is_told(there, met):
    assert rules.climb(Audience.principals, lambda audience: there.get(audience, ())) == met


# ── what a rule may say ──────────────────────────────────────────────────────────────────────────────────────────

TODAY = date(2026, 11, 24)


def wanted(**said) -> Wanted:
    content = {
        "anchor": A.due, "offset": -5, "unit": TermUnit.workdays, "at": time(9), "tells": (Audience.responsible_units,),
        "urgency": Urgency.normal, "valid_from": TODAY + timedelta(days=1),
    }  # fmt: skip
    return Wanted(**(content | said))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"offset": -121}, "offset_too_far"),
        ({"unit": TermUnit.months}, "offset_too_far"),
        ({"anchor": A.signing, "offset": 0}, "offset_before_beginning"),
        ({"anchor": A.site_check, "offset": -1, "tells": (Audience.checkers,)}, "offset_before_beginning"),
        ({"anchor": A.site_check, "offset": 3}, "check_is_secret"),
        ({"anchor": A.month, "tells": (Audience.checkers,)}, "nobody_to_tell"),
        ({"at": time(6, 59)}, "at_night"),
        ({"at": time(21, 1)}, "at_night"),
        ({"tells": ()}, "nobody_to_tell"),
        ({"tells": (Audience.asker,)}, "nobody_to_tell"),
        ({"tells": (Audience.office, Audience.office)}, "told_twice"),
        ({"valid_from": TODAY}, "begins_too_early"),
        ({"valid_to": TODAY}, "ends_before_it_starts"),
    ],
)
def test_a_rule_that_could_not_be_meant_is_refused(said, code):
    with pytest.raises(BadRequest) as refused:
        check(wanted(**said), TODAY)
    assert refused.value.code == code


def test_the_default_rules_could_all_be_entered_and_none_is_there_twice():
    for rule in make.rules():
        content = {name: getattr(rule, name) for name in ("anchor", "offset", "unit", "at", "tells", "urgency")}
        check(Wanted(**content, valid_from=TODAY + timedelta(days=1)), TODAY)
    assert len({rule.id for rule in make.rules()}) == len(make.rules())
