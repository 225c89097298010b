"""The timeline: who acted as what, what changed, which files; every verb told; a thousand steps in pages."""

from uuid import UUID

import pytest

from backend import clock, events
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import BadRequest, NotFound
from backend.events import VERBS
from backend.people.tables import Person, RoleGrant
from backend.roles import Actor, Grant, Role
from tasks.rectifications import commands, extensions, objections, timeline, told
from tasks.rectifications.item import Status
from tasks.rectifications.words import Ground
from tests import make

pytestmark = pytest.mark.usefixtures("fresh")


async def story(id: UUID, actor: Actor) -> dict[str, timeline.shapes.TimelineEntry]:
    """The latest step of each verb."""
    return {step.verb.split(".")[1]: step for step in await timeline.whole(id, actor)}


async def happens(verb: str, id: UUID, actor: Actor, **facts: object) -> None:
    async with transaction():
        await events.record(verb, id, actor=actor, **facts)


def test_every_verb_of_a_rectification_is_told_or_named_as_machinery():
    ours = {verb for verb in VERBS if verb.startswith("rectification.")}
    assert ours <= told.TOLD.keys() | told.MACHINERY
    assert not told.TOLD.keys() & told.MACHINERY
    assert told.TOLD.keys() | told.MACHINERY <= VERBS.keys()


def test_everything_that_is_told_has_a_word():
    keys = {key for it in told.TOLD.values() for key in (*it.sets, *it.says)}
    assert keys | {"status"} == told.LABELS.keys()


async def test_a_step_says_in_which_role_and_for_which_unit_it_was_done(noon):
    it = await make.cast()
    bank = await make.unit("农商行", area=make.FUSHUN)
    area = make.XINBIN
    many = (
        Grant(Role.lead_unit_reviewer, bank, make.FUSHUN),
        *it.handler.grants,
        Grant(Role.unit_principal, bank, area),
    )
    it.handler = Actor(it.handler.person, it.handler.name, many, home=bank)
    id = await make.rectification(it, Status.closed)
    steps = await story(id, it.boss)
    did = {verb: (step.by_name, step.role, step.unit_name) for verb, step in steps.items()}
    assert did["filed"] == ("督查员王", "inspector", "市扶贫办")
    assert did["issued"] == ("系统", None, "")
    assert did["handed_in"] == ("经办赵", "unit_handler", "新宾县水务局")
    assert did["passed"] == ("审核李", "lead_unit_reviewer", "市水务局")
    assert did["closed"] == ("主任吴", "supervision_leader", "市扶贫办")


async def test_what_people_become_later_changes_no_story(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.closed)
    before = await timeline.whole(id, it.boss)
    elsewhere = await make.unit("清原县水务局", area=make.QINGYUAN)
    await RoleGrant.update({RoleGrant.revoked_at: clock.now()}).where(RoleGrant.revoked_at.is_null())
    await Person.update({Person.name: "改名", Person.unit: elsewhere}, force=True)
    assert await timeline.whole(id, it.boss) == before


async def test_steps_of_people_who_are_gone_and_of_older_times_still_read(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.issued)
    gone = Actor(UUID(int=9), "离任的孙某", home=UUID(int=8))
    await happens("rectification.reported", id, gone, note="旧话", percent=10)
    old = Actor(it.handler.person, "经办赵")
    await happens("rectification.handed_in", id, old, confirmed_by="钱局长", files=0)
    steps = await story(id, it.boss)
    assert (steps["reported"].by_name, steps["reported"].role, steps["reported"].unit_name) == ("离任的孙某", None, "")
    assert (steps["handed_in"].role, steps["handed_in"].unit_name) == (None, "新宾县水务局")


async def test_a_step_says_what_it_changed_from_what_to_what(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.closed)
    await happens("rectification.reported", id, it.handler, percent=40)
    with clock.frozen(make.at(noon, hours=1)):
        await happens("rectification.issued", id, it.staff, due_on="2026-12-31", responsible_units=[it.lead_unit])
    steps = await timeline.whole(id, it.boss)
    changes = {step.verb: [(it.field, it.before, it.after) for it in step.changes] for step in steps}
    number = f"ZG-210422-{noon:%Y%m%d}-0001"
    assert changes["rectification.drafted"] == [("status", None, "draft")]
    assert changes["rectification.acknowledged"] == [
        ("status", "issued", "working"),
        ("responsible_person", None, "赵经办"),
    ]
    assert changes["rectification.closed"] == [("status", "passed", "closed"), ("look_back_on", None, "2027-02-22")]
    first, again = (step for step in steps if step.verb == "rectification.issued")
    assert [(it.label, it.before, it.after) for it in first.changes] == [
        ("状态", "draft", "issued"), ("编号", None, number), ("整改期限", None, "2026-12-09"),
        ("责任单位", None, ["新宾县水务局"]), ("牵头单位", None, ["市水务局"]),
    ]  # fmt: skip
    assert [(it.field, it.before, it.after) for it in again.changes] == [
        ("status", "closed", "issued"), ("due_on", "2026-12-09", "2026-12-31"),
        ("responsible_units", ["新宾县水务局"], ["市水务局"]),
    ]  # fmt: skip


@pytest.mark.parametrize("status", make._STEPS)
async def test_the_story_ends_where_the_item_stands(noon, status):
    it = await make.cast()
    id = await make.rectification(it, status)
    assert [step.changes[0].after for step in await timeline.whole(id, it.boss) if step.changes][-1] == status


async def test_the_item_follows_its_slowest_unit_and_redirections(noon):
    it = await make.cast()
    slow, heir = await make.unit("新宾县财政局"), await make.unit("新宾县住建局")
    principal = await make.person("财政局长冯", Role.unit_principal, at=slow)
    id = await make.rectification(it, responsible_units=frozenset({it.responsible, slow}))

    async def told_at(hours: int) -> list[tuple[str, object, object]]:
        rows = await raw("SELECT status FROM rectification WHERE id = $1", id)
        steps = await timeline.whole(id, it.boss)
        statuses = [change.after for step in steps for change in step.changes if change.field == "status"]
        assert statuses[-1] == rows[0]["status"]
        return [(change.field, change.before, change.after) for change in steps[-1].changes]

    with clock.frozen(make.at(noon, hours=1)):
        await make._acknowledge(it, id)
        assert await told_at(1) == [("responsible_person", None, "赵经办")]  # the item waits for the other unit
    with clock.frozen(make.at(noon, hours=2)):
        key = uuid7()
        await objections.object_to(id, principal, id=key, ground=Ground.jurisdiction, note="不归我局管。")
    with clock.frozen(make.at(noon, hours=3)):
        await objections.redirect(id, key, it.staff, to_unit=heir, note="属实。")
        assert await told_at(3) == []
        steps = await story(id, it.boss)
        assert steps["redirected"].facts == {"unit": "新宾县财政局", "to_unit": "新宾县住建局", "note": "属实。"}
        assert steps["objected"].facts["ground"] == "jurisdiction" and steps["objected"].role == "unit_principal"
    with clock.frozen(make.at(noon, hours=4)):
        handler = await make.person("住建赵", Role.unit_handler, at=heir)
        await commands.acknowledge(id, handler, id=uuid7(), responsible_person="住建赵", phone="")
        assert await told_at(4) == [("status", "issued", "working"), ("responsible_person", None, "住建赵")]


async def test_an_extension_tells_the_day_before_and_after(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    asked = await make.extension(it, id)
    await extensions.grant(id, asked, it.staff, opinion="同意。")
    steps = await story(id, it.boss)
    assert steps["extension_asked"].changes == [] and steps["extension_asked"].facts["wanted_on"] == "2026-12-25"
    assert [(it.field, it.before, it.after) for it in steps["extended"].changes] == [
        ("due_on", "2026-12-09", "2026-12-25")
    ]


async def test_the_unit_never_reads_that_a_check_was_sent(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    await make.site_check(it, id)
    assert "check_assigned" in await story(id, it.staff) and "check_assigned" not in await story(id, it.handler)
    assert (await timeline.page(id, it.handler, None, 100)).next is None


async def test_only_what_the_table_names_leaves_the_payload(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    await happens("rectification.reported", id, it.handler, note="在办", percent=5, phone="13812345678")
    steps = await story(id, it.boss)
    assert steps["reported"].facts == {"note": "在办"}
    assert steps["acknowledged"].facts == {"unit": "新宾县水务局"}


async def test_a_step_shows_the_files_it_brought(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.handed_in)
    rows = await raw("SELECT id, state FROM evidence ORDER BY declared_at, id")
    steps = await story(id, it.boss)
    before, after = ([(file.id, file.state.value) for file in steps[verb].evidence] for verb in ("filed", "handed_in"))
    assert sorted(before + after) == sorted((row["id"], row["state"]) for row in rows)
    assert [state for _, state in before + after] == ["declared", "ready"]
    assert steps["acknowledged"].evidence == []


async def test_a_thousand_steps_come_in_pages_that_together_are_the_story(noon):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    for percent in range(1000):
        with clock.frozen(make.at(noon, minutes=percent // 3)):  # several at the same instant
            await happens("rectification.reported", id, it.handler, percent=percent % 101)
    expected = await timeline.whole(id, it.boss)
    assert len(expected) > 1000
    told_in_pages, cursor = [], None
    while True:
        page = await timeline.page(id, it.boss, cursor, 100)
        told_in_pages += page.items
        if page.next is None:
            break
        cursor = UUID(page.next)
    assert told_in_pages == expected


async def test_a_page_is_refused_behind_a_step_of_another_story_and_to_strangers(noon):
    it = await make.cast()
    id, other = await make.rectification(it), await make.rectification(it, Status.working)
    step = (await timeline.whole(other, it.boss))[-1]
    with pytest.raises(BadRequest) as refused:
        await timeline.page(id, it.boss, step.id, 10)
    assert (refused.value.code, refused.value.field) == ("bad_cursor", "cursor")
    with pytest.raises(NotFound):
        await timeline.page(id, it.stranger, None, 10)
    with pytest.raises(NotFound):
        await timeline.whole(id, it.stranger)
