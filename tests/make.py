"""Things for tests: valid by default, say only what matters. Rows that commands guard are made by the commands."""

import hashlib
import io
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import httpx
from PIL import Image

from backend import clock, events
from backend.columns import uuid7
from backend.db import insert, raw
from backend.evidence.rules import Declaration, MediaType, Source
from backend.geo import Datum, Place
from backend.households import commands as households
from backend.households.rules import Category
from backend.people import passwords
from backend.roles import SYSTEM, Actor, Grant, Role
from backend.units.tables import Region
from inspections.findings import commands as findings
from inspections.findings.commands import Filing
from inspections.findings.queries import as_filed
from inspections.findings.rules import ClosingClass, Severity
from inspections.visits import commands as visits
from inspections.visits.rules import Kind
from notifications.preferences import commands as absences
from tasks.rectifications import commands as rectifications
from tasks.rectifications import extensions, hanging, measures, objections, site_checks, voiding
from tasks.rectifications import publicity as publicities
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.item import Status
from tasks.rectifications.words import CheckResult, Ground, HangReason, ReturnReason
from tasks.rectifications.words import Source as ItemSource

LIAONING, FUSHUN = "210000000000", "210400000000"
XINBIN, QINGYUAN = "210422000000", "210423000000"
SHANGJIAHE, YAOZHAN, MAERDUN = "210422108000", "210422108204", "210422108202"  # 上夹河镇, 腰站村, 马尔墩村
PLACES = {
    LIAONING: ("province", "辽宁省", None),
    FUSHUN: ("prefecture", "抚顺市", LIAONING),
    XINBIN: ("county", "新宾满族自治县", FUSHUN),
    QINGYUAN: ("county", "清原满族自治县", FUSHUN),
    "210402000000": ("county", "新抚区", FUSHUN),
    "210403000000": ("county", "东洲区", FUSHUN),
    "210404000000": ("county", "望花区", FUSHUN),
    "210411000000": ("county", "顺城区", FUSHUN),
    "210421000000": ("county", "抚顺县", FUSHUN),
    SHANGJIAHE: ("township", "上夹河镇", XINBIN),
    YAOZHAN: ("village", "腰站村", SHANGJIAHE),
    MAERDUN: ("village", "马尔墩村", SHANGJIAHE),
}
TARGET = (41.8001, 124.9002)
PASSWORD = "Correct-Horse-7"

_named: dict[str, Any] = {}


def forget() -> None:
    """The database was emptied."""
    _named.clear()


async def region(code: str = YAOZHAN, *others: str) -> str:
    """A place of Xinbin with everything above it; and others, if any."""
    path = dict.fromkeys(above for each in (code, *others) for above in _path(each))
    lacking = [code for code in path if f"region {code}" not in _named]
    if lacking:
        await Region.insert(*(_region(code) for code in lacking))
        _named.update(dict.fromkeys((f"region {code}" for code in lacking), True))
    return code


def _region(code: str) -> Region:
    level, name, parent = PLACES[code]
    return Region(
        code=code, parent=parent, level=level, name=name, full_name=name, path=_path(code),
        valid_from=date(2020, 1, 1), source="test",
    )  # fmt: skip


def _path(code: str | None) -> list[str]:
    return [] if code is None else [*_path(PLACES[code][2]), code]


async def unit(name: str = "新宾县水务局", *, area: str = XINBIN, kind: str = "department") -> UUID:
    """The unit of this name, made at the first call."""
    return (await units((name, area), kind=kind))[0]


async def units(*them: tuple[str, str], kind: str = "department") -> list[UUID]:
    """Several at once: each a name, and the place."""
    lacking = {name: (uuid7(), area) for name, area in them if f"unit {name}" not in _named}
    if lacking:
        await region(*(area for _, area in lacking.values()))
        rows = [
            {"id": id, "name": name, "short_name": name, "kind": kind, "region": area, "valid_from": date(2020, 1, 1)}
            for name, (id, area) in lacking.items()
        ]
        await insert("unit", rows)
        for name, (id, area) in lacking.items():
            _named[f"unit {name}"], _named[f"area {id}"] = id, area
    return [_named[f"unit {name}"] for name, _ in them]


async def person(
    name: str, *roles: Role, at: UUID | None = None, password: str | None = None, phone: str | None = None
) -> Actor:
    """An account with these roles at one unit, as the Actor it would be."""
    at = at or await unit()
    hashed = await passwords.hashed(password) if password else "!"
    [made] = await people((name, roles, at), phone=phone, password_hash=hashed)
    return made


async def people(
    *them: tuple[str, tuple[Role, ...], UUID], phone: str | None = None, password_hash: str = "!"
) -> list[Actor]:
    """Several at once: each a name, roles, and the unit."""
    made, rows, granted, now = list[Actor](), list[dict[str, Any]](), list[dict[str, Any]](), clock.now()
    for name, roles, at in them:
        id, area = uuid7(), await _area(at)
        made.append(Actor(id, name, tuple(Grant(role, at, area) for role in roles), home=at))
        rows.append(
            {
                "id": id, "username": f"{name.lower()}.{id.hex[-6:]}", "name": name, "unit": at, "phone": phone,
                "password_hash": password_hash, "added_at": now,
            }
        )  # fmt: skip
        granted += [{"id": uuid7(), "person": id, "unit": at, "role": role, "granted_at": now} for role in roles]
    await insert("person", rows)
    if granted:
        await insert("role_grant", granted)
    return made


async def _area(unit: UUID) -> str:
    if f"area {unit}" not in _named:
        _named[f"area {unit}"] = (await raw("SELECT region FROM unit WHERE id = $1", unit))[0]["region"]
    return _named[f"area {unit}"]


async def username(actor: Actor) -> str:
    return (await raw("SELECT username FROM person WHERE id = $1", actor.person))[0]["username"]


async def signed_in(actor: Actor) -> dict[str, str]:
    """The headers of a phone that has signed in, without the cost of a password."""
    token, id, now = passwords.new_token(), uuid7(), clock.now()
    await raw(
        "INSERT INTO session (id, family, person, token_hash, browser, made_at, seen_at, ends_at, network, enrol_only) "
        "VALUES ($1, $1, $2, $3, false, $4, $4, $5, 'test', false)",
        id, actor.person, passwords.digest(token), now, now + timedelta(days=5),
    )  # fmt: skip
    return {"Authorization": f"Bearer {token}"}


async def absence(who: Actor, deputy: Actor, *, first: date | None = None, last: date | None = None) -> UUID:
    """`who` is away from today, for a week; `deputy` is told too."""
    days = (first or clock.today(), last or clock.today() + timedelta(days=6))
    id = uuid7()
    await absences.enter_absence(id, who, person=who.person, unit=None, deputy=deputy.person, days=days)
    return id


async def topic(code: str = "0304") -> str:
    """饮水安全 under 三保障, or a topic of that code."""
    await raw(
        "INSERT INTO topic (code, parent, name) VALUES ($1, NULL, '三保障'), ($2, $1, '饮水安全') "
        "ON CONFLICT DO NOTHING",
        code[:2],
        code,
    )
    return code


class Cast:
    """The people of the main loop."""

    lead: Actor
    inspector: Actor
    handler: Actor
    principal: Actor
    reviewer: Actor
    staff: Actor
    boss: Actor
    leader: Actor
    stranger: Actor
    handler2: Actor
    principal2: Actor
    visit: UUID
    responsible: UUID
    lead_unit: UUID


Step = Callable[[Cast, UUID], Awaitable[None]]


async def cast() -> Cast:
    """Everybody, and a visit to 腰站村 that is open to the team."""
    it = Cast()
    await region(YAOZHAN, QINGYUAN)
    await topic()
    office, it.responsible, it.lead_unit, elsewhere = await units(
        ("市扶贫办", FUSHUN), ("新宾县水务局", XINBIN), ("市水务局", FUSHUN), ("清原县水务局", QINGYUAN)
    )
    (
        it.lead,
        it.inspector,
        it.handler,
        it.principal,
        it.reviewer,
        it.staff,
        it.boss,
        it.leader,
        it.stranger,
    ) = await people(
        ("组长刘", (Role.team_lead,), office),
        ("督查员王", (Role.inspector,), office),
        ("经办赵", (Role.unit_handler,), it.responsible),
        ("局长钱", (Role.unit_principal,), it.responsible),
        ("审核李", (Role.lead_unit_reviewer,), it.lead_unit),
        ("督查办周", (Role.supervision_staff,), office),
        ("主任吴", (Role.supervision_leader,), office),
        ("市领导陈", (Role.leader_viewer,), office),
        ("外单位孙", (Role.unit_handler, Role.unit_principal), elsewhere),
    )
    it.visit = await visit(it)
    return it


async def visit(it: Cast) -> UUID:
    id = uuid7()
    await visits.open_visit(
        it.staff, id=id, region=YAOZHAN, place_name="腰站村", purpose="饮水安全", kind=Kind.covert,
        approval_number="抚督〔2026〕7号", target=TARGET, radius_m=500.0,
        team=[it.lead.person, it.inspector.person], lead=it.lead.person,
    )  # fmt: skip
    return id


def filing(it: Cast, **said: Any) -> Filing:
    content: dict[str, Any] = {
        "topic": "0304",
        "severity": Severity.ordinary,
        "closing_class": ClosingClass.by_date,
        "non_implementation": None,
        "facts": "饮水管网冻裂，三户无水。",
        "asks": "修复管网并回访。",
        "region": None,
        "place_note": "村部东侧",
        "place": Place(*TARGET, 12.0, Datum.wgs84),
        "danger_to_life": False,
        "no_evidence_reason": "",
        "found_at": clock.now(),
        "responsible_units": frozenset({it.responsible}),
        "lead_units": frozenset({it.lead_unit}),
    }
    return Filing(**(content | said))


@cache
def photo(number: int = 0, *, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small real JPEG, another one for each number."""
    picture = Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 120))
    out = io.BytesIO()
    picture.save(out, "JPEG", comment=f"test {number}".encode())
    return out.getvalue()


def manifest_line(content: bytes, *, id: UUID | None = None, media_type: str = "image/jpeg") -> dict[str, Any]:
    """One line of a manifest as a phone sends it."""
    return {
        "id": str(id or uuid7()),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "media_type": media_type,
        "captured_at": "2026-11-24T11:58:00+08:00",
        "source": "camera",
        "position": {"lat": TARGET[0], "lng": TARGET[1], "accuracy_m": 12.0},
    }


def declaration(content: bytes, *, id: UUID | None = None) -> Declaration:
    return Declaration(
        id or uuid7(),
        hashlib.sha256(content).hexdigest(),
        len(content),
        MediaType.jpeg,
        clock.now(),
        Source.camera,
        None,
    )


async def receive(line: Declaration) -> None:
    """As if its bytes had come in and were looked at."""
    await raw(
        "UPDATE evidence SET state = 'ready', received_at = $2, width = 64, height = 48 WHERE id = $1",
        line.id,
        clock.now(),
    )


async def finding(it: Cast, **said: Any) -> UUID:
    """A filed finding on the cast's visit, with one photo declared."""
    id = uuid7()
    await findings.file(it.visit, it.inspector, filing(it, **said), id=id, manifest=[declaration(photo())])
    return id


async def second(it: Cast) -> UUID:
    """Another unit of the place, with a handler and a principal: `it.handler2`, `it.principal2`."""
    unit_id = await unit("新宾县住建局")
    if not hasattr(it, "handler2"):
        it.handler2 = await person("经办周", Role.unit_handler, at=unit_id)
        it.principal2 = await person("局长吕", Role.unit_principal, at=unit_id)
    return unit_id


async def household(it: Cast, **said: Any) -> UUID:
    """A household of 腰站村, entered by the office."""
    id = said.pop("id", None) or uuid7()
    content: dict[str, Any] = {
        "region": YAOZHAN,
        "household_number": "0012",
        "category": Category.illness,
        "head_name": "佟守义",
        "id_number": None,
        "phone": "13904130077",
        "population": 3,
    }
    await households.enter(it.staff, id=id, **(content | said))
    return id


async def shared(it: Cast, *steps: Step, **said: Any) -> UUID:
    """An issued item of two responsible units (`second`), brought on by these steps."""
    both = frozenset({it.responsible, await second(it)})
    id = await rectification(it, responsible_units=both, **said)
    for step in steps:
        await step(it, id)
    return id


async def rectification(it: Cast, status: Status = Status.issued, **said: Any) -> UUID:
    """An item brought to this status by the moves that lead there; `listed`, `public`, `due_on` are said at issue."""

    how = {name: said.pop(name) for name in ("listed", "public") if name in said}
    due = Wanted(on=said.pop("due_on", None))
    filed = (await as_filed([await finding(it, **said)]))[0]
    id = filed.id
    await rectifications.draft_from_finding(filed, SYSTEM, source=ItemSource.unannounced)
    if status == Status.draft:
        return id
    await rectifications.issue(id, SYSTEM, due=due, **how)
    for step in _STEPS[status]:
        await step(it, id)
    return id


async def _acknowledge(it: Cast, id: UUID) -> None:
    await acknowledge(it.handler, id)


async def _hand_in(it: Cast, id: UUID) -> None:
    await hand_in(it.handler, id)


async def _pass(it: Cast, id: UUID) -> None:
    await pass_first(it, id)


async def acknowledge(by: Actor, id: UUID) -> None:
    await rectifications.acknowledge(id, by, id=uuid7(), responsible_person="赵经办", phone="13812345678")


async def measure(by: Actor, id: UUID, text: str = "更换冻裂管段。") -> UUID:
    """A measure that the unit plans."""
    key = uuid7()
    await measures.plan(id, by, id=key, text=text)
    return key


async def planned(by: Actor, id: UUID) -> None:
    """Where a plan is asked for before the hand-in: one of one measure, which is done."""
    it = await row(id)
    if it["listed"] or it["closing_class"] == ClosingClass.long_term:
        await measures.finish(id, await measure(by, id), by, note="已更换。")


async def hand_in(by: Actor, id: UUID) -> None:
    """With one photo, which has come in, and a plan that is done where one is asked for."""
    await planned(by, id)
    line = declaration(photo(1))
    await rectifications.hand_in(
        id, by, id=uuid7(), note="管网已修复。", finished_on=clock.today(), similar_sweep="",
        confirmed_by="钱局长", manifest=[line],
    )  # fmt: skip
    await receive(line)


async def pass_first(it: Cast, id: UUID, unit: UUID | None = None) -> None:
    await rectifications.pass_first(id, it.reviewer, id=uuid7(), opinion="资料齐全。", unit=unit)


async def send_back(by: Actor, id: UUID, unit: UUID | None = None) -> None:
    reason = ReturnReason.partly_done
    await rectifications.send_back(id, by, id=uuid7(), reason_code=reason, note="还有一户无水。", unit=unit)


async def held_up() -> bool:
    """Whether a statement waits for what another transaction holds."""
    return bool(
        await raw("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    )


async def row(id: UUID) -> dict[str, Any]:
    return dict((await raw("SELECT * FROM rectification WHERE id = $1", id))[0])


async def parts(id: UUID) -> dict[UUID, str]:
    """Where the part of each responsible unit stands; units it was taken from are left out."""
    rows = await raw(
        "SELECT unit, status FROM rectification_unit WHERE rectification = $1 AND role = 'responsible' "
        "AND ended_at IS NULL",
        id,
    )
    return {row["unit"]: row["status"] for row in rows}


async def happened(id: UUID, verb: str) -> list[dict[str, Any]]:
    """What the events of this verb say, oldest first."""
    rows = await raw("SELECT * FROM event WHERE subject = $1 AND verb = $2 ORDER BY at", id, f"rectification.{verb}")
    return [events.of_row(row).payload for row in rows]


async def _close(it: Cast, id: UUID) -> None:
    await rectifications.close_out(id, it.boss, id=uuid7(), opinion="同意销号。")


async def _void(it: Cast, id: UUID) -> None:
    await voiding.ask_void(id, it.boss, id=uuid7(), note="重复登记。", duplicate_of=None)
    await voiding.void(id, it.staff)


async def _hang(it: Cast, id: UUID) -> None:
    await hanging.hang(
        id, it.boss, id=uuid7(), reason_code=HangReason.season, note="冻土期。", paper="抚督〔2026〕9号",
        review_on=clock.today() + timedelta(days=90),
    )  # fmt: skip


async def objection(it: Cast, id: UUID, ground: Ground = Ground.jurisdiction) -> UUID:
    """The responsible unit contests the item."""
    key = uuid7()
    await objections.object_to(id, it.principal, id=key, ground=ground, note="不归我单位管。")
    return key


async def extension(it: Cast, id: UUID, days: int = 31) -> UUID:
    """The responsible unit asks for more time: `days` from today."""
    key, wanted = uuid7(), clock.today() + timedelta(days=days)
    await extensions.ask(id, it.principal, id=key, note="管材未到。", done_so_far="", due_on=wanted)
    return key


async def site_check(it: Cast, id: UUID) -> UUID:
    """The cast's two inspectors are sent to check."""
    key = uuid7()
    await site_checks.assign(id, it.staff, id=key, checkers=frozenset({it.inspector.person, it.lead.person}))
    return key


async def checked(it: Cast, id: UUID, result: CheckResult = CheckResult.passed, **said: Any) -> UUID:
    """They went there and said so."""
    key = await site_check(it, id)
    content: dict[str, Any] = {"result": result, "note": "已看过。", "place": Place(*TARGET, 12.0, Datum.wgs84)}
    content |= {"present": frozenset({it.inspector.person, it.lead.person})} | said
    await site_checks.conclude(
        id, key, it.inspector, site_checks.Conclusion(**content), manifest=[declaration(photo(20))]
    )
    return key


async def publicity(it: Cast, id: UUID) -> UUID:
    key = uuid7()
    await publicities.publish(id, it.staff, id=key, text="腰站村饮水管网已修复。")
    return key


async def public_objection(it: Cast, id: UUID) -> UUID:
    key = uuid7()
    await publicities.take_objection(id, await publicity(it, id), it.staff, id=key, note="有人反映水压不足。")
    return key


_STEPS = {
    Status.issued: (),
    Status.working: (_acknowledge,),
    Status.handed_in: (_acknowledge, _hand_in),
    Status.passed: (_acknowledge, _hand_in, _pass),
    Status.closed: (_acknowledge, _hand_in, _pass, _close),
    Status.hung: (_acknowledge, _hang),
    Status.voided: (_void,),
}


def problem(response: httpx.Response) -> dict[str, Any]:
    """The refusal of a response, checked for its form."""
    assert response.headers["content-type"].startswith("application/problem+json"), response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["code"] and body["detail"]
    return body


def at(moment: datetime, **later: float) -> datetime:
    return moment + timedelta(**later)
