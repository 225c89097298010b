"""`./duban person`: accounts from the command line, for first administrators, lost passwords, lost phones."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from getpass import getpass
from uuid import UUID

from backend import db, wake
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, NotFound, Problem
from backend.people import commands, passwords, queries, rules
from backend.people.tables import Person
from backend.roles import SYSTEM, Role
from backend.units import commands as units
from backend.units.rules import UnitKind


def main(argv: Sequence[str]) -> int:
    """Runs one of add, list, password, disable, totp-reset; 0 when done, 1 with a sentence when refused."""
    chosen = parser().parse_args(argv)
    try:
        asyncio.run(_run(chosen))
    except Problem as refusal:
        print_line(refusal.message)
        return 1
    return 0


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")


async def _run(chosen: argparse.Namespace) -> None:
    await db.open_pool(most=2)
    try:
        await VERBS[chosen.verb](chosen)
    finally:
        await wake.close()
        await db.close_pool()


async def add(chosen: argparse.Namespace) -> None:
    unit = await _unit(chosen.unit) if chosen.region is None else await _first_unit(chosen)
    roles = [await _role(text, unit) for text in chosen.role]
    _check_roles([role for role, _ in roles])
    password, told = _password(f"{chosen.username}, {chosen.name}")
    person = await commands.add_person(
        SYSTEM, id=uuid7(), username=chosen.username, name=chosen.name, unit=unit, password=password
    )
    for role, at in roles:
        await commands.grant_role(SYSTEM, id=uuid7(), person=person.id, unit=at, role=role)
    print_line(f"已添加 {person.username}（{person.name}）。{told}")


async def show(_: argparse.Namespace) -> None:
    after: UUID | None = None
    while people := await queries.listed(SYSTEM, None, after):
        for who in people:
            roles = "、".join(f"{held.role}@{held.unit_name}" for held in who.roles) or "无角色"
            marks = [mark for mark, on in (("动态码", who.totp_confirmed), ("已停用", who.disabled_at)) if on]
            print_line("  ".join([who.username, who.name, who.unit_name, roles, *marks]))
        after = people[-1].id


async def password(chosen: argparse.Namespace) -> None:
    person = await _person(chosen.username)
    new, told = _password(person.username)
    await commands.reset_password(SYSTEM, person=person.id, password=new)
    print_line(f"已重设 {person.username} 的口令，其所有登录已退出。{told}")


async def disable(chosen: argparse.Namespace) -> None:
    person = await _person(chosen.username)
    await commands.disable_person(SYSTEM, person=person.id)
    print_line(f"已停用 {person.username}，其所有登录已退出。")


async def totp_reset(chosen: argparse.Namespace) -> None:
    person = await _person(chosen.username)
    await commands.reset_totp(SYSTEM, person=person.id)
    print_line(f"已清除 {person.username} 的动态码，其所有登录已退出；下次登录后可重新绑定。")


VERBS = {"add": add, "list": show, "password": password, "disable": disable, "totp-reset": totp_reset}


def parser() -> argparse.ArgumentParser:
    shape = argparse.ArgumentParser(prog="duban person", description=__doc__)
    verbs = shape.add_subparsers(dest="verb", required=True)
    adding = verbs.add_parser("add", help="add an account; asks for a password or makes one")
    adding.add_argument("--username", required=True)
    adding.add_argument("--name", required=True)
    adding.add_argument("--unit", required=True, help="the unit's full name")
    adding.add_argument("--region", metavar="CODE", help="enters the unit in this region when it is not there yet")
    adding.add_argument("--kind", choices=list(UnitKind), default=UnitKind.department, help="of a unit entered so")
    adding.add_argument("--role", action="append", default=[], metavar="ROLE[@UNIT]", help="may be repeated")
    verbs.add_parser("list", help="everyone, with roles")
    for verb, says in (
        ("password", "set a new password"),
        ("disable", "close the account"),
        ("totp-reset", "forget the second factor of a lost phone"),
    ):
        verbs.add_parser(verb, help=says).add_argument("username")
    return shape


def _password(whose: str) -> tuple[str, str]:
    """A typed one, or a made-up one with the sentence that shows it, this once."""
    typed = getpass(f"{whose} 的口令（留空则自动生成）: ") if sys.stdin.isatty() else ""
    made = typed or passwords.made_up()
    return made, "" if typed else f"口令（只显示这一次）：{made}"


async def _unit(name: str) -> UUID:
    rows = await raw("SELECT id FROM unit WHERE name = $1 AND valid_to IS NULL", name)
    if len(rows) != 1:
        raise BadRequest(f"单位“{name}”{'不止一个' if rows else '不存在'}，请写单位全称。", "unknown_unit")
    return rows[0]["id"]


async def _first_unit(chosen: argparse.Namespace) -> UUID:
    """The unit, entered now when the region has none of this name: an empty office must be able to begin."""
    rows = await raw("SELECT id FROM unit WHERE name = $1 AND region = $2", chosen.unit, chosen.region)
    if rows:
        return rows[0]["id"]
    id = uuid7()
    await units.add_unit(
        SYSTEM, id=id, name=chosen.unit, short_name=chosen.unit, kind=UnitKind(chosen.kind), region=chosen.region
    )
    return id


async def _role(text: str, home: UUID) -> tuple[Role, UUID]:
    name, _, at = text.partition("@")
    if name not in set(Role):
        raise BadRequest(f"没有“{name}”这个角色；可用：{'、'.join(Role)}。", "unknown_role")
    return Role(name), await _unit(at) if at else home


def _check_roles(roles: list[Role]) -> None:
    """Before the account exists, so that a refusal leaves nothing behind."""
    for place, role in enumerate(roles):
        if reason := rules.why_not_grant(role, roles[:place]):
            raise BadRequest(reason, "roles_apart")


async def _person(username: str) -> Person:
    person = await queries.account(username.lower())
    if person is None:
        raise NotFound(f"没有用户名为“{username}”的人员。")
    return person
