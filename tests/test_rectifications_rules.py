"""The machine itself: every verb × every status × every relation, then needs, two keys, recusal. No database."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Forbidden, Incomplete, WrongState
from backend.roles import SYSTEM, Actor, Grant, Role
from backend.workdays import Calendar, Certainty
from inspections.findings.rules import ClosingClass
from tasks.rectifications import rules
from tasks.rectifications.item import Facts, Item, Status, Verb
from tasks.rectifications.words import UnitRole

FUSHUN, XINBIN, ELSEWHERE = "210400000000", "210422000000", "210423000000"
RESPONSIBLE, LEAD, OFFICE, OTHER = (UUID(int=n) for n in (1, 2, 3, 4))


def somebody(number: int, role: Role, unit: UUID, area: str) -> Actor:
    return Actor(UUID(int=100 + number), role.value, (Grant(role, unit, area),))


PEOPLE = {
    "system": SYSTEM,
    "handler": somebody(1, Role.unit_handler, RESPONSIBLE, XINBIN),
    "principal": somebody(2, Role.unit_principal, RESPONSIBLE, XINBIN),
    "reviewer": somebody(3, Role.lead_unit_reviewer, LEAD, FUSHUN),
    "staff": somebody(4, Role.supervision_staff, OFFICE, FUSHUN),
    "boss": somebody(5, Role.supervision_leader, OFFICE, FUSHUN),
    "team lead": somebody(6, Role.team_lead, OFFICE, FUSHUN),
    "inspector": somebody(7, Role.inspector, OFFICE, FUSHUN),
    "leader": somebody(8, Role.leader_viewer, OFFICE, FUSHUN),
    "contract leader": somebody(9, Role.contract_leader, OFFICE, FUSHUN),
    "administrator": somebody(10, Role.sys_admin, OFFICE, FUSHUN),
    "auditor": somebody(11, Role.security_auditor, OFFICE, FUSHUN),
    "other handler": somebody(12, Role.unit_handler, OTHER, XINBIN),
    "other reviewer": somebody(13, Role.lead_unit_reviewer, OTHER, FUSHUN),
    "other team lead": somebody(14, Role.team_lead, OFFICE, FUSHUN),
    "boss elsewhere": somebody(15, Role.supervision_leader, OTHER, ELSEWHERE),
    "boss of the unit itself": somebody(16, Role.supervision_leader, RESPONSIBLE, FUSHUN),
    "who handed in": somebody(17, Role.supervision_leader, OFFICE, FUSHUN),
    "who passed": somebody(18, Role.supervision_leader, OFFICE, FUSHUN),
    "who asked to void": somebody(19, Role.supervision_leader, OFFICE, FUSHUN),
}
TEAM = frozenset(PEOPLE[name].person or UUID(int=0) for name in ("team lead", "inspector"))
BOSSES = {"boss", "who handed in", "who passed", "who asked to void"}

# Written by hand from domain.md b.3, not read off MOVES: who may, from which status, and where it leads.
MAY: dict[Verb, dict[Status, tuple[set[str], Status]]] = {
    Verb.issue: {Status.draft: ({"system", "team lead", "staff", "boss of the unit itself", *BOSSES}, Status.issued)},
    Verb.acknowledge: {Status.issued: ({"handler", "principal"}, Status.working)},
    Verb.report: {Status.working: ({"handler", "principal"}, Status.working)},
    Verb.hand_in: {Status.working: ({"handler", "principal"}, Status.handed_in)},
    Verb.pass_first: {Status.handed_in: ({"reviewer"}, Status.passed)},
    Verb.send_back: {
        Status.handed_in: ({"reviewer"}, Status.working),
        Status.passed: ({"reviewer", "staff", *BOSSES}, Status.working),
    },
    Verb.close_out: {Status.passed: ({"boss", "who asked to void"}, Status.closed)},
    Verb.ask_void: {
        status: (BOSSES, status)
        for status in (
            Status.draft, Status.issued, Status.working, Status.handed_in, Status.passed, Status.hung,
        )
    },
    Verb.void: {
        status: ({"staff", "boss", "who handed in", "who passed"}, Status.voided)
        for status in (
            Status.draft, Status.issued, Status.working, Status.handed_in, Status.passed, Status.hung,
        )
    },
    Verb.decline_void: {
        status: ({"staff", *BOSSES}, status)
        for status in (
            Status.draft, Status.issued, Status.working, Status.handed_in, Status.passed, Status.hung,
        )
    },
}  # fmt: skip

COMPLETE = Facts(
    described=True, due=True, evidence=1, responsible_person="赵", note="好", reason_code="other",
    after_photos=1, files_missing=0, site_item=True, principal="钱",
)  # fmt: skip


def item(status: Status, *, asked: bool = False) -> Item:
    return Item(
        id=UUID(int=9),
        status=status,
        units={UnitRole.responsible: frozenset({RESPONSIBLE}), UnitRole.lead: frozenset({LEAD})},
        area=frozenset({"210000000000", FUSHUN, XINBIN}),
        team=TEAM,
        handed_in_by=PEOPLE["who handed in"].person,
        passed_by=PEOPLE["who passed"].person,
        void_asked_by=PEOPLE["who asked to void"].person if asked else None,
    )


NEEDS_ASKING = (Verb.void, Verb.decline_void)


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("who", PEOPLE)
def test_every_verb_in_every_status_for_everybody(verb: Verb, status: Status, who: str):
    it = item(status, asked=verb in NEEDS_ASKING)
    people, end = MAY[verb].get(status, (set(), None))
    problem = rules.why_not(verb, it, PEOPLE[who], COMPLETE)
    if who in people:
        assert problem is None
        assert (rules.plan(verb, it, PEOPLE[who], COMPLETE).end or status) == end
    elif any(who in people for people, _ in MAY[verb].values()) and not _only_later(verb, status, who):
        assert isinstance(problem, WrongState)
    else:
        assert isinstance(problem, Forbidden)


def _only_later(verb: Verb, status: Status, who: str) -> bool:
    """The office may send back after the first pass only: before it, that is not theirs to do at all."""
    return verb == Verb.send_back and who in {"staff", *BOSSES} and status != Status.passed


@pytest.mark.parametrize(
    ("verb", "status", "who", "gone", "field"),
    [
        (Verb.issue, Status.draft, "staff", {"described": False}, "facts"),
        (Verb.issue, Status.draft, "staff", {"due": False}, "due_on"),
        (Verb.issue, Status.draft, "staff", {"evidence": 0}, "evidence"),
        (Verb.acknowledge, Status.issued, "handler", {"responsible_person": " "}, "responsible_person"),
        (Verb.report, Status.working, "handler", {"note": ""}, "note"),
        (Verb.hand_in, Status.working, "handler", {"note": "  "}, "note"),
        (Verb.hand_in, Status.working, "handler", {"after_photos": 0}, "evidence"),
        (Verb.hand_in, Status.working, "handler", {"principal": ""}, "confirmed_by"),
        (Verb.pass_first, Status.handed_in, "reviewer", {"note": ""}, "opinion"),
        (Verb.pass_first, Status.handed_in, "reviewer", {"files_missing": 1}, "evidence"),
        (Verb.send_back, Status.handed_in, "reviewer", {"reason_code": ""}, "reason_code"),
        (Verb.send_back, Status.passed, "staff", {"note": ""}, "note"),
        (Verb.close_out, Status.passed, "boss", {"note": ""}, "opinion"),
        (Verb.ask_void, Status.working, "boss", {"note": ""}, "note"),
    ],
)
def test_what_is_missing_is_named(verb: Verb, status: Status, who: str, gone: dict[str, object], field: str):
    problem = rules.why_not(verb, item(status), PEOPLE[who], replace(COMPLETE, **gone))
    assert isinstance(problem, Incomplete)
    assert problem.field == field
    assert problem.details["needs"] == [field]


def test_an_item_without_a_responsible_unit_cannot_be_issued():
    it = replace(item(Status.draft), units={})
    problem = rules.why_not(Verb.issue, it, PEOPLE["staff"], COMPLETE)
    assert isinstance(problem, Incomplete) and problem.field == "responsible_units"


def test_a_reason_stands_in_for_evidence():
    facts = replace(COMPLETE, evidence=0, no_evidence_reason=True)
    assert rules.why_not(Verb.issue, item(Status.draft), PEOPLE["staff"], facts) is None


def test_an_item_that_is_not_about_a_site_needs_no_after_photo():
    facts = replace(COMPLETE, after_photos=0, site_item=False)
    assert rules.why_not(Verb.hand_in, item(Status.working), PEOPLE["handler"], facts) is None


def test_without_a_lead_unit_the_office_reviews_first():
    it = replace(item(Status.handed_in), units={UnitRole.responsible: frozenset({RESPONSIBLE})})
    assert rules.why_not(Verb.pass_first, it, PEOPLE["staff"], COMPLETE) is None
    assert isinstance(rules.why_not(Verb.pass_first, it, PEOPLE["reviewer"], COMPLETE), Forbidden)


@pytest.mark.parametrize("unit", [RESPONSIBLE, LEAD])
@pytest.mark.parametrize(("verb", "statuses"), [(verb, list(MAY[verb])) for verb in Verb])
def test_who_declared_recusal_touches_nothing_of_that_unit(unit: UUID, verb: Verb, statuses: list[Status]):
    for status in statuses:
        for who in MAY[verb][status][0]:
            recused = replace(PEOPLE[who], recused_units=frozenset({unit}))
            it = item(status, asked=verb in NEEDS_ASKING)
            assert isinstance(rules.why_not(verb, it, recused, COMPLETE), Forbidden)


def test_an_item_that_is_asked_to_be_voided_is_not_closed_meanwhile():
    problem = rules.why_not(Verb.close_out, item(Status.passed, asked=True), PEOPLE["boss"], COMPLETE)
    assert isinstance(problem, WrongState) and problem.code == "blocked"


def test_voiding_takes_an_asking_and_is_asked_once():
    assert isinstance(rules.why_not(Verb.void, item(Status.working), PEOPLE["staff"], COMPLETE), WrongState)
    again = rules.why_not(Verb.ask_void, item(Status.working, asked=True), PEOPLE["boss"], COMPLETE)
    assert isinstance(again, WrongState)


@given(
    status=st.sampled_from(list(Status)),
    who=st.sampled_from(list(PEOPLE)),
    asked=st.booleans(),
    facts=st.builds(
        Facts, described=st.booleans(), due=st.booleans(), evidence=st.integers(0, 1),
        note=st.sampled_from(["", "好"]),
        after_photos=st.integers(0, 1), files_missing=st.integers(0, 1), site_item=st.booleans(),
        principal=st.sampled_from(["", "钱"]),
    ),
)  # fmt: skip
def test_buttons_and_enforcement_cannot_disagree(status: Status, who: str, asked: bool, facts: Facts):
    it, actor = item(status, asked=asked), PEOPLE[who]
    shown = dict(rules.open_moves(it, actor, facts))
    for verb in Verb:
        problem = rules.why_not(verb, it, actor, facts)
        assert (verb in shown) == (problem is None or isinstance(problem, Incomplete))
        if verb in shown:
            assert bool(shown[verb]) == isinstance(problem, Incomplete)


def test_overdue_is_the_instant_the_last_day_is_over_and_only_while_it_ticks():
    at = rules.Deadline(date(2026, 11, 24), rules.Certainty.known).at
    assert at.isoformat() == "2026-11-24T16:00:00+00:00"
    assert rules.overdue(Status.working, at, at)
    assert not rules.overdue(Status.working, at, at - timedelta(microseconds=1))
    assert not any(
        rules.overdue(status, at, at) for status in (Status.closed, Status.hung, Status.voided, Status.draft)
    )
    assert not rules.overdue(Status.working, None, at)


@pytest.mark.parametrize("verb", [Verb.pass_first, Verb.send_back, Verb.close_out, Verb.ask_void, Verb.void])
def test_nobody_of_the_responsible_unit_judges_its_matter_whatever_else_they_are(verb: Verb):
    it = item(Status.handed_in if verb == Verb.pass_first else Status.passed, asked=verb in NEEDS_ASKING)
    hats = tuple(Grant(role, unit, FUSHUN) for role in Role for unit in (OFFICE, LEAD) if role != Role.system)
    judge = Actor(UUID(int=200), "多职", hats)
    at_home = replace(judge, home=RESPONSIBLE)
    if verb != Verb.ask_void:
        assert rules.why_not(verb, it, judge, COMPLETE) is None
    own = replace(judge, grants=(*hats, Grant(Role.inspector, RESPONSIBLE, XINBIN)))
    assert isinstance(rules.why_not(verb, it, own, COMPLETE), Forbidden)
    assert isinstance(rules.why_not(verb, it, at_home, COMPLETE), Forbidden)


@pytest.mark.parametrize(
    ("area", "may"), [(XINBIN, True), (FUSHUN, True), ("210000000000", True), (ELSEWHERE, False), ("", False)]
)
def test_an_office_reaches_what_lies_in_its_area(area: str, may: bool):
    boss = somebody(21, Role.supervision_leader, OTHER, area)
    assert (rules.why_not(Verb.close_out, item(Status.passed), boss, COMPLETE) is None) is may


def test_everything_missing_is_told_at_once():
    problem = rules.why_not(Verb.hand_in, item(Status.working), PEOPLE["handler"], Facts(site_item=True))
    assert isinstance(problem, Incomplete) and problem.details["needs"] == ["note", "evidence", "confirmed_by"]


@pytest.mark.parametrize(
    ("closing_class", "due"),
    [
        (ClosingClass.fix_now, date(2026, 11, 25)),
        (ClosingClass.by_date, date(2026, 12, 5)),
        (ClosingClass.long_term, None),
    ],
)
def test_a_closing_class_brings_its_date_or_none(closing_class: ClosingClass, due: date | None):
    friday = date(2026, 11, 20)
    found = rules.deadline(closing_class, None, friday, Calendar())
    assert (found and found.on) == due
    assert not found or found.certainty == Certainty.known


def test_a_date_counted_over_an_unpublished_calendar_says_so():
    found = rules.deadline(ClosingClass.fix_now, None, date(2031, 1, 2), Calendar())
    assert found and found.certainty == Certainty.assumed
