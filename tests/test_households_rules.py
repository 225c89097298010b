"""Who may do what with a household, what a reason must be, and what no field may hold."""

from datetime import timedelta
from uuid import UUID

import pytest

from backend.errors import Problem
from backend.households import rules
from backend.households.rules import Verb
from backend.roles import SYSTEM, Actor, Grant, Role
from tasks.household_clearing.rules import Standing, standing
from tests.conftest import NOON

AREA = frozenset({"210000000000", "210400000000", "210422000000", "210422108000", "210422108204"})
KEEPS = [Verb.correct, Verb.add_person, Verb.remove_person]
ALLOWED: dict[Role, list[Verb]] = {
    Role.inspector: [*KEEPS, Verb.view],
    Role.team_lead: [*KEEPS, Verb.view],
    Role.supervision_staff: [*KEEPS, Verb.view],
    Role.supervision_leader: [*KEEPS, Verb.view, Verb.read_views],
    Role.contract_leader: [Verb.view],
    Role.security_auditor: [Verb.read_views],
}


def actor(role: Role, area: str = "210422000000") -> Actor:
    return Actor(UUID(int=1), "某人", (Grant(role, UUID(int=2), area),))


@pytest.mark.parametrize("role", [role for role in Role if role != Role.system])
def test_every_role_may_do_what_the_table_says_in_its_area_and_nothing_elsewhere(role):
    assert rules.open_verbs(actor(role), AREA) == ALLOWED.get(role, [])
    assert rules.open_verbs(actor(role, "210423000000"), AREA) == []


def test_the_program_writes_nothing_here_and_never_reads_in_full():
    assert rules.open_verbs(SYSTEM, AREA) == []


def test_an_unknown_place_is_no_reason_to_say_not_yours():
    assert rules.may_keep(actor(Role.inspector), frozenset()) is None
    assert rules.may_keep(actor(Role.unit_handler), frozenset()) is not None


def refused(check, *given) -> str:
    with pytest.raises(Problem) as refusal:
        check(*given)
    return refusal.value.code


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "incomplete"),
        ("  核查  ", "incomplete"),
        ("入户看望佟守义一家", "personal_data_in_reason"),
        ("核对电话13904130077", "personal_data_in_reason"),
        ("核对证件１１０１０５１９４９１２３１００２Ｘ", "personal_data_in_reason"),
    ],
)
def test_a_reason_says_enough_and_nothing_personal(reason, code):
    assert refused(rules.check_reason, reason, ["佟守义", "王"]) == code


def test_a_good_reason_is_accepted():
    rules.check_reason("入户核查王家沟饮水", ["佟守义", "王"])  # a name of one sign proves nothing


def test_id_numbers_are_kept_plain_and_wrong_ones_refused():
    assert rules.checked_id_number(None) is None
    assert rules.checked_id_number(" １１０１０５-19491231-002x ") == "11010519491231002X"
    for wrong in ("110105194912310021", "1101051949123100", "abc", "110105491231002"):
        assert refused(rules.checked_id_number, wrong) == "bad_id_number"


def test_what_is_not_encrypted_takes_no_id_number():
    rules.check_household_number("6222021234567890128")  # ledgers have long numbers of their own
    assert refused(rules.check_household_number, "户-11010519491231002X") == "id_number_as_number"
    for q in ("11010519491231002X", "110105 19491231 002x", "13904130077"):
        assert refused(rules.check_search, q) == "personal_data_in_address"
    for q in (None, "", "0012", "2104221082040012"):
        rules.check_search(q)


def test_a_reading_may_be_repeated_for_ten_minutes():
    rules.check_view_lasts(NOON, NOON + timedelta(minutes=10))
    assert refused(rules.check_view_lasts, NOON, NOON + timedelta(minutes=10, seconds=1)) == "view_is_over"


@pytest.mark.parametrize(
    ("counted", "closed", "hung", "expected"),
    [
        (0, 0, 0, Standing.no_items),
        (1, 0, 0, Standing.open),
        (1, 1, 0, Standing.cleared),
        (1, 0, 1, Standing.hung),
        (3, 2, 1, Standing.hung),
        (3, 1, 1, Standing.open),
        (3, 3, 0, Standing.cleared),
    ],
)
def test_a_household_is_cleared_when_all_its_counted_items_are(counted, closed, hung, expected):
    assert standing(counted, closed, hung) == expected
