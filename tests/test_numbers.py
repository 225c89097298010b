"""Running numbers: the roll-up equals the recount whatever happens, borders of week and month, and whose they are."""

import random
from datetime import datetime, timedelta

from backend import clock
from backend.db import raw, transaction
from backend.roles import Actor, Role
from inspections.findings.rules import Severity
from tasks.numbers import jobs, queries
from tasks.numbers.rules import Five, marks
from tasks.rectifications import extensions
from tasks.rectifications.item import OPEN, TICKING, Status
from tests import lists_make, make
from tests.make import FUSHUN, QINGYUAN, SHANGJIAHE, XINBIN, YAOZHAN

RECOUNT = "SELECT scope, status, until, sum(count)::int AS count FROM {} GROUP BY 1, 2, 3 HAVING sum(count) <> 0"
KEPT = (
    "(SELECT scope, status, until, count FROM rectification_tally UNION ALL "
    "SELECT scope, status, until, change FROM tally_change, unnest(scopes) AS held (scope)) AS kept"
)


async def differences() -> list[tuple[str, ...]]:
    """What the roll-up says otherwise than a recount of the items themselves."""
    kept = {tuple(row.values()) for row in await raw(RECOUNT.format(KEPT))}
    counted = {tuple(row.values()) for row in await raw(RECOUNT.format("counted_tallies()"))}
    return sorted(map(str, kept ^ counted))  # type: ignore


async def numbers(client, person: Actor) -> dict:
    answer = await client.get("/api/numbers", headers=await make.signed_in(person))
    assert answer.status_code == 200, answer.text
    return answer.json()


def model(w: lists_make.World, area: str, now: datetime) -> Five:
    """Counted from the made-up items in Python, without SQL."""
    at = marks(clock.local(now))
    items = [row for row in w.items.values() if area in row["path"]]
    due = [row["due_at"] for row in items if Status(row["status"]) in TICKING and row["due_at"]]
    return Five(
        open=sum(Status(row["status"]) in OPEN for row in items),
        overdue=sum(moment <= now for moment in due),
        due_this_week=sum(now < moment <= at.week_ends for moment in due),
        waiting=sum(
            Status(row["status"]) in (Status.draft, Status.passed)
            or row["status"] == Status.handed_in
            and not any(role == "lead" and not ended for _, role, ended in row["parts"])
            for row in items
        ),
        cleared_this_month=sum(row["status"] == Status.closed for row in items),
    )


def test_a_week_ends_with_sunday_and_a_month_begins_in_china():
    sunday_night = datetime(2026, 11, 29, 23, 59, tzinfo=clock.SHANGHAI)
    assert marks(sunday_night).week_ends == datetime(2026, 11, 30, tzinfo=clock.SHANGHAI)
    monday = sunday_night + timedelta(minutes=1)
    assert marks(monday).week_ends == datetime(2026, 12, 7, tzinfo=clock.SHANGHAI)
    assert marks(datetime(2027, 1, 1, tzinfo=clock.SHANGHAI)).month_began.year == 2027


async def test_numbers_of_an_area_are_those_of_its_items(client, noon):
    it = await make.cast()
    w = await lists_make.world(it)
    for folded in (False, True):
        if folded:
            assert await jobs.fold_tallies() > 0
        for who, area in (("prefecture", FUSHUN), ("county", XINBIN), ("village", YAOZHAN)):
            told = await numbers(client, w.people[who])
            assert Five(**told["numbers"]) == model(w, area, noon), (who, folded)
    told = await numbers(client, w.people["prefecture"])
    (area,) = told["areas"]
    assert {line["region"] for line in area["children"]} == {XINBIN, QINGYUAN}
    for line in area["children"]:
        assert Five(**line["numbers"]) == model(w, line["region"], noon)
    (county,) = (await numbers(client, w.people["county"]))["areas"]
    assert [line["region"] for line in county["children"]] == [SHANGJIAHE]
    assert (told["week_ends_on"], told["month"]) == ("2026-11-29", "2026-11")
    assert await differences() == []


async def test_the_roll_up_equals_the_recount_after_anything(client, noon):
    """A few hundred changes in any order, folded now and then, and parts that begin, end and come back."""
    it = await make.cast()
    w = await lists_make.world(it, 60)
    made, ids = random.Random(5), list(w.items)
    places = list(lists_make.PATHS.values())
    for step in range(240):
        id = made.choice(ids)
        match made.randrange(6):
            case 0:
                await raw("UPDATE rectification SET status = $2, closed_at = CASE WHEN $2 = 'closed' "
                          "THEN $3::timestamptz END WHERE id = $1", id, made.choice(list(Status)).value,
                          noon - timedelta(days=made.randrange(60)))  # fmt: skip
            case 1:
                await raw("UPDATE rectification SET due_at = $2 WHERE id = $1", id,
                          noon + timedelta(hours=made.randrange(-100, 300)))  # fmt: skip
            case 2:
                path = made.choice(places)
                await raw("UPDATE rectification SET province = $2, prefecture = $3, county = $4, township = $5 "
                          "WHERE id = $1", id, *path[:3], path[3] if len(path) > 3 else None)  # fmt: skip
            case 3:
                await raw("UPDATE rectification_unit SET ended_at = CASE WHEN ended_at IS NULL THEN $2::timestamptz "
                          "END WHERE rectification = $1", id, noon)  # fmt: skip
            case 4:
                await raw("UPDATE rectification_unit SET role = 'cooperating' WHERE rectification = $1 AND role = $2",
                          id, made.choice(("lead", "responsible")))  # fmt: skip
            case _:
                async with transaction():
                    await raw("UPDATE rectification_unit SET ended_at = $2 WHERE rectification = $1", id, noon)
                    await raw("UPDATE rectification SET status = 'issued' WHERE id = $1", id)
        if step % 50 == 0:
            await jobs.fold_tallies()
            assert await differences() == []
    assert await differences() == []
    await jobs.fold_tallies()
    assert await differences() == []
    assert (await raw("SELECT count(*) AS left FROM tally_change"))[0]["left"] == 0
    assert await jobs.fold_tallies() == 0


async def test_the_roll_up_follows_the_commands(client, noon):
    it = await make.cast()
    for status in Status:
        await make.rectification(it, status)
    assert await differences() == []
    told = await numbers(client, it.leader)
    assert told["numbers"] == {
        "open": 5, "overdue": 0, "due_this_week": 0, "waiting": 2, "cleared_this_month": 1
    }  # fmt: skip
    own = await numbers(client, it.handler)
    assert own["areas"] == [] and [line["role"] for line in own["units"]] == ["responsible"]
    assert own["numbers"]["waiting"] == 2 and own["numbers"]["open"] == 5
    led = (await numbers(client, it.reviewer))["units"]
    assert [(line["role"], line["numbers"]["waiting"]) for line in led] == [("lead", 1)]


async def test_what_waits_for_the_office_is_counted(client, noon):
    it = await make.cast()
    item = await make.rectification(it, Status.working)
    assert (await numbers(client, it.boss))["numbers"]["waiting"] == 0
    asked = await make.extension(it, item)
    assert (await numbers(client, it.boss))["numbers"]["waiting"] == 1
    await extensions.decline(item, asked, it.staff, opinion="期限足够。")
    assert (await numbers(client, it.boss))["numbers"]["waiting"] == 0


async def test_what_waits_in_an_area_is_what_its_office_is_shown_to_decide(client, noon):
    it = await make.cast()
    await make.rectification(it, Status.draft)
    await make.rectification(it, Status.handed_in)  # the lead unit's
    await make.rectification(it, Status.handed_in, lead_units=frozenset())
    await make.objection(it, await make.rectification(it, Status.issued))
    await make.extension(it, await make.rectification(it, Status.working))
    await make.rectification(it, Status.passed)
    await make.site_check(it, await make.rectification(it, Status.passed))  # waits for the checkers
    await make.publicity(it, await make.rectification(it, Status.passed))  # waits for its last day

    async def both() -> tuple[int, int, int]:
        head = await make.signed_in(it.boss)
        shown = (await client.get("/api/decisions?decisions_only=true", headers=head)).json()["count"]
        told = await numbers(client, it.boss)
        (county,) = [line for line in told["areas"][0]["children"] if line["region"] == XINBIN]
        return told["numbers"]["waiting"], county["numbers"]["waiting"], shown["count"]

    assert await both() == (5, 5, 5)
    # Sent to be checked though only a publicity is wanted, and shown in public though a check is: the office acts.
    await make.site_check(it, await make.rectification(it, Status.passed, public=True))
    await make.publicity(it, await make.rectification(it, Status.passed, severity=Severity.serious))
    assert await both() == (7, 7, 7)
    await make.public_objection(it, await make.rectification(it, Status.passed))
    assert await both() == (8, 8, 8)
    with clock.frozen(noon + timedelta(days=30)):  # nobody objected to the first
        assert await both() == (9, 9, 9)


async def test_time_alone_makes_overdue(client, noon):
    it = await make.cast()
    await make.rectification(it, Status.working, due_on=(noon + timedelta(days=3)).date())
    assert (await numbers(client, it.leader))["numbers"]["due_this_week"] == 1
    with clock.frozen(noon + timedelta(days=4)):
        told = await numbers(client, it.leader)
    assert (told["numbers"]["overdue"], told["numbers"]["due_this_week"]) == (1, 0)


async def test_everybody_has_numbers_and_only_of_what_they_see(client, noon):
    it = await make.cast()
    await make.rectification(it)
    assert (await client.get("/api/numbers")).status_code == 401
    nothing = {name: 0 for name in Five.__struct_fields__}
    for person in (it.stranger, it.inspector, await make.person("管理员", Role.sys_admin)):
        told = await numbers(client, person)
        assert told["numbers"] == nothing, person.name
    assert (await numbers(client, it.handler))["numbers"]["open"] == 1


async def test_an_area_within_another_is_not_counted_twice(client, noon):
    it = await make.cast()
    await make.rectification(it)
    both = Actor(it.leader.person, "两级领导", it.leader.grants + (
        await make.person("县领导", Role.leader_viewer, at=await make.unit("新宾县委"))).grants)  # fmt: skip
    assert (await queries.of(both)).numbers.open == 1
