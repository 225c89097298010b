"""HTTP of visits: open one, see them, record an arrival, submit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from backend import geo, receipts
from backend.body import StrictRequest
from backend.roles import Actor
from backend.shapes import Latitude, Line, Longitude, Metres, Note, OptionalNote, PositionIn, RegionCode, check_claimed
from inspections.visits import commands, queries
from inspections.visits.queries import VisitShape
from inspections.visits.rules import Kind


class VisitIn(msgspec.Struct, forbid_unknown_fields=True):
    """A visit sent out without a draw (一事一报): the approval number says who agreed."""

    id: UUID
    region: RegionCode
    place_name: Line
    purpose: Note
    approval_number: Line
    lat: Latitude
    lng: Longitude
    team: Annotated[list[UUID], Meta(min_length=1, max_length=20)]
    lead: UUID
    kind: Kind = Kind.covert
    radius_m: Metres = geo.VILLAGE_RADIUS_M


class ArrivalIn(msgspec.Struct, forbid_unknown_fields=True):
    """Where the phone says it is, and when by its own clock. The server keeps its own time beside it."""

    position: PositionIn
    phone_at: Annotated[datetime, Meta(tz=True)]
    reason: OptionalNote = ""

    def __post_init__(self) -> None:
        check_claimed(self.phone_at, "phone_at")


class VisitPage(msgspec.Struct):
    items: list[VisitShape]
    next: UUID | None


class VisitController(Controller):
    path = "/api/visits"
    tags = ["visits"]

    @post("/", summary="Send a team to a place")
    async def open(self, data: JSONBody[VisitIn], actor: NamedDependency[Actor]) -> VisitShape:
        await commands.open_visit(
            actor,
            id=data.id,
            region=data.region,
            place_name=data.place_name,
            purpose=data.purpose,
            kind=data.kind,
            approval_number=data.approval_number,
            target=(data.lat, data.lng),
            radius_m=data.radius_m,
            team=data.team,
            lead=data.lead,
        )
        visit = await queries.show(data.id, actor)
        visit.receipt = receipts.of_record("visit", data.id, visit.opened_at)
        return visit

    @get("/", summary="Visits in sight, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> VisitPage:
        items = await queries.listed(actor, cursor, limit)
        return VisitPage(items, items[-1].id if len(items) == limit else None)

    @get("/{visit_id:uuid}", summary="One visit with its team and arrivals")
    async def show(self, visit_id: FromPath[UUID], actor: NamedDependency[Actor]) -> VisitShape:
        return await queries.show(visit_id, actor)

    @put("/{visit_id:uuid}/arrivals/{arrival_id:uuid}", summary="Record an arrival (到达记录)", status_code=201)
    async def arrive(
        self,
        visit_id: FromPath[UUID],
        arrival_id: FromPath[UUID],
        data: JSONBody[ArrivalIn],
        actor: NamedDependency[Actor],
    ) -> VisitShape:
        await commands.arrive(
            visit_id,
            actor,
            id=arrival_id,
            place=data.position.place(),
            phone_at=data.phone_at,
            reason=data.reason,
        )
        visit = await queries.show(visit_id, actor)
        stored = next(arrival.received_at for arrival in visit.arrivals if arrival.id == arrival_id)
        visit.receipt = receipts.of_record("arrival", arrival_id, stored)
        return visit

    @post("/{visit_id:uuid}/submission", summary="Hand in the visit (提交检查)")
    async def submit(
        self,
        visit_id: FromPath[UUID],
        request: StrictRequest,
        actor: NamedDependency[Actor],
        submission_checks: NamedDependency[Sequence[commands.Check]],
    ) -> VisitShape:
        await request.attested()
        await commands.submit(visit_id, actor, submission_checks)
        visit = await queries.show(visit_id, actor)
        if visit.submitted_at:
            visit.receipt = receipts.of_record("submission", visit_id, visit.submitted_at)
        return visit
