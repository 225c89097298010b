"""The machine itself: every verb × every status × every relation, then needs, blocks, parts, keys. No database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import BadRequest, Forbidden, Incomplete, WrongState
from backend.roles import SYSTEM, Actor, Grant, Role
from backend.workdays import end_of_day
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import rules
from tasks.rectifications.item import Facts, Item, Part, Status, Verb
from tasks.rectifications.words import Ground, UnitRole

S, V = Status, Verb
FUSHUN, XINBIN, ELSEWHERE = "210400000000", "210422000000", "210423000000"
RESPONSIBLE, LEAD, OFFICE, OTHER, SECOND, COOPERATING, FORMER = (UUID(int=n) for n in range(1, 8))
SOMETHING = UUID(int=77)
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


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
    "staff who inspected": somebody(20, Role.supervision_staff, OFFICE, FUSHUN),
    "checker": somebody(21, Role.inspector, OFFICE, FUSHUN),
    "staff who checks": somebody(22, Role.supervision_staff, OFFICE, FUSHUN),
    "cooperating handler": somebody(23, Role.unit_handler, COOPERATING, XINBIN),
    "cooperating principal": somebody(24, Role.unit_principal, COOPERATING, XINBIN),
    "former principal": somebody(25, Role.unit_principal, FORMER, XINBIN),
    "boss of the former unit": somebody(26, Role.supervision_leader, FORMER, FUSHUN),
}


def ids(*names: str) -> frozenset[UUID]:
    return frozenset(PEOPLE[name].person or UUID(int=0) for name in names)


BOSSES = {"boss", "who handed in", "who passed", "who asked to void"}
RULERS = {"staff", "staff who checks", *BOSSES}  # of the office, and did not inspect
OFFICERS = RULERS | {"staff who inspected"}
UNIT = {"handler", "principal"}
NOT_OVER = (S.draft, S.issued, S.working, S.handed_in, S.passed, S.hung)
IN_ORDER = (S.issued, S.working, S.handed_in, S.passed)

# Written by hand from domain.md b.3, not read off MOVES: who may, from which status, and where it leads.
# T4 also from 整改中: two working days of silence are acceptance, and the time to object is three.
MAY: dict[Verb, dict[Status, tuple[set[str], Status]]] = {
    V.issue: {
        S.draft: (
            {"system", "team lead", "boss of the unit itself", "boss of the former unit", *OFFICERS}, S.issued
        )
    },
    V.drop: {S.draft: ({"system", "team lead", *OFFICERS}, S.voided)},
    V.acknowledge: {S.issued: (UNIT, S.working)},
    V.accept_silently: {S.issued: ({"system"}, S.working)},
    V.object_to: {S.issued: ({"principal"}, S.issued), S.working: ({"principal"}, S.working)},
    V.decline_objection: {S.issued: (RULERS, S.issued), S.working: (RULERS, S.working)},
    V.redirect: {S.issued: (RULERS, S.issued), S.working: (RULERS, S.issued)},
    V.uphold_objection: {S.issued: (BOSSES, S.voided), S.working: (BOSSES, S.voided)},
    V.report: {S.working: (UNIT, S.working)},
    V.plan_measure: {S.working: (UNIT, S.working)},
    V.finish_measure: {S.working: (UNIT, S.working)},
    V.drop_measure: {S.working: (UNIT, S.working)},
    V.ask_extension: {S.working: ({"principal"}, S.working)},
    V.grant_extension: {status: (OFFICERS, status) for status in IN_ORDER},
    V.decline_extension: {status: (OFFICERS, status) for status in IN_ORDER},
    V.hand_in: {S.working: (UNIT, S.handed_in)},
    V.confirm_hand_in: {status: ({"principal"}, status) for status in (S.handed_in, S.passed)},
    V.withdraw_hand_in: {S.handed_in: ({"principal"}, S.working)},
    V.pass_first: {S.handed_in: ({"reviewer"}, S.passed)},
    V.send_back: {S.handed_in: ({"reviewer"}, S.working), S.passed: ({"reviewer", *OFFICERS}, S.working)},
    V.assign_check: {S.passed: (OFFICERS, S.passed)},
    V.pass_check: {S.passed: ({"checker", "staff who checks"}, S.passed)},
    V.fail_check: {S.passed: ({"checker", "staff who checks"}, S.working)},
    V.publish: {S.passed: (OFFICERS, S.passed)},
    V.take_public_objection: {S.passed: (OFFICERS, S.passed)},
    V.decline_public_objection: {S.passed: (OFFICERS, S.passed)},
    V.uphold_public_objection: {S.passed: (OFFICERS, S.working)},
    V.close_out: {S.passed: ({"boss", "who asked to void"}, S.closed)},
    V.look_back: {S.closed: ({"team lead", "inspector", "checker", *OFFICERS}, S.closed)},
    V.reopen: {S.closed: (BOSSES, S.working)},
    V.hang: {S.working: (BOSSES, S.hung)},
    V.resume: {S.hung: (OFFICERS, S.working)},
    V.ask_void: {status: (BOSSES, status) for status in NOT_OVER},
    V.void: {status: (OFFICERS - {"who asked to void"}, S.voided) for status in NOT_OVER},
    V.decline_void: {status: (OFFICERS, status) for status in NOT_OVER},
    V.take_over: {status: ({"system"}, status) for status in NOT_OVER if status != S.draft},
}  # fmt: skip
OF_A_PART = {
    V.acknowledge, V.accept_silently, V.object_to, V.decline_objection, V.redirect, V.uphold_objection, V.report,
    V.plan_measure, V.finish_measure, V.drop_measure, V.ask_extension, V.hand_in, V.confirm_hand_in,
    V.withdraw_hand_in, V.pass_first, V.send_back,
}  # fmt: skip

COMPLETE = Facts(
    described=True, evidence=1, site_item=True, due=True, note="好", reason_code="other", responsible_person="赵",
    after_photos=1, photos=1, principal="钱", percent=100, unit=OTHER, checkers=2, near=True, paper="抚督〔2026〕9号",
)  # fmt: skip

# What must be there beside the status for a verb to have something to do.
PART_OF: dict[Verb, dict[str, Any]] = {
    V.decline_objection: {"objection": SOMETHING, "ground": Ground.fact, "objected": True},
    V.redirect: {"objection": SOMETHING, "ground": Ground.jurisdiction, "objected": True},
    V.uphold_objection: {"objection": SOMETHING, "ground": Ground.duplicate, "objected": True},
    V.finish_measure: {"measures": 2, "measures_open": 1},
    V.confirm_hand_in: {"unconfirmed": True},
    V.withdraw_hand_in: {"unconfirmed": True},
    V.drop_measure: {"measures": 1, "measures_open": 1},
}
ITEM_OF: dict[Verb, dict[str, Any]] = {
    V.grant_extension: {"extension": SOMETHING},
    V.decline_extension: {"extension": SOMETHING},
    V.pass_check: {"check": SOMETHING, "checkers": ids("checker", "staff who checks")},
    V.fail_check: {"check": SOMETHING, "checkers": ids("checker", "staff who checks")},
    V.take_public_objection: {"publicity_until": NOW + timedelta(days=3)},
    V.decline_public_objection: {"publicity_until": NOW, "public_objection": SOMETHING},
    V.uphold_public_objection: {"publicity_until": NOW, "public_objection": SOMETHING},
    V.look_back: {"checkers": ids("checker", "staff who checks")},
    V.void: {"void_asked_by": PEOPLE["who asked to void"].person},
    V.decline_void: {"void_asked_by": PEOPLE["who asked to void"].person},
}
# Where its part is while the item itself is in no work.
RESTING = {S.draft: S.issued, S.closed: S.passed, S.hung: S.working, S.voided: S.issued}


def item(status: Status, verb: Verb | None = None, **said: Any) -> Item:
    """One responsible unit, in focus."""
    part = Part(status=RESTING.get(status, status), **(PART_OF.get(verb, {}) if verb else {}))
    content: dict[str, Any] = {
        "at": NOW,
        "units": {
            UnitRole.responsible: frozenset({RESPONSIBLE}),
            UnitRole.lead: frozenset({LEAD}),
            UnitRole.cooperating: frozenset({COOPERATING}),
        },
        "parts": {RESPONSIBLE: part},
        "former": frozenset({FORMER}),
        "focus": RESPONSIBLE,
        "area": frozenset({"210000000000", FUSHUN, XINBIN}),
        "team": ids("team lead", "inspector", "staff who inspected"),
        "handed_in_by": ids("who handed in"),
        "passed_by": ids("who passed"),
        "due_at": NOW + timedelta(days=10),
    }
    return Item(id=UUID(int=9), status=status, **(content | (ITEM_OF.get(verb, {}) if verb else {}) | said))


def parted(first: Status, second: Status, verb: Verb | None = None, **said: Any) -> Item:
    """Two responsible units; the first is in focus, the item stands where the less advanced one stands."""
    parts = {
        RESPONSIBLE: Part(status=first, **(PART_OF.get(verb, {}) if verb else {})),
        SECOND: Part(status=second),
    }
    units = {UnitRole.responsible: frozenset(parts), UnitRole.lead: frozenset({LEAD})}
    stands = min(first, second, key=IN_ORDER.index)
    return item(stands, verb, **({"parts": parts, "units": units} | said))


# ── the matrix ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_matrix_has_every_verb():
    assert set(MAY) == set(Verb)
    assert {verb for verb in Verb if rules.MOVES[verb].of == rules.Moved.part} == OF_A_PART


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("status", Status)
def test_every_verb_in_every_status_for_everybody(verb: Verb, status: Status):
    it = item(status, verb)
    people, end = MAY[verb].get(status, (set(), None))
    for who, actor in PEOPLE.items():
        problem = rules.why_not(verb, it, actor, COMPLETE)
        if who in people:
            assert problem is None, (who, problem)
            assert rules.after(rules.plan(verb, it, actor, COMPLETE), it, frozenset({RESPONSIBLE})) == end
        elif any(who in people for people, _ in MAY[verb].values()) and not _only_later(verb, status, who):
            assert isinstance(problem, WrongState), who
        else:
            assert isinstance(problem, Forbidden), who


def _only_later(verb: Verb, status: Status, who: str) -> bool:
    """The office may send back after the first pass only: before it, that is not theirs to do at all."""
    return verb == V.send_back and who in OFFICERS and status not in (S.passed, S.closed)


@pytest.mark.parametrize("verb", sorted(OF_A_PART))
@pytest.mark.parametrize("first", IN_ORDER)
@pytest.mark.parametrize("second", IN_ORDER)
def test_a_move_of_a_part_looks_at_that_part_and_leaves_the_other(verb: Verb, first: Status, second: Status):
    it = parted(first, second, verb)
    people, end = MAY[verb].get(first, (set(), None))
    if verb == V.uphold_objection:
        people = set()  # voiding it would take it from the other unit
    for who, actor in PEOPLE.items():
        problem = rules.why_not(verb, it, actor, COMPLETE)
        assert (problem is None) == (who in people), (who, problem)
        if problem is None and end is not None:
            move = rules.plan(verb, it, actor, COMPLETE)
            assert rules.after(move, it, frozenset({RESPONSIBLE})) == min(end, second, key=IN_ORDER.index)
    at_second = Actor(UUID(int=300), "二", tuple(Grant(role, SECOND, XINBIN) for role in Role if role != Role.system))
    problem = rules.why_not(verb, it, at_second, COMPLETE)
    assert isinstance(problem, Forbidden), "nobody of the one unit moves the other's part, or judges any"


@pytest.mark.parametrize("verb", sorted(set(Verb) - OF_A_PART))
@pytest.mark.parametrize("first", IN_ORDER)
@pytest.mark.parametrize("second", IN_ORDER)
def test_a_move_of_the_item_waits_for_the_slowest_unit(verb: Verb, first: Status, second: Status):
    it = parted(first, second, verb)
    people, end = MAY[verb].get(min(first, second, key=IN_ORDER.index), (set(), None))
    for who, actor in PEOPLE.items():
        problem = rules.why_not(verb, it, actor, COMPLETE)
        assert (problem is None) == (who in people - {"boss of the former unit"}), (who, problem)
        if problem is None:
            assert rules.after(rules.MOVES[verb], it, frozenset({RESPONSIBLE, SECOND})) == end


@pytest.mark.parametrize("verb", [V.fail_check, V.uphold_public_objection, V.reopen])
def test_what_goes_back_goes_back_to_the_units_named_and_the_item_follows(verb: Verb):
    it = parted(S.passed, S.passed)
    move = rules.MOVES[verb]
    assert rules.after(move, it, frozenset({SECOND})) == S.working
    assert rules.named_parts(it, frozenset()) == {RESPONSIBLE, SECOND}
    assert rules.named_parts(it, frozenset({SECOND})) == {SECOND}
    for wrong in (LEAD, FORMER, OTHER):
        with pytest.raises(BadRequest) as refusal:
            rules.named_parts(it, frozenset({SECOND, wrong}))
        assert refusal.value.code == "not_a_responsible_unit"


def test_a_former_unit_moves_and_judges_nothing():
    it = item(S.passed, focus=FORMER)
    hats = tuple(Grant(role, FORMER, FUSHUN) for role in Role if role != Role.system)
    for verb in set(Verb) - {V.issue}:
        assert isinstance(rules.why_not(verb, it, Actor(UUID(int=301), "前", hats), COMPLETE), Forbidden), verb


def test_a_move_of_a_part_without_a_part_is_a_mistake_of_ours():
    for verb in OF_A_PART:
        with pytest.raises(ValueError):
            rules.why_not(verb, item(S.working, focus=None), PEOPLE["boss"], COMPLETE)


# ── whose part ───────────────────────────────────────────────────────────────────────────────────────────────────

BOTH = Actor(
    UUID(int=302), "两边", (Grant(Role.unit_handler, RESPONSIBLE, XINBIN), Grant(Role.unit_handler, SECOND, XINBIN))
)


def test_the_part_is_the_one_named_or_the_only_one_it_can_be():
    it = parted(S.working, S.working, focus=None)
    assert rules.focused(V.report, it, BOTH, SECOND).focus == SECOND
    assert rules.focused(V.report, it, PEOPLE["handler"], None).focus == RESPONSIBLE  # works for one of them only
    assert rules.focused(V.report, parted(S.working, S.passed, focus=None), BOTH, None).focus == RESPONSIBLE
    assert rules.focused(V.pass_first, parted(S.working, S.handed_in, focus=None), PEOPLE["reviewer"], None).focus == (
        SECOND
    )
    assert rules.focused(V.close_out, it, BOTH, RESPONSIBLE) is it  # moves the item: no part is asked for


def test_where_several_parts_could_be_meant_the_units_are_named():
    it = parted(S.handed_in, S.handed_in, focus=None)
    with pytest.raises(Incomplete) as refusal:
        rules.focused(V.pass_first, it, PEOPLE["reviewer"], None)
    assert (refusal.value.code, refusal.value.field) == ("unit_needed", "unit")
    assert refusal.value.details["units"] == [str(RESPONSIBLE), str(SECOND)]


@pytest.mark.parametrize("unit", [LEAD, COOPERATING, FORMER, OTHER])
def test_a_unit_that_is_not_responsible_has_no_part(unit: UUID):
    with pytest.raises(BadRequest) as refusal:
        rules.focused(V.report, item(S.working, focus=None), PEOPLE["handler"], unit)
    assert refusal.value.code == "not_a_responsible_unit"


def test_where_no_part_can_move_the_refusal_is_the_nearest_one():
    it = parted(S.passed, S.issued, focus=None)
    seen = rules.focused(V.report, it, PEOPLE["handler"], None)
    assert isinstance(rules.why_not(V.report, seen, PEOPLE["handler"], COMPLETE), WrongState)  # hers: done
    seen = rules.focused(V.report, it, PEOPLE["staff"], None)
    assert isinstance(rules.why_not(V.report, seen, PEOPLE["staff"], COMPLETE), Forbidden)


def test_a_draft_without_units_has_nobody_who_could_work_on_it():
    it = item(S.draft, units={}, parts={}, focus=None)
    for verb in OF_A_PART - {V.accept_silently, V.decline_objection, V.redirect, V.uphold_objection, V.pass_first}:
        seen = rules.focused(verb, it, PEOPLE["handler"], None)
        assert isinstance(rules.why_not(verb, seen, PEOPLE["handler"], COMPLETE), Forbidden)


def test_a_button_says_for_which_units_it_may_be_pressed():
    it = parted(S.handed_in, S.handed_in, focus=None)
    shown = {move.verb: move.units for move in rules.open_moves(it, PEOPLE["reviewer"], COMPLETE)}
    assert shown == {V.pass_first: [RESPONSIBLE, SECOND], V.send_back: [RESPONSIBLE, SECOND]}
    it = parted(S.passed, S.working, focus=None)
    shown = {move.verb: move.units for move in rules.open_moves(it, PEOPLE["staff"], COMPLETE)}
    assert shown == {V.send_back: [RESPONSIBLE]}


# ── needs ────────────────────────────────────────────────────────────────────────────────────────────────────────

NEEDED = [
    (V.issue, S.draft, "staff", {"described": False}, "facts"),
    (V.issue, S.draft, "staff", {"due": False}, "due_on"),
    (V.issue, S.draft, "staff", {"evidence": 0}, "evidence"),
    (V.drop, S.draft, "staff", {"note": " "}, "note"),
    (V.acknowledge, S.issued, "handler", {"responsible_person": " "}, "responsible_person"),
    (V.object_to, S.issued, "principal", {"reason_code": ""}, "ground"),
    (V.object_to, S.working, "principal", {"note": ""}, "note"),
    (V.decline_objection, S.issued, "staff", {"note": " "}, "note"),
    (V.redirect, S.issued, "staff", {"note": ""}, "note"),
    (V.redirect, S.issued, "staff", {"unit": None}, "to_unit"),
    (V.uphold_objection, S.issued, "boss", {"note": ""}, "note"),
    (V.report, S.working, "handler", {"note": ""}, "note"),
    (V.plan_measure, S.working, "handler", {"note": " "}, "text"),
    (V.finish_measure, S.working, "handler", {"note": ""}, "note"),
    (V.drop_measure, S.working, "principal", {"note": "\n"}, "note"),
    (V.ask_extension, S.working, "principal", {"note": ""}, "note"),
    (V.ask_extension, S.working, "principal", {"due": False}, "due_on"),
    (V.grant_extension, S.working, "staff", {"note": ""}, "opinion"),
    (V.decline_extension, S.working, "staff", {"note": ""}, "opinion"),
    (V.hand_in, S.working, "handler", {"note": "  "}, "note"),
    (V.hand_in, S.working, "handler", {"after_photos": 0}, "evidence"),
    (V.hand_in, S.working, "handler", {"principal": ""}, "confirmed_by"),
    (V.pass_first, S.handed_in, "reviewer", {"note": ""}, "opinion"),
    (V.withdraw_hand_in, S.handed_in, "principal", {"note": " "}, "note"),
    (V.send_back, S.handed_in, "reviewer", {"reason_code": ""}, "reason_code"),
    (V.send_back, S.passed, "staff", {"note": ""}, "note"),
    (V.assign_check, S.passed, "staff", {"checkers": 1}, "checkers"),
    (V.pass_check, S.passed, "checker", {"checkers": 1}, "checkers"),
    (V.pass_check, S.passed, "checker", {"note": ""}, "note"),
    (V.pass_check, S.passed, "checker", {"photos": 0}, "evidence"),
    (V.pass_check, S.passed, "checker", {"near": False}, "outside_reason"),
    (V.fail_check, S.passed, "checker", {"checkers": 1}, "checkers"),
    (V.fail_check, S.passed, "checker", {"note": ""}, "note"),
    (V.fail_check, S.passed, "checker", {"photos": 0}, "evidence"),
    (V.fail_check, S.passed, "checker", {"near": False, "outside_reason": " "}, "outside_reason"),
    (V.publish, S.passed, "staff", {"note": ""}, "text"),
    (V.take_public_objection, S.passed, "staff", {"note": ""}, "note"),
    (V.decline_public_objection, S.passed, "staff", {"note": ""}, "note"),
    (V.uphold_public_objection, S.passed, "staff", {"note": ""}, "note"),
    (V.close_out, S.passed, "boss", {"note": ""}, "opinion"),
    (V.look_back, S.closed, "inspector", {"reason_code": ""}, "result"),
    (V.look_back, S.closed, "inspector", {"note": ""}, "note"),
    (V.reopen, S.closed, "boss", {"note": ""}, "note"),
    (V.reopen, S.closed, "boss", {"due": False}, "due_on"),
    (V.reopen, S.closed, "boss", {"photos": 0}, "evidence"),
    (V.hang, S.working, "boss", {"reason_code": ""}, "reason_code"),
    (V.hang, S.working, "boss", {"note": ""}, "note"),
    (V.hang, S.working, "boss", {"due": False}, "review_on"),
    (V.hang, S.working, "boss", {"paper": " "}, "paper"),
    (V.resume, S.hung, "staff", {"note": ""}, "note"),
    (V.resume, S.hung, "staff", {"due": False}, "due_on"),
    (V.ask_void, S.working, "boss", {"note": ""}, "note"),
    (V.decline_void, S.working, "staff", {"note": ""}, "note"),
]
OF_THE_ITEM = {
    (V.issue, "responsible_units"),
    (V.report, "lower_reason"),
    (V.pass_first, "evidence"),
    (V.pass_first, "principal_answer"),
    (V.hand_in, "measures"),
}


@pytest.mark.parametrize(("verb", "status", "who", "gone", "field"), NEEDED)
def test_what_is_missing_is_named(verb: Verb, status: Status, who: str, gone: dict[str, object], field: str):
    problem = rules.why_not(verb, item(status, verb), PEOPLE[who], replace(COMPLETE, **gone))
    assert isinstance(problem, Incomplete)
    assert problem.field == field
    assert problem.details["needs"] == [field]


def test_every_need_is_shown_to_be_missed():
    shown = {(verb, field) for verb, _, _, _, field in NEEDED} | OF_THE_ITEM
    assert shown == {(move.verb, need.field) for move in rules.MOVES.values() for need in move.needs}


def test_an_item_without_a_responsible_unit_cannot_be_issued():
    problem = rules.why_not(V.issue, item(S.draft, units={}, parts={}, focus=None), PEOPLE["staff"], COMPLETE)
    assert isinstance(problem, Incomplete) and problem.field == "responsible_units"


def test_a_reason_stands_in_for_evidence():
    facts = replace(COMPLETE, evidence=0, no_evidence_reason=True)
    assert rules.why_not(V.issue, item(S.draft), PEOPLE["staff"], facts) is None


def test_an_item_that_is_not_about_a_site_needs_no_after_photo():
    facts = replace(COMPLETE, after_photos=0, site_item=False)
    assert rules.why_not(V.hand_in, item(S.working), PEOPLE["handler"], facts) is None


@pytest.mark.parametrize(("verb", "status", "who", "part", "field"), [
    (V.report, S.working, "handler", Part(status=S.working, percent=101), "lower_reason"),
    (V.pass_first, S.handed_in, "reviewer", Part(status=S.handed_in, files_missing=1), "evidence"),
    (V.hand_in, S.working, "handler", Part(status=S.working, measures_open=1), "measures"),
    (V.pass_first, S.handed_in, "reviewer", Part(status=S.handed_in, unconfirmed=True, word_wanted=True),
     "principal_answer"),
])  # fmt: skip
def test_what_the_units_own_part_lacks_is_named(verb: Verb, status: Status, who: str, part: Part, field: str):
    lacking = item(status, parts={RESPONSIBLE: part})
    problem = rules.why_not(verb, lacking, PEOPLE[who], COMPLETE)
    assert isinstance(problem, Incomplete) and problem.details["needs"] == [field]
    other = parted(status, S.working, parts={RESPONSIBLE: Part(status=status), SECOND: part})
    assert rules.why_not(verb, other, PEOPLE[who], COMPLETE) is None, "the other unit's lack is not hers"


def test_less_than_before_needs_a_reason():
    it = item(S.working, parts={RESPONSIBLE: Part(status=S.working, percent=60)})
    for percent, reason, missing in ((60, "", False), (59, "", True), (59, "  ", True), (0, "返工", False)):
        problem = rules.why_not(
            V.report, it, PEOPLE["handler"], replace(COMPLETE, percent=percent, lower_reason=reason)
        )
        assert isinstance(problem, Incomplete) is missing


@pytest.mark.parametrize("said", [{"listed": True}, {"closing_class": ClosingClass.long_term}])
def test_a_plan_is_asked_for_where_the_matter_is_long_or_listed(said: dict[str, Any]):
    for part, missing in ((Part(status=S.working), True), (Part(status=S.working, measures=1), False)):
        for it, asked in ((item(S.working, parts={RESPONSIBLE: part}, **said), True), (item(S.working), False)):
            problem = rules.why_not(V.hand_in, it, PEOPLE["handler"], COMPLETE)
            assert isinstance(problem, Incomplete) is (missing and asked)
            assert problem is None or problem.message == "要先拟定整改措施。"


def test_how_many_measures_are_open_is_said_in_the_refusal_and_on_the_button():
    it = item(S.working, parts={RESPONSIBLE: Part(status=S.working, measures=3, measures_open=2)})
    problem = rules.why_not(V.hand_in, it, PEOPLE["handler"], COMPLETE)
    assert problem is not None and problem.message == "还有 2 项措施未完成。"
    button = next(move for move in rules.open_moves(it, PEOPLE["handler"], COMPLETE) if move.verb == V.hand_in)
    assert [need.sentence for need in button.needs] == ["还有 2 项措施未完成"]


def test_far_from_the_place_a_reason_is_enough():
    facts = replace(COMPLETE, near=False, outside_reason="道路塌方，隔河查看。")
    assert rules.why_not(V.pass_check, item(S.passed, V.pass_check), PEOPLE["checker"], facts) is None


def test_a_look_back_that_found_a_relapse_is_evidence_to_reopen():
    facts = replace(COMPLETE, photos=0)
    assert rules.why_not(V.reopen, item(S.closed, rebounded=True), PEOPLE["boss"], facts) is None


def test_everything_missing_is_told_at_once():
    problem = rules.why_not(V.hand_in, item(S.working), PEOPLE["handler"], Facts(site_item=True))
    assert isinstance(problem, Incomplete) and problem.details["needs"] == ["note", "evidence", "confirmed_by"]


# ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

OPEN_OBJECTION = {RESPONSIBLE: Part(status=S.working, objection=SOMETHING, ground=Ground.fact, objected=True)}


def with_part(status: Status, **said: Any) -> dict[str, Any]:
    return {"parts": {RESPONSIBLE: Part(status=status, **said)}}


# Verb, status, who; what stands in the way, and what is the same but does not.
IN_THE_WAY: list[tuple[Verb, Status, str, str, dict[str, Any], dict[str, Any]]] = [
    (V.issue, S.draft, "staff", "VOIDING_ASKED", {"void_asked_by": SOMETHING}, {}),
    (V.drop, S.draft, "staff", "VOIDING_ASKED", {"void_asked_by": SOMETHING}, {}),
    (V.accept_silently, S.issued, "system", "OBJECTION_OPEN", with_part(S.issued, objection=SOMETHING), {}),
    (V.object_to, S.issued, "principal", "OBJECTED_ONCE", with_part(S.issued, objected=True), {}),
    (V.object_to, S.issued, "principal", "OBJECTION_LATE", with_part(S.issued, object_until=NOW),
     with_part(S.issued, object_until=NOW + timedelta(microseconds=1))),
    (V.decline_objection, S.issued, "staff", "NO_OBJECTION", with_part(S.issued, objected=True), {}),
    (V.redirect, S.issued, "staff", "NO_OBJECTION", with_part(S.issued, ground=Ground.jurisdiction), {}),
    (V.redirect, S.issued, "staff", "NOT_JURISDICTION",
     with_part(S.issued, objection=SOMETHING, ground=Ground.fact), {}),
    (V.redirect, S.issued, "staff", "NOT_JURISDICTION",
     with_part(S.issued, objection=SOMETHING, ground=Ground.duplicate), {}),
    (V.uphold_objection, S.issued, "boss", "NO_OBJECTION", with_part(S.issued), {}),
    (V.uphold_objection, S.issued, "boss", "JURISDICTION",
     with_part(S.issued, objection=SOMETHING, ground=Ground.jurisdiction),
     with_part(S.issued, objection=SOMETHING, ground=Ground.fact)),
    (V.uphold_objection, S.issued, "boss", "OTHERS_WORK",
     {"units": {UnitRole.responsible: frozenset({RESPONSIBLE, SECOND})}}, {}),
    (V.plan_measure, S.working, "handler", "MEASURES_ENOUGH", with_part(S.working, measures=50),
     with_part(S.working, measures=49)),
    (V.finish_measure, S.working, "handler", "NO_MEASURE", with_part(S.working, measures=1), {}),
    (V.drop_measure, S.working, "principal", "NO_MEASURE", with_part(S.working), {}),
    (V.ask_extension, S.working, "principal", "EXTENSION_OPEN", {"extension": SOMETHING}, {}),
    (V.ask_extension, S.working, "principal", "AFTER_DUE", {"due_at": NOW},
     {"due_at": NOW + timedelta(microseconds=1)}),
    (V.ask_extension, S.working, "principal", "EXTENDED_ENOUGH", {"extended": 2}, {"extended": 1}),
    (V.ask_extension, S.working, "principal", "LISTED_TOO_LATE", {"listed": True, "workdays_left": 19},
     {"listed": True, "workdays_left": 20}),
    (V.ask_extension, S.working, "principal", "LISTED_TOO_LATE", {"listed": True, "workdays_left": -3},
     {"listed": False, "workdays_left": 1}),
    (V.grant_extension, S.working, "staff", "NO_EXTENSION", {"extension": None}, {}),
    (V.decline_extension, S.working, "staff", "NO_EXTENSION", {"extension": None}, {}),
    (V.hand_in, S.working, "handler", "OBJECTION_OPEN", {"parts": OPEN_OBJECTION}, {}),
    (V.confirm_hand_in, S.passed, "principal", "NOTHING_TO_CONFIRM", with_part(S.passed), {}),
    (V.withdraw_hand_in, S.handed_in, "principal", "NOTHING_TO_CONFIRM", with_part(S.handed_in), {}),
    (V.pass_check, S.passed, "checker", "NO_CHECK", {"check": None}, {}),
    (V.fail_check, S.passed, "checker", "NO_CHECK", {"check": None}, {}),
    (V.publish, S.passed, "staff", "PUBLICITY_THERE", {"publicity_until": NOW - timedelta(days=1)}, {}),
    (V.take_public_objection, S.passed, "staff", "NO_PUBLICITY", {"publicity_until": None},
     {"publicity_until": NOW - timedelta(days=1)}),
    (V.take_public_objection, S.passed, "staff", "PUBLIC_OBJECTION_OPEN", {"public_objection": SOMETHING}, {}),
    (V.decline_public_objection, S.passed, "staff", "NO_PUBLIC_OBJECTION", {"public_objection": None}, {}),
    (V.uphold_public_objection, S.passed, "staff", "NO_PUBLIC_OBJECTION", {"public_objection": None}, {}),
    (V.close_out, S.passed, "boss", "VOIDING_ASKED", {"void_asked_by": SOMETHING}, {}),
    (V.close_out, S.passed, "boss", "CHECK_OPEN", {"check": SOMETHING, "check_passed": True}, {"check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED", {"severity": Severity.serious},
     {"severity": Severity.serious, "check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED", {"severity": Severity.grave},
     {"severity": Severity.grave, "check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED", {"listed": True}, {"listed": True, "check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED", {"returned": 1}, {"returned": 1, "check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED", {"sampled": True}, {"sampled": True, "check_passed": True}),
    (V.close_out, S.passed, "boss", "CHECK_WANTED",
     {"closing_class": ClosingClass.long_term, "publicity_until": NOW},
     {"closing_class": ClosingClass.long_term, "publicity_until": NOW, "check_passed": True}),
    (V.close_out, S.passed, "boss", "PUBLICITY_WANTED", {"public": True}, {"public": True, "publicity_until": NOW}),
    (V.close_out, S.passed, "boss", "PUBLICITY_WANTED",
     {"closing_class": ClosingClass.long_term, "check_passed": True},
     {"closing_class": ClosingClass.long_term, "check_passed": True, "publicity_until": NOW}),
    (V.close_out, S.passed, "boss", "PUBLICITY_RUNNING", {"publicity_until": NOW + timedelta(microseconds=1)},
     {"publicity_until": NOW}),
    (V.close_out, S.passed, "boss", "PUBLIC_OBJECTION_OPEN",
     {"publicity_until": NOW, "public_objection": SOMETHING}, {"publicity_until": NOW}),
    (V.hang, S.working, "boss", "VOIDING_ASKED", {"void_asked_by": SOMETHING}, {}),
    (V.hang, S.working, "boss", "EXTENSION_OPEN", {"extension": SOMETHING}, {}),
    (V.hang, S.working, "boss", "ANY_OBJECTION_OPEN", {"parts": OPEN_OBJECTION}, {}),
    (V.ask_void, S.working, "boss", "VOIDING_ASKED", {"void_asked_by": SOMETHING}, {}),
    (V.void, S.working, "staff", "NO_VOIDING_ASKED", {"void_asked_by": None}, {}),
    (V.decline_void, S.working, "staff", "NO_VOIDING_ASKED", {"void_asked_by": None}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "status", "who", "block", "stands", "lifted"),
    IN_THE_WAY,
    ids=[f"{verb}-{block}-{n}" for n, (verb, _, _, block, _, _) in enumerate(IN_THE_WAY)],
)
def test_what_stands_in_the_way_is_told_and_gives_way(
    verb: Verb, status: Status, who: str, block: str, stands: dict[str, Any], lifted: dict[str, Any]
):
    problem = rules.why_not(verb, item(status, verb, **stands), PEOPLE[who], COMPLETE)
    assert isinstance(problem, WrongState) and problem.code == "blocked"
    assert problem.message == getattr(rules.n, block).sentence
    assert rules.why_not(verb, item(status, verb, **lifted), PEOPLE[who], COMPLETE) is None


def test_every_block_is_shown_to_stand():
    shown = {(verb, getattr(rules.n, block).sentence) for verb, _, _, block, _, _ in IN_THE_WAY}
    assert shown == {(move.verb, block.sentence) for move in rules.MOVES.values() for block in move.blocks}


def test_one_units_objection_does_not_hold_up_the_other():
    parts = {RESPONSIBLE: Part(status=S.working), SECOND: Part(status=S.issued, objection=SOMETHING)}
    it = parted(S.working, S.issued, parts=parts)
    assert rules.why_not(V.hand_in, it, PEOPLE["handler"], COMPLETE) is None
    assert isinstance(rules.why_not(V.hang, replace(it, status=S.working), PEOPLE["boss"], COMPLETE), WrongState)


def test_who_decided_on_an_old_state_is_told_so_after_whose_it_is():
    for verb, statuses in MAY.items():
        for status, (people, _) in statuses.items():
            for who in people:
                problem = rules.why_not(verb, item(status, verb, stale=True), PEOPLE[who], COMPLETE)
                assert isinstance(problem, WrongState) and problem.code != "wrong_state", (verb, who)
    forbidden = rules.why_not(V.close_out, item(S.passed, stale=True), PEOPLE["staff"], COMPLETE)
    assert isinstance(forbidden, Forbidden)


# ── keys, relations, recusal ─────────────────────────────────────────────────────────────────────────────────────


def test_without_a_lead_unit_the_office_reviews_first():
    it = item(S.handed_in, units={UnitRole.responsible: frozenset({RESPONSIBLE})})
    assert rules.why_not(V.pass_first, it, PEOPLE["staff"], COMPLETE) is None
    assert isinstance(rules.why_not(V.pass_first, it, PEOPLE["reviewer"], COMPLETE), Forbidden)


@pytest.mark.parametrize("unit", [RESPONSIBLE, LEAD, COOPERATING, FORMER])
@pytest.mark.parametrize("verb", Verb)
def test_who_declared_recusal_touches_nothing_of_that_unit(unit: UUID, verb: Verb):
    for status, (people, _) in MAY[verb].items():
        for who in people:
            recused = replace(PEOPLE[who], recused_units=frozenset({OTHER, unit}))
            assert isinstance(rules.why_not(verb, item(status, verb), recused, COMPLETE), Forbidden)
            elsewhere = replace(PEOPLE[who], recused_units=frozenset({OTHER}))
            assert rules.why_not(verb, item(status, verb), elsewhere, COMPLETE) is None


def test_the_second_key_is_nobody_of_any_round():
    it = item(S.passed, handed_in_by=ids("boss", "who handed in"), passed_by=frozenset())
    assert isinstance(rules.why_not(V.close_out, it, PEOPLE["boss"], COMPLETE), Forbidden)
    it = item(S.passed, handed_in_by=frozenset(), passed_by=ids("boss", "who passed"))
    assert isinstance(rules.why_not(V.close_out, it, PEOPLE["boss"], COMPLETE), Forbidden)
    it = item(S.handed_in, handed_in_by=ids("reviewer"))
    assert isinstance(rules.why_not(V.pass_first, it, PEOPLE["reviewer"], COMPLETE), Forbidden)


def test_the_leader_in_charge_turns_the_second_key_of_listed_items_only():
    for listed, may in ((True, True), (False, False)):
        it = item(S.passed, listed=listed, check_passed=True)
        problem = rules.why_not(V.close_out, it, PEOPLE["contract leader"], COMPLETE)
        assert (problem is None) is may and (may or isinstance(problem, Forbidden))
        assert rules.why_not(V.close_out, it, PEOPLE["boss"], COMPLETE) is None
    keys = item(S.passed, listed=True, check_passed=True, passed_by=ids("contract leader"))
    assert isinstance(rules.why_not(V.close_out, keys, PEOPLE["contract leader"], COMPLETE), Forbidden)


@pytest.mark.parametrize("verb", [V.grant_extension, V.decline_extension])
def test_the_second_extension_is_for_the_leader(verb: Verb):
    for extended, staff_may in ((0, True), (1, False)):
        it = item(S.working, verb, extended=extended)
        assert (rules.why_not(verb, it, PEOPLE["staff"], COMPLETE) is None) is staff_may
        assert rules.why_not(verb, it, PEOPLE["boss"], COMPLETE) is None


@pytest.mark.parametrize("unit", [RESPONSIBLE, FORMER])
@pytest.mark.parametrize("verb", sorted(set(Verb) - {V.issue, V.acknowledge, V.accept_silently, V.object_to, V.report,
                                                     V.plan_measure, V.finish_measure, V.drop_measure,
                                                     V.ask_extension, V.hand_in, V.confirm_hand_in, V.withdraw_hand_in,
                                                     V.take_over}))  # fmt: skip
def test_nobody_of_a_responsible_unit_judges_its_matter_whatever_else_they_are(verb: Verb, unit: UUID):
    status = next(iter(MAY[verb]))
    hats = tuple(Grant(role, at, FUSHUN) for role in Role for at in (OFFICE, LEAD) if role != Role.system)
    judge = Actor(UUID(int=200), "多职", hats)
    it = item(status, verb, **({"checkers": frozenset({judge.person})} if "check" in verb else {}))
    assert rules.why_not(verb, it, judge, COMPLETE) is None
    own = replace(judge, grants=(*hats, Grant(Role.inspector, unit, XINBIN)))
    assert isinstance(rules.why_not(verb, it, own, COMPLETE), Forbidden)
    assert isinstance(rules.why_not(verb, it, replace(judge, home=unit), COMPLETE), Forbidden)


@pytest.mark.parametrize(
    ("area", "may"), [(XINBIN, True), (FUSHUN, True), ("210000000000", True), (ELSEWHERE, False), ("", False)]
)
def test_an_office_reaches_what_lies_in_its_area(area: str, may: bool):
    boss = somebody(21, Role.supervision_leader, OTHER, area)
    assert (rules.why_not(V.close_out, item(S.passed), boss, COMPLETE) is None) is may


def test_leaders_read_and_act_only_where_the_table_says():
    for verb in Verb:
        for status in Status:
            for who in ("leader", "contract leader", "administrator", "auditor"):
                assert isinstance(rules.why_not(verb, item(status, verb), PEOPLE[who], COMPLETE), Forbidden)


# ── what is shown is what is enforced ────────────────────────────────────────────────────────────────────────────

LITTLE = st.sampled_from([None, SOMETHING])
A_PART = st.builds(
    Part, status=st.sampled_from(IN_ORDER), objected=st.booleans(), objection=LITTLE,
    object_until=st.sampled_from([None, NOW, NOW + timedelta(days=1)]), ground=st.sampled_from([None, *Ground]),
    files_missing=st.integers(0, 1), percent=st.sampled_from([0, 50]), measures_open=st.integers(0, 1),
    measures=st.sampled_from([0, 1, 50]), unconfirmed=st.booleans(), word_wanted=st.booleans(),
)  # fmt: skip


@st.composite
def an_item(draw: st.DrawFn) -> Item:
    parts = {unit: draw(A_PART) for unit in draw(st.sampled_from([(), (RESPONSIBLE,), (RESPONSIBLE, SECOND)]))}
    outside = st.sampled_from([S.draft, S.closed, S.hung, S.voided])
    least = min((part.status for part in parts.values()), key=IN_ORDER.index, default=S.draft)
    status = draw(st.one_of(st.just(least), outside))
    lead = draw(st.booleans())
    return item(
        status, focus=None, parts=parts,
        units={UnitRole.responsible: frozenset(parts), UnitRole.lead: frozenset({LEAD} if lead else ())},
        extension=draw(LITTLE), check=draw(LITTLE), public_objection=draw(LITTLE),
        checkers=draw(st.sampled_from([frozenset(), ids("checker", "staff who checks")])),
        void_asked_by=draw(st.sampled_from([None, PEOPLE["boss"].person])), listed=draw(st.booleans()),
        extended=draw(st.integers(0, 2)), returned=draw(st.integers(0, 1)), check_passed=draw(st.booleans()),
        publicity_until=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])), rebounded=draw(st.booleans()),
        due_at=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])), sampled=draw(st.booleans()),
    )  # fmt: skip


SAID = st.builds(
    Facts, described=st.booleans(), due=st.booleans(), evidence=st.integers(0, 1), note=st.sampled_from(["", "好"]),
    reason_code=st.sampled_from(["", "other"]), after_photos=st.integers(0, 1), photos=st.integers(0, 1),
    site_item=st.booleans(), principal=st.sampled_from(["", "钱"]), checkers=st.integers(1, 2), near=st.booleans(),
    unit=LITTLE, paper=st.sampled_from(["", "文"]), percent=st.sampled_from([0, 50]),
)  # fmt: skip


@given(it=an_item(), who=st.sampled_from(list(PEOPLE)), facts=SAID)
def test_buttons_and_enforcement_cannot_disagree(it: Item, who: str, facts: Facts):
    actor = PEOPLE[who]
    shown = {move.verb: move for move in rules.open_moves(it, actor, facts)}
    for verb in Verb:
        if verb in OF_A_PART and it.parts:
            views = {unit: rules.why_not(verb, it.at_unit(unit), actor, facts) for unit in sorted(it.parts)}
        else:
            views = {None: rules.why_not(verb, it, actor, facts)}
        may = {unit: problem for unit, problem in views.items() if problem is None or isinstance(problem, Incomplete)}
        assert (verb in shown) == bool(may)
        if verb in shown:
            assert shown[verb].units == [unit for unit in may if unit]
            assert bool(shown[verb].needs) == isinstance(next(iter(may.values())), Incomplete)
            for unit in (unit for unit in may if unit):
                assert rules.focused(verb, it, actor, unit).focus == unit


# ── mergers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("unit", "heir", "role", "status"),
    [
        (RESPONSIBLE, OTHER, UnitRole.responsible, S.working),
        (RESPONSIBLE, SECOND, UnitRole.responsible, S.working),
        (SECOND, RESPONSIBLE, UnitRole.responsible, S.working),
        (SECOND, OTHER, UnitRole.responsible, S.passed),
        (RESPONSIBLE, LEAD, UnitRole.responsible, S.working),
        (LEAD, SECOND, UnitRole.responsible, S.passed),
        (LEAD, OTHER, UnitRole.lead, None),
        (LEAD, COOPERATING, UnitRole.lead, None),
        (COOPERATING, LEAD, UnitRole.lead, None),
        (COOPERATING, OTHER, UnitRole.cooperating, None),
    ],
)
def test_who_takes_over_has_the_role_that_binds_more_and_the_part_that_is_less_advanced(unit, heir, role, status):
    roles = {UnitRole.lead: frozenset({LEAD}), UnitRole.cooperating: frozenset({COOPERATING})}
    it = parted(S.working, S.passed)
    it = replace(it, units={**it.units, **roles})
    assert rules.inherited(it, unit, heir) == (role, status)


def test_a_unit_that_was_merged_away_is_seen_as_its_heir_and_named_as_gone():
    it = item(S.working, heirs={FORMER: RESPONSIBLE})
    assert it.at_unit(FORMER).focus == RESPONSIBLE == it.at_unit(RESPONSIBLE).focus
    assert it.merged_into_focus == {FORMER, RESPONSIBLE}
    with pytest.raises(BadRequest) as refusal:
        rules.focused(V.report, it, PEOPLE["handler"], FORMER)
    assert (refusal.value.code, refusal.value.details["successor"]) == ("unit_ended", str(RESPONSIBLE))


def test_who_keeps_away_from_a_unit_that_was_merged_away_keeps_away_still():
    boss = replace(PEOPLE["boss"], recused_units=frozenset({OTHER}))
    assert rules.why_not(V.close_out, item(S.passed), boss, COMPLETE) is None
    assert isinstance(rules.why_not(V.close_out, item(S.passed, gone=frozenset({OTHER})), boss, COMPLETE), Forbidden)


# ── dates and the sample ─────────────────────────────────────────────────────────────────────────────────────────


def test_overdue_is_the_instant_the_last_day_is_over_and_only_while_it_ticks():
    at = end_of_day(date(2026, 11, 24))
    assert at.isoformat() == "2026-11-24T16:00:00+00:00"
    for status in Status:
        assert rules.overdue(status, at, at) is (status in IN_ORDER)
        assert not rules.overdue(status, at, at - timedelta(microseconds=1))
        assert not rules.overdue(status, None, at)


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ({}, True),
        ({"closing_class": ClosingClass.fix_now}, False),  # b.4: prelim + leader
        ({"closing_class": ClosingClass.long_term}, False),  # checked anyhow
        ({"severity": Severity.serious}, False),
        ({"listed": True}, False),
        ({"returned": 2}, False),
        ({"sampled": True}, False),  # drawn already
    ],
)
def test_the_sample_decides_only_where_nothing_else_does(said: dict[str, Any], drawn: bool):
    assert rules.sampled(item(S.passed, **said)) is drawn


def test_an_item_is_where_its_slowest_unit_is_at_work():
    it = parted(S.passed, S.issued)
    assert it.at_work == {SECOND}
    assert parted(S.handed_in, S.passed).at_work == frozenset()
