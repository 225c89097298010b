"""When somebody is told outside of the app: quiet hours, rest days, choices, who may stand in. No database."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest

from backend import clock
from backend.errors import BadRequest, Incomplete
from backend.roles import Actor, Grant, Role
from backend.workdays import Calendar
from notifications.deliveries.rules import ChannelKind
from notifications.preferences import rules
from notifications.preferences.rules import Wishes

CALENDAR = Calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI)


def normal(text: str, wishes: Wishes = Wishes()) -> datetime:
    return rules.normal_from(wishes, at(text), at(text), CALENDAR)


def at_once(text: str, wishes: Wishes = Wishes()) -> datetime:
    return rules.at_once_from(wishes, at(text), at(text))


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("2026-11-24 12:00", "2026-11-24 12:00"),  # a Tuesday
        ("2026-11-24 20:59", "2026-11-24 20:59"),
        ("2026-11-24 21:00", "2026-11-25 07:30"),
        ("2026-11-25 00:00", "2026-11-25 07:30"),
        ("2026-11-25 07:29", "2026-11-25 07:30"),
        ("2026-11-25 07:30", "2026-11-25 07:30"),
        ("2026-11-28 10:00", "2026-11-30 07:30"),  # Saturday
        ("2026-11-27 21:30", "2026-11-30 07:30"),  # Friday night
        ("2026-02-14 10:00", "2026-02-14 10:00"),  # a Saturday that is worked
        ("2026-02-15 10:00", "2026-02-24 07:30"),  # Spring Festival
        ("2026-09-30 22:00", "2026-10-08 07:30"),  # National Day
        ("2027-01-02 10:00", "2027-01-04 07:30"),  # a year not published yet: Monday to Friday
    ],
)
def test_what_is_not_urgent_waits_for_the_morning_of_a_working_day(said, sent):
    assert normal(said) == at(sent)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("2026-11-24 21:00", "2026-11-25 07:30"),
        ("2026-11-28 03:00", "2026-11-28 07:30"),  # a Saturday: urgent all the same
        ("2026-11-28 10:00", "2026-11-28 10:00"),
    ],
)
def test_what_is_urgent_waits_for_the_morning_only(said, sent):
    assert at_once(said) == at(sent)


@pytest.mark.parametrize(
    ("quiet", "said", "sent"),
    [
        (("00:00", "06:00"), "2026-11-24 05:59", "2026-11-24 06:00"),
        (("00:00", "06:00"), "2026-11-24 23:59", "2026-11-24 23:59"),
        (("12:00", "14:00"), "2026-11-24 13:00", "2026-11-24 14:00"),
        (("07:30", "07:30"), "2026-11-24 03:00", "2026-11-24 03:00"),  # equal: never quiet
        (("07:30", "07:30"), "2026-11-28 03:00", "2026-11-30 00:00"),
    ],
)
def test_quiet_hours_are_ones_own(quiet, said, sent):
    start, end = (time.fromisoformat(one) for one in quiet)
    wishes = Wishes(quiet_from=start, quiet_to=end)
    assert normal(said, wishes) == at(sent)


def test_who_wants_is_told_on_rest_days():
    assert normal("2026-11-28 10:00", Wishes(rest_days_quiet=False)) == at("2026-11-28 10:00")


def test_every_moment_comes_out_of_the_quiet_and_never_before_now():
    wishes, now = Wishes(), at("2026-01-01 00:00")
    for hours in range(24 * 90):
        said = now + timedelta(hours=hours)
        for sent in (rules.normal_from(wishes, said, said, CALENDAR), rules.at_once_from(wishes, said, said)):
            assert sent >= said and not wishes.quiet(clock.local(sent).time())
        sent = clock.local(rules.normal_from(wishes, said, said, CALENDAR))
        assert CALENDAR.is_workday(sent.date())


def test_what_cannot_be_meant_is_refused():
    rules.check(Wishes())
    for wrong, error, code in (
        (Wishes(normal=(ChannelKind.mail, ChannelKind.mail)), BadRequest, "notices.channel_twice"),
        (Wishes(normal=(ChannelKind.wecom,)), Incomplete, "notices.robot_not_urgent"),
        (Wishes(digest_time=time(22, 0)), Incomplete, "notices.digest_in_quiet"),
    ):
        with pytest.raises(error) as refused:
            rules.check(wrong)
        assert refused.value.code == code


def test_days_that_say_nothing_are_refused():
    today = date(2026, 11, 24)
    rules.check_absence(today, today, today)
    rules.check_absence(today - timedelta(days=3), today, today)  # who fell ill on Saturday
    for first, last, code in (
        (today, today - timedelta(days=1), "absence.ends_before_it_begins"),
        (today - timedelta(days=9), today - timedelta(days=1), "absence.over"),
        (today, today + timedelta(days=400), "absence.too_long"),
    ):
        with pytest.raises(Incomplete) as refused:
            rules.check_absence(first, last, today)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("absent", "deputy", "can"),
    [
        (Role.unit_principal, Role.unit_handler, True),
        (Role.supervision_leader, Role.supervision_staff, True),
        (Role.lead_unit_reviewer, Role.lead_unit_reviewer, True),
        (Role.lead_unit_reviewer, Role.unit_handler, False),
        (Role.supervision_staff, Role.inspector, False),
        (Role.inspector, Role.inspector, False),  # a team sees its own visits, and nobody else does
        (Role.sys_admin, Role.sys_admin, False),
    ],
)
def test_only_who_sees_the_same_stands_in(absent, deputy, can):
    here, there = uuid4(), uuid4()
    assert rules.can_stand_in([(here, absent)], [(here, deputy)]) == can
    assert not rules.can_stand_in([(here, absent)], [(there, deputy)])


@pytest.mark.parametrize("role", list(Role))
def test_one_is_away_oneself_and_others_are_entered_by_who_answers_for_the_unit(role):
    home = uuid4()
    me = Actor(uuid4(), "某人", (Grant(role, home, "210422000000"),), home=home)
    assert rules.may_enter(me, me.person, home) is None
    answers = role in (Role.unit_principal, Role.supervision_leader)
    assert (rules.may_enter(me, uuid4(), home) is None) == (rules.may_enter(me, None, home) is None) == answers
    assert rules.may_enter(me, uuid4(), uuid4()) and rules.may_enter(me, uuid4(), None)
