"""HTTP of reminders: the table of rules, what a day will bring, what was given of an item."""

from datetime import date, time
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta

from backend import clock
from backend.errors import Forbidden
from backend.roles import Actor
from backend.shapes import Line
from backend.workdays import TermUnit
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders import commands, preview, queries, rules
from notifications.reminders.rules import Anchor
from notifications.reminders.shapes import GivenList, Preview, RuleList, RuleShape
from notifications.reminders.wanted import Wanted

Language = Annotated[str, HeaderParameter(name="Accept-Language", max_length=200)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, examples=["09:00"])]
Id = FromPath[UUID]


class RuleIn(msgspec.Struct, forbid_unknown_fields=True):
    """`offset` is in `unit`, below zero before the day that is counted from.

    `replaces` is the rule that this one changes: it ends the day before.
    """

    anchor: Anchor
    offset: Annotated[int, Meta(ge=-1000, le=1000)]
    time_of_day: TimeOfDay
    tells: Annotated[list[Audience], Meta(max_length=10)]
    valid_from: date
    unit: TermUnit = TermUnit.workdays
    urgency: Urgency = Urgency.normal
    valid_to: date | None = None
    replaces: UUID | None = None

    def wanted(self) -> Wanted:
        return Wanted(
            anchor=self.anchor,
            offset=self.offset,
            unit=self.unit,
            at=time.fromisoformat(self.time_of_day),
            tells=tuple(self.tells),
            urgency=self.urgency,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class EndIn(msgspec.Struct, forbid_unknown_fields=True):
    """`last_on` is the last day on which the rule holds."""

    last_on: date
    reason: Line


class ReminderController(Controller):
    path = "/api/reminders"
    tags = ["reminders"]

    @get("/", summary="提醒记录: what was said of an item, when, and how many it reached")
    async def of_item(
        self,
        actor: NamedDependency[Actor],
        item: FromQuery[UUID],
        language: Language = "zh-CN",
    ) -> GivenList:
        return GivenList(await queries.given(item, actor, english=_english(language)))

    @get("/rules", summary="The rules that hold or will; with `ended=true` those that held once, too")
    async def list_rules(
        self, actor: NamedDependency[Actor], ended: FromQuery[bool] = False, language: Language = "zh-CN"
    ) -> RuleList:
        found = await queries.listed(clock.today(), ended=ended, english=_english(language))
        return RuleList(found, rules.may_edit(actor))

    @put("/rules/{rule_id:uuid}", summary="Enter a rule, or change one (`replaces`); the id is the client's")
    async def add(
        self, rule_id: Id, data: JSONBody[RuleIn], actor: NamedDependency[Actor], language: Language = "zh-CN"
    ) -> RuleShape:
        await commands.add(rule_id, actor, data.wanted(), replaces=data.replaces)
        return await queries.one(rule_id, clock.today(), english=_english(language))

    @post("/rules/{rule_id:uuid}/ending", summary="Set the last day of a rule", status_code=200)
    async def end(
        self, rule_id: Id, data: JSONBody[EndIn], actor: NamedDependency[Actor], language: Language = "zh-CN"
    ) -> RuleShape:
        await commands.end(rule_id, actor, last_on=data.last_on, reason=data.reason)
        return await queries.one(rule_id, clock.today(), english=_english(language))

    @get("/preview", summary="Who will get what on a day: counts, and the reminders page by page")
    async def show(
        self,
        actor: NamedDependency[Actor],
        on: FromQuery[date],
        cursor: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        language: Language = "zh-CN",
    ) -> Preview:
        if refusal := rules.may_preview(actor):
            raise Forbidden(refusal)
        return await preview.of_day(actor, on, cursor=cursor, most=limit, english=_english(language))


def _english(language: str) -> bool:
    return language.lower().startswith("en")
