"""A month before it is frozen: what was kept at 17:00, until then one computation for all who ask, a minute old."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from pypdf import PdfReader

from backend import clock
from backend.db import raw
from backend.roles import Actor
from notifications.summaries import live, making
from notifications.summaries.words import Kind
from tests import make, summaries_make
from tests.monthly_make import at
from tests.summaries_make import City, ensure

PATH = "/api/summaries/2026-11"


@pytest.fixture
async def c(fresh: None) -> City:
    c = await summaries_make.city(date(2026, 11, 1))
    await ensure(at(11, 1))
    return c


@pytest.fixture
async def client(app: Any) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://duban.test") as http:
        yield http


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The instants that the month was computed for."""
    computed: list[datetime] = []
    own = making.made

    async def made(period: Any, as_of: datetime, *rest: Any) -> Any:
        computed.append(as_of)
        return await own(period, as_of, *rest)

    monkeypatch.setattr(making, "made", made)
    return computed


async def told(client: AsyncClient, person: Actor, moment: datetime, path: str = PATH) -> dict[str, Any]:
    with clock.frozen(moment):
        answer = await client.get(path, headers=await make.signed_in(person))
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_of(it: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(it["summary"]["as_of"])


async def test_ten_readers_cost_one_computation(client: AsyncClient, c: City, counted: list[datetime]) -> None:
    readers = [c.leader, c.rule.staff, c.rule.boss, c.reviewer, c.county_head] * 2
    found = await asyncio.gather(*(told(client, person, at(11, 10)) for person in readers))
    assert counted == [at(11, 10)]
    assert {as_of(it) for it in found} == {at(11, 10)}
    assert {(it["sha256"], it["summary"]["kind"]) for it in found} == {(None, "preview")}


async def test_the_answer_says_of_when_it_is_and_is_a_minute_old_at_most(
    client: AsyncClient, c: City, counted: list[datetime]
) -> None:
    first = await told(client, c.leader, at(11, 10, 9))
    with clock.frozen(at(11, 10, 9)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    again = await told(client, c.rule.staff, at(11, 10, 9).replace(second=59))
    later = await told(client, c.leader, at(11, 10, 9, 1))
    assert [as_of(it) for it in (first, again, later)] == [at(11, 10, 9), at(11, 10, 9), at(11, 10, 9, 1)]
    assert [it["summary"]["counts"]["done"] for it in (first, again, later)] == [0, 0, 1]
    assert [it["made_at"] == it["summary"]["as_of"] for it in (first, again, later)] == [True] * 3
    assert len(counted) == 2
    await told(client, c.leader, at(11, 10, 8))
    assert len(counted) == 3, "a clock that was set back shows nothing of times to come"


async def test_who_shares_a_computation_still_reads_only_the_own_part(client: AsyncClient, c: City) -> None:
    with clock.frozen(at(11, 9)):
        record = await c.check("2026-11", "市水务局", make.XINBIN)
        await c.item(date(2026, 11, 30), hand_over=record, region=make.QINGYUAN)
        await c.item(date(2026, 11, 30), hand_over=record)
    county, whole, county_again = [
        await told(client, person, at(11, 10)) for person in (c.county_head, c.leader, c.county_head)
    ]
    assert (whole["whole"], len(whole["summary"]["cells"]), len(whole["summary"]["handed_over"])) == (True, 56, 2)
    assert county == county_again and not county["whole"]
    assert {cell["region"] for cell in county["summary"]["cells"]} == {make.XINBIN}
    assert [line["region"] for line in county["summary"]["handed_over"]] == [make.XINBIN]
    assert make.PLACES[make.QINGYUAN][1] not in str(county)


async def test_a_region_is_told_how_many_of_its_own_are_not_listed(
    client: AsyncClient, c: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_CARRIED", 2)
    with clock.frozen(at(9, 1)):
        for day, region in ((10, make.QINGYUAN), (11, make.YAOZHAN), (12, make.YAOZHAN), (13, make.YAOZHAN)):
            await c.item(date(2026, 9, day), region=region)
    whole, county = [(await told(client, person, at(11, 10)))["summary"] for person in (c.leader, c.county_head)]
    assert (whole["items"]["carried_over"], len(whole["carried_over"]), whole["carried_over_more"]) == (4, 2, 2)
    assert (county["items"]["carried_over"], len(county["carried_over"]), county["carried_over_more"]) == (3, 1, 2)


async def test_a_reader_who_goes_away_leaves_the_others_their_answer(
    client: AsyncClient, c: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, begun = making.made, asyncio.get_running_loop().create_future()

    async def without_end(*_: Any) -> Any:
        begun.set_result(asyncio.current_task())
        await asyncio.Event().wait()

    monkeypatch.setattr(making, "made", without_end)
    readers = [asyncio.ensure_future(told(client, c.leader, at(11, 10))) for _ in range(3)]
    first = await begun
    monkeypatch.setattr(making, "made", own)
    first.cancel()
    others = [one for one in readers if one is not first]
    assert [as_of(it) for it in await asyncio.gather(*others)] == [at(11, 10)] * 2


async def test_a_computation_that_fails_is_tried_again_by_the_next(
    client: AsyncClient, c: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = making.made

    async def fails(*_: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(making, "made", fails)
    with clock.frozen(at(11, 10)):
        answer = await client.get(PATH, headers=await make.signed_in(c.leader))
    assert answer.status_code == 500
    monkeypatch.setattr(making, "made", own)
    assert as_of(await told(client, c.leader, at(11, 10))) == at(11, 10)


async def test_from_the_look_ahead_of_17_on_everybody_reads_what_was_kept(
    client: AsyncClient, c: City, counted: list[datetime]
) -> None:
    await ensure(at(11, 15, 17, 10))
    (kept,) = await c.kept("2026-11")
    counted.clear()
    with clock.frozen(at(11, 15, 18)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    it = await told(client, c.leader, at(11, 15, 20))
    assert (as_of(it), it["sha256"], it["summary"]["counts"]["done"]) == (at(11, 15, 17), kept.sha256, 0)
    part = await told(client, c.county_head, at(11, 15, 20))
    assert {cell["region"] for cell in part["summary"]["cells"]} == {make.XINBIN} and not part["whole"]
    assert counted == []
    await ensure(at(11, 16, 0, 5))
    assert (await told(client, c.leader, at(11, 16, 1)))["summary"]["kind"] == "frozen"
    ahead = await told(client, c.leader, at(11, 16, 1), f"{PATH}?of=preview")
    assert (ahead["sha256"], ahead["supplements"]) == (kept.sha256, []), "it can still be read beside the frozen month"


async def test_the_kept_look_ahead_calls_itself_no_final_numbers_on_paper(client: AsyncClient, c: City) -> None:
    await ensure(at(11, 15, 17, 10))
    with clock.frozen(at(11, 15, 20)):
        answer = await client.get(f"{PATH}.pdf", headers=await make.signed_in(c.leader))
    page = "".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    assert (
        "预览，数据截至11月15日17时，未定稿，以定稿为准。" in page and "SHA-256" in page and "此后不再改动" not in page
    )


async def test_from_17_on_nobody_reads_of_a_later_time_than_the_look_ahead_that_is_about_to_be_kept(
    client: AsyncClient, c: City
) -> None:
    seen = [await told(client, c.leader, at(11, 15, 16, 59)), await told(client, c.leader, at(11, 15, 17))]
    with clock.frozen(at(11, 15, 17, 1)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    seen.append(await told(client, c.leader, at(11, 15, 17, 3)))
    await ensure(at(11, 15, 17, 5))
    seen += [await told(client, c.leader, at(11, 15, 17, 6)), await told(client, c.leader, at(11, 16, 0, 1))]
    await ensure(at(11, 16, 0, 6))
    seen.append(await told(client, c.leader, at(11, 16, 0, 6)))
    assert [as_of(it) for it in seen] == [at(11, 15, 16, 59), *[at(11, 15, 17)] * 4, at(11, 16, 0)]
    assert [it["summary"]["counts"]["done"] for it in seen] == [0, 0, 0, 0, 0, 1]


async def test_two_processes_answer_as_of_the_same_minute(
    client: AsyncClient, c: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await told(client, c.leader, at(11, 10, 9).replace(second=50))
    monkeypatch.setattr(live, "_months", live.Shared())  # the other one
    again = await told(client, c.leader, at(11, 10, 9).replace(second=55))
    assert as_of(first) == as_of(again) == at(11, 10, 9) and first["made_at"] < again["made_at"]


async def test_ten_who_verify_cost_one_computation(client: AsyncClient, c: City, counted: list[datetime]) -> None:
    await ensure(at(11, 16, 0, 6))
    counted.clear()
    found = await asyncio.gather(*(told(client, c.leader, at(11, 17), f"{PATH}/verification") for _ in range(10)))
    assert counted == [at(11, 16, 0)] and all(it == found[0] and it["items"][0]["same"] for it in found)
    await told(client, c.leader, at(11, 17, 0, 1), f"{PATH}/verification")
    assert len(counted) == 2


async def test_a_look_ahead_that_a_wrong_clock_kept_is_not_shown_before_its_time(client: AsyncClient, c: City) -> None:
    await ensure(at(11, 15, 17, 10))  # the clock ran ahead, and was set right
    with clock.frozen(at(11, 9)):
        await c.check("2026-11", "市水务局", make.XINBIN)
    it = await told(client, c.leader, at(11, 10))
    assert (as_of(it), it["summary"]["counts"]["done"], it["sha256"]) == (at(11, 10), 1, None)


async def test_a_month_whose_freeze_is_late_is_shown_as_of_its_cutoff(client: AsyncClient, c: City) -> None:
    it = await told(client, c.leader, at(11, 18))
    assert (as_of(it), it["summary"]["kind"]) == (at(11, 16, 0), "preview")
    assert not [one for one in await c.kept("2026-11") if one.kind == Kind.preview]
    assert await raw("SELECT 1 FROM monthly_summary") == []
