"""Nothing is told about what somebody may not see: every verb that is heard, against things in every state."""

from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import NotFound
from backend.events import VERBS
from backend.people import queries as people
from backend.roles import SYSTEM, Actor, Role
from backend.worker import REACTIONS
from notifications.inbox import audiences, standing_in
from notifications.inbox.asked import Asked, Heard
from notifications.inbox.rules import HEARS, Audience, Subject
from tasks.rectifications import queries
from tasks.rectifications.item import Status
from tests import make

OF_ITEMS = {Subject.rectification, Subject.reminder}


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def facts(it: make.Cast) -> dict[str, Any]:
    """All that an event could say to widen its audience."""
    return {"stands": "passed", "unit": str(it.responsible), "person": str(it.stranger.person), "region": make.YAOZHAN}


async def hear(it: make.Cast, verb: str, subject: UUID) -> list[Heard]:
    """Who would be told, and the deputies of those who are away."""
    asked = Asked(key=uuid7(), subject=subject, audience=HEARS[verb].audience, facts=facts(it))
    heard = await audiences.of(HEARS[verb].about, [asked])
    return audiences.once([*heard, *await standing_in.deputies(heard)])


async def actor(person: UUID) -> Actor:
    return await people.acting(person, clock.now(), totp_enforced=False)


async def everybody_is_away(it: make.Cast) -> None:
    """Whoever can have a deputy has one, of another role where that is possible."""
    office = (await raw("SELECT unit FROM person WHERE id = $1", it.boss.person))[0]["unit"]
    deputies = {
        it.principal: await make.person("代办一", Role.unit_handler, at=it.responsible),
        it.handler: await make.person("代办二", Role.unit_principal, at=it.responsible),
        it.reviewer: await make.person("代办三", Role.lead_unit_reviewer, at=it.lead_unit),
        it.boss: await make.person("代办四", Role.supervision_staff, at=office),
        it.staff: await make.person("代办五", Role.leader_viewer, at=office),
        it.leader: await make.person("代办六", Role.contract_leader, at=office),
    }
    for who, deputy in deputies.items():
        await make.absence(who, deputy)


async def test_no_unit_hears_of_a_draft_by_any_verb(it):
    await everybody_is_away(it)
    draft = await make.rectification(it, Status.draft)
    units, verbs = {it.responsible, it.lead_unit}, [v for v, hearing in HEARS.items() if hearing.about in OF_ITEMS]
    for verb in verbs:
        heard = await hear(it, verb, draft)
        assert [one for one in heard if one.unit in units or one.person == it.stranger.person] == [], verb
    assert len(verbs) > 30


async def test_whoever_is_told_may_see_the_thing_in_every_state_and_so_may_the_deputies(it):
    await everybody_is_away(it)
    told: set[tuple[str, Audience]] = set()
    for status in (Status.draft, Status.issued, Status.handed_in, Status.passed, Status.closed, Status.voided):
        id = await make.rectification(it, status)
        for audience in {one for hearing in HEARS.values() if hearing.about in OF_ITEMS for one in hearing.audience}:
            asked = Asked(key=uuid7(), subject=id, audience=(audience,), facts=facts(it))
            heard = await audiences.of(Subject.rectification, [asked])
            for one in [*heard, *await standing_in.deputies(heard)]:
                try:
                    await queries.seen(id, await actor(one.person))
                except NotFound:
                    pytest.fail(f"{audience} of an item that is {status} hears of what it cannot see")
                told.add((status, audience))
    assert len({audience for _, audience in told}) > 5  # and somebody was told


async def test_that_people_are_sent_to_check_is_told_to_them_alone(it, settle):
    await everybody_is_away(it)
    id = await make.rectification(it, Status.passed)
    await settle()
    await raw("DELETE FROM delivery")
    await raw("DELETE FROM notice")
    await make.site_check(it, id)
    await settle()
    rows = await raw("SELECT person FROM notice")
    assert {row["person"] for row in rows} == {it.lead.person, it.inspector.person}


def test_what_nobody_is_to_hear_of_tells_nobody():
    """An event that stands in no row of HEARS writes no notice, whatever it says."""
    tells = {verb for verb, reactions in REACTIONS.items() if any("tell" in _name(one) for one in reactions)}
    assert tells == set(HEARS) and set(HEARS) <= set(VERBS)
    for verb in ("visit.opened", "visit.arrived", "finding.filed", "rectification.drafted", "rectification.sampled"):
        assert verb not in HEARS


def _name(reaction: Any) -> str:
    return getattr(getattr(reaction, "react", reaction), "__name__", "")


async def test_an_item_that_does_not_exist_is_told_to_nobody(it):
    assert await hear(it, "rectification.issued", uuid7()) == []
    assert SYSTEM.person is None  # and the program itself never is
