"""Months of the seed's rule with checks and rectifications in them, for tests of summaries."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import insert, raw
from backend.roles import SYSTEM, Actor, Role
from notifications.summaries import jobs as summaries
from notifications.summaries import kept
from notifications.summaries.kept import Stored
from tasks.monthly import jobs as monthly
from tasks.rectifications import commands, drafting
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.words import Source, UnitRole
from tests import make, monthly_make
from tests.monthly_make import COUNTIES, DEPARTMENTS, Fushun, at

Step = Callable[[make.Cast, UUID], Awaitable[object]]


@dataclass
class City:
    """The people of the main loop, and the city with its rule."""

    it: make.Cast
    rule: Fushun
    leader: Actor
    reviewer: Actor
    county_head: Actor

    async def period(self, month: str) -> UUID:
        rows = await raw("SELECT id FROM monthly_period WHERE rule = $1 AND month = $2", self.rule.rule, month)
        return rows[0]["id"]

    async def kept(self, month: str) -> list[Stored]:
        return [*await kept.of_period(await self.period(month))]

    async def check(self, month: str, lead: str, county: str, **said: Any) -> UUID:
        """A check record as a row; it came when the clock stands, and was over an hour before."""
        return (await self._filed(month, [(lead, county)], said))[0]

    async def checks(self, month: str, without: Iterable[tuple[str, str]] = (), **said: Any) -> None:
        """Every department checks every county, but for these."""
        pairs = [(lead, county) for lead in DEPARTMENTS for county in COUNTIES]
        await self._filed(month, [pair for pair in pairs if pair not in set(without)], said)

    async def _filed(self, month: str, pairs: Sequence[tuple[str, str]], said: dict[str, Any]) -> list[UUID]:
        cells = await monthly_make.cells(await self.period(month))
        now, rows = clock.now(), []
        for lead, county in pairs:
            id = uuid7()
            rows.append({
                "id": id, "cell": cells[self.rule.units[lead], county], "first": id, "by": self.reviewer.person,
                "received_at": now, "first_received_at": now, "finished_at": now - timedelta(hours=1), "place": "",
                "went": ["李", "王"], "found": "", "found_count": 2, "solved_count": 1, "guidance": "",
            } | said)  # fmt: skip
        await insert("monthly_record", rows)
        return [row["id"] for row in rows]

    async def item(
        self, due_on: date, *, region: str = make.YAOZHAN, topic: str = "0304", hand_over: Any = None, **said: Any
    ) -> UUID:
        """An item of the county's water bureau, issued now; `hand_over`: the check record that handed it over."""
        id = uuid7()
        draft = drafting.Draft(
            units={
                UnitRole.responsible: frozenset({self.it.responsible}), UnitRole.lead: frozenset({self.it.lead_unit}),
            },
            region=region, topic=topic,
            facts=said.pop("facts", "饮水管网冻裂，三户无水。"), source=Source.monthly_check,
            no_evidence_reason="现场已说明。",
        )  # fmt: skip
        await drafting.draft(self.it.staff, draft, id=id)
        await commands.issue(id, SYSTEM, due=Wanted(on=due_on))
        if hand_over:
            others = await raw("SELECT 1 FROM monthly_hand_over WHERE record = $1", hand_over)
            row = {"id": id, "record": hand_over, "position": len(others), "topic": topic,
                   "severity": "ordinary", "facts": "", "asks": "", "region": region,
                   "responsible": self.it.responsible, "closing_class": "by_date", "files": []}  # fmt: skip
            await insert("monthly_hand_over", [row])
        return id

    async def close(self, id: UUID, on: datetime) -> None:
        """The whole way to the second key, within some minutes of that time."""
        steps: tuple[Step, ...] = (make._acknowledge, make._hand_in, make._pass, make._close)
        for minutes, step in enumerate(steps):
            with clock.frozen(on + timedelta(minutes=minutes)):
                await step(self.it, id)


async def city(valid_from: date = date(2026, 10, 1), **terms: Any) -> City:
    """The rule is valid from that day on."""
    with clock.frozen(at(1, 1, 8)):
        it, rule = await make.cast(), await monthly_make.fushun(**{"valid_from": valid_from} | terms)
        for county in COUNTIES:
            await make.region(county)
        office = await make.unit("市扶贫办", area=make.FUSHUN)
        return City(
            it,
            rule,
            await make.person("市长", Role.leader_viewer, at=office),
            await make.person("农业李", Role.lead_unit_reviewer, at=rule.units["市农业农村局"]),
            await make.person("县长", Role.leader_viewer, at=rule.units[make.XINBIN]),
        )


async def ensure(moment: datetime) -> int:
    """What the worker does at that moment, once."""
    with clock.frozen(moment):
        await monthly.start_periods()
        return await summaries.ensure_summaries()
