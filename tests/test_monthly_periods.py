"""Months begin by themselves, once, with the rule and the group of their first day."""

import asyncio
from datetime import date
from uuid import UUID

import pytest

from backend import clock
from backend.db import raw
from backend.roles import SYSTEM
from backend.units import commands as units
from tasks.monthly import jobs, queries
from tasks.monthly.words import CellState
from tests import make, monthly_make
from tests.monthly_make import COUNTIES, YEAR, at


async def months(it: monthly_make.Fushun) -> dict[str, UUID]:
    rows = await raw("SELECT id, month FROM monthly_period WHERE rule = $1", it.rule)
    return {row["month"]: row["id"] for row in rows}


async def test_seed_004_makes_560_cells_in_2020(fresh: None) -> None:
    """Golden fact l.1: 8 lead departments × 7 counties = 56 cells in each of 10 months."""
    await monthly_make.fushun(**YEAR)
    with clock.frozen(at(6, 1, year=2021)):
        assert await jobs.start_periods() == 10
    counted = await raw("SELECT count(*) AS n FROM monthly_cell GROUP BY period")
    assert [row["n"] for row in counted] == [56] * 10
    events = await raw("SELECT count(*) AS n FROM event WHERE verb = 'month.period_started'")
    assert events[0]["n"] == 10


async def test_a_month_begins_once_however_many_workers_look(fresh: None) -> None:
    it = await monthly_make.fushun()
    with clock.frozen(at(3, 1, 0)):
        made = await asyncio.gather(*(jobs.start_periods() for _ in range(4)))
        assert sum(made) == 3 and await jobs.start_periods() == 0
    assert (await months(it)).keys() == {"2026-01", "2026-02", "2026-03"}
    assert (await raw("SELECT count(*) AS n FROM monthly_cell"))[0]["n"] == 3 * 56


async def cut_off(after: float) -> bool:
    """A worker that begins months and is gone after so many seconds; whether it was."""
    work = asyncio.create_task(jobs.start_periods())
    await asyncio.wait([work], timeout=after)
    gone = work.cancel()
    await asyncio.wait([work])
    return gone


async def _roll_over(it: monthly_make.Fushun, months: int, cuts: int) -> int:
    """So many months begin, each while workers are cut off at that many points; how often one was."""
    gone = 0
    for number in range(months):
        with clock.frozen(at(1 + number % 12, 1, 0, year=2026 + number // 12)):
            for point in range(cuts):
                gone += await cut_off(0.0015 * point)
            await asyncio.gather(jobs.start_periods(), jobs.start_periods())
    rows = await raw(
        "SELECT month, (SELECT count(*) FROM monthly_cell WHERE period = monthly_period.id) AS cells, "
        "(SELECT count(*) FROM event WHERE subject = monthly_period.id) AS told FROM monthly_period WHERE rule = $1",
        it.rule,
    )
    assert len(rows) == len({row["month"] for row in rows}) == months
    assert {(row["cells"], row["told"]) for row in rows} == {(56, 1)}
    return gone


async def test_workers_cut_off_anywhere_leave_no_month_out_and_none_twice(fresh: None) -> None:
    assert await _roll_over(await monthly_make.fushun(), months=3, cuts=6) >= 3


@pytest.mark.long
async def test_24_roll_overs_with_20_cuts_each(fresh: None, record_property) -> None:
    gone = await _roll_over(await monthly_make.fushun(), months=24, cuts=20)
    record_property("24 roll-overs of months, workers cut off", gone)


async def test_a_rule_that_goes_wrong_holds_up_no_other(fresh: None) -> None:
    it = await monthly_make.fushun(valid_from=date(2026, 3, 1))
    wrong = await monthly_make.rule(it, valid_from=date(2026, 2, 1))
    await raw(f"ALTER TABLE monthly_period ADD CONSTRAINT none_of_this_rule CHECK (rule <> '{wrong}')")
    try:
        with clock.frozen(at(3, 2)), pytest.raises(Exception, match=r"."):
            await jobs.start_periods()
    finally:
        await raw("ALTER TABLE monthly_period DROP CONSTRAINT none_of_this_rule")
    assert (await months(it)).keys() == {"2026-03"}
    with clock.frozen(at(3, 2)):
        assert await jobs.start_periods() == 2  # and the wrong one catches up


async def test_a_clock_that_jumps_makes_nothing_twice(fresh: None) -> None:
    it = await monthly_make.fushun()
    for moment in (at(2, 10), at(1, 5), at(12, 31, 23), at(1, 1, 0, year=2027), at(3, 15)):
        with clock.frozen(moment):
            await jobs.start_periods()
    assert sorted(await months(it)) == [*(f"2026-{month:02}" for month in range(1, 13)), "2027-01"]
    with clock.frozen(at(3, 15)):
        assert [it.month for it in await queries.periods_open(clock.now())] == ["2026-03"]
        assert [it.month for it in await queries.periods_due(clock.now())] == ["2026-01", "2026-02"]


async def test_a_month_made_after_three_days_down_has_the_group_of_its_first_day(fresh: None) -> None:
    it = await monthly_make.fushun()
    left = COUNTIES[-1]
    with clock.frozen(at(2, 20)):
        await jobs.start_periods()
    with clock.frozen(at(3, 2)):  # no worker runs; on the second day a county leaves the group
        await units.end_member(SYSTEM, group=it.group, unit=it.units[left], on=date(2026, 3, 2))
    with clock.frozen(at(3, 4)):
        assert await jobs.start_periods() == 1
        assert len(await monthly_make.cells((await months(it))["2026-03"])) == 56
    with clock.frozen(at(4, 1)):
        await jobs.start_periods()
        april = await monthly_make.cells((await months(it))["2026-04"])
        assert len(april) == 48 and left not in {region for _, region in april}


async def test_a_department_merged_away_keeps_its_cells_and_its_name_for_the_month(fresh: None) -> None:
    it = await monthly_make.fushun()
    gone, heir = it.units["市水务局"], await make.unit("市水利局", area=make.FUSHUN)
    with clock.frozen(at(3, 1)):
        await jobs.start_periods()
    with clock.frozen(at(3, 5)):
        await units.end_unit(SYSTEM, unit=gone, on=date(2026, 3, 4), successor=heir)
    march = (await months(it))["2026-03"]
    line = (await queries.matrix(march, at(3, 6))).leads[-1]
    assert (line.unit, line.name, line.taken_over_by, line.taken_over_by_name) == (gone, "市水务局", heir, "市水利局")
    assert (await queries.matrix(march, at(3, 4))).leads[-1].taken_over_by is None
    owed = await queries.missing(march, at(3, 16, 0))
    assert len(owed) == 56 and [it.unit for it in owed if it.lead_unit == gone] == [heir] * 7
    with clock.frozen(at(4, 1)):
        await jobs.start_periods()
    april = await queries.matrix((await months(it))["2026-04"], at(4, 2))
    assert [line.unit for line in april.leads] == [*it.leads[:-1], heir]


async def test_a_department_merged_into_another_lead_has_one_line_from_the_next_month(fresh: None) -> None:
    it = await monthly_make.fushun()
    with clock.frozen(at(3, 5)):
        await units.end_unit(SYSTEM, unit=it.units["市医保局"], on=date(2026, 3, 4), successor=it.units["市卫健委"])
    with clock.frozen(at(4, 1)):
        await jobs.start_periods()
    april = await monthly_make.cells((await months(it))["2026-04"])
    assert len(april) == 7 * 7


async def test_a_rule_that_is_changed_in_mid_period_leaves_the_month_alone(fresh: None) -> None:
    it = await monthly_make.fushun(valid_to=date(2026, 3, 10))
    await monthly_make.rule(it, valid_from=date(2026, 3, 11), cutoff_day=20)
    with clock.frozen(at(4, 1)):
        await jobs.start_periods()
    rows = await raw("SELECT month, last_on FROM monthly_period ORDER BY month")
    ends = {row["month"]: row["last_on"].day for row in rows}
    assert ends == {"2026-01": 15, "2026-02": 15, "2026-03": 15, "2026-04": 20}


async def test_an_empty_matrix_says_where_everybody_stands(fresh: None) -> None:
    it = await monthly_make.fushun()
    with clock.frozen(at(3, 1)):
        await jobs.start_periods()
    march = (await months(it))["2026-03"]
    before, after = await queries.matrix(march, at(3, 15, 23, 59)), await queries.matrix(march, at(3, 16, 0))
    assert (before.counts.cells, before.counts.not_started, after.counts.missing) == (56, 56, 56)
    assert [region.code for region in before.regions] == sorted(COUNTIES)
    assert before.regions[0].counts.cells == 8 and before.leads[0].counts.cells == 7
    assert {cell.state for cell in after.cells} == {CellState.missing}
    assert (before.period.target_on, before.period.last_on) == (date(2026, 3, 13), date(2026, 3, 15))
