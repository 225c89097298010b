"""What a month still owes stands twice, as SQL for the sweep and as a rule for the matrix: both say the same."""

from datetime import date

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from notifications.reminders.rules import Anchor
from notifications.reminders.sources import SOURCES, asked
from tasks.monthly import queries as monthly
from tests import monthly_make
from tests.monthly_make import at


async def owed() -> tuple[int, int]:
    source = SOURCES[Anchor.month]
    rows = await raw(asked(f"SELECT sum({source.many}) AS n {source.waits}", now="$1", today="$2"), clock.now())
    (period,) = await monthly.periods_of("2026-11")
    return rows[0]["n"], len(await monthly.missing(period.id, clock.now()))


async def test_the_sweep_and_the_matrix_agree_on_what_is_owed(fresh):
    with clock.frozen(at(11, 2)):
        city = await monthly_make.fushun(valid_from=date(2026, 11, 1))
        cells = await monthly_make.begun(city)
        own = [id for (unit, _), id in cells.items() if unit == city.units["市水务局"]]
        assert await owed() == (56, 56)
        await monthly_make.file(city.reviewer, own[0], clock.now())
        await monthly_make.file(city.reviewer, own[1], clock.now())
        assert await owed() == (54, 54)
    with clock.frozen(at(11, 3)):
        await raw("UPDATE monthly_record SET withdrawn_at = $1, withdraw_reason = '填错。' WHERE cell = $2",
                  clock.now(), own[0])  # fmt: skip
        assert await owed() == (55, 55)
        await raw(
            'INSERT INTO monthly_exemption (id, cell, "by", asked_at, reason, decided_by, decided_at, answer, '
            "decision) VALUES ($1, $2, $3, $4, '封路。', $5, $4, 'upheld', '同意。')",
            uuid7(), own[2], city.reviewer.person, clock.now(), city.staff.person,
        )  # fmt: skip
        assert await owed() == (54, 54)
    with clock.frozen(at(11, 4)):
        await raw("UPDATE monthly_exemption SET revoked_at = $1, revoke_reason = '路通了。'", clock.now())
        assert await owed() == (55, 55)
    with clock.frozen(at(11, 20)):
        assert await owed() == (55, 55), "missing is owed still"
        await monthly_make.file(city.reviewer, own[3], clock.now())
        assert await owed() == (54, 54), "what was late is owed no more"
