"""The month's summary: frozen once as of its cutoff, the same bytes whenever they are made, then supplements."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import SYSTEM, Role
from backend.units import commands as units
from notifications.summaries import kept, making, overdue, queries, rules, standing, verifying
from notifications.summaries.shapes import canonical
from notifications.summaries.words import Ground as Proposed
from notifications.summaries.words import Kind, Late, Stands
from tasks.monthly import queries as monthly
from tasks.monthly.words import CellState
from tasks.rectifications import extensions, hanging, looking_back, objections
from tasks.rectifications.item import COUNTED, OPEN, TICKING, Status
from tasks.rectifications.words import Ground, UnitRole
from tests import lists_make, make, monthly_make, summaries_make
from tests.monthly_make import COUNTIES, at
from tests.summaries_make import City, ensure

FROZEN_AT = at(11, 16, 0, 5)


@pytest.fixture
async def c(fresh: None) -> City:
    return await summaries_make.city(date(2026, 11, 1))


async def told(verb: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await raw("SELECT subject, payload FROM event WHERE verb = $1", verb)]


async def verified(c: City, month: str = "2026-11") -> list[tuple[Kind, bool, bool]]:
    period = await monthly.period(await c.period(month))
    return [(it.kind, it.intact, it.same) for it in await verifying.of_period(period)]


async def test_a_month_is_frozen_once_as_of_its_cutoff(c: City) -> None:
    await ensure(at(11, 1))
    with clock.frozen(at(11, 10)):
        record = await c.check("2026-11", "市水务局", make.XINBIN, found_count=3, solved_count=1)
        cleared = await c.item(date(2026, 11, 13), hand_over=record)
        await c.item(date(2026, 11, 14), hand_over=record)
        await make.topic("0501")
        await c.item(date(2026, 12, 1), topic="0501")
    await c.close(cleared, at(11, 12))
    assert await ensure(at(11, 15, 23, 59)) == 1  # the preview
    assert await ensure(at(11, 16, 0, 4)) == 0, "what was answered at the last instant may be on its way to the disk"
    assert await ensure(FROZEN_AT) == 1
    assert await ensure(FROZEN_AT) == await ensure(at(12, 1)) == 0

    preview, frozen = await c.kept("2026-11")
    assert (preview.kind, preview.as_of, frozen.kind, frozen.as_of) == (
        Kind.preview, at(11, 15, 17), Kind.frozen, at(11, 16, 0)
    )  # fmt: skip
    it = frozen.summary
    assert (it.counts.cells, it.counts.done, it.counts.missing) == (56, 1, 55)
    assert (it.counts.found, it.counts.solved, it.counts.handed_over) == (3, 1, 2)
    xinbin = next(region for region in it.regions if region.code == make.XINBIN)
    assert it.items == xinbin.items and it.previous is None
    expected = {"new": 3, "cleared": 1, "open": 2, "overdue": 1, "due": 2, "due_closed": 1, "due_on_time": 1,
                "closing_rate": 5000, "on_time_rate": 5000, "carried_over": 0, "hung": 0}  # fmt: skip
    assert {name: getattr(it.items, name) for name in expected} == expected
    assert [(line.stands, line.overdue) for line in it.handed_over] == [(Stands.closed, False), (Stands.in_work, True)]
    water = next(lead for lead in it.leads if lead.name == "市水务局")
    assert (water.handed_over, water.handed_over_cleared, water.handed_over_overdue) == (2, 1, 1)
    assert {topic.code: topic.new for topic in it.topics} == {"0304": 2, "0501": 1}
    (event,) = await told("month.frozen")
    assert frozen.sha256 in event["payload"].decode() and make.FUSHUN in event["payload"].decode()
    assert await verified(c) == [(Kind.preview, True, True), (Kind.frozen, True, True)]


async def test_leaders_office_and_lead_units_are_told_once(c: City, settle) -> None:
    await ensure(at(11, 1))
    await ensure(FROZEN_AT)
    await settle()
    rows = await raw("SELECT person, count(*) AS n FROM notice WHERE verb = 'month.frozen' GROUP BY person")
    heard = {row["person"]: row["n"] for row in rows}
    wanted = {c.leader.person, c.rule.staff.person, c.rule.boss.person, c.reviewer.person, c.it.reviewer.person}
    assert wanted <= heard.keys() and set(heard.values()) == {1}
    assert not {c.it.handler.person, c.county_head.person, c.it.inspector.person} & heard.keys()


async def test_what_was_kept_can_not_be_changed(c: City) -> None:
    await ensure(at(11, 1))
    await ensure(FROZEN_AT)
    for change in ("UPDATE monthly_summary SET sha256 = 'x'", "DELETE FROM monthly_summary"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw(change)


async def test_the_bytes_come_out_again_whatever_happened_since(c: City) -> None:
    """Close, reopen, void, hang, resume, extend, redirect, withdraw, rename: the frozen month does not move."""
    await ensure(at(11, 1))
    with clock.frozen(at(11, 5)):
        record = await c.check("2026-11", "市水务局", make.XINBIN)
        items = [await c.item(date(2026, 11, day), hand_over=record) for day in (10, 11)]
    with clock.frozen(at(11, 13, 18)):
        items += [await c.item(date(2026, 11, day), hand_over=record) for day in (20, 14, 14, 15, 21)]
    closed, hung, *_ = items
    await c.close(closed, at(11, 9))
    with clock.frozen(at(11, 7)):
        await make._acknowledge(c.it, hung)
        await make._hang(c.it, hung)
    await ensure(FROZEN_AT)
    (frozen,) = [it for it in await c.kept("2026-11") if it.kind == Kind.frozen]
    await _much_happens(c, items)

    assert await verified(c) == [(Kind.frozen, True, True)]
    period = await monthly.period(frozen.period)
    now = await making.made(period, period.cutoff_at, Kind.frozen)
    assert canonical(now) != frozen.body, "the names and the calendar of today give other bytes: they are kept beside"
    again = await making.made(period, period.cutoff_at, Kind.frozen, frozen.summary.inputs)
    assert again.items == frozen.summary.items and again.handed_over == frozen.summary.handed_over


async def _much_happens(c: City, items: list[UUID]) -> None:
    closed, hung, extended, redirected, voided, upheld, later = items
    with clock.frozen(at(11, 16, 0, 30)):
        await make._acknowledge(c.it, extended)
        asked = await make.extension(c.it, extended, days=40)
    with clock.frozen(at(11, 17)):
        await looking_back.reopen(closed, c.it.boss, id=uuid7(), note="又漏水。", due_on=date(2026, 12, 20),
                                  manifest=[make.declaration(make.photo(3))])  # fmt: skip
        await hanging.resume(hung, c.it.staff, id=uuid7(), note="可以施工。", due_on=date(2026, 12, 21))
        await extensions.grant(extended, asked, c.it.staff, opinion="同意。")
        asked = await make.objection(c.it, redirected)
        await objections.redirect(redirected, asked, c.it.staff, to_unit=await make.second(c.it), note="归它管。")
        asked = await make.objection(c.it, upheld, Ground.fact)
        await objections.uphold(upheld, asked, c.it.boss, note="属实。")
        await make._void(c.it, voided)
    await c.close(later, at(11, 18))
    await raw("UPDATE unit SET name = '新宾县水利局' WHERE id = $1", c.it.responsible)
    await raw("UPDATE region SET full_name = '新名' WHERE code = $1", make.YAOZHAN)
    await raw("UPDATE topic SET name = '新类' WHERE code = '0304'")


async def test_numbers_of_an_instant_stay_while_time_goes_on(c: City) -> None:
    """Asked live, from the rows as they are; asked weeks later for the same instants, from the events."""
    await ensure(at(11, 1))
    live: dict[Any, Any] = {}

    async def look(moment: Any) -> Any:
        span = rules.span(at(10, 16, 0), moment, date(2026, 11, 2))
        it = await standing.scope(list(COUNTIES), span)
        late = await overdue.long_overdue(it, await overdue.units_long_overdue(it), 10)
        return await standing.counted(it), await overdue.carried_over(it, 50), late

    with clock.frozen(at(10, 10)):
        items = [await c.item(date(2026, 10, day)) for day in (12, 20, 26, 30)]
    with clock.frozen(at(11, 2)):
        items += [await c.item(date(2026, 11, day)) for day in (5, 10, 25)]
    live[at(11, 3)] = await look(at(11, 3))
    await c.close(items[0], at(11, 4))
    live[at(11, 5)] = await look(at(11, 5))
    with clock.frozen(at(11, 6)):
        await make._acknowledge(c.it, items[6])
        asked = await make.extension(c.it, items[6], days=40)
        await extensions.grant(items[6], asked, c.it.staff, opinion="同意。")
        await make._acknowledge(c.it, items[4])
        await make._hang(c.it, items[4])
    live[at(11, 7)] = await look(at(11, 7))
    with clock.frozen(at(11, 8)):
        await looking_back.reopen(items[0], c.it.boss, id=uuid7(), note="又漏。", due_on=date(2026, 11, 12),
                                  manifest=[make.declaration(make.photo(5))])  # fmt: skip
    live[at(11, 9)] = await look(at(11, 9))
    await c.close(items[3], at(11, 10))
    with clock.frozen(at(11, 11)):
        await hanging.resume(items[4], c.it.staff, id=uuid7(), note="可以了。", due_on=date(2026, 11, 13))
    live[at(11, 16)] = await look(at(11, 16))
    assert len({str(seen) for seen in live.values()}) == len(live), "something happened between any two looks"
    for moment, seen in live.items():
        assert await look(moment) == seen, moment
    (flow, _), _, _ = live[at(11, 16)]
    assert flow[make.XINBIN]["open"] == 6 and flow[make.XINBIN]["cleared"] == 1
    assert [live[at(11, day)][1] for day in (3, 5)] == [[items[0]], []], "due before the cutoff of October"


async def test_numbers_are_those_of_the_items(fresh: None, noon: datetime) -> None:
    """Against a plain count in Python over made-up items of every status, with and without dates, in two counties."""
    w = await lists_make.world(await make.cast(), 200)
    await raw("UPDATE rectification SET original_due_on = due_on - 3 WHERE returned > 0")
    rows = [dict(row) for row in await raw("SELECT * FROM rectification WHERE issued_at < $1", noon)]
    span = rules.span(noon - timedelta(days=20), noon, clock.today() - timedelta(days=3))
    it = await standing.scope([make.XINBIN, make.QINGYUAN], span)
    flow, topics = await standing.counted(it)
    assert len(rows) > 80 and w.items and flow.keys() == {make.XINBIN, make.QINGYUAN}
    for county, counted in flow.items():
        own = [row for row in rows if row["county"] == county]
        ticking = [row for row in own if Status(row["status"]) in TICKING and row["due_on"]]
        closed = [row for row in own if row["status"] == "closed"]
        due = [row for row in [*ticking, *closed] if row["due_on"] and span.since_on <= row["due_on"] < span.today]
        done = [row for row in due if row["status"] == "closed"]
        assert counted == {
            "new": sum(Status(row["status"]) in COUNTED and row["issued_at"] >= span.since for row in own),
            "cleared": sum(row["closed_at"] >= span.since for row in closed),
            "open": sum(Status(row["status"]) in OPEN for row in own),
            "hung": sum(row["status"] == "hung" for row in own),
            "overdue": sum(row["due_on"] < span.today for row in ticking),
            "carried_over": sum(row["due_on"] < span.since_on for row in ticking),
            "due": len(due),
            "due_closed": len(done),
            "due_on_time": sum(
                row["original_due_on"] is not None and clock.local(row["closed_at"]).date() <= row["original_due_on"]
                for row in done
            ),
        }
    new = Counter(row["topic"] for row in rows if Status(row["status"]) in COUNTED and row["issued_at"] >= span.since)
    assert topics == dict(new)
    late = await overdue.long_overdue(it, await overdue.units_long_overdue(it), 3)
    red = {
        row["id"] for row in rows if Status(row["status"]) in TICKING and row["due_on"] and row["due_on"] < span.red_on
    }
    parts = Counter(
        unit for id in red for unit, role, ended in w.items[id]["parts"] if role == UnitRole.responsible and not ended
    )
    assert red and {unit: found.count for unit, found in late.items()} == dict(parts)


@pytest.mark.parametrize("days", [0, 12])
@pytest.mark.parametrize("xinbin", [make.XINBIN, make.SHANGJIAHE])
async def test_the_first_that_were_overdue_are_named_by_their_dates(
    fresh: None, noon: datetime, xinbin: str, days: int
) -> None:
    """Also where the hour of the day was given, what is due long since had not been issued yet, or a rule aims at
    counties and townships.
    """
    w = await lists_make.world(await make.cast(), 200)
    await raw("UPDATE rectification SET due_at = due_on::timestamp AT TIME ZONE 'Asia/Shanghai' WHERE reopened > 0")
    await raw("UPDATE rectification SET due_on = due_on - 30, due_at = due_at - interval '30 days' WHERE returned > 0")
    as_of, regions = noon - timedelta(days=days), {xinbin, make.QINGYUAN}
    span = rules.span(as_of - timedelta(days=5), as_of, clock.today() - timedelta(days=3))
    late = sorted(
        (row["due_on"], row["number"], row["id"], place)
        for row in await raw("SELECT * FROM rectification WHERE issued_at < $1", as_of)
        for place in regions & {row["county"], row["township"]}
        if Status(row["status"]) in TICKING and row["due_on"]
    )
    carried = sorted((due_on, id) for due_on, _, id, _ in late if due_on < span.since_on)
    it = await standing.scope([*regions], span)
    assert len(carried) > 10
    for most in (1, 4, 10, 500):
        assert await overdue.carried_over(it, most) == [id for _, id in carried[:most]], most
    units = await overdue.units_long_overdue(it)
    assert units
    for unit, found in (await overdue.long_overdue(it, units, 3)).items():
        own = [line for line in late if line[0] < span.red_on and _holds(w, unit, line[2])]
        assert found == overdue.Overdue(len(own), [line[1] for line in own[:3]], {line[3] for line in own})


def _holds(w: lists_make.World, unit: UUID, id: UUID) -> bool:
    parts = w.items[id]["parts"]
    return any((its, role) == (unit, UnitRole.responsible) and not ended for its, role, ended in parts)


async def test_candidates_are_facts_with_the_rule_that_fired(fresh: None) -> None:
    c = await summaries_make.city(date(2026, 10, 1))
    await ensure(at(10, 1))
    with clock.frozen(at(10, 10)):
        await c.checks("2026-10", {("市卫健委", make.XINBIN), ("市教育局", make.XINBIN)})
        late = await c.item(date(2026, 10, 28))
        await c.item(date(2026, 11, 6))
    await ensure(at(10, 17))
    await ensure(at(11, 1))
    with clock.frozen(at(11, 10)):
        await c.checks("2026-11", {("市卫健委", make.XINBIN), ("市医保局", make.XINBIN)})
    await ensure(FROZEN_AT)
    frozen = (await c.kept("2026-11"))[-1].summary
    twice, overdue = frozen.candidates
    assert (twice.ground, twice.name, twice.facts) == (
        Proposed.missing_twice, "市卫健委", [f"{make.PLACES[make.XINBIN][1]}：2026年10月、2026年11月均未检查"],
    )  # fmt: skip
    number = (await make.row(late))["number"]
    assert (overdue.ground, overdue.facts) == (Proposed.long_overdue, [f"{number}，共1件"])
    assert frozen.previous and frozen.previous.sha256 == (await c.kept("2026-10"))[-1].sha256
    changes = {it.name: (it.before, it.now) for it in frozen.previous.changes}
    assert changes["missing"] == (2, 2) and changes["overdue"] == (0, 2)


async def test_who_was_late_last_month_is_not_proposed_as_if_it_had_never_checked(fresh: None) -> None:
    """Two gaps in October, one of which was made good on the 25th; both are gaps in November."""
    c = await summaries_make.city(date(2026, 10, 1))
    gaps = {("市卫健委", make.XINBIN), ("市教育局", make.XINBIN)}
    for month, days in (("2026-10", (1, 10)), ("2026-11", (1, 10))):
        on = at(int(month[5:]), days[0])
        await ensure(on)
        with clock.frozen(on.replace(day=days[1])):
            await c.checks(month, gaps)
        await ensure(on.replace(day=16, hour=0, minute=6))
        if month == "2026-10":
            with clock.frozen(at(10, 25)):
                await c.check(month, "市教育局", make.XINBIN)
            await ensure(at(10, 26, 0, 6))
    (frozen,) = [it.summary for it in await c.kept("2026-11") if it.kind == Kind.frozen]
    assert [it.name for it in frozen.candidates if it.ground == Proposed.missing_twice] == ["市卫健委"]
    assert {
        (it.kind, it.same) for it in await verifying.of_period(await monthly.period(await c.period("2026-11")))
    } == {(Kind.frozen, True)}


async def test_what_comes_late_goes_into_numbered_supplements(c: City) -> None:
    await ensure(at(11, 1))
    await ensure(FROZEN_AT)
    with clock.frozen(at(11, 16, 9)):
        first = await c.check("2026-11", "市卫健委", make.XINBIN, finished_at=at(11, 14))
    assert await ensure(at(11, 16, 23)) == 0, "the day is not over"
    with clock.frozen(at(11, 16, 22)):
        await c.check("2026-11", "市教育局", make.XINBIN)
    assert await ensure(at(11, 17, 0, 6)) == 1
    with clock.frozen(at(11, 19)):
        await raw("UPDATE monthly_record SET withdrawn_at = $2, withdraw_reason = '填错。' WHERE id = $1",
                  first, clock.now())  # fmt: skip
    assert await ensure(at(11, 25)) == 1 and await ensure(at(11, 26)) == 0

    frozen, one, two = [it for it in await c.kept("2026-11") if it.kind != Kind.preview]
    assert frozen.summary.counts.missing == 56, "the frozen numbers stay"
    assert one.summary.supplement and two.summary.supplement
    assert (one.number, one.as_of, two.number, two.as_of) == (1, at(11, 17, 0), 2, at(11, 20, 0))
    lines = {line.lead_name: line for line in one.summary.supplement.lines}
    assert {(line.was, line.state) for line in lines.values()} == {(CellState.missing, CellState.done_late)}
    assert lines["市卫健委"].says == "检查在14日，记录16日送达"
    assert (one.summary.supplement.of, two.summary.supplement.after) == (frozen.sha256, one.sha256)
    assert [(line.late, line.state) for line in two.summary.supplement.lines] == [(Late.withdrawn, CellState.missing)]
    assert len(await told("month.supplemented")) == 2
    assert await verified(c) == [
        (Kind.frozen, True, True),
        (Kind.supplement, True, True),
        (Kind.supplement, True, True),
    ]


async def test_each_late_record_says_why_it_is_late_itself(c: City) -> None:
    """Two of one cell: the cell counts by the first, the lines of the supplement are about one each."""
    await ensure(at(11, 1))
    await ensure(FROZEN_AT)
    with clock.frozen(at(11, 16, 9)):
        await c.check("2026-11", "市卫健委", make.XINBIN, finished_at=at(11, 14))
    with clock.frozen(at(11, 16, 15)):
        await c.check("2026-11", "市卫健委", make.XINBIN, finished_at=at(11, 16))
    await ensure(at(11, 17, 0, 6))
    (supplement,) = [it for it in await c.kept("2026-11") if it.kind == Kind.supplement]
    assert supplement.summary.supplement
    assert [line.says for line in supplement.summary.supplement.lines] == [
        "检查在14日，记录16日送达", "检查在11月16日，已过截止时间"
    ]  # fmt: skip


async def test_a_worker_that_was_away_for_three_days_makes_the_same(c: City) -> None:
    await ensure(at(11, 1))
    with clock.frozen(at(11, 14)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    for day in (16, 17):
        with clock.frozen(at(11, day, 9)):
            await c.check("2026-11", "市水务局", COUNTIES[day - 16])
    assert await ensure(at(11, 18, 12)) == 3
    frozen, *supplements = await c.kept("2026-11")
    assert frozen.kind == Kind.frozen, "a look ahead makes no sense afterwards"
    assert (frozen.summary.counts.done, frozen.summary.counts.done_late) == (1, 0)
    assert [it.as_of for it in supplements] == [at(11, 17, 0), at(11, 18, 0)]
    assert await verified(c) == [(Kind.frozen, True, True), *[(Kind.supplement, True, True)] * 2]


async def test_two_workers_freeze_once(c: City) -> None:
    await ensure(at(11, 1))
    done = await asyncio.gather(*(ensure(FROZEN_AT) for _ in range(4)))
    assert sum(done) == 1 and len(await told("month.frozen")) == 1


async def test_a_clock_that_jumps_over_the_year_and_back_freezes_each_month_once(c: City) -> None:
    moments = (at(11, 20), at(1, 20, year=2027), at(11, 10), at(12, 16, 1), at(1, 16, 1, year=2027))
    for moment in moments:
        await ensure(moment)
    frozen = await raw("SELECT period, count(*) AS n FROM monthly_summary WHERE kind = 'frozen' GROUP BY period")
    assert [row["n"] for row in frozen] == [1, 1, 1]
    assert len(await told("month.frozen")) == 3


async def test_what_a_wrong_clock_froze_too_early_is_made_good_by_a_supplement(c: City) -> None:
    await ensure(at(11, 1))
    await ensure(at(11, 20))  # the clock ran ahead, and was set right
    with clock.frozen(at(11, 12)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    await ensure(at(11, 12, 10))
    assert await ensure(at(11, 17, 0, 6)) == 1
    (supplement,) = [it for it in await c.kept("2026-11") if it.kind == Kind.supplement]
    assert supplement.summary.supplement
    assert [(it.was, it.state) for it in supplement.summary.supplement.lines] == [(CellState.done, CellState.done)]
    with clock.frozen(at(11, 17, 1)):
        period = await monthly.period(await c.period("2026-11"))
        found = {it.kind: (it.intact, it.same, it.early) for it in await verifying.of_period(period)}
    assert found == {Kind.frozen: (True, False, True), Kind.supplement: (True, True, False)}


async def test_an_exemption_that_the_frozen_month_does_not_know_of_is_told_by_a_supplement(c: City) -> None:
    """Also where a clock that ran ahead froze it before anybody had decided; its end is told in its turn."""
    await ensure(at(11, 1))
    await ensure(at(11, 20))
    cell = (await monthly_make.cells(await c.period("2026-11")))[c.rule.units["市水务局"], make.XINBIN]
    with clock.frozen(at(11, 12)):
        await raw(
            'INSERT INTO monthly_exemption (id, cell, "by", asked_at, reason, decided_by, decided_at, answer, '
            "decision) VALUES ($1, $2, $3, $4, '大雪封路。', $5, $4, 'upheld', '同意。')",
            uuid7(), cell, c.reviewer.person, clock.now(), c.rule.staff.person,
        )  # fmt: skip
    assert await ensure(at(11, 17, 0, 6)) == 1 and await ensure(at(11, 17, 0, 7)) == 0
    await raw("UPDATE monthly_exemption SET revoked_at = $1, revoke_reason = '路通了。'", at(11, 18))
    assert await ensure(at(11, 19, 0, 6)) == 1 and await ensure(at(11, 19, 0, 7)) == 0
    frozen, *supplements = await c.kept("2026-11")
    said = [it.summary.supplement for it in supplements if it.summary.supplement]
    assert [(line.late, line.state, line.says) for it in said for line in it.lines] == [
        (Late.exempted, CellState.exempt, "大雪封路。"), (Late.exemption_revoked, CellState.missing, "路通了。"),
    ]  # fmt: skip
    assert frozen.summary.counts.exempt == 0 and [it.counts.exempt for it in said if it.counts] == [1, 0]
    assert "截至11月16日24时，准予豁免1项。未完成由56项变为55项、豁免由0项变为1项。" in said[0].text
    assert (await verified(c))[1:] == [(Kind.supplement, True, True)] * 2


async def test_an_exemption_in_time_is_in_the_frozen_month_and_in_no_supplement(c: City) -> None:
    await ensure(at(11, 1))
    cell = (await monthly_make.cells(await c.period("2026-11")))[c.rule.units["市水务局"], make.XINBIN]
    for revoked in (at(11, 11), None):
        await raw(
            'INSERT INTO monthly_exemption (id, cell, "by", asked_at, reason, decided_by, decided_at, answer, '
            "decision, revoked_at) VALUES ($1, $2, $3, $4, '封路。', $5, $4, 'upheld', '同意。', $6)",
            uuid7(), cell, c.reviewer.person, at(11, 10), c.rule.staff.person, revoked,
        )  # fmt: skip
    await ensure(at(11, 16, 0, 6))
    assert await ensure(at(11, 20)) == 0
    (frozen,) = [it for it in await c.kept("2026-11") if it.kind == Kind.frozen]
    assert frozen.summary.counts.exempt == 1 and frozen.exempt is not None and len(frozen.exempt) == 1


async def test_what_is_dated_ahead_of_the_clock_was_kept_too_early(c: City) -> None:
    await ensure(at(11, 1))
    await ensure(at(11, 20))
    with clock.frozen(at(11, 12)):
        (found,) = await verifying.of_period(await monthly.period(await c.period("2026-11")))
    assert (found.kind, found.early) == (Kind.frozen, True)


async def test_a_month_without_cells_has_no_summary(fresh: None) -> None:
    await summaries_make.city(date(2026, 11, 1))
    await raw("DELETE FROM unit_group_member")
    await ensure(at(11, 1))
    assert await ensure(at(11, 20)) == 0 and await kept.unfinished() == set()


async def test_a_month_that_fails_holds_up_only_the_later_ones_of_its_rule(fresh: None) -> None:
    c = await summaries_make.city(date(2026, 10, 1))
    await monthly_make.rule(c.rule, title="另一项检查", valid_from=date(2026, 11, 1))
    await ensure(at(10, 1))
    october = await c.period("2026-10")
    await raw(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk on fire'; END $$"
    )
    await raw("CREATE TRIGGER broken BEFORE INSERT ON monthly_summary FOR EACH ROW "
              f"WHEN (NEW.period = '{october}') EXECUTE FUNCTION broken()")  # fmt: skip
    try:
        await ensure(at(11, 1))
        assert await ensure(FROZEN_AT) == 1, "the other rule's"
        assert [it for it in await c.kept("2026-11") if it.kind == Kind.frozen] == []
    finally:
        await raw("DROP FUNCTION broken CASCADE")
    assert await ensure(at(11, 16, 1)) == 2
    (november,) = await c.kept("2026-11")
    assert november.summary.previous and november.summary.previous.month == "2026-10"


async def test_a_rule_that_stands_in_for_another_goes_on_with_its_numbers(fresh: None) -> None:
    """A change of the rule in mid-year: the month that has begun stays, the next is compared with it."""
    c = await summaries_make.city(date(2026, 10, 1))
    await ensure(at(10, 1))
    await ensure(at(10, 17))
    await raw("UPDATE monthly_rule SET valid_to = '2026-10-31'")
    new = await monthly_make.rule(c.rule, valid_from=date(2026, 11, 1), cutoff_day=20, replaces=c.rule.rule)
    await ensure(at(11, 1))
    assert await ensure(at(11, 16, 0, 6)) == 0, "the new rule's day is the 20th"
    await ensure(at(11, 21, 0, 6))
    (row,) = await raw("SELECT id FROM monthly_period WHERE rule = $1", new)
    frozen = [it for it in await kept.of_period(row["id"]) if it.kind == Kind.frozen][0].summary
    assert frozen.previous and frozen.previous.month == "2026-10"
    assert frozen.inputs.since == at(10, 16, 0), "no day lies between two summaries"
    assert len([it for it in frozen.candidates if it.ground == Proposed.missing_twice]) == 8


async def test_a_department_merged_away_is_named_with_its_successor(fresh: None, settle) -> None:
    """And the successor reads and hears what was the department's."""
    c = await summaries_make.city(date(2026, 11, 1))
    await ensure(at(11, 1))
    heir = await make.unit("市卫生和疾控局", area=make.FUSHUN)
    successor = await make.person("卫健钱", Role.lead_unit_reviewer, at=heir)
    with clock.frozen(at(11, 5)):
        await units.end_unit(SYSTEM, unit=c.rule.units["市卫健委"], on=date(2026, 11, 6), successor=heir)
    await ensure(FROZEN_AT)
    frozen = [it for it in await c.kept("2026-11") if it.kind == Kind.frozen][0].summary
    line = next(lead for lead in frozen.leads if lead.name == "市卫健委")
    assert line.taken_over_by == "市卫生和疾控局" and line.text.startswith("市卫健委（现由市卫生和疾控局承接）")
    await raw("UPDATE unit SET name = '改名了' WHERE id = $1", heir)
    assert await verified(c) == [(Kind.frozen, True, True)]
    with clock.frozen(at(11, 18)):
        assert (await queries.sight("2026-11", successor)).whole
        await c.check("2026-11", "市水务局", make.XINBIN)
    await ensure(at(11, 19, 0, 6))
    await settle()
    rows = await raw("SELECT verb FROM notice WHERE person = $1 ORDER BY at", successor.person)
    assert [row["verb"] for row in rows if row["verb"] in ("month.frozen", "month.supplemented")] == [
        "month.frozen", "month.supplemented"
    ]  # fmt: skip
