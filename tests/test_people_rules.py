"""Rules of people: roles apart, growing pauses, what a password needs, whose network, whose site."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backend.people import passwords, rules
from backend.people.rules import Failures, TotpState, held_back, network_of, pause, why_not_grant, why_weak
from backend.roles import APART, NEEDS_TOTP, Actor, Grant, Role

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECONDS = timedelta(seconds=1)
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
CASE_WORK = [role for role in Role if role not in (Role.sys_admin, Role.security_auditor, Role.system)]


@pytest.mark.parametrize("administrative", [Role.sys_admin, Role.security_auditor])
@pytest.mark.parametrize("other", [*CASE_WORK, Role.sys_admin, Role.security_auditor])
def test_administrative_roles_stand_alone(administrative, other):
    apart = administrative is not other
    assert bool(why_not_grant(administrative, [other])) == apart
    assert bool(why_not_grant(other, [administrative])) == apart


def test_case_work_roles_go_together():
    assert [why_not_grant(role, CASE_WORK) for role in CASE_WORK] == [None] * len(CASE_WORK)


def test_system_is_granted_to_nobody():
    assert why_not_grant(Role.system, [])


def test_every_apart_role_is_tested():
    assert frozenset().union(*APART) == {Role.sys_admin, Role.security_auditor}


@pytest.mark.parametrize("role", list(Role))
def test_only_administrators_administer(role):
    actor = Actor(None, "王", (Grant(role, UUID(int=1), "210423000000"),))
    assert (rules.may_administer(actor) is None) == (role in (Role.sys_admin, Role.system))


def test_pauses_grow_from_half_a_minute_to_a_quarter_of_an_hour():
    assert [pause(count, 5) // SECONDS for count in range(3, 14)] == [
        0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900,
    ]  # fmt: skip


def test_pause_of_huge_counts_is_still_a_quarter_of_an_hour():
    assert pause(10**6, 5) == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (Failures(), 0),
        (Failures(pair=4, pair_at=NOW), 0),
        (Failures(pair=5, pair_at=NOW), 30),
        (Failures(pair=5, pair_at=NOW - 29 * SECONDS), 1),
        (Failures(pair=5, pair_at=NOW - 30 * SECONDS), 0),
        (Failures(pair=5, pair_at=NOW, known=True), 30),
        (Failures(username=19, username_at=NOW), 0),
        (Failures(username=20, username_at=NOW), 30),
        (Failures(username=500, username_at=NOW, known=True), 0),
        (Failures(network=99, network_at=NOW), 0),
        (Failures(network=101, network_at=NOW), 60),
        (Failures(network=5000, network_at=NOW, known=True), 0),
        (Failures(pair=5, pair_at=NOW, username=24, username_at=NOW, network=7, network_at=NOW), 480),
    ],
)
def test_who_must_wait(failures, seconds):
    assert held_back(failures, NOW) == seconds * SECONDS


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("203.0.113.7", "", "203.0.113.0/24"),
        ("2001:db8:1:2::9", "", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "", "203.0.113.0/24"),
        (None, "", "local"),
        ("", "203.0.113.7", "local"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.0/24"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.0/24"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.0/24"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.0/24"),
        ("fd00::1", "2001:db8::5", "2001:db8::/48"),
        ("10.0.0.1", "not an address", "10.0.0.0/24"),
        ("10.0.0.1", "", "10.0.0.0/24"),
    ],
)
def test_network_is_the_last_address_that_a_trusted_hop_saw(peer, forwarded, network):
    assert network_of(peer, forwarded, PROXIES) == network


@given(peer=some.one_of(some.none(), some.text(), some.ip_addresses().map(str)), forwarded=some.text())
def test_no_header_can_break_the_network(peer, forwarded):
    assert network_of(peer, forwarded, PROXIES)


@pytest.mark.parametrize(
    ("origin", "fetch_site", "foreign"),
    [
        (None, None, False),
        ("https://duban.test", None, False),
        ("https://DUBAN.test", "same-origin", False),
        (None, "none", False),
        ("https://evil.test", None, True),
        ("https://duban.test.evil.test", None, True),
        ("https://duban.test:8443", None, True),
        ("null", None, True),
        (None, "cross-site", True),
        (None, "same-site", True),
        ("https://duban.test", "cross-site", True),
    ],
)
def test_cross_site_is_what_the_browser_says(origin, fetch_site, foreign):
    assert rules.cross_site("duban.test", origin, fetch_site) == foreign


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("Shan-7310", "长度"),
        ("Sh-7" * 33, "长度"),
        ("shanyaoshanyao", "三类"),
        ("shanyao73107310", "三类"),
        ("Wang.jianguo-7310", "用户名"),
        ("Aa7310王建国更长些", "姓名"),
        ("Admin@123456", "常见"),
        ("P@ssw0rd2026", "常见"),
        ("Qwer1234!@#$", "常见"),
        ("1qaz@WSX2026", "常见"),
        ("Aa1Aa1Aa1Aa1", "常见"),
    ],
)
def test_weak_passwords_are_told_what_they_lack(password, says):
    assert says in (why_weak(password, "wang.jianguo", "王建国") or "")


@pytest.mark.parametrize("password", ["Shan-yao-7310", "整改销号Ab7310长一点", "xyzw" * 25 + "X7", "correct Horse 7"])
def test_good_passwords_pass(password):
    assert why_weak(password, "wang.jianguo", "王建国") is None


def test_made_up_passwords_are_good_and_differ():
    made = {passwords.made_up() for _ in range(50)}
    assert len(made) == 50 and not any(why_weak(one, "wang", "王建国") for one in made)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("enforced", [True, False])
def test_second_factor_is_forced_on_those_who_decide(role, enforced):
    needed = TotpState.needed_enrolment if enforced and role in NEEDS_TOTP else TotpState.not_needed
    assert rules.totp_state(False, [role], enforced) is needed
    assert rules.totp_state(True, [role], enforced) is TotpState.confirmed


def test_one_time_codes_match_rfc_6238():
    """RFC 6238, appendix B, SHA-1, cut to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in [
        (59, "287082"),
        (1111111109, "081804"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ]:
        moment = datetime.fromtimestamp(seconds, UTC)
        assert passwords.totp_step(secret, code, moment) == seconds // 30
        assert passwords.totp_step(secret, code, moment + timedelta(seconds=30)) == seconds // 30
        assert passwords.totp_step(secret, code, moment + timedelta(seconds=90)) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "２８７０８２", "abcdef", "-28708"])
def test_odd_codes_are_simply_wrong(code):
    assert passwords.totp_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, datetime.fromtimestamp(59, UTC)) is None


async def test_nobody_costs_as_much_as_somebody():
    costs = passwords.NOBODY.split("$")[1:4]
    assert costs == (await passwords.hashed("Shan-yao-7310")).split("$")[1:4] == ["argon2id", "v=19", "m=19456,t=2,p=1"]
    assert not await passwords.matches(None, "Shan-yao-7310")


async def test_hash_knows_its_password_only():
    known = await passwords.hashed("Shan-yao-7310")
    assert await passwords.matches(known, "Shan-yao-7310") and not await passwords.matches(known, "shan-yao-7310")
    assert not await passwords.matches("not a hash", "Shan-yao-7310")
