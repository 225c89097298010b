"""Reads: the session behind a token, an account by name, profiles, failed sign-ins, the list of people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.errors import Forbidden, NotFound
from backend.people import rules
from backend.people.tables import Person
from backend.roles import OFFICE, Actor, Grant, Role

PAGE = 100

_GRANTS = (
    "(SELECT coalesce(json_agg(json_build_object('role', g.role, 'unit', g.unit, 'area', u.region) "
    "ORDER BY g.granted_at, g.id), '[]')::text FROM role_grant g JOIN unit u ON u.id = g.unit "
    "WHERE g.person = person.id AND g.revoked_at IS NULL)"
)
_ROLES = (
    "(SELECT coalesce(json_agg(json_build_object('id', g.id, 'role', g.role, 'unit', g.unit, "
    "'unit_name', u.name, 'area', u.region) ORDER BY g.granted_at, g.id), '[]')::text "
    "FROM role_grant g JOIN unit u ON u.id = g.unit "
    "WHERE g.person = person.id AND g.revoked_at IS NULL)"
)
_PROFILE = (
    "SELECT person.id, person.name, username, phone, disabled_at, totp_confirmed_at, "
    f"home.id AS unit, home.name AS unit_name, {_ROLES} AS roles "
    "FROM person JOIN unit home ON home.id = person.unit "
)
# The whole of A11: what is revoked, disabled, idle, over or replaced is no session, at the very next request.
_LIVE = (
    "session.revoked_at IS NULL AND person.disabled_at IS NULL AND ends_at > $2 "
    "AND seen_at > $2 - CASE WHEN browser THEN $3::interval ELSE $4::interval END "
)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that holds now, and whose it is. Sign-out ends its `family`: it and those it replaced."""

    id: UUID
    family: UUID
    actor: Actor
    person: UUID
    username: str
    browser: bool
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    enrol_only: bool
    totp_confirmed: bool


class RoleHeld(msgspec.Struct, frozen=True):
    """A live grant with the unit's name; `area` is the 12-digit code of the unit's region."""

    id: UUID
    role: Role
    unit: UUID
    unit_name: str
    area: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as told to the person or an administrator."""

    id: UUID
    name: str
    username: str
    phone: str | None
    unit: UUID
    unit_name: str
    roles: tuple[RoleHeld, ...]
    totp_confirmed: bool
    disabled_at: datetime | None


async def live_session(token_hash: bytes, now: datetime) -> LiveSession | None:
    """Session, person, live grants and live recusals in one statement; None when the token opens nothing."""
    rows = await raw(
        "SELECT session.id, family, browser, made_at, seen_at, ends_at, enrol_only, person.id AS person, "
        f"person.name, person.unit AS home, username, totp_confirmed_at IS NOT NULL AS confirmed, {_GRANTS} AS grants, "
        "(SELECT coalesce(array_agg(r.unit), '{}') FROM recusal r WHERE r.person = person.id "
        "AND (r.ends_on IS NULL OR r.ends_on >= $6)) AS recused "
        f"FROM session JOIN person ON person.id = session.person WHERE token_hash = $1 AND {_LIVE}"
        "AND (replaced_at IS NULL OR replaced_at > $2 - $5::interval)",
        token_hash,
        now,
        rules.BROWSER_IDLE,
        rules.PHONE_IDLE,
        rules.ROTATION_GRACE,
        clock.local(now).date(),
    )
    if not rows:
        return None
    row = rows[0]
    grants = tuple(msgspec.json.decode(row["grants"], type=list[Grant]))
    return LiveSession(
        id=row["id"],
        family=row["family"],
        actor=Actor(row["person"], row["name"], grants, frozenset(row["recused"]), row["home"]),
        person=row["person"],
        username=row["username"],
        browser=row["browser"],
        made_at=row["made_at"],
        seen_at=row["seen_at"],
        ends_at=row["ends_at"],
        enrol_only=row["enrol_only"],
        totp_confirmed=row["confirmed"],
    )


async def was_revoked(token_hash: bytes) -> bool:
    """Whether somebody ended this session on purpose: a sign-out, another device, a closed account."""
    rows = await raw(
        "SELECT 1 FROM session JOIN person ON person.id = session.person "
        "WHERE token_hash = $1 AND (revoked_at IS NOT NULL OR disabled_at IS NOT NULL)",
        token_hash,
    )
    return bool(rows)


async def acting(person: UUID, now: datetime, *, totp_enforced: bool) -> Actor:
    """Whoever asked for something earlier, as they are now: live grants and recusals, without a session.

    Raises Forbidden for a closed account, and where the roles held now need a second factor that was never enrolled:
    what a sign-in would be refused is not done in the sleeper's name either.
    """
    rows = await raw(
        "SELECT person.name, person.unit, disabled_at, totp_confirmed_at IS NOT NULL AS confirmed, "
        f"{_GRANTS} AS grants, "
        "(SELECT coalesce(array_agg(r.unit), '{}') FROM recusal r WHERE r.person = person.id "
        "AND (r.ends_on IS NULL OR r.ends_on >= $2)) AS recused FROM person WHERE person.id = $1",
        person,
        clock.local(now).date(),
    )
    if not rows or rows[0]["disabled_at"] is not None:
        raise Forbidden("提交人的账号已停用。", "account_closed")
    row = rows[0]
    grants = tuple(msgspec.json.decode(row["grants"], type=list[Grant]))
    state = rules.totp_state(row["confirmed"], [grant.role for grant in grants], totp_enforced)
    if state is rules.TotpState.needed_enrolment:
        raise Forbidden("您的角色须先启用动态码，才能继续使用。", "totp_enrolment_needed")
    return Actor(person, row["name"], grants, frozenset(row["recused"]), row["unit"])


async def account(username: str) -> Person | None:
    """The account of this name in lower case, disabled or not."""
    return await Person.objects().get(Person.username == username)


async def find(person: UUID) -> Person:
    """Raises NotFound."""
    row = await Person.objects().get(Person.id == person)
    if row is None:
        raise NotFound()
    return row


async def lock(person: UUID) -> Person:
    """The row, held until the transaction ends. Raises NotFound."""
    row = await Person.objects().where(Person.id == person).lock_rows("NO KEY UPDATE").first()
    if row is None:
        raise NotFound()
    return row


async def holders(people: Iterable[UUID], roles: Iterable[Role]) -> frozenset[UUID]:
    """Those of these people whose account is open and who hold one of the roles now, at whatever unit."""
    rows = await raw(
        "SELECT DISTINCT person.id FROM person JOIN role_grant ON role_grant.person = person.id "
        "WHERE person.id = ANY($1::uuid[]) AND disabled_at IS NULL AND revoked_at IS NULL AND role = ANY($2::text[])",
        list(people),
        [role.value for role in roles],
    )
    return frozenset(row["id"] for row in rows)


async def named_holders(
    roles: Iterable[Role], areas: Iterable[str], named: str = "", most: int = 500
) -> tuple[list[dict[str, Any]], bool]:
    """Open accounts of these areas that hold one of the roles now, by name: id, name, unit_name; and whether there are
    more than are given. `named`: a part of the name of person or unit.
    """
    rows = await raw(
        "SELECT person.id, person.name, unit.name AS unit_name FROM person JOIN unit ON unit.id = person.unit "
        "JOIN region ON region.code = unit.region WHERE disabled_at IS NULL AND region.path && $2::text[] "
        "AND strpos(lower(person.name || ' ' || unit.name), lower($3)) > 0 "
        "AND EXISTS (SELECT 1 FROM role_grant WHERE role_grant.person = person.id "
        "AND revoked_at IS NULL AND role = ANY($1::text[])) ORDER BY unit.name, person.name, person.id LIMIT $4",
        [role.value for role in roles],
        sorted(areas),
        named.strip(),
        most + 1,
    )
    return [dict(row) for row in rows[:most]], len(rows) > most


async def of_units(people: Iterable[UUID], units: Iterable[UUID]) -> frozenset[UUID]:
    """Who of these people belongs to one of these units, by home or by a live role."""
    rows = await raw(
        "SELECT id FROM person WHERE id = ANY($1::uuid[]) AND (person.unit = ANY($2::uuid[]) OR EXISTS (SELECT 1 "
        "FROM role_grant WHERE role_grant.person = person.id AND role_grant.unit = ANY($2::uuid[]) "
        "AND revoked_at IS NULL))",
        list(people),
        list(units),
    )
    return frozenset(row["id"] for row in rows)


async def recused_from(people: Iterable[UUID], units: Iterable[UUID], on: date) -> frozenset[UUID]:
    """Who of these people keeps away from one of these units on that day."""
    rows = await raw(
        "SELECT DISTINCT person FROM recusal WHERE person = ANY($1::uuid[]) AND unit = ANY($2::uuid[]) "
        "AND (ends_on IS NULL OR ends_on >= $3)",
        list(people),
        list(units),
        on,
    )
    return frozenset(row["person"] for row in rows)


async def roles_of(person: UUID) -> list[Role]:
    rows = await raw("SELECT role FROM role_grant WHERE person = $1 AND revoked_at IS NULL", person)
    return [Role(row["role"]) for row in rows]


async def profile(person: UUID) -> Profile:
    """Raises NotFound."""
    rows = await raw(f"{_PROFILE} WHERE person.id = $1", person)
    if not rows:
        raise NotFound()
    return _of_row(rows[0])


async def recusals(person: UUID, today: date) -> list[dict[str, Any]]:
    """Those that hold on this legal day, oldest first."""
    rows = await raw(
        "SELECT r.id, r.unit, u.name AS unit_name, r.reason, r.declared_at, r.ends_on FROM recusal r "
        "JOIN unit u ON u.id = r.unit WHERE r.person = $1 AND (r.ends_on IS NULL OR r.ends_on >= $2) "
        "ORDER BY r.declared_at, r.id",
        person,
        today,
    )
    return [dict(row) for row in rows]


async def sessions(person: UUID, now: datetime) -> list[dict[str, Any]]:
    """The person's live sessions, last seen first; a replaced token is not one of its own."""
    rows = await raw(
        "SELECT session.id, family, browser, made_at, seen_at, ends_at, network FROM session "
        f"JOIN person ON person.id = session.person WHERE person.id = $1 AND replaced_at IS NULL AND {_LIVE}"
        "ORDER BY seen_at DESC, session.id",
        person,
        now,
        rules.BROWSER_IDLE,
        rules.PHONE_IDLE,
    )
    return [dict(row) for row in rows]


async def failures(username: str, username_hash: str, network: str, now: datetime) -> rules.Failures:
    """What the lock-out rule needs, in one statement."""
    here = "username_hash = $1 AND network = $2"
    rows = await raw(
        f"SELECT count(*) FILTER (WHERE {here}) AS pair, max(at) FILTER (WHERE {here}) AS pair_at, "
        "count(*) FILTER (WHERE username_hash = $1) AS username, "
        "max(at) FILTER (WHERE username_hash = $1) AS username_at, "
        "count(*) FILTER (WHERE network = $2) AS network, max(at) FILTER (WHERE network = $2) AS network_at, "
        "EXISTS (SELECT FROM known_network k JOIN person ON person.id = k.person WHERE "
        "person.username = $4 AND k.network = $2 AND k.last_at > $5) AS known "
        "FROM sign_in_failure WHERE at > $3 AND (username_hash = $1 OR network = $2)",
        username_hash,
        network,
        now - rules.WINDOW,
        username,
        now - rules.KNOWN_FOR,
    )
    return rules.Failures(**dict(rows[0]))


async def listed(actor: Actor, unit: UUID | None, after: UUID | None, most: int = PAGE) -> list[Profile]:
    """People in the order of their ids: everyone for administrators; for the office those active in its area; for
    anybody the colleagues of a unit one belongs to. Raises Forbidden otherwise.
    """
    colleagues = unit is not None and unit in {actor.home, *actor.units()}
    if reason := rules.may_list(actor, colleagues=colleagues):
        raise Forbidden(reason)
    everyone = rules.may_administer(actor) is None
    rows = await raw(
        f"{_PROFILE} JOIN region ON region.code = home.region WHERE ($1::uuid IS NULL OR home.id = $1) "
        "AND ($2::uuid IS NULL OR person.id > $2) AND ($3 OR (disabled_at IS NULL "
        "AND (region.path && $4::text[] OR $6))) ORDER BY person.id LIMIT $5",
        unit,
        after,
        everyone,
        sorted(actor.areas(*OFFICE)),
        most,
        colleagues,
    )
    return [_of_row(row) for row in rows]


def _of_row(row: Any) -> Profile:
    return Profile(
        id=row["id"],
        name=row["name"],
        username=row["username"],
        phone=row["phone"],
        unit=row["unit"],
        unit_name=row["unit_name"],
        roles=tuple(msgspec.json.decode(row["roles"], type=list[RoleHeld])),
        totp_confirmed=row["totp_confirmed_at"] is not None,
        disabled_at=row["disabled_at"],
    )
