"""Lists against a plain model: filters alone and in pairs, every sort to its end, sight, cursors, copies, plans."""

import asyncio
import itertools
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from backend import clock, db
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import Actor
from tasks.rectifications import counts, cursors, drivers, listing
from tasks.rectifications.filters import Filter, Group, Sort
from tasks.rectifications.item import Status
from tasks.rectifications.words import Source, UnitRole
from tests import lists_make, make
from tests.lists_make import World, model
from tests.make import FUSHUN, LIAONING, QINGYUAN, SHANGJIAHE, XINBIN, YAOZHAN
from tests.waiting import eventually

NARROW: list[dict[str, Any]] = [
    *({"group": group} for group in Group),
    *({"status": status} for status in (Status.draft, Status.working, Status.voided)),
    *({"region": code} for code in (LIAONING, XINBIN, YAOZHAN, QINGYUAN, "990000000000")),
    {"topic": "03"}, {"topic": "0501"}, {"topic": "99"}, {"source": Source.ledger}, {"severity": "grave"},
    *({name: value} for name in ("overdue", "due_soon", "returned", "rebounded", "listed", "look_back_due")
      for value in (True, False)),
    *({"q": q} for q in ("消防", "水", "wi-fi", "100%_", "zg-210422-20261120-001", "不存在", "消防 台账", "办结。")),
]  # fmt: skip


@pytest.fixture
async def w(client, noon) -> World:
    return await lists_make.world(await make.cast())


@pytest.fixture(params=["as it runs", "in small steps"])
def steps(request, monkeypatch) -> None:
    """A few hundred items fit into the first look; with small looks, the further ones are taken too."""
    if request.param == "in small steps":
        monkeypatch.setattr(listing, "FIRST_LOOK", 8)
        monkeypatch.setattr(listing, "SECOND_LOOK", 30)
        monkeypatch.setattr(listing, "PROMISING", 3)


async def ids(actor: Actor, wanted: Filter, sort: Sort = Sort.urgency, most: int = 100) -> list[UUID]:
    """The whole list, page by page."""
    found: list[UUID] = []
    cursor = None
    while True:
        page = await listing.page(actor, wanted, sort=sort, cursor=cursor, most=most)
        found += [row.id for row in page.items]
        cursor = page.next
        if cursor is None:
            return found
        assert len(page.items) == most


def filters(w: World) -> list[dict[str, Any]]:
    units = [{"unit": w.units["responsible"]}, {"unit": w.units["third"], "unit_role": UnitRole.cooperating}]
    return [*NARROW, *units]


async def test_every_filter_alone_is_what_the_model_says(w, steps):
    small = listing.FIRST_LOOK < 100
    people = {name: w.people[name] for name in ("prefecture", "mixed")} if small else w.people
    for (name, actor), said in itertools.product(people.items(), filters(w)):
        wanted = Filter(**said)
        assert await ids(actor, wanted) == model(w, actor, wanted), (name, said)


@pytest.mark.parametrize("name", ["prefecture", "handler", "mixed"])
async def test_every_pair_of_filters_is_what_the_model_says(w, monkeypatch, name):
    monkeypatch.setattr(listing, "FIRST_LOOK", 60)
    actor = w.people[name]
    pairs = list(itertools.combinations(filters(w), 2))
    for one, other in random.Random(name).sample(pairs, 100):
        if not one.keys() & other.keys():
            wanted = Filter(**one, **other)
            found = await listing.page(actor, wanted, sort=Sort.urgency, cursor=None, most=100)
            assert [row.id for row in found.items] == model(w, actor, wanted)[:100], (one, other)


@pytest.mark.parametrize("sort", Sort)
async def test_every_order_is_walked_to_its_end_without_gap_or_repeat(w, steps, sort):
    for actor in (w.people[name] for name in ("prefecture", "handler", "mixed")):
        for said in ({}, {"q": "水"}, {"overdue": False}, {"unit": w.units["responsible"]}):
            wanted = Filter(**said)
            assert await ids(actor, wanted, sort, most=13) == model(w, actor, wanted, sort), said


@pytest.mark.parametrize("sort", Sort)
async def test_what_changes_between_two_pages_comes_at_most_once(w, sort):
    """An item that moves up may be missed, as on any list that lives; none comes twice, what stays is all there."""
    actor, wanted, seen, cursor = w.people["prefecture"], Filter(), [], None
    moved: set[UUID] = set()
    before = model(w, actor, wanted, sort)
    while True:
        page = await listing.page(actor, wanted, sort=sort, cursor=cursor, most=20)
        seen += [row.id for row in page.items]
        if (cursor := page.next) is None:
            break
        later = [id for id in before if id not in seen]
        for id in (later[len(later) // 2], later[-1]):
            moved.add(id)
            await raw(
                "UPDATE rectification SET status = 'working', returned = returned + 3, issued_at = $2, due_at = $2, "
                "number = coalesce(number, $1::text) WHERE id = $1",
                id,
                clock.now() + timedelta(minutes=len(moved)),
            )
    assert len(seen) == len(set(seen))
    assert [id for id in seen if id not in moved] == [id for id in before if id not in moved]


async def test_counts_are_the_lengths_of_the_lists(w):
    narrowed: list[dict[str, Any]] = [{}, {"q": "水"}, {"overdue": True}, {"overdue": False}, {"topic": "03"},
        {"region": XINBIN}, {"unit": w.units["responsible"]}, {"returned": False}, {"due_soon": False}]  # fmt: skip
    for (name, actor), said in itertools.product(w.people.items(), narrowed):
        told = await counts.of(actor, Filter(**said, group=Group.hung))

        def length(**more: Any) -> counts.Count:
            return counts.Count(len(model(w, actor, Filter(**{**said, **more}))))  # noqa: B023

        assert told.groups == {group: length(group=group) for group in Group}, (name, said)
        assert told.statuses == {status: length(status=status) for status in Status}, (name, said)
        for tab in ("overdue", "due_soon", "returned"):
            wanted = length(**{tab: True}) if said.get(tab) is not False else counts.Count(0)
            assert getattr(told, tab) == wanted, (name, said, tab)


async def test_counts_say_when_there_are_more(w, monkeypatch):
    monkeypatch.setattr(counts, "MOST", 5)
    monkeypatch.setattr(counts, "MOST_LOOKED_AT", 10)
    for actor in (w.people["prefecture"], w.people["mixed"]):
        for said in (Filter(), Filter(q="水"), Filter(returned=False)):
            told = (await counts.of(actor, said)).groups[Group.all]
            assert told.more and 0 < told.count <= 5


async def test_a_unit_finds_nothing_of_others_whatever_it_asks(w):
    """Every word, number, unit and region of items out of sight is asked for."""
    for name in ("handler", "reviewer", "inspector", "village", "nobody"):
        actor = w.people[name]
        hidden = [row for row in w.items.values() if not lists_make.sees(w, actor, row)]
        out = {row["id"] for row in hidden}
        asked = [Filter(q=row["number"]) for row in hidden if row["number"]][:6]
        asked += [Filter(region=row["region"]) for row in hidden[:3]] + [
            Filter(q=row["facts"][:4]) for row in hidden[:5]
        ]
        asked += [Filter(unit=unit) for row in hidden[:2] for unit, _, _ in row["parts"]]
        for wanted in asked:
            for sort in (Sort.urgency, Sort.number):
                assert not out & set(await ids(actor, wanted, sort)), (name, wanted)
            assert (await counts.of(actor, wanted)).groups[Group.all].count == len(model(w, actor, wanted))


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_lists_and_counts_over_http_take_the_same_filters(client, w):
    headers = await make.signed_in(w.people["prefecture"])
    params = {"group": "open", "overdue": "true", "q": "水", "region": FUSHUN}
    listed = (await client.get("/api/rectifications", headers=headers, params={**params, "limit": 100})).json()
    counted = (await client.get("/api/rectifications/counts", headers=headers, params=params)).json()
    expected = model(w, w.people["prefecture"], Filter(group=Group.open, overdue=True, q="水", region=FUSHUN))
    assert [row["id"] for row in listed["items"]] == [str(id) for id in expected] and expected
    assert counted["groups"]["open"] == {"count": len(expected), "more": False} == counted["overdue"]


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"staus": "open"}, "unknown_field", "staus"),
        ({"group": "late"}, "malformed", "group"),
        ({"sort": "due_at"}, "malformed", "sort"),
        ({"topic": "水"}, "malformed", "topic"),
        ({"source": "x"}, "malformed", "source"),
        ({"severity": ""}, "malformed", "severity"),
        ({"due_soon": "soon"}, "malformed", "due_soon"),
        ({"unit": "1"}, "malformed", "unit"),
        ({"unit_role": "lead"}, "unit_role_without_unit", "unit_role"),
        ({"region": "2104"}, "malformed", "region"),
        ({"q": "x" * 51}, "malformed", "q"),
        ({"q": "a\0"}, "malformed", "q"),
        ({"limit": "0"}, "malformed", "limit"),
    ],
)
async def test_unknown_names_and_values_are_refused(client, noon, params, code, field):
    headers = await make.signed_in((await make.cast()).staff)
    paths = ["/api/rectifications"] + ([] if field in ("sort", "limit") else ["/api/rectifications/counts"])
    for path in paths:
        answer = await client.get(path, headers=headers, params=params)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (400, code, field)


async def test_a_cursor_holds_for_its_own_list_only(client, w):
    headers = await make.signed_in(w.people["prefecture"])

    async def asked(**params: Any) -> Any:
        return await client.get("/api/rectifications", headers=headers, params={"limit": 5, **params})

    cursor = (await asked(group="open")).json()["next"]
    assert (await asked(group="open", cursor=cursor)).status_code == 200
    whole = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    wrong = [{"sort": "newest"}, {"group": "all"}, {"q": "水"}, {"overdue": "false"}]
    for params in [{"group": "open", **one, "cursor": cursor} for one in wrong]:
        answer = await asked(**params)
        assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_cursor"), params
    for at in range(len(whole)):
        bad = urlsafe_b64encode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]).decode()
        assert (await asked(group="open", cursor=bad)).status_code == 400


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (Sort.urgency, "0001-01-01T00:00:00+14:00"), (Sort.urgency, "2026-11-24T12:00:00"), (Sort.urgency, 7),
        (Sort.returned, 2**40), (Sort.returned, -1), (Sort.number, "a\0"), (Sort.newest, None),
    ],
)  # fmt: skip
async def test_a_sealed_cursor_is_still_checked(client, noon, sort, key):
    headers = await make.signed_in((await make.cast()).staff)
    cursor = cursors.at(drivers.After(key, uuid7()), sort, Filter())
    answer = await client.get("/api/rectifications", headers=headers, params={"sort": sort, "cursor": cursor})
    assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_cursor")


# ── copies and plans ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_copies_are_what_the_items_say_after_every_kind_of_change(w):
    assert await lists_make.drift() == []
    it = await make.cast()
    for status in (Status.closed, Status.passed, Status.voided):
        await make.rectification(it, status)
    assert await lists_make.drift() == []
    for number, (column, value) in enumerate({
        "status": "'hung'", "due_at": "due_at + interval '3 days'", "returned": "returned + 1", "listed": "NOT listed",
        "facts": "facts || '又查'", "asks": "'改'", "reopened": "1", "look_back_on": "NULL", "topic": "'0501'",
        "issued_at": "now()", "number": "number || 'x'", "county": "'210423000000'", "severity": "'grave'",
    }.items()):  # fmt: skip
        await raw(f"UPDATE rectification SET {column} = {value} WHERE returned <> {number}")
        assert await lists_make.drift() == [], column
    await raw("UPDATE rectification_unit SET item_status = 'draft', item_returned = 99")
    assert await lists_make.drift() == []


async def test_a_part_added_while_the_item_moves_is_not_left_behind(w):
    id = next(iter(w.items))
    unit = await make.unit("新来的单位")
    mover = await db.DB.get_new_connection()
    try:
        move = mover.transaction()
        await move.start()
        await mover.execute("UPDATE rectification SET status = 'handed_in', returned = 7 WHERE id = $1", id)
        insert = raw(
            "INSERT INTO rectification_unit (id, rectification, unit, role) VALUES ($1, $2, $3, 'cooperating')",
            uuid7(),
            id,
            unit,
        )
        task = asyncio.ensure_future(insert)
        await eventually(make.held_up)
        assert not task.done()
        await move.commit()
        await task
    finally:
        await mover.close()
    assert await lists_make.drift() == []


@pytest.mark.parametrize(
    ("who", "said", "sort", "index"),
    [
        ("village", {"group": Group.open}, Sort.urgency, "rectification_village_urgency"),
        ("county", {"group": Group.open}, Sort.urgency, "rectification_county_urgency"),
        ("county", {"overdue": True}, Sort.urgency, "rectification_county_urgency"),
        ("county", {}, Sort.newest, "rectification_county_newest"),
        ("county", {}, Sort.returned, "rectification_county_returned"),
        ("prefecture", {}, Sort.number, "rectification_prefecture_number"),
        ("prefecture", {"region": SHANGJIAHE}, Sort.urgency, "rectification_township_urgency"),
        ("handler", {"group": Group.open}, Sort.urgency, "rectification_unit_urgency"),
        ("handler", {}, Sort.newest, "rectification_unit_newest"),
        ("handler", {}, Sort.returned, "rectification_unit_returned"),
        ("reviewer", {}, Sort.number, "rectification_unit_number"),
    ],
)
async def test_lists_are_read_in_the_order_of_an_index(w, who, said, sort, index):
    """With a table this small the planner would read all of it: what is asked here is whether the order fits."""
    it = await listing.asked(w.people[who], Filter(**said), clock.now())
    for after in (None, drivers.After(lists_make.ORDER[sort](next(iter(w.items.values())))[0], uuid7())):
        args = drivers.Args()
        sql = drivers.front(it.scopes, it.spans, args, order=drivers.ORDERS[sort], after=after, most=51)
        async with transaction():
            for name in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                await raw(f"SET LOCAL enable_{name} = off")
            plan = "\n".join(row[0] for row in await raw(f"EXPLAIN {sql}", *args))
        inner = plan[plan.index("Limit", 5) :]
        assert f"using {index} " in inner and "Sort" not in inner, plan


async def test_words_are_found_by_the_index(w):
    async with transaction():
        await raw("SET LOCAL enable_seqscan = off")
        it = await listing.asked(w.people["county"], Filter(q="消防"), clock.now())
        said: list[str] = []
        db.DB.current_transaction.get().connection.add_query_logger(lambda record: said.append(record.query))
        await listing._gather(it, drivers.ORDERS[Sort.urgency], None, 51)
        plan = "\n".join(row[0] for row in await raw("EXPLAIN SELECT * FROM rectification_search AS it WHERE "
                         "search_pieces(it.text, it.marks) @> ARRAY['消防']"))  # fmt: skip
    assert "search_pieces(it.text, it.marks) @>" in said[0] and "rectification_search_pieces" in plan


@pytest.mark.parametrize(("who", "said"), [("handler", {}), ("county", {"unit": True})])
async def test_whose_a_find_is_is_asked_of_each_find_and_never_of_all_parts_of_a_unit_first(w, who, said):
    """A plan made for any arguments knows the average unit: it began with 60,000 parts of the greatest one."""
    unit = {"unit": sorted(w.people["handler"].units())[0]} if said else {}
    it = await listing.asked(w.people[who], Filter(q="消防", **unit), clock.now())
    caught: list[tuple[str, list]] = []
    async with transaction():
        connection = db.DB.current_transaction.get().connection
        connection.add_query_logger(lambda record: caught.append((record.query, record.args)))
        await listing._gather(it, drivers.ORDERS[Sort.urgency], None, 51)
        await asyncio.sleep(0)  # the logger is told in the loop's next turn
        plan = "\n".join(row[0] for row in await raw(f"EXPLAIN {caught[0][0]}", *caught[0][1]))
    finding, asking = plan.split("  SubPlan", 1)
    assert "rectification_unit" in asking and "Join" not in finding and "Nested Loop" not in finding, plan


async def test_sight_of_a_page_is_asked_of_each_of_its_lines_and_never_of_all_parts_of_a_unit_first(w):
    caught: list[tuple[str, list]] = []
    async with transaction():
        connection = db.DB.current_transaction.get().connection
        connection.add_query_logger(lambda record: caught.append((record.query, record.args)))
        page = await listing.page(w.people["handler"], Filter(), cursor=None, most=50)
        await asyncio.sleep(0)
        [(sql, args)] = [told for told in caught if "AS wanted" in told[0]]
        plan = "\n".join(row[0] for row in await raw(f"EXPLAIN {sql}", *args))
    reading, asking = plan.split("  SubPlan", 1)
    assert page.items
    assert "Semi Join" not in reading and "rectification_unit" in asking, plan


def test_a_filter_reads_the_same_from_a_query_string_and_from_json():
    said = {"group": "open", "overdue": "true", "q": "水"}
    lenient = msgspec.convert(said, Filter, strict=False)
    assert msgspec.json.decode(b'{"group": "open", "overdue": true, "q": "\xe6\xb0\xb4"}', type=Filter) == lenient
