"""Many items in one request: the ladder of the request, one result per row, dry runs, and no way around a rule."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from inspections.findings.rules import Severity
from tasks.batches import rules
from tasks.batches.doing import DOINGS
from tasks.batches.rules import BulkMove
from tasks.rectifications import who
from tasks.rectifications.item import Status
from tests import calls, make
from tests.batches_make import ask, body, drafts, show, statuses
from tests.calls import Call
from tests.make import Cast

S = Status


@pytest.fixture
async def it(client, noon) -> Cast:
    return await make.cast()


def codes(told: dict[str, Any]) -> list[tuple[int, str] | None]:
    """What each row was answered; None where it was done."""
    return [row["refusal"] and (row["refusal"]["status"], row["refusal"]["code"]) for row in told["items"]]


async def events(subjects: list[UUID]) -> list[str]:
    rows = await raw("SELECT verb FROM event WHERE subject = ANY($1::uuid[]) ORDER BY at, id", subjects)
    return sorted(row["verb"] for row in rows)


# ── the request as a whole ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_stranger_is_refused_and_a_bad_request_runs_nothing(client, it):
    ids = [await make.rectification(it, S.passed) for _ in range(2)]
    good, before = body("close_out", ids, content={"opinion": "同意。"}), await calls.snapshot()
    call = await calls.by(it.boss, "POST", "/api/rectifications/batch", good)
    answer = await call.made(client, headers={})
    assert (answer.status_code, make.problem(answer)["code"]) == (401, "sign_in_needed")
    row = good["items"][0]
    wrong: dict[str, tuple[dict[str, Any], str, str]] = {
        "no item": ({"items": []}, "malformed", "items"),
        "too many": ({"items": [{"item": str(uuid7())} for _ in range(501)]}, "malformed", "items"),
        "an item twice": ({"items": [row, good["items"][1], row]}, "item_twice", "items[2].item"),
        "an unknown move": ({"move": "object_to"}, "malformed", "move"),
        "a move nobody asks for": ({"move": "accept_silently"}, "malformed", "move"),
        "an unknown field of a row": ({"items": [row | {"status": "closed"}]}, "unknown_field", "items[0].status"),
        "an unknown common field": ({"content": {"status": "closed"}}, "unknown_field", "content.status"),
        "an id of one's own": ({"content": {"id": str(uuid7())}}, "unknown_field", "content.id"),
        "a number for a text": ({"content": {"opinion": 7}}, "malformed", "content.opinion"),
        "a long text": ({"content": {"opinion": "同" * 5001}}, "malformed", "content.opinion"),
        "a body where there is none": ({"move": "void"}, "unknown_field", "content.opinion"),
        "one photo for all": (
            {"move": "hand_in", "content": {"evidence": [make.manifest_line(make.photo())]}},
            "files_are_per_item",
            "content.evidence",
        ),
    }
    for what, (change, code, field) in wrong.items():
        for dry_run in (False, True):
            answer = await call.made(client, json=good | change | {"dry_run": dry_run})
            told = make.problem(answer)
            assert (answer.status_code, told["code"], told["field"]) == (400, code, field), (what, answer.text)
    assert await calls.snapshot() == before
    told = (await call.made(client)).json()
    assert (told["state"], told["done"]) == ("done", 2)


async def test_the_same_request_twice_is_once_and_other_content_is_a_conflict(client, it):
    ids = [await make.rectification(it, S.passed) for _ in range(3)]
    wanted = body("close_out", ids, content={"opinion": "同意。"})
    call = await calls.by(it.boss, "POST", "/api/rectifications/batch", wanted)
    answers = await asyncio.gather(*(call.made(client) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    first, second = [(await call.made(client)).json() for _ in range(2)]
    assert first == second and first["done"] == 3 and await statuses(ids) == ["closed"] * 3
    assert (await events(ids)).count("rectification.closed") == 3
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'batch.finished'")) == 1
    for change in (
        {"content": {"opinion": "不同。"}},
        {"items": wanted["items"][:2]},
        {"move": "reopen", "content": {}},
    ):
        answer = await call.made(client, json=wanted | change)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    other = await call.made(client, headers=await make.signed_in(it.staff))
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")


async def test_five_hundred_rows_may_each_say_something_of_their_own(client, it):
    """More than other requests may send, and not without end."""
    ids = [uuid7() for _ in range(rules.MOST)]
    for length, status in ((500, 202), (1000, 413)):
        own = {id: {"note": "进" * length} for id in ids}
        wanted = body("report", ids, content={"percent": 40}, own=own)
        call = await calls.by(it.handler, "POST", "/api/rectifications/batch")
        sent = json.dumps(wanted, ensure_ascii=False).encode()
        answer = await call.made(client, content=sent, headers={**call.headers, "Content-Type": "application/json"})
        assert answer.status_code == status, (len(sent), answer.text)


async def test_one_person_cannot_fill_the_queue(client, it):
    missing = [uuid7() for _ in range(rules.AT_ONCE + 1)]
    wanted = [body("close_out", missing, content={"opinion": "同意。"}) for _ in range(rules.MOST_RUNNING + 1)]
    for one in wanted[:-1]:
        await ask(client, it.boss, one, 202)
    call = await calls.by(it.boss, "POST", "/api/rectifications/batch", wanted[-1])
    answer = await call.made(client)
    assert (answer.status_code, make.problem(answer)["code"]) == (429, "batches_running")
    assert answer.headers["Retry-After"]
    assert (await call.made(client, json=wanted[0])).status_code == 202  # the same again is no new one
    await ask(client, it.staff, wanted[-1], 202)


# ── a row is a single request ────────────────────────────────────────────────────────────────────────────────────


async def traces(item: UUID, known: set[UUID]) -> dict[str, list[Any]]:
    """Everything that hangs on an item, events and notices included, without the ids that differ every time."""

    def plain(value: Any) -> Any:
        text = re.sub(r"(?i)(ZG-\d+-\d+)-\d+", r"\1", str(value))
        text = re.sub(r"[0-9a-f]{64}", "…", text)  # a draw of the sample, a hash
        return re.sub(
            r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda m: m[0] if UUID(m[0]) in known else "…", text
        )

    names = await raw(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name IN ('rectification', 'subject') "
        "UNION ALL SELECT 'rectification', 'id'"
    )
    found = {}
    for row in names:
        table, column = row["table_name"], row["column_name"]
        rows = await raw(f'SELECT * FROM "{table}" WHERE "{column}" = $1', item)
        found[table] = sorted(
            plain({k: v for k, v in line.items() if k not in ("id", "request", "event")}) for line in rows
        )
    return found


def row_of(move: BulkMove, call: Call) -> dict[str, Any]:
    """The single request as a row of a batch."""
    parts = call.path.split("/")
    content = {key: value for key, value in (call.body or {}).items() if key != "id"}
    return {"item": parts[3], "content": content} | ({"record": parts[5]} if DOINGS[move].decides else {})


@pytest.mark.parametrize("move", BulkMove)
async def test_a_row_leaves_what_the_single_request_leaves(client, it, settle, move):
    """With every field said: a field that bulk dropped on the way would show."""
    name = f"POST /api/rectifications/{{item_id}}/{DOINGS[move].path}"
    single, bulk = await calls.VERBS[name](it), await calls.VERBS[name](it)
    if single.body and "duplicate_of" in single.body:
        bulk.body["duplicate_of"] = single.body["duplicate_of"]
    row = row_of(move, bulk)
    answer = await single.made(client)
    assert answer.status_code == 201, answer.text
    asking = await bulk.made(
        client,
        path="/api/rectifications/batch",
        json={"id": str(uuid7()), "move": move.value, "items": [row]},
    )
    told = asking.json()
    assert (asking.status_code, codes(told)) == (201, [None]), asking.text
    await settle()
    item, other = UUID(single.path.split("/")[3]), UUID(row["item"])
    assert told["items"][0]["item_status"] == answer.json()["status"]
    assert told["items"][0]["due_on"] == answer.json()["due_on"]
    assert told["items"][0]["number"] == (await raw("SELECT number FROM rectification WHERE id = $1", other))[0][0]
    known = {row["id"] for row in await raw("SELECT id FROM unit UNION ALL SELECT id FROM person")}
    known |= {UUID(single.body["duplicate_of"])} if single.body and "duplicate_of" in single.body else set()
    one, another = await traces(item, known), await traces(other, known)
    assert one == another
    assert one["event"] and one["rectification"]


async def mixed(it: Cast) -> list[UUID]:
    """Items of which a leader may close some: ready, too early, mandatory check, closed, away to be voided, nowhere."""
    serious = await make.rectification(it, S.passed, severity=Severity.serious)
    asked = await make.rectification(it, S.passed)
    call = await calls.by(it.boss, "", "")
    assert call.headers
    await raw(
        "INSERT INTO voiding (id, rectification, asked_by, asked_at, note) VALUES ($1, $2, $3, $4, '重复。')",
        uuid7(), asked, it.boss.person, clock.now(),
    )  # fmt: skip
    return [
        await make.rectification(it, S.passed),
        await make.rectification(it, S.working),
        serious,
        await make.rectification(it, S.closed),
        asked,
        uuid7(),
        await make.rectification(it, S.passed),
    ]


async def test_a_batch_of_n_answers_what_n_single_requests_answer(client, it, settle):
    singly, together = await mixed(it), await mixed(it)
    answers = []
    for id in singly:
        call = await calls.by(
            it.boss, "POST", f"/api/rectifications/{id}/closure", {"id": str(uuid7()), "opinion": "同意销号。"}
        )
        told = (await call.made(client)).json()
        answers.append(None if "code" not in told else {k: told.get(k) for k in ("status", "code", "detail", "field")})
    told = await ask(client, it.boss, body("close_out", together, content={"opinion": "同意销号。"}))
    given = [row["refusal"] and {k: row["refusal"][k] for k in ("status", "code", "detail", "field")}
             for row in told["items"]]  # fmt: skip
    assert given == answers and [it is None for it in given] == [True, False, False, False, False, False, True]
    assert (told["total"], told["done"], told["refused"], told["waiting"]) == (7, 2, 5, 0)
    assert sum(reason["count"] for reason in told["reasons"]) == 5
    await settle()
    left = [id for id in singly if id != singly[5]], [id for id in together if id != together[5]]
    assert await statuses(left[0]) == await statuses(left[1]) and await events(singly) == await events(together)
    heard = [
        sorted((row["person"], row["verb"]) for row in
               await raw("SELECT person, verb FROM notice WHERE subject = ANY($1::uuid[])", ids))
        for ids in (singly, together)
    ]  # fmt: skip
    assert heard[0] == heard[1] and heard[0]
    assert await raw("SELECT 1 FROM notice WHERE verb LIKE 'batch.%'") == []  # the answer said it all


async def test_a_bulk_close_of_ones_own_item_is_refused_like_a_single_one(client, it):
    office = await make.unit("市扶贫办")
    ids = [await make.rectification(it, S.passed) for _ in range(2)]
    # The office leader's home is the responsible unit; and the leader passed nothing and handed in nothing.
    own = await make.person("主任兼局长", at=it.responsible)
    await raw(
        "INSERT INTO role_grant (id, person, unit, role, granted_at) VALUES ($1, $2, $3, $4, $5)",
        uuid7(), own.person, office, Role.supervision_leader.value, clock.now(),
    )  # fmt: skip
    for dry_run in (True, False):
        told = await ask(
            client, own, body("close_out", ids, content={"opinion": "同意。"}, dry_run=dry_run), 200 if dry_run else 201
        )
        assert codes(told) == [(403, "not_yours_to_do")] * 2
        assert told["reasons"] == [{"code": "not_yours_to_do", "detail": _own_unit_says(), "count": 2}]
    single = await calls.by(
        own, "POST", f"/api/rectifications/{ids[0]}/closure", {"id": str(uuid7()), "opinion": "同意。"}
    )
    answer = await single.made(client)
    assert answer.status_code == 403 and make.problem(answer)["detail"] == _own_unit_says()
    assert await statuses(ids) == ["passed"] * 2


def _own_unit_says() -> str:
    own = make.Actor(uuid7(), "某人", home=UUID(int=5))
    item = who.Item(id=uuid7(), status=S.passed, units={who.UnitRole.responsible: frozenset({UUID(int=5)})})
    return str(who.own_unit(own, item))


async def test_two_keys_and_recusal_hold_in_bulk(client, it):
    office = await make.unit("市扶贫办")
    # Who passed it does not close it, also with both roles and in bulk.
    double = await make.person("主任兼审核", Role.supervision_leader, at=office)
    await raw(
        "INSERT INTO role_grant (id, person, unit, role, granted_at) VALUES ($1, $2, $3, $4, $5)",
        uuid7(), double.person, it.lead_unit, Role.lead_unit_reviewer.value, clock.now(),
    )  # fmt: skip
    ids = [await make.rectification(it, S.handed_in), await make.rectification(it, S.passed)]
    passing = await ask(client, double, body("pass_first", ids, content={"opinion": "资料齐全。"}))
    assert codes(passing) == [None, (409, "wrong_state")]
    closing = await ask(client, double, body("close_out", ids, content={"opinion": "同意。"}))
    assert codes(closing) == [(403, "not_yours_to_do"), None]
    # Who declared to keep away from the unit touches none of its items.
    left = [await make.rectification(it, S.passed)]
    said = {"id": str(uuid7()), "unit": str(it.responsible), "reason": "配偶在该单位工作。"}
    answer = await (await calls.by(it.boss, "POST", "/api/me/recusals", said)).made(client)
    assert answer.is_success, answer.text
    told = await ask(client, it.boss, body("close_out", left, content={"opinion": "同意。"}))
    assert codes(told) == [(403, "not_yours_to_do")]


async def test_voiding_many_takes_two_people(client, it):
    ids = [await make.rectification(it, S.issued) for _ in range(3)]
    assert codes(await ask(client, it.boss, body("ask_void", ids, content={"note": "重复交办。"}))) == [None] * 3
    assert codes(await ask(client, it.boss, body("void", ids))) == [(403, "not_yours_to_do")] * 3
    assert codes(await ask(client, it.staff, body("void", ids))) == [None] * 3
    assert await statuses(ids) == ["voided"] * 3


async def test_an_item_out_of_sight_is_answered_like_one_that_is_not_there(client, it):
    seen, missing = await make.rectification(it, S.issued), uuid7()
    draft = await make.rectification(it, S.draft)  # does not exist yet for the unit it names
    said = {"responsible_person": "赵经办"}
    told = await ask(client, it.handler, body("acknowledge", [seen, draft, missing], content=said))
    assert codes(told) == [None, (404, "not_found"), (404, "not_found")]
    rows = [{k: v for k, v in row.items() if k not in ("position", "item")} for row in told["items"]]
    assert rows[1] == rows[2]
    told = await ask(client, it.stranger, body("acknowledge", [seen, missing], content=said))
    rows = [{k: v for k, v in row.items() if k not in ("position", "item")} for row in told["items"]]
    assert rows[0] == rows[1] and rows[0]["refusal"]["code"] == "not_found"


async def test_a_bad_row_refuses_only_that_row(client, it):
    ids = [await make.rectification(it, S.working) for _ in range(5)]
    own: dict[UUID, dict[str, Any]] = {
        ids[1]: {"percent": 400},
        ids[2]: {"surprise": 1},
        ids[3]: {"id": str(uuid7())},
        ids[4]: {"note": "已通水。", "percent": 90},
    }
    told = await ask(client, it.handler, body("report", ids, content={"note": "材料已进场。", "percent": 40}, own=own))
    assert codes(told) == [None, (400, "malformed"), (400, "unknown_field"), (400, "unknown_field"), None]
    assert [row["refusal"] and row["refusal"]["field"] for row in told["items"]] == [
        None, "percent", "surprise", "id", None,
    ]  # fmt: skip
    rows = await raw("SELECT rectification, note, percent FROM progress")
    assert {row["rectification"]: (row["note"], row["percent"]) for row in rows} == {
        ids[0]: ("材料已进场。", 40), ids[4]: ("已通水。", 90),
    }  # fmt: skip


async def test_what_is_missing_is_told_per_row(client, it):
    ids = [await make.rectification(it, S.working), await make.rectification(it, S.working)]
    line = make.manifest_line(make.photo(7))
    own = {ids[1]: {"evidence": [line], "confirmed_by": "钱局长"}}
    told = await ask(client, it.handler, body("hand_in", ids, content={"note": "已修复。"}, own=own))
    assert codes(told) == [(422, "incomplete"), None]
    assert told["items"][0]["refusal"]["details"]["needs"] == ["evidence", "confirmed_by"]
    # The photos of a row follow as those of a single hand-in do.
    call = await calls.by(it.handler, "PUT", f"/api/evidence/{line['id']}", make.photo(7))
    assert (await call.made(client)).status_code == 200


async def test_a_decision_names_the_record_it_is_about(client, it):
    ids = [await make.rectification(it, S.working) for _ in range(3)]
    asked = [await make.extension(it, id) for id in ids]
    wanted = body("decide_extension", ids, content={"upheld": True, "opinion": "同意。"})
    wanted["items"][0]["record"] = str(asked[0])
    wanted["items"][1]["record"] = str(asked[0])  # another item's
    told = await ask(client, it.staff, wanted)
    assert codes(told) == [None, (404, "not_found"), (422, "record_needed")]
    assert told["items"][0]["due_on"] == (clock.today() + timedelta(days=31)).isoformat()
    declined = body(
        "decide_extension", ids[1:2], content={"upheld": False, "opinion": "不同意。", "due_on": "2027-01-04"}
    )
    declined["items"][0]["record"] = str(asked[1])
    assert codes(await ask(client, it.staff, declined)) == [(422, "not_upheld")]
    stray = body("close_out", ids[:1], content={"opinion": "同意。"})
    stray["items"][0]["record"] = str(asked[0])
    assert codes(await ask(client, it.boss, stray)) == [(400, "unknown_field")]


async def test_two_batches_over_the_same_items_do_each_once(client, it):
    ids = [await make.rectification(it, S.passed) for _ in range(12)]
    second = await make.person("副主任郑", Role.supervision_leader, at=await make.unit("市扶贫办"))
    told = await asyncio.gather(
        ask(client, it.boss, body("close_out", ids, content={"opinion": "同意。"})),
        ask(client, second, body("close_out", ids[::-1], content={"opinion": "同意。"})),
    )
    assert told[0]["done"] + told[1]["done"] == 12
    assert {code for one in told for code in codes(one) if code} <= {(409, "wrong_state")}
    assert await statuses(ids) == ["closed"] * 12 and (await events(ids)).count("rectification.closed") == 12


# ── dry runs ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(client, it, settle):
    ready = await drafts(it, 3)
    unready = await make.rectification(it, S.draft, responsible_units=frozenset())
    ids = [*ready, unready, uuid7(), await make.rectification(it, S.closed)]
    await settle()
    headers, before = await make.signed_in(it.staff), await calls.snapshot()
    wanted = body("issue", ids, content={"due_on": "2026-12-20"}, dry_run=True)
    answer = await client.post("/api/rectifications/batch", json=wanted, headers=headers)
    told = answer.json()
    assert (answer.status_code, told["dry_run"], told["done"], told["refused"]) == (200, True, 3, 3)
    assert await calls.snapshot() == before and await settle() == 0
    assert [(row["item_status"], row["due_on"], row["number"]) for row in told["items"][:3]] == [
        ("issued", "2026-12-20", None)
    ] * 3
    assert codes(told)[3:] == [(422, "incomplete"), (404, "not_found"), (409, "wrong_state")]
    assert told["items"][3]["refusal"]["details"]["needs"] == ["responsible_units"]
    assert (await client.get(f"/api/rectifications/batches/{wanted['id']}", headers=headers)).status_code == 404

    # Then in earnest, under the same id: what was said is what happens, and the numbers have no gap.
    done = await ask(client, it.staff, wanted | {"dry_run": False})
    same = ("position", "item", "state", "item_status", "due_on", "refusal")
    assert [[row[k] for k in same] for row in done["items"]] == [[row[k] for k in same] for row in told["items"]]
    numbers = [row["number"] for row in done["items"][:3]]
    start = int(numbers[0][-4:])
    assert [int(number[-4:]) for number in numbers] == [start, start + 1, start + 2]
    assert told["undone_by"] == ["ask_void", "void"]


@pytest.mark.parametrize("move", BulkMove)
async def test_every_dry_run_leaves_no_trace(client, it, move):
    call = await calls.VERBS[f"POST /api/rectifications/{{item_id}}/{DOINGS[move].path}"](it)
    before = await calls.snapshot()
    wanted = {"id": str(uuid7()), "move": move.value, "items": [row_of(move, call)], "dry_run": True}
    answer = await call.made(client, path="/api/rectifications/batch", json=wanted)
    assert (answer.status_code, codes(answer.json())) == (200, [None]), answer.text
    assert await calls.snapshot() == before


async def test_what_changed_since_the_dry_run_is_refused_where_the_version_is_sent_back(client, it):
    ids = [await make.rectification(it, S.working) for _ in range(3)]
    wanted = body("report", ids, content={"note": "已进场。", "percent": 20})
    told = await ask(client, it.handler, wanted | {"dry_run": True}, 200)
    for row, seen in zip(wanted["items"], told["items"], strict=True):
        row["version"] = seen["version"]
    del wanted["items"][2]["version"]
    faster = {"id": str(uuid7()), "note": "已通水。", "percent": 90}
    for id in ids[1:]:
        call = await calls.by(it.principal, "POST", f"/api/rectifications/{id}/reports", faster | {"id": str(uuid7())})
        assert (await call.made(client)).status_code == 201
    said = await calls.by(it.handler, "GET", f"/api/rectifications/{ids[0]}")
    assert (await said.made(client)).json()["version"] == told["items"][0]["version"]
    told = await ask(client, it.handler, wanted)
    assert codes(told) == [None, (409, "stale"), (422, "incomplete")]


async def test_a_dry_run_waits_for_nobody_longer_than_a_row(client, it):
    """Side by side with the real thing, item by item: neither hangs, and the item is closed once."""
    ids = [await make.rectification(it, S.passed) for _ in range(6)]
    wanted = body("close_out", ids, content={"opinion": "同意。"})
    rehearsed, done = await asyncio.gather(
        ask(client, it.boss, wanted | {"dry_run": True}, 200), ask(client, it.boss, wanted)
    )
    assert done["done"] == 6 and set(codes(rehearsed)) <= {None, (409, "wrong_state")}


# ── whose, and how far ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_batch_is_its_askers_own(client, it):
    told = await ask(client, it.boss, body("close_out", [uuid7(), uuid7()], content={"opinion": "同意。"}))
    for other in (it.staff, it.stranger, it.leader):
        headers = await make.signed_in(other)
        for call in (
            client.get(f"/api/rectifications/batches/{told['id']}", headers=headers),
            client.post(f"/api/rectifications/batches/{told['id']}/stop", headers=headers),
            client.get(f"/api/rectifications/batches/{uuid7()}", headers=headers),
        ):
            assert (await call).status_code == 404
        page = (await client.get("/api/rectifications/batches", headers=headers)).json()
        assert page == {"items": [], "next": None}


async def test_rows_and_batches_are_walked_to_their_ends(client, it):
    ids = [uuid7() for _ in range(7)]
    made = [await ask(client, it.boss, body("close_out", ids, content={"opinion": "同意。"})) for _ in range(3)]
    walked, query = [], "?limit=3"
    while True:
        told = await show(client, it.boss, made[0]["id"], query)
        walked += told["items"]
        if told["next"] is None:
            break
        query = f"?limit=3&cursor={told['next']}"
    assert walked == made[0]["items"] and [UUID(row["item"]) for row in walked] == ids
    assert (await show(client, it.boss, made[0]["id"], "?state=done"))["items"] == []
    assert len((await show(client, it.boss, made[0]["id"], "?state=refused"))["items"]) == 7
    headers, listed, cursor = await make.signed_in(it.boss), [], ""
    while True:
        page = (await client.get(f"/api/rectifications/batches?limit=2{cursor}", headers=headers)).json()
        listed += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(listed) == sorted(one["id"] for one in made) and len(listed) == 3
    theirs = f"/api/rectifications/batches?cursor={made[0]['id']}"
    assert (await client.get(theirs, headers=await make.signed_in(it.staff))).json()["items"] == []
