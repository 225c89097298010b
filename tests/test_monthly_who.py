"""Who may do what about the monthly check: every question × every role, and whom two keys and recusal keep away."""

from uuid import UUID, uuid4

import pytest

from backend.roles import OFFICE, Actor, Grant, Role
from tasks.monthly import who
from tasks.monthly.who import Around

CITY, COUNTY, ELSEWHERE = "210400000000", "210422000000", "210423000000"
KEEPER, TARGET, OFFICE_UNIT, OTHER = uuid4(), uuid4(), uuid4(), uuid4()
IT = Around(KEEPER, KEEPER, TARGET, frozenset({"210000000000", CITY, COUNTY}))
SOMEBODY = uuid4()


def person(role: Role, unit: UUID, area: str = CITY, **more) -> Actor:
    return Actor(uuid4(), "某", (Grant(role, unit, area),), home=unit, **more)


ROLES = [role for role in Role if role != Role.system]


@pytest.mark.parametrize("role", ROLES)
def test_the_matrix_of_roles(role: Role) -> None:
    at_keeper, at_office = person(role, KEEPER), person(role, OFFICE_UNIT)
    files, office = role in who.FILERS, role in OFFICE
    assert (who.may_file(at_keeper, IT) is None) == files
    assert who.may_file(at_office, IT) is not None
    assert (who.may_ask(at_keeper, IT) is None) == (files or office)
    assert (who.may_ask(at_office, IT) is None) == office
    for may in (who.may_revoke, lambda actor, it: who.may_decide(actor, it, SOMEBODY)):
        assert (may(at_office, IT) is None) == office
        assert may(at_keeper, IT) is not None  # nobody decides about the own department
    assert (who.may_propose(at_office, IT.area) is None) == office
    assert (who.may_approve(at_office, IT.area, SOMEBODY) is None) == office
    assert (who.may_end(at_office, IT.area) is None) == (role == Role.supervision_leader)


@pytest.mark.parametrize("role", sorted(OFFICE))
def test_an_office_of_another_place_decides_nothing(role: Role) -> None:
    far = person(role, OTHER, ELSEWHERE)
    assert who.may_decide(far, IT, SOMEBODY) and who.may_revoke(far, IT) and who.may_ask(far, IT)
    assert who.may_propose(far, IT.area) and who.may_approve(far, IT.area, SOMEBODY) and who.may_end(far, IT.area)


def test_nobody_answers_the_own_request() -> None:
    staff = person(Role.supervision_staff, OFFICE_UNIT)
    assert who.may_decide(staff, IT, staff.person) == "申请人不能审批自己的申请。"
    assert who.may_approve(staff, IT.area, staff.person) == "录入人不能批准自己录入的规则。"


@pytest.mark.parametrize("unit", [KEEPER, TARGET])
def test_who_keeps_away_from_a_unit_does_not_decide_for_it(unit: UUID) -> None:
    recused = person(Role.supervision_leader, OFFICE_UNIT, recused_units=frozenset({unit}))
    assert who.may_decide(recused, IT, SOMEBODY) == who.may_revoke(recused, IT) == "您已声明回避有关单位。"


def test_who_keeps_away_from_the_county_does_not_tell_of_its_check() -> None:
    reviewer = person(Role.lead_unit_reviewer, KEEPER, recused_units=frozenset({TARGET}))
    assert who.may_file(reviewer, IT) == "您已声明回避被检查单位。"


def test_the_successor_keeps_the_cells_and_the_former_unit_does_not() -> None:
    merged = Around(OTHER, KEEPER, TARGET, IT.area)
    assert who.may_file(person(Role.unit_principal, OTHER), merged) is None
    assert who.may_file(person(Role.unit_principal, KEEPER), merged) is not None
