"""What the people of the demo do, each step through the real commands at the moment the clock shows. No story here."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from backend import app, clock, geo, time_tokens, worker
from backend.columns import uuid7
from backend.demo_people import Cast
from backend.demo_photos import Scene, photo
from backend.evidence import receiving
from backend.evidence.rules import Capture, Declaration, MediaType, Source
from backend.geo import Datum, Place
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Category, ViewReason
from backend.roles import Actor
from backend.trust_reports import commands as trust_reports
from backend.trust_reports.rules import Check
from backend.workdays import Calendar
from inspections.findings import commands as findings
from inspections.findings.commands import Filing
from inspections.findings.rules import ClosingClass, NonImplementation, Severity
from inspections.visits import commands as visits
from inspections.visits.rules import Kind
from tasks.rectifications import commands as items
from tasks.rectifications import (
    concerning,
    confirming,
    extensions,
    looking_back,
    measures,
    objections,
    queries,
    site_checks,
)
from tasks.rectifications.words import CheckResult, Ground, LookBackResult, ReturnReason

DAY_BEGINS = time(9, 30)  # all that the story tells of its last day is over by then
LAST_IN_TOUCH = timedelta(minutes=25)
METRES_PER_DEGREE = 111_200.0  # of latitude


@dataclass(frozen=True, slots=True)
class Days:
    """Working days of the story, counted back from its last one."""

    last: date
    calendar: Calendar

    def at(self, back: int, hour: int, minute: int = 0) -> datetime:
        """That time in Shanghai, `back` working days before the last day."""
        day = self.last
        for _ in range(back):
            day = self.calendar.previous_workday(day)
        return datetime.combine(day, time(hour, minute), clock.SHANGHAI)

    def date(self, back: int) -> date:
        return self.at(back, 12).date()


def days_until(now: datetime, calendar: Calendar) -> Days:
    """The story ends today, or on the last working day that is far enough on: nothing of it lies in the future."""
    here = clock.local(now)
    begun = calendar.is_workday(here.date()) and here.time() >= DAY_BEGINS
    return Days(here.date() if begun else calendar.previous_workday(here.date()), calendar)


@dataclass(frozen=True, slots=True)
class Spot:
    """A real village of the fixture. The point is approximate: somewhere in the township, from no survey."""

    region: str
    name: str
    latin: str
    lat: float
    lng: float

    def near(self, metres_north: float, accuracy_m: float = 14.0) -> Place:
        return Place(self.lat + metres_north / METRES_PER_DEGREE, self.lng, accuracy_m, Datum.wgs84)


YAOZHAN = Spot("210422108204", "上夹河镇腰站村", "Yaozhan, Shangjiahe", 41.800, 124.520)
MAERDUN = Spot("210422108202", "上夹河镇马尔墩村", "Maerdun, Shangjiahe", 41.785, 124.575)
SHENGLI = Spot("210422108205", "上夹河镇胜利村", "Shengli, Shangjiahe", 41.815, 124.500)
HETUALA = Spot("210422102208", "永陵镇赫图阿拉村", "Hetuala, Yongling", 41.705, 124.860)
HOUPU = Spot("210422102204", "永陵镇后堡村", "Houpu, Yongling", 41.715, 124.815)
NIEERKU = Spot("210422109205", "南杂木镇聂尔库村", "Nieerku, Nanzamu", 41.935, 124.445)
SANDAOGUAN = Spot("210422105201", "苇子峪镇三道关村", "Sandaoguan, Weiziyu", 41.455, 124.620)
CANGSHI = Spot("210423101210", "红透山镇苍石村", "Cangshi, Hongtoushan", 42.060, 124.600)
HAIYANG = Spot("210423105202", "南口前镇海阳村", "Haiyang, Nankouqian", 42.005, 124.700)
DINGJIAJIE = Spot("210423104202", "英额门镇丁家街村", "Dingjiajie, Yingemen", 42.125, 125.070)


@dataclass(frozen=True, slots=True)
class Fact:
    """What an inspector says about one thing seen. Units by their short names."""

    topic: str
    facts: str
    asks: str
    scene: Scene
    responsible: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    lacking: NonImplementation | None = NonImplementation.work
    photos: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A household by its head, made up: no ID number has the serial 000."""

    number: str
    category: Category
    name: str
    id_number: str | None
    phone: str | None
    population: int


async def send_team(cast: Cast, spot: Spot, purpose: str, number: int, team: Sequence[str]) -> UUID:
    """The office opens a visit; the first named leads."""
    visit = uuid7()
    people = [cast[name].person for name in team]
    await visits.open_visit(
        cast["zhou"],
        id=visit,
        region=spot.region,
        place_name=spot.name,
        purpose=purpose,
        kind=Kind.covert,
        approval_number=f"抚脱贫督〔{clock.today().year}〕{number}号",
        target=(spot.lat, spot.lng),
        radius_m=geo.VILLAGE_RADIUS_M,
        team=[person for person in people if person],
        lead=people[0] or visit,
    )
    return visit


async def arrive(visit: UUID, by: Actor, spot: Spot, metres: float = 40, reason: str = "") -> None:
    await visits.arrive(
        visit,
        by,
        id=uuid7(),
        place=spot.near(metres),
        phone_at=clock.now() - timedelta(seconds=3),
        reason=reason,
    )


async def file(cast: Cast, visit: UUID, by: Actor, spot: Spot, fact: Fact) -> UUID:
    """A finding and its photos. The item made of it will have the same id."""
    finding = uuid7()
    pictures = [photo(fact.scene, False, spot.latin, clock.now(), n + 1) for n in range(fact.photos)]
    manifest = [_declared(picture, spot, by) for picture in pictures]
    filing = Filing(
        topic=fact.topic,
        severity=fact.severity,
        closing_class=fact.closing_class,
        non_implementation=fact.lacking,
        facts=fact.facts,
        asks=fact.asks,
        region=spot.region,
        place_note=fact.note,
        place=spot.near(60),
        danger_to_life=False,
        no_evidence_reason="",
        found_at=clock.now(),
        responsible_units=frozenset(cast.units[name] for name in fact.responsible),
        lead_units=frozenset(cast.units[name] for name in fact.lead),
    )
    await findings.file(visit, by, filing, id=finding, manifest=manifest)
    await _send(manifest, pictures, by)
    return finding


async def inspect(cast: Cast, visit: UUID, spot: Spot, fact: Fact) -> UUID:
    """A whole visit that ends now: there an hour ago, one thing seen half an hour ago, handed in. The item's id."""
    now = clock.now()
    with clock.frozen(now - timedelta(minutes=60)):
        await arrive(visit, cast["wang"], spot)
    with clock.frozen(now - timedelta(minutes=30)):
        item = await file(cast, visit, cast["wang"], spot, fact)
    await visits.submit(visit, cast["liu"])
    return item


async def enter(by: Actor, spot: Spot, head: Head) -> UUID:
    """Enter a household of that village. Its id."""
    household = uuid7()
    await households.enter(
        by,
        id=household,
        region=spot.region,
        household_number=head.number,
        category=head.category,
        head_name=head.name,
        id_number=head.id_number,
        phone=head.phone,
        population=head.population,
    )
    return household


async def concern(item: UUID, by: Actor, spot: Spot, head: Head) -> UUID:
    """Enter a household of that village and say that the item is about it. The household's id."""
    household = await enter(by, spot, head)
    await concerning.concern(item, by, household)
    return household


async def read_in_full(household: UUID, by: Actor, reason: str) -> None:
    await households.view(household, by, nothing, id=uuid7(), reason_code=ViewReason.visit, reason=reason)


async def acknowledge(item: UUID, by: Actor, person: str, phone: str) -> None:
    await items.acknowledge(item, by, id=uuid7(), responsible_person=person, phone=phone)


async def report(item: UUID, by: Actor, note: str, percent: int) -> None:
    await items.report(item, by, id=uuid7(), note=note, percent=percent)


async def plan(item: UUID, by: Actor, text: str, due_on: date, person: str) -> UUID:
    id = uuid7()
    await measures.plan(item, by, id=id, text=text, due_on=due_on, responsible_person=person)
    return id


async def hand_in(
    item: UUID, by: Actor, scene: Scene, spot: Spot, note: str, *, principal: str = "", old: datetime | None = None
) -> UUID:
    """With one after-photo, whose id is returned; `old`: by mistake with the first before-photo, taken then.

    `principal` names who confirmed; a principal who hands in needs no other.
    """
    pictures = [photo(scene, False, spot.latin, old) if old else photo(scene, True, spot.latin, clock.now())]
    manifest = [_declared(picture, spot, by) for picture in pictures]
    await items.hand_in(
        item,
        by,
        id=uuid7(),
        note=note,
        finished_on=clock.today(),
        similar_sweep="已对同类情况逐村排查，未发现新的问题。",
        confirmed_by=principal,
        manifest=manifest,
    )
    await _send(manifest, pictures, by)
    return manifest[0].id


async def explain(photo_id: UUID, by: Actor, about: Check, because: str) -> None:
    readers, settings = app.EVIDENCE_READERS, app.EVIDENCE_SETTINGS
    await trust_reports.explain(photo_id, by, readers, settings, id=uuid7(), check=about, because=because)


async def confirm(item: UUID, by: Actor, note: str) -> None:
    """The unit's principal says the same as the latest hand-in."""
    latest = (await queries.detail(item, by)).hand_ins[-1]
    await confirming.confirm(item, latest.id, by, note=note)


async def send_back(item: UUID, by: Actor, reason: ReturnReason, note: str) -> None:
    await items.send_back(item, by, id=uuid7(), reason_code=reason, note=note)


async def pass_first(item: UUID, by: Actor, opinion: str, unit: UUID | None = None) -> None:
    await items.pass_first(item, by, id=uuid7(), opinion=opinion, unit=unit)


async def close_out(item: UUID, by: Actor, opinion: str) -> None:
    await items.close_out(item, by, id=uuid7(), opinion=opinion)


async def object_to(item: UUID, by: Actor, ground: Ground, note: str) -> UUID:
    id = uuid7()
    await objections.object_to(item, by, id=id, ground=ground, note=note)
    return id


async def extend(item: UUID, by: Actor, due_on: date, note: str, done_so_far: str) -> UUID:
    """Asked for; the answer is another step."""
    id = uuid7()
    await extensions.ask(item, by, id=id, note=note, done_so_far=done_so_far, due_on=due_on)
    return id


async def check(cast: Cast, item: UUID, spot: Spot, scene: Scene, note: str, *, result: CheckResult) -> None:
    """Wang and Sun are sent and go: assigned an hour ago, concluded now."""
    id, people = uuid7(), frozenset({cast["wang"].person or item, cast["sun"].person or item})
    now = clock.now()
    with clock.frozen(now - timedelta(minutes=60)):
        await site_checks.assign(item, cast["zhou"], id=id, checkers=people, note="不打招呼，直接入户。")
    pictures = [photo(scene, result == CheckResult.passed, spot.latin, now, 7)]
    manifest = [_declared(picture, spot, cast["wang"]) for picture in pictures]
    said = site_checks.Conclusion(result=result, note=note, present=people, place=spot.near(48))
    await site_checks.conclude(item, id, cast["wang"], said, manifest=manifest)
    await _send(manifest, pictures, cast["wang"])


async def check_if_drawn(cast: Cast, item: UUID, spot: Spot, scene: Scene) -> None:
    """The sample is drawn in the demo too; what it draws is looked at on site."""
    if (await queries.parties(item)).sampled:
        await check(cast, item, spot, scene, "抽样核查：现场与申报一致。", result=CheckResult.passed)


async def look_back(item: UUID, by: Actor, spot: Spot, scene: Scene, note: str, *, result: LookBackResult) -> None:
    pictures = [photo(scene, result == LookBackResult.holds, spot.latin, clock.now(), 8)]
    manifest = [_declared(picture, spot, by) for picture in pictures]
    await looking_back.look_back(item, by, id=uuid7(), result=result, note=note, manifest=manifest)
    await _send(manifest, pictures, by)


def _declared(picture: bytes, spot: Spot, by: Actor) -> Declaration:
    """As a phone declares what it has just taken, minutes after it was last in touch. No two fixes are the same."""
    digest = hashlib.sha256(picture)
    chance = digest.digest()
    last = clock.now() - LAST_IN_TOUCH
    capture = Capture(time_tokens.issue(by, last).token, last, int(LAST_IN_TOUCH.total_seconds() * 1000))
    return Declaration(
        uuid7(),
        digest.hexdigest(),
        len(picture),
        MediaType.jpeg,
        clock.now(),
        Source.camera,
        spot.near(35 + chance[1] % 40, 6.0 + chance[2] % 90 / 10),
        capture,
    )


async def _send(manifest: Sequence[Declaration], pictures: Sequence[bytes], by: Actor) -> None:
    """The bytes take the way of every upload, and the job runs here: the demo needs no queue."""
    for line, picture in zip(manifest, pictures, strict=True):
        await receiving.receive(line.id, by, len(picture), _chunks(picture))
        await worker.prepare(line.id)


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]
