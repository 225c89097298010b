"""The monthly check of the demo: the paper's rule, eight months and the running one, with gaps as real months have.

The two latest months are told through the commands. Older ones are as many records again, written as rows with the
events that the commands would have recorded: the story is loaded while somebody waits.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from backend import clock, outbox
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.demo_cases import Case
from backend.demo_people import FUSHUN, LEADS, Cast
from backend.demo_steps import DAY_BEGINS, YAOZHAN, Days
from backend.outbox import Reactions
from backend.roles import Actor
from backend.workdays import Calendar, add_months
from tasks.monthly import commands, exemptions, jobs, queries, ruling
from tasks.monthly.commands import Check, HandOver
from tasks.monthly.queries import Held
from tasks.monthly.rules import Terms
from tasks.monthly.words import Answer

MONTHS_BEFORE = 8
TOLD = 2  # months, the running one among them
TITLE = "“五个一批”“三保障”牵头部门每月15日前对县区检查指导"
REVIEWERS = ("han", "tian", "shen", "he", "jiang", "pan", "dong", "li")  # of LEADS, in their order
SEES = {
    "han": ("产业项目台账", "1个合作社分红未按合同兑现。"),
    "tian": ("乡镇卫生院、村卫生室", "2个村卫生室缺少常用药。"),
    "shen": ("参保台账", "5名脱贫人口参保信息未更新。"),
    "he": ("危房改造户", "1户屋面渗水，未列入维修计划。"),
    "jiang": ("控辍保学台账", "2名学生送教上门记录不全。"),
    "pan": ("低保动态管理", "3户收入变化未及时核查。"),
    "dong": ("公益岗位、劳务输出", "1个公益岗位人员长期不在岗。"),
    "li": ("村级供水工程", "2户自来水水压不足。"),
}


CHECKED = ("li", "210422000000")  # 市水务局 checks 新宾 and hands a problem over
SPARED = ("he", "210404000000")  # 市住建局 need not go to 望花区


@dataclass(frozen=True, slots=True)
class Told:
    """A check as it will be told: when it ended and when the server heard of it. `odd` turns the details."""

    reviewer: str
    cell: UUID
    ended: datetime
    heard: datetime
    odd: int


async def begin(cast: Cast, days: Days) -> None:
    """The office enters the rule and its leader approves it, on the last working day before the first month."""
    first = _first_month(days)
    with clock.frozen(_at(days.calendar.previous_workday(first), 10)):
        leads = tuple(cast.units[name] for name in LEADS)
        said = ruling.Proposal(
            title=TITLE, clause="十一.2", leads=leads, target="各县区", region=FUSHUN, terms=Terms(valid_from=first)
        )
        await ruling.propose(cast["zhou"], said, id=(rule := uuid7()))
    with clock.frozen(_at(days.calendar.previous_workday(first), 15)):
        await ruling.decide(rule, cast["wu"], answer=Answer.upheld, opinion="同意，按月执行。")


async def tell(cast: Cast, days: Days, until: datetime, reactions: Reactions) -> None:
    """Every month up to `until`, in the order of time; nothing of it is later."""
    for back in range(MONTHS_BEFORE, -1, -1):
        month = add_months(days.last.replace(day=1), -back)
        begins = _at(_workday(month, days.calendar), 8, 30)
        if begins > until:
            break
        with clock.frozen(begins):
            await jobs.start_periods()
            await outbox.drain(reactions)
        story = story_day(days).replace(day=1)
        checks = [it for it in await _checks(month, days.calendar, story) if it.heard <= until]
        if back < TOLD:
            for it in checks:
                await _told(cast, it)
        else:
            await _written(cast, checks)
        with clock.frozen(min(until, _at(_workday(month, days.calendar, 28), 17))):
            await outbox.drain(reactions)


async def check_and_exemption(cast: Cast, days: Days) -> Case:
    """A check that hands a problem over, and a county that need not be checked: the latest month that is old enough."""
    day = story_day(days)
    yield _at(day, 9, 10)
    spared = await _cell(cast, day, SPARED)
    reason = "望花区无危房改造对象，上月已全部核销。"
    await exemptions.ask(cast["he"], id=(asked := uuid7()), cell=spared, reason=reason)
    yield _at(day, 11, 20)
    await exemptions.decide(asked, cast["wu"], answer=Answer.upheld, opinion="情况属实，同意本月豁免。")
    yield _at(day, 16, 40)
    problem = HandOver(
        id=uuid7(),
        topic="0304",
        facts="腰站村高位水池进水管老化，枯水期12户水压不足。",
        asks="更换进水管，逐户测压。",
        region=YAOZHAN.region,
        responsible=cast.units["新宾县水务局"],
    )
    said = Check(
        cell=await _cell(cast, day, CHECKED),
        finished_at=_at(day, 15),
        place="上夹河镇腰站村、胜利村",
        region=YAOZHAN.region,
        went=("李红梅", "供水科 2 人"),
        found="高位水池进水管老化1处；水质检测记录缺2个月；1处阀门井盖破损。",
        found_count=3,
        solved_count=1,
        guidance="井盖当场更换；要求一周内补齐检测记录。",
        handed_over=(problem,),
    )
    await commands.file(cast["li"], said, id=uuid7())


def first_day(days: Days) -> datetime:
    """When the people of the story have to be there."""
    return _at(days.calendar.previous_workday(days.calendar.previous_workday(_first_month(days))), 9)


async def _checks(month: date, calendar: Calendar, story: date) -> list[Told]:
    """Who checks which county when: the same month, the same checks. Cells that a case tells of are left out."""
    rows = await raw(
        "SELECT monthly_cell.id, lead_position, region FROM monthly_cell "
        "JOIN monthly_period ON monthly_period.id = period WHERE month = $1 ORDER BY lead_position, region",
        f"{month:%Y-%m}",
    )
    found: list[Told] = []
    for row in rows:
        odd = _odd(f"{month:%m}", row["lead_position"], row["region"])
        reviewer = REVIEWERS[row["lead_position"]]
        kept = month == story and (reviewer, row["region"]) in (CHECKED, SPARED)
        if not kept and odd % 100 >= 8:  # eight in a hundred are missing
            found.append(_check(reviewer, row["id"], month, odd, calendar))
    return sorted(found, key=lambda it: it.heard)


def _check(reviewer: str, cell: UUID, month: date, odd: int, calendar: Calendar) -> Told:
    workdays = [day for day in _days(month) if calendar.is_workday(day)]
    day = workdays[odd // 7 % len(workdays)]
    if odd % 100 < 14:  # six in a hundred come late, of checks that were made in time
        return Told(reviewer, cell, _at(workdays[-1], 15), _at(_workday(month, calendar, 17), 9, odd % 50), odd)
    return Told(reviewer, cell, _at(day, 14), _at(day, 16, odd % 50), odd)


async def _cell(cast: Cast, day: date, which: tuple[str, str]) -> UUID:
    rows = await raw(
        "SELECT monthly_cell.id FROM monthly_cell JOIN monthly_period ON monthly_period.id = period "
        "WHERE month = $1 AND region = $2 AND lead_unit = $3",
        f"{day:%Y-%m}",
        which[1],
        cast.units[LEADS[REVIEWERS.index(which[0])]],
    )
    return rows[0]["id"]


async def _told(cast: Cast, it: Told) -> None:
    with clock.frozen(it.heard):
        await commands.file(cast[it.reviewer], _said(it), id=uuid7())


def _said(it: Told) -> Check:
    where, found = SEES[it.reviewer]
    count = it.odd // 3 % 4
    return Check(
        cell=it.cell,
        finished_at=it.ended,
        place=where,
        went=("带队负责人", "业务科工作人员"),
        found=found if count else "未发现问题。",
        found_count=count,
        solved_count=min(count, it.odd // 11 % 3),
        guidance="现场反馈并提出整改要求。" if count else "",
    )


async def _written(cast: Cast, checks: list[Told]) -> None:
    """The same as the commands would leave behind, all at once; nobody is told of it now."""
    held = await queries.held([it.cell for it in checks])
    rows, events = [], []
    for it in checks:
        with clock.frozen(it.heard):
            row = commands.row(_said(it), cast[it.reviewer], id=uuid7(), now=it.heard)
        rows.append(row)
        events.append(_event(cast[it.reviewer], it, row["id"], held[it.cell]))
    async with transaction():
        await insert("monthly_record", rows)
        await insert("event", events)


def _event(actor: Actor, it: Told, record: UUID, held: Held) -> dict[str, object]:
    as_now = {"by": actor.name, "as": [{"role": grant.role, "unit": grant.unit} for grant in actor.grants]}
    facts = as_now | held.told() | commands.told(_said(it), record, late=it.heard >= held.cutoff_at)
    payload = msgspec.json.encode(facts, order="sorted")
    return {
        "id": uuid7(), "at": it.heard, "actor": actor.person, "verb": "month.record_filed", "subject": it.cell,
        "payload": "\\x" + payload.hex(), "request": None,
    }  # fmt: skip


def story_day(days: Days) -> date:
    """The last working day before the story's end that lies in the first two weeks of a month."""
    day = days.calendar.previous_workday(days.last)
    while day.day > 14:
        day = days.calendar.previous_workday(day)
    return day


def _first_month(days: Days) -> date:
    return add_months(days.last.replace(day=1), -MONTHS_BEFORE)


def _days(month: date) -> Iterator[date]:
    return (month + timedelta(days=n) for n in range(14))


def _workday(month: date, calendar: Calendar, day: int = 1) -> date:
    """The first working day of the month from this day on."""
    return calendar.next_workday(month.replace(day=day) - timedelta(days=1))


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), clock.SHANGHAI)


def _odd(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4])


def story_ends(days: Days) -> datetime:
    """The last instant of which the story tells."""
    return datetime.combine(days.last, DAY_BEGINS, clock.SHANGHAI)


CASES = (check_and_exemption,)
