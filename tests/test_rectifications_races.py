"""Two clients at once, over HTTP: where two requests exclude each other one wins, the other is told why (T5, G7)."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor, Role
from tasks.rectifications import commands, jobs, voiding
from tasks.rectifications.item import Status
from tests import calls, make
from tests.calls import Call
from tests.make import Cast
from tests.rectification_proofs import complete

S = Status
LAPS = 5  # tests that the long races are spread over


class Field:
    """The cast, and second ones of those who decide."""

    it: Cast
    second_boss: Actor
    second_reviewer: Actor
    other_unit: UUID
    other_principal: Actor


async def field() -> Field:
    found = Field()
    found.it = await make.cast()
    found.second_boss = await make.person(
        "副主任郑", Role.supervision_leader, at=await make.unit("市扶贫办", area=make.FUSHUN)
    )
    found.second_reviewer = await make.person("审核何", Role.lead_unit_reviewer, at=found.it.lead_unit)
    found.other_unit = await make.unit("新宾县住建局")
    found.other_principal = await make.person("局长冯", Role.unit_principal, at=found.other_unit)
    return found


async def to(actor: Actor, item: UUID, path: str, **body: Any) -> Call:
    """A request of this person; with an id of its own where the path takes one."""
    if not path.endswith(("decision", "conclusion", "confirmation", "refusal", "issue")):
        body = {"id": str(uuid7())} | body
    return await calls.by(
        actor, "POST", f"/api/rectifications/{item}/{path}", None if path.endswith("confirmation") else body
    )


Pair = tuple[UUID, Call, Call]
DUE = {"due_on": (clock.today() + timedelta(days=60)).isoformat()}
HERE = {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 12.0}


def photos() -> list[dict[str, Any]]:
    return [make.manifest_line(make.photo(3))]


async def two_issue(f: Field) -> Pair:
    id = await make.rectification(f.it, S.draft)
    return id, await to(f.it.staff, id, "issue"), await to(f.it.boss, id, "issue")


async def two_sign(f: Field) -> Pair:
    id = await make.rectification(f.it, S.issued)
    said = {"responsible_person": "赵经办"}
    return (
        id,
        await to(f.it.handler, id, "acknowledgement", **said),
        await to(f.it.principal, id, "acknowledgement", **said),
    )


async def one_id_from_two_clients(f: Field) -> Pair:
    id, key = await make.rectification(f.it, S.working), str(uuid7())
    said = {"id": key, "note": "已组织抢修。", "percent": 10}
    return id, await to(f.it.handler, id, "reports", **said), await to(f.it.principal, id, "reports", **said)


async def two_hand_in(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    said = {"note": "已修复。", "confirmed_by": "钱局长"}
    one = await to(f.it.handler, id, "hand-ins", **said, evidence=photos())
    return id, one, await to(f.it.principal, id, "hand-ins", **said, evidence=photos())


async def hand_in_or_object(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    one = await to(f.it.handler, id, "hand-ins", note="已修复。", confirmed_by="钱局长", evidence=photos())
    return id, one, await to(f.it.principal, id, "objections", ground="fact", note="事实不符。")


async def hand_in_or_redirect(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    path = f"objections/{await make.objection(f.it, id)}/decision"
    one = await to(f.it.staff, id, path, upheld=True, note="改派。", to_unit=str(f.other_unit))
    return id, one, await to(f.it.handler, id, "hand-ins", note="已修复。", confirmed_by="钱局长", evidence=photos())


async def two_redirect(f: Field) -> Pair:
    id = await make.rectification(f.it, S.issued)
    path = f"objections/{await make.objection(f.it, id)}/decision"
    third = await make.unit("新宾县自来水公司")
    one = await to(f.it.staff, id, path, upheld=True, note="改派。", to_unit=str(f.other_unit))
    return id, one, await to(f.it.boss, id, path, upheld=True, note="改派。", to_unit=str(third))


async def grant_or_decline(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    path = f"extensions/{await make.extension(f.it, id)}/decision"
    one = await to(f.it.staff, id, path, upheld=True, opinion="同意。")
    return id, one, await to(f.it.boss, id, path, upheld=False, opinion="不同意。")


async def hang_or_ask_for_time(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    review = (clock.today() + timedelta(days=90)).isoformat()
    one = await to(f.it.boss, id, "hanging", reason_code="season", note="冻土。", paper="9号", review_on=review)
    return id, one, await to(f.it.principal, id, "extensions", note="管材未到。", **DUE)


async def two_pass(f: Field) -> Pair:
    id = await make.rectification(f.it, S.handed_in)
    one = await to(f.it.reviewer, id, "first-pass", opinion="齐全。")
    return id, one, await to(f.second_reviewer, id, "first-pass", opinion="齐全。")


async def two_send_back(f: Field) -> Pair:
    id = await make.rectification(f.it, S.handed_in)
    one = await to(f.it.reviewer, id, "returns", reason_code="not_done", note="没有完成。")
    return id, one, await to(f.second_reviewer, id, "returns", reason_code="not_done", note="没有完成。")


async def two_close(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    return (
        id,
        await to(f.it.boss, id, "closure", opinion="同意。"),
        await to(f.second_boss, id, "closure", opinion="同意。"),
    )


async def close_or_send_back(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    one = await to(f.it.boss, id, "closure", opinion="同意。")
    return id, one, await to(f.it.staff, id, "returns", reason_code="not_done", note="没有完成。")


async def close_or_ask_to_void(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    one = await to(f.it.boss, id, "closure", opinion="同意。")
    return id, one, await to(f.second_boss, id, "voiding", note="重复登记。")


async def close_or_void(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    await voiding.ask_void(id, f.it.boss, id=uuid7(), note="重复登记。", duplicate_of=None)
    one = await to(f.second_boss, id, "voiding/confirmation")
    return id, one, await to(f.second_boss, id, "closure", opinion="同意。")


async def void_or_not(f: Field) -> Pair:
    id = await make.rectification(f.it, S.working)
    await voiding.ask_void(id, f.it.boss, id=uuid7(), note="重复登记。", duplicate_of=None)
    one = await to(f.it.staff, id, "voiding/confirmation")
    return id, one, await to(f.second_boss, id, "voiding/refusal", note="并不重复。")


async def two_conclude(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    path = f"site-checks/{await make.site_check(f.it, id)}/conclusion"
    there = {"present": [str(f.it.inspector.person), str(f.it.lead.person)], "position": HERE, "note": "已看过。"}
    one = await to(f.it.inspector, id, path, result="passed", evidence=photos(), **there)
    return id, one, await to(f.it.lead, id, path, result="failed", evidence=photos(), **there)


async def conclude_or_send_back(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    path = f"site-checks/{await make.site_check(f.it, id)}/conclusion"
    there = {"present": [str(f.it.inspector.person), str(f.it.lead.person)], "position": HERE, "note": "已看过。"}
    one = await to(f.it.inspector, id, path, result="failed", evidence=photos(), **there)
    return id, one, await to(f.it.staff, id, "returns", reason_code="not_done", note="没有完成。")


async def two_answer_the_public(f: Field) -> Pair:
    id = await make.rectification(f.it, S.passed)
    path = f"public-objections/{await make.public_objection(f.it, id)}/decision"
    one = await to(f.it.staff, id, path, upheld=True, note="属实。")
    return id, one, await to(f.it.boss, id, path, upheld=False, note="不属实。")


async def two_reopen(f: Field) -> Pair:
    id = await make.rectification(f.it, S.closed)
    one = await to(f.it.boss, id, "reopening", note="又断水。", evidence=photos(), **DUE)
    return id, one, await to(f.second_boss, id, "reopening", note="又断水。", evidence=photos(), **DUE)


async def two_resume(f: Field) -> Pair:
    id = await make.rectification(f.it, S.hung)
    return (
        id,
        await to(f.it.staff, id, "resumption", note="已解冻。", **DUE),
        await to(f.it.boss, id, "resumption", note="已解冻。", **DUE),
    )


RACES: list[Callable[[Field], Awaitable[Pair]]] = [
    two_issue, two_sign, one_id_from_two_clients, two_hand_in, hand_in_or_object, hand_in_or_redirect, two_redirect,
    grant_or_decline, hang_or_ask_for_time, two_pass, two_send_back, two_close, close_or_send_back,
    close_or_ask_to_void,
    close_or_void, void_or_not, two_conclude, conclude_or_send_back, two_answer_the_public, two_reopen, two_resume,
]  # fmt: skip


async def told(id: UUID) -> int:
    """How many moves its events tell of; drawing the lot is none."""
    moves = "SELECT count(*) AS n FROM event WHERE subject = $1 AND verb <> 'rectification.sampled'"
    return (await raw(moves, id))[0]["n"]


async def at_once(client: httpx.AsyncClient, calls: list[Call], dice: random.Random) -> list[httpx.Response]:
    """Both, in either order, within a few milliseconds."""

    async def made(call: Call) -> httpx.Response:
        await asyncio.sleep(dice.choice([0, 0, 0.001, 0.004]))
        return await call.made(client)

    dice.shuffle(calls)
    return await asyncio.gather(*(made(call) for call in calls))


async def raced(client: httpx.AsyncClient, rounds: int, dice: random.Random) -> None:
    """Every pair this often: one 201, one event, one clear refusal, and rows that are what the events tell."""
    f = await field()
    for _ in range(rounds):
        for race in RACES:
            id, *pair = await race(f)
            before = await told(id)
            answers = await at_once(client, pair, dice)
            codes = sorted(answer.status_code for answer in answers)
            said = [race.__name__, *(answer.text[:300] for answer in answers)]
            assert codes in ([201, 403], [201, 404], [201, 409]), said
            refused = make.problem(next(answer for answer in answers if answer.status_code != 201))
            assert refused["code"] in ("wrong_state", "blocked", "conflict", "not_yours_to_do", "not_found"), said
            assert await told(id) == before + 1, said
            await complete(id)


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_of_two_wins(client, seed):
    await raced(client, 1, random.Random(seed))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(LAPS))
async def test_one_of_two_wins_five_hundred_times(client, request, seed):
    await raced(client, math.ceil(request.config.getoption("races") / LAPS / len(RACES)), random.Random(seed))


async def test_silence_and_a_signature_at_once_are_one_acceptance(client):
    f = await field()
    for turn in range(6):
        id = await make.rectification(f.it, S.issued)
        with clock.frozen(clock.now() + timedelta(days=20)):
            sign = await to(f.it.handler, id, "acknowledgement", responsible_person="赵经办")

            async def swept(turn: int = turn) -> int:
                await asyncio.sleep(0.002 * turn)
                return await jobs.sweep_silent()

            accepted, answer = await asyncio.gather(swept(), sign.made(client))
        assert (accepted, answer.status_code) in ((1, 409), (0, 201)), answer.text
        verbs = ["rectification.acknowledged", "rectification.accepted_silently"]
        rows = await raw("SELECT 1 FROM event WHERE subject = $1 AND verb = ANY($2::text[])", id, verbs)
        assert len(rows) == 1
        await complete(id)


async def test_the_last_two_units_pass_at_once_and_the_item_follows(client, monkeypatch):
    """They do not exclude each other: both are passed, and the lot is drawn once, by whoever came last."""
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "100")
    f = await field()
    for _ in range(5):
        id = await make.rectification(f.it, S.issued, responsible_units=frozenset({f.it.responsible, f.other_unit}))
        for actor, unit in ((f.it.principal, f.it.responsible), (f.other_principal, f.other_unit)):
            await commands.acknowledge(id, actor, id=uuid7(), responsible_person="赵", phone="", unit=unit)
            line = make.declaration(make.photo(4))
            await commands.hand_in(
                id, actor, id=uuid7(), note="已修复。", finished_on=None, similar_sweep="", confirmed_by="",
                manifest=[line], unit=unit,
            )  # fmt: skip
            await make.receive(line)
        pair = [
            await to(f.it.reviewer, id, "first-pass", opinion="齐全。", unit=str(f.it.responsible)),
            await to(f.second_reviewer, id, "first-pass", opinion="齐全。", unit=str(f.other_unit)),
        ]
        answers = await at_once(client, pair, random.Random(1))
        assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
        row = (await raw("SELECT status, sampled FROM rectification WHERE id = $1", id))[0]
        assert tuple(row.values()) == ("passed", True)
        lots = await raw("SELECT 1 FROM event WHERE subject = $1 AND verb = 'rectification.sampled'", id)
        assert len(lots) == 1
        await complete(id)


async def test_one_photo_declared_by_two_at_once_is_one_of_theirs(client):
    """The same id of a file from two people: one of the two hand-ins has it, the other is refused whole."""
    f = await field()
    one, other = [await make.rectification(f.it, S.working) for _ in range(2)]
    line = photos()
    said = {"note": "已修复。", "confirmed_by": "钱局长", "evidence": line}
    pair = [await to(f.it.handler, one, "hand-ins", **said), await to(f.it.principal, other, "hand-ins", **said)]
    answers = await at_once(client, pair, random.Random(1))
    assert sorted(answer.status_code for answer in answers) in ([201, 409], [201, 422]), [a.text for a in answers]
    assert len(await raw("SELECT 1 FROM hand_in_evidence WHERE evidence = $1", UUID(line[0]["id"]))) == 1
