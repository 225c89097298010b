"""Checklists: which answer stands, who differs, what is still missing. No database."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from backend.errors import Conflict, Forbidden, Incomplete, WrongState
from backend.roles import Actor, Grant, Role
from inspections.checklists import rules
from inspections.checklists.rules import ChecklistMove, Conformity, Question, Status
from tests.checklists_make import QUESTIONS, content

NINE = datetime(2026, 11, 24, 1, tzinfo=UTC)
WANG, LIU = uuid4(), uuid4()
CITY = frozenset({"210000000000", "210400000000"})


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


@dataclass(frozen=True)
class Row:
    id: UUID
    number: int
    by: UUID
    answer: Conformity
    counts_at: datetime
    seen: UUID | None = None
    note: str = ""
    finding_filed: bool = False


class Visit:
    """Answers to one question as they come in."""

    def __init__(self):
        self.rows: list[Row] = []

    def receives(self, by: UUID, answer: Conformity, tapped: datetime, came: datetime, seen: Row | None = None) -> Row:
        known = [row.counts_at for row in rules.known_to(seen and seen.id, self.rows)]
        counts = rules.counts_at(tapped, came, known)
        self.rows.append(Row(uuid4(), len(self.rows) + 1, by, answer, counts, seen and seen.id))
        return self.rows[-1]


@pytest.fixture
def visit():
    return Visit()


def test_the_later_tap_stands_in_whatever_order_they_come_in(visit):
    later = visit.receives(LIU, Conformity.fails, NINE + minutes(5), NINE + minutes(6))
    visit.receives(WANG, Conformity.passes, NINE, NINE + minutes(60))
    assert rules.standing(visit.rows) is later


def test_who_changes_an_answer_is_believed_and_differs_from_nobody(visit):
    first = visit.receives(WANG, Conformity.passes, NINE, NINE)
    second = visit.receives(WANG, Conformity.fails, NINE + minutes(1), NINE + minutes(1), first)
    assert rules.standing(visit.rows) is second and rules.differing(visit.rows) == []


def test_a_clock_that_is_fast_wins_nothing(visit):
    visit.receives(WANG, Conformity.passes, NINE + timedelta(days=300), NINE + minutes(1))
    honest = visit.receives(LIU, Conformity.fails, NINE + minutes(2), NINE + minutes(3))
    assert rules.standing(visit.rows) is honest


def test_a_clock_that_is_slow_still_corrects_what_it_has_seen(visit):
    first = visit.receives(WANG, Conformity.passes, NINE, NINE)
    slow = visit.receives(LIU, Conformity.fails, NINE - timedelta(days=300), NINE + minutes(9), first)
    assert rules.standing(visit.rows) is slow and rules.differing(visit.rows) == []


def test_two_without_a_signal_differ_until_somebody_answers_who_has_seen_both(visit):
    visit.receives(WANG, Conformity.passes, NINE, NINE + minutes(30))
    visit.receives(LIU, Conformity.fails, NINE + minutes(1), NINE + minutes(31))
    assert [row.by for row in rules.differing(visit.rows)] == [WANG]
    settled = visit.receives(WANG, Conformity.passes, NINE + minutes(40), NINE + minutes(40), visit.rows[-1])
    assert rules.standing(visit.rows) is settled and rules.differing(visit.rows) == []


def test_the_one_that_came_in_earlier_may_stand_and_be_settled_too(visit):
    visit.receives(LIU, Conformity.fails, NINE + minutes(9), NINE + minutes(10))
    visit.receives(WANG, Conformity.passes, NINE, NINE + minutes(30))
    assert [row.by for row in rules.differing(visit.rows)] == [WANG]
    visit.receives(LIU, Conformity.fails, NINE + minutes(40), NINE + minutes(40), visit.rows[-1])
    assert rules.differing(visit.rows) == []


def test_two_who_say_the_same_do_not_differ(visit):
    visit.receives(WANG, Conformity.passes, NINE, NINE + minutes(30))
    visit.receives(LIU, Conformity.passes, NINE + minutes(1), NINE + minutes(31))
    assert rules.differing(visit.rows) == []


def test_an_answer_that_saw_what_never_came_counts_by_its_clock(visit):
    lost = Row(uuid4(), 1, WANG, Conformity.passes, NINE)
    visit.receives(WANG, Conformity.fails, NINE, NINE + minutes(1), lost)
    assert rules.standing(visit.rows) is visit.rows[0] and rules.standing([]) is None


def test_what_is_missing_is_an_answer_or_what_shows_a_failure():
    asked = QUESTIONS[0]
    assert asked.photo_when_fails and rules.lacks(asked, None)
    failing = Row(uuid4(), 1, WANG, Conformity.fails, NINE)
    assert rules.lacks(asked, failing)
    assert not rules.lacks(asked, replace(failing, finding_filed=True))
    assert not rules.lacks(asked, replace(failing, note="户主不同意拍照。"))
    assert not rules.lacks(QUESTIONS[1], failing)  # which asks for no photo
    assert not rules.lacks(asked, replace(failing, answer=Conformity.passes))
    rules.check_complete("饮水", [])
    with pytest.raises(Incomplete) as refusal:
        rules.check_complete("饮水", ["S1"])
    assert refusal.value.details["questions"] == ["S1"]


def test_what_a_question_does_not_take():
    strict, lenient = QUESTIONS[0], QUESTIONS[1]
    with pytest.raises(Incomplete):
        rules.check_answer(strict, Conformity.not_applicable, None)
    rules.check_answer(lenient, Conformity.not_applicable, None)
    rules.check_answer(strict, Conformity.fails, uuid4())
    for answer in (Conformity.passes, Conformity.not_applicable):
        with pytest.raises(Incomplete):
            rules.check_answer(lenient, answer, uuid4())


def test_after_the_submission_only_what_was_answered_before_it():
    rules.check_in_time(NINE, None)
    rules.check_in_time(NINE, NINE)
    with pytest.raises(Conflict):
        rules.check_in_time(NINE + minutes(1), NINE)


def test_a_version_is_sound():
    rules.check_content(content())
    rules.check_content(content(valid_to=date(2026, 1, 1)))
    with pytest.raises(Incomplete):
        rules.check_content(content(valid_to=date(2025, 12, 31)))
    with pytest.raises(Incomplete):
        rules.check_content(content(questions=(QUESTIONS[0], Question("S1", "又一问", "", "0304", True, True))))
    rules.check_adoption(date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(Incomplete):
        rules.check_adoption(date(2026, 1, 1), date(2026, 1, 2))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("move", ChecklistMove)
def test_the_office_alone_writes_and_only_drafts(role, status, move):
    actor = Actor(WANG, "王", (Grant(role, uuid4(), "210400000000"),))
    office = role in (Role.supervision_staff, Role.supervision_leader)
    possible = {Status.draft: set(ChecklistMove), Status.in_force: {ChecklistMove.withdraw}, Status.withdrawn: set()}[
        status
    ]
    assert (move in rules.moves(actor, CITY, status)) == (office and move in possible)
    assert rules.moves(actor, {"210000000000", "210100000000"}, status) == []  # another city's
    if not office:
        with pytest.raises(Forbidden):
            rules.check_move(actor, CITY, status, move)
    elif move in possible:
        rules.check_move(actor, CITY, status, move)
    else:
        with pytest.raises(WrongState):
            rules.check_move(actor, CITY, status, move)
