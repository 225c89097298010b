"""A month is read as fast after ten years as in the first one: by its own rows, not by all of them."""

import re
from datetime import date

import pytest

from backend import clock, db
from backend.db import raw
from tasks.monthly import jobs, queries
from tests import monthly_make
from tests.monthly_make import at

TEN_YEARS = {"valid_from": date(2017, 1, 1), "valid_to": date(2026, 12, 31)}


async def _fill(it: monthly_make.Fushun) -> None:
    """A check for every cell of ten years, and an exemption for one in three."""
    await raw(
        "INSERT INTO monthly_record (id, cell, first, by, received_at, first_received_at, finished_at, place, went, "
        "found, found_count, solved_count, guidance) SELECT cell.id, cell.id, cell.id, $1, starts_at, starts_at, "
        "starts_at, '', '{李}', '', 1, 1, '' "
        "FROM monthly_cell AS cell JOIN monthly_period ON period = monthly_period.id",
        it.reviewer.person,
    )
    await raw(
        "INSERT INTO monthly_exemption (id, cell, by, asked_at, reason, decided_by, decided_at, answer, decision) "
        "SELECT id, id, $1, now(), '', $1, now(), 'upheld', '' FROM monthly_cell WHERE hashtext(id::text) % 3 = 0",
        it.staff.person,
    )
    for table in ("monthly_period", "monthly_cell", "monthly_record", "monthly_exemption", "monthly_hand_over"):
        await raw(f"ANALYZE {table}")


@pytest.fixture
async def ten_years(fresh: None) -> monthly_make.Fushun:
    it = await monthly_make.fushun(**TEN_YEARS)
    with clock.frozen(at(12, 31)):
        assert await jobs.start_periods() == 120
    await _fill(it)
    return it


async def test_a_month_among_a_hundred_and_twenty_is_read_by_its_own_rows(ten_years, monkeypatch) -> None:
    """Every statement that the matrix sends is asked how it is run. Looking for months to start makes none."""
    sent: list[tuple[str, tuple]] = []

    async def noting(sql: str, *args):
        sent.append((sql, args))
        return await raw(sql, *args)

    month = (await queries.periods_of("2026-10"))[0]
    monkeypatch.setattr(queries, "raw", noting)
    matrix = await queries.matrix(month.id, at(11, 1))
    assert (matrix.counts.cells, matrix.counts.checks, matrix.counts.done) == (56, 56, 56)
    assert len(sent) <= 8
    cells = "SELECT * FROM monthly_cell WHERE period = $1 ORDER BY lead_position, lead_unit, region"
    async with db.DB.pool.acquire() as connection:
        for sql, args in [*sent, (cells, (month.id,))]:
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", *args))
            scanned = re.findall(r"Seq Scan on (monthly_(?:cell|record|exemption))\b.*?rows=(\d+)", plan)
            assert scanned == [], plan
    with clock.frozen(at(12, 31)):
        assert await jobs.start_periods() == 0
    assert len(await queries.months_of(ten_years.rule)) == 120
    assert (await queries.missing((await queries.periods_of("2020-05"))[0].id, at(12, 31))) == []
