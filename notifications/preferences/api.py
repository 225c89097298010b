"""HTTP of preferences and absences."""

from datetime import date, time
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from backend.roles import Actor
from notifications.deliveries.rules import ChannelKind
from notifications.preferences import commands, queries
from notifications.preferences.queries import AbsenceList, AbsenceShape, DeputyList, PreferenceShape
from notifications.preferences.rules import Wishes

TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, examples=["07:30"])]
Channels = Annotated[list[ChannelKind], Meta(max_length=7)]
Id = FromPath[UUID]


class PreferenceIn(msgspec.Struct, forbid_unknown_fields=True):
    """All of them, as they are to be. Channels in order of trying; what stands in the app stands there anyway.

    Equal `quiet_from` and `quiet_to`: never quiet. Without a digest what is not urgent comes one by one.
    """

    at_once: Channels
    normal: Channels
    quiet_from: TimeOfDay
    quiet_to: TimeOfDay
    rest_days_quiet: bool
    digest: bool
    digest_time: TimeOfDay

    def wishes(self) -> Wishes:
        return Wishes(
            at_once=tuple(kind for kind in self.at_once if kind is not ChannelKind.in_app),
            normal=tuple(kind for kind in self.normal if kind is not ChannelKind.in_app),
            quiet_from=time.fromisoformat(self.quiet_from),
            quiet_to=time.fromisoformat(self.quiet_to),
            rest_days_quiet=self.rest_days_quiet,
            digest=self.digest,
            digest_time=time.fromisoformat(self.digest_time),
        )


class AbsenceIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who is away: `person`, or the whole `unit`; nobody named is oneself. Both days are included."""

    deputy: UUID
    first_day: date
    last_day: date
    person: UUID | None = None
    unit: UUID | None = None


class PreferenceController(Controller):
    path = "/api/notices"
    tags = ["notices"]

    @get("/preferences", summary="How I am told: channels, quiet hours, the digest")
    async def show(self, actor: NamedDependency[Actor]) -> PreferenceShape:
        return await queries.mine(actor)

    @put("/preferences", summary="How I want to be told")
    async def choose(self, data: JSONBody[PreferenceIn], actor: NamedDependency[Actor]) -> PreferenceShape:
        await commands.choose(actor, data.wishes())
        return await queries.mine(actor)

    @get("/absences", summary="Absences I may see, to come first; with `past=true` those that are over")
    async def list_absences(self, actor: NamedDependency[Actor], past: FromQuery[bool] = False) -> AbsenceList:
        return AbsenceList(await queries.absences(actor, past=past))

    @get("/deputies", summary="Who could stand in for me, for a colleague or for the unit I answer for")
    async def list_deputies(
        self,
        actor: NamedDependency[Actor],
        person: FromQuery[UUID | None] = None,
        unit: FromQuery[UUID | None] = None,
    ) -> DeputyList:
        return DeputyList(await queries.could_stand_in(actor, person=person, unit=unit))

    @put("/absences/{absence_id:uuid}", summary="请假代办: a deputy is told too; the id is the client's")
    async def enter(self, absence_id: Id, data: JSONBody[AbsenceIn], actor: NamedDependency[Actor]) -> AbsenceShape:
        person = actor.person if data.person is None and data.unit is None else data.person
        days = (data.first_day, data.last_day)
        await commands.enter_absence(absence_id, actor, person=person, unit=data.unit, deputy=data.deputy, days=days)
        return await queries.absence(absence_id, actor)

    @delete("/absences/{absence_id:uuid}", summary="Back again")
    async def end(self, absence_id: Id, actor: NamedDependency[Actor]) -> None:
        await commands.end_absence(absence_id, actor)
