"""HTTP for sign-in, the signed-in person, and accounts. Shapes stand in shapes.py, decisions in rules.py."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from backend import clock, settings
from backend.people import commands, queries, rules
from backend.people.commands import Attempt, NewSession
from backend.people.queries import LiveSession, Profile, RoleHeld
from backend.people.rules import TotpState
from backend.people.shapes import (
    AccountOut,
    CodeIn,
    GrantOut,
    ListedOut,
    ListedRole,
    MeOut,
    MyRole,
    PasswordIn,
    PeopleOut,
    PersonIn,
    PersonOut,
    RecusalIn,
    RecusalOut,
    RoleIn,
    RoleOut,
    RotatedOut,
    SessionOut,
    SessionsOut,
    SignedInOut,
    SignInIn,
    TotpOut,
    TotpStateOut,
    UnitOut,
)
from backend.people.sign_in import Caller, cookie, running, the_session
from backend.roles import MAY, Actor, Role

AnyRequest = Request[Any, Any, Any]


class SessionController(Controller):
    path = "/api/sessions"
    tags = ["sign-in"]

    @post("/", summary="Sign in", security=[])
    async def sign_in(self, request: AnyRequest, data: JSONBody[SignInIn]) -> Response[SignedInOut]:
        caller: Caller = request.auth
        enforced = running().totp == settings.ENFORCED
        attempt = Attempt(
            data.username,
            data.password,
            data.otp,
            network=caller.network,
            browser=caller.browser,
            old_token=caller.token,
            enforce_totp=enforced,
        )
        new = await commands.sign_in(attempt)
        who = await queries.profile(new.person)
        told = SignedInOut(None, _person(who), new.ends_at, _totp(who, enforced))
        return _with_token(told, new, caller.browser)

    @get("/", summary="My live sessions")
    async def mine(self, request: AnyRequest) -> SessionsOut:
        current = the_session(request)
        rows = await queries.sessions(current.person, clock.now())
        return SessionsOut([_session(row, current) for row in rows])

    @post("/current/rotation", summary="A new token for this session")
    async def rotate(self, request: AnyRequest) -> Response[RotatedOut]:
        session, caller = the_session(request), request.auth
        new = await commands.rotate(session, network=caller.network)
        return _with_token(RotatedOut(None, new.ends_at), new, session.browser)

    @delete("/current", summary="Sign out")
    async def sign_out(self, request: AnyRequest) -> Response[None]:
        await commands.sign_out(request.auth.token)
        return Response(None, status_code=204, cookies=[cookie("")])

    @delete("/{session:uuid}", summary="End one of my sessions")
    async def end(self, session: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        await commands.end_session(actor, session=session)


class MeController(Controller):
    path = "/api/me"
    tags = ["sign-in"]

    @get("/", summary="Who I am and what I may do")
    async def me(self, actor: NamedDependency[Actor]) -> MeOut:
        assert actor.person is not None  # SYSTEM never comes through HTTP
        who = await queries.profile(actor.person)
        recusals = await queries.recusals(actor.person, clock.today())
        return MeOut(
            id=who.id,
            name=who.name,
            username=who.username,
            unit=UnitOut(who.unit, who.unit_name),
            phone=who.phone,
            roles=[MyRole(r.role, r.unit, r.unit_name, r.area, MAY[r.role]) for r in who.roles],
            recusals=[RecusalOut(**row) for row in recusals],
            totp=_totp(who, running().totp == settings.ENFORCED),
        )

    @post("/password", summary="Change my password; ends my other sessions", status_code=204)
    async def password(self, request: AnyRequest, data: JSONBody[PasswordIn]) -> None:
        caller: Caller = request.auth
        await commands.change_password(the_session(request), old=data.old, new=data.new, network=caller.network)

    @post("/totp", summary="A new secret for one-time codes, not active yet")
    async def enrol(self, request: AnyRequest) -> TotpOut:
        return TotpOut(*await commands.enrol_totp(the_session(request)))

    @post("/totp/confirmation", summary="Activate one-time codes; ends my other sessions")
    async def confirm(self, request: AnyRequest, data: JSONBody[CodeIn]) -> TotpStateOut:
        await commands.confirm_totp(the_session(request), code=data.code)
        return TotpStateOut(TotpState.confirmed)

    @post("/recusals", summary="Declare that I keep away from a unit's matters")
    async def recuse(self, data: JSONBody[RecusalIn], actor: NamedDependency[Actor]) -> RecusalOut:
        it = await commands.declare_recusal(actor, id=data.id, unit=data.unit, reason=data.reason, ends_on=data.ends_on)
        return RecusalOut(it.id, it.unit, it.reason, it.declared_at, it.ends_on)


class PersonController(Controller):
    path = "/api/people"
    tags = ["people"]

    @post("/", summary="Add an account")
    async def add(self, data: JSONBody[PersonIn], actor: NamedDependency[Actor]) -> AccountOut:
        it = await commands.add_person(
            actor,
            id=data.id,
            username=data.username,
            name=data.name,
            unit=data.unit,
            password=data.password,
            phone=data.phone,
        )
        return AccountOut(it.id, it.username, it.name, it.unit, it.phone)

    @get("/", summary="People, of one unit or all that I may see")
    async def people(
        self,
        actor: NamedDependency[Actor],
        unit: FromQuery[UUID | None] = None,
        cursor: FromQuery[UUID | None] = None,
    ) -> PeopleOut:
        rows = await queries.listed(actor, unit, cursor)
        whole = rules.may_administer(actor) is None
        more = rows[-1].id if len(rows) == queries.PAGE else None
        return PeopleOut([_listed(row, whole) for row in rows], more)

    @post("/{person:uuid}/roles", summary="Grant a role at a unit")
    async def grant(self, person: FromPath[UUID], data: JSONBody[RoleIn], actor: NamedDependency[Actor]) -> GrantOut:
        it = await commands.grant_role(actor, id=data.id, person=person, unit=data.unit, role=data.role)
        return GrantOut(it.id, it.person, Role(it.role), it.unit, it.granted_at)

    @delete("/{person:uuid}/roles/{grant:uuid}", summary="Take a role back")
    async def revoke(self, person: FromPath[UUID], grant: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        await commands.revoke_role(actor, person=person, grant=grant)

    @post("/{person:uuid}/disabling", summary="Close an account and end its sessions", status_code=204)
    async def disable(self, person: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        await commands.disable_person(actor, person=person)


PEOPLE_CONTROLLERS = [SessionController, MeController, PersonController]


def _with_token(told: Any, new: NewSession, browser: bool) -> Response[Any]:
    """The token goes into the body or into the cookie, never into both."""
    told.token = None if browser else new.token
    return Response(told, status_code=201, cookies=[cookie(new.token)] if browser else [])


def _totp(who: Profile, enforced: bool) -> TotpState:
    return rules.totp_state(who.totp_confirmed, [held.role for held in who.roles], enforced)


def _person(who: Profile) -> PersonOut:
    roles = [RoleOut(held.role, held.unit, held.unit_name, held.area) for held in who.roles]
    return PersonOut(who.id, who.name, who.username, UnitOut(who.unit, who.unit_name), roles)


def _session(row: dict[str, Any], current: LiveSession) -> SessionOut:
    return SessionOut(
        id=row["id"],
        current=row["family"] == current.family,
        browser=row["browser"],
        made_at=row["made_at"],
        seen_at=row["seen_at"],
        ends_at=row["ends_at"],
        network=row["network"],
    )


def _listed(who: Profile, whole: bool) -> ListedOut:
    told = ListedOut(who.id, who.name, UnitOut(who.unit, who.unit_name))
    if whole:
        told.username, told.phone, told.disabled_at = who.username, who.phone, who.disabled_at
        told.totp_confirmed, told.roles = who.totp_confirmed, [_listed_role(held) for held in who.roles]
    return told


def _listed_role(held: RoleHeld) -> ListedRole:
    return ListedRole(held.role, held.unit, held.unit_name, held.area, held.id)
