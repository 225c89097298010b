"""The demo story: loaded once, with no queue to be reached, then looked at through HTTP as its own people."""

import json
import stat
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend import clock, demo, demo_months, wake
from backend.db import raw
from backend.demo_people import COUNTIES, Login
from backend.demo_photos import Scene, photo
from backend.demo_steps import CANGSHI, HAIYANG, HOUPU, MAERDUN, SHENGLI, YAOZHAN, Spot, days_until
from backend.evidence import format, storage
from backend.evidence.stores import disk
from backend.supervisor import Trouble
from backend.units import queries as units
from backend.workdays import Calendar
from inspections.findings.topics import TOPICS, ensure_topics
from tests.conftest import NOON, Tables, empty

# Not the `fresh` database of one test: the story stays for this whole file.
pytestmark = pytest.mark.usefixtures("story", "noon")


@pytest.fixture(scope="module")
async def story(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[list[Login], Path]]:
    var = tmp_path_factory.mktemp("var")
    await wake.close()
    with pytest.MonkeyPatch.context() as patch, clock.frozen(NOON):
        patch.setenv("DUBAN_REDIS_URL", f"unix://{var}/nobody.sock")
        made = await demo.load(var)
    yield made, var
    await empty(tables)


@pytest.fixture
async def http(app) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://duban.test") as client:
        yield client


@pytest.fixture
def as_(http: httpx.AsyncClient, story: tuple[list[Login], Path]):
    """GET a path as one of the people, by the first part of the username."""
    passwords = {login.username: login.password for login in story[0]}

    async def get(who: str, path: str, **query: Any) -> Any:
        username = next(name for name in passwords if name.startswith(f"{who}."))
        said = {"username": username, "password": passwords[username]}
        signed_in = await http.post("/api/sessions", json=said)
        assert signed_in.status_code == 201, signed_in.text
        headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}
        answer = await http.get(path, headers=headers, params=query)
        return answer.json() if answer.status_code == 200 else answer.status_code

    return get


async def test_everything_has_been_reacted_to_and_every_photo_is_ready() -> None:
    assert not await raw("SELECT 1 FROM outbox")
    files = await raw("SELECT id, state, sha256 FROM evidence")
    assert {row["state"] for row in files} == {"ready"}
    assert len(files) >= 15
    for row in files:
        assert disk().path(storage.original(row["sha256"])).is_file()
        assert disk().path(storage.derived("display", row["id"])).is_file()


async def test_nothing_lies_in_the_future_and_everybody_works_in_working_hours() -> None:
    """The program works at night, too: it freezes months."""
    moments = [row["at"] for row in await raw("SELECT at FROM event WHERE verb NOT IN ('month.frozen', "
               "'month.previewed', 'month.supplemented')")]  # fmt: skip
    assert max(moments) <= NOON
    for moment in map(clock.local, moments):
        assert Calendar().is_workday(moment.date()), moment
        assert 8 <= moment.hour < 18, moment
    assert clock.local(max(moments)).date() == NOON.date()


async def test_somebody_will_be_away_and_something_was_said_of_the_program(as_) -> None:
    [away] = (await as_("zhao", "/api/notices/absences"))["items"]
    assert (away["person_name"], away["deputy_name"], away["current"]) == ("赵明", "钱卫东", False)
    said = (await as_("zhao", "/api/feedback"))["items"]
    assert [(one["kind"], one["standing"]) for one in said] == [("suggestion", "waiting"), ("complaint", "answered")]


async def test_each_of_the_promised_cases_is_there(as_) -> None:
    page = await as_("zhou", "/api/rectifications")
    items = page["items"]
    assert Counter(item["status"] for item in items) == {
        "issued": 3, "working": 7, "handed_in": 1, "passed": 2, "closed": 2, "hung": 1, "voided": 1, "draft": 1,
    }  # fmt: skip
    by_status = {item["status"]: item for item in items}
    assert by_status["handed_in"]["returned"] == 2
    assert [unit for unit in by_status["draft"]["units"] if unit["role"] == "responsible"] == []
    today = [item for item in items if item["issued_at"] and item["issued_at"].startswith("2026-11-24")]
    assert [item["status"] for item in today] == ["issued"]
    closed = next(item for item in items if (item["status"], item["region"]) == ("closed", MAERDUN.region))
    assert datetime.fromisoformat(closed["closed_at"]) < datetime.fromisoformat(closed["due_at"])
    whole = await as_("zhou", f"/api/rectifications/{closed['id']}")
    assert [(one["confirmed_by"], one["principal_answer"]) for one in whole["hand_ins"]] == [("钱卫东", "upheld")]
    late = {item["region"]: item for item in items if item["overdue"]}
    assert late.keys() == {CANGSHI.region, SHENGLI.region}
    assert (NOON - datetime.fromisoformat(late[CANGSHI.region]["issued_at"])).days >= 20


async def test_the_monthly_check_has_nine_months_with_gaps(as_) -> None:
    assert [len((await as_("zhou", f"/api/monthly/2026-{month:02}"))["periods"]) for month in range(2, 13)] == [
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,
    ]  # fmt: skip
    november = (await as_("chen", "/api/monthly/2026-11"))["periods"][0]
    counts = november["counts"]
    assert (counts["cells"], counts["exempt"], counts["handed_over"]) == (56, 1, 1)
    assert counts["missing"] > 0 and counts["done_late"] > 0 and counts["done"] > 40
    for month in range(3, 11):
        counts = (await as_("chen", f"/api/monthly/2026-{month:02}"))["periods"][0]["counts"]
        assert counts["cells"] == 56 and 40 < counts["done"] < 56 and counts["found"] > 20
    own = (await as_("li", "/api/monthly/2026-11"))["periods"][0]
    assert len(own["cells"]) == 7
    cell = next(cell for cell in own["cells"] if cell["handed_over"])
    seen = await as_("li", f"/api/monthly/2026-11/cells/{cell['id']}")
    assert seen["records"][0]["handed_over"][0]["status"] == "issued"
    rows = await raw("SELECT count(*) AS n FROM monthly_record")
    told = await raw("SELECT count(*) AS n FROM event WHERE verb = 'month.record_filed'")
    assert rows[0]["n"] == told[0]["n"] > 400


async def test_every_procedure_has_its_case(as_) -> None:
    page = await as_("zhou", "/api/rectifications")
    items = [await as_("zhou", f"/api/rectifications/{item['id']}") for item in page["items"]]

    def the(status: str, *kinds: str) -> Any:
        found = [item for item in items if item["status"] == status and all(item[kind] for kind in kinds)]
        assert len(found) == 1, (status, kinds, len(found))
        return found[0]

    moved = the("issued", "objections")
    assert moved["objections"][0]["to_unit_name"] == "新宾满族自治县永陵镇人民政府"
    assert [unit["name"] for unit in moved["units"] if unit["ended_at"]] == ["新宾满族自治县水务局"]
    longer = the("working", "extensions")
    assert longer["due_on"] > longer["original_due_on"] and longer["extended"] == 1
    planned = the("working", "measures")
    assert sorted(one["state"] for one in planned["measures"]) == ["done", "dropped", "planned"]
    failed = the("working", "site_checks", "returned")
    assert (failed["site_checks"][0]["result"], failed["returned"]) == ("failed", 1)
    shown = the("passed", "publicity")
    assert shown["publicity"][0]["ends_on"] > "2026-11-24"
    assert the("hung", "hangings")["review_on"] > "2026-11-24"
    again = the("working", "reopenings")
    assert (again["reopened"], again["look_backs"][0]["result"]) == (1, "rebounded")
    shared = next(item for item in items if item["overdue"] and item["region"] == SHENGLI.region)
    parts = [unit["status"] for unit in shared["units"] if unit["role"] == "responsible"]
    assert sorted(parts) == ["handed_in", "passed", "working"] and shared["status"] == "working"
    seen = next(item for item in items if (item["status"], item["region"]) == ("closed", HOUPU.region))
    assert [one["result"] for one in seen["site_checks"]] == ["passed"]


@pytest.mark.parametrize("day", [date(2026, 1, 1) + timedelta(days=n) for n in range(0, 360, 1)])
def test_the_story_can_be_told_on_any_day_of_the_year(day: date) -> None:
    days = days_until(datetime.combine(day, NOON.timetz()), Calendar())
    asked, issued = days.date(3), days.date(8)
    assert asked <= issued + timedelta(days=15), "more time is asked for before the due day"
    checked = demo_months.story_day(days)
    assert checked < days.last and checked.day <= 14, "a check in time, and none that is still to come"
    assert demo_months.first_day(days) < days.at(30, 9), "everybody is there when the other cases begin"


async def test_the_leader_reads_frozen_months_with_gaps_and_supplements(as_) -> None:
    kept = (await as_("chen", "/api/summaries", limit=100))["items"]
    frozen = [it["month"] for it in kept if it["kind"] == "frozen"]
    assert frozen == [f"2026-{month:02}" for month in range(11, 2, -1)]
    assert {it["month"] for it in kept if it["kind"] == "supplement"} >= {"2026-10", "2026-11"}
    told = await as_("chen", "/api/summaries/2026-11")
    counts = told["summary"]["counts"]
    assert counts["cells"] == 56 and counts["missing"] > 0 and counts["exempt"] == 1 and told["whole"]
    assert [line["stands"] for line in told["summary"]["handed_over"]] == ["in_work"]
    assert told["summary"]["previous"]["month"] == "2026-10" and told["supplements"]
    notices = (await as_("chen", "/api/notices", unread=True))["items"]
    assert {line["verb"] for line in notices} >= {"month.frozen"} and len(notices) < 20
    checked = (await as_("chen", "/api/summaries/2026-11/verification"))["items"]
    assert all(it["intact"] and it["same"] for it in checked)


async def found(as_: Any, status: str, spot: Spot) -> Any:
    listed = await as_("wu", "/api/rectifications", status=status, region=spot.region)
    assert len(listed["items"]) == 1
    return await as_("wu", f"/api/rectifications/{listed['items'][0]['id']}")


async def test_two_households_are_reconciled_and_read_only_on_record(as_) -> None:
    told = await as_("zhou", "/api/households/clearing", region="210400000000")
    assert [(part["region_name"], part["cleared"], part["not_cleared"]) for part in told["parts"]] == [
        ("新宾满族自治县", 1, 0),
        ("清原满族自治县", 0, 1),
    ]
    [left] = told["items"]
    assert (left["head_name"], left["phone"], left["category"]) == ("关*福", "139****0138", "unsafe_housing")
    assert [row["id"] for row in (await as_("zheng", "/api/households"))["items"]] == [left["id"]]
    assert (await as_("zhao", "/api/households"))["items"][0]["tally"]["standing"] == "cleared"
    [view] = (await as_("lin", "/api/households/views"))["items"]
    assert (view["by_name"], view["household"]) == ("吴振华", left["id"])


async def test_the_closed_item_shows_before_and_after(as_) -> None:
    item = await found(as_, "closed", MAERDUN)
    before, after = item["finding"]["evidence"], item["hand_ins"][0]["evidence"]
    assert (len(before), len(after)) == (2, 1)
    assert {file["state"] for file in before + after} == {"ready"}
    people = {review["verb"]: review["by_name"] for review in item["reviews"]}
    assert people == {"pass_first": "李红梅", "close_out": "吴振华"}


async def test_the_second_key_waits_for_the_offices_leader(as_) -> None:
    path = f"/api/rectifications/{(await found(as_, 'passed', HAIYANG))['id']}"
    assert "close_out" in {move["verb"] for move in (await as_("wu", path))["moves"]}
    assert "close_out" not in {move["verb"] for move in (await as_("he", path))["moves"]}


async def test_the_inspectors_phone_shows_what_is_before_her_and_where_she_is(as_) -> None:
    today = await as_("wang", "/api/phone/today")
    visits = {each["visit"]["place_name"]: each for each in today["assignments"]}
    assert visits.keys() == {"英额门镇丁家街村", "上夹河镇胜利村"}
    assert visits["英额门镇丁家街村"]["visit"]["status"] == "released"
    there = visits["上夹河镇胜利村"]
    arrival = there["visit"]["arrivals"][0]
    assert (there["visit"]["status"], arrival["inside"]) == ("in_field", False)
    assert arrival["distance_m"] > there["visit"]["radius_m"]
    assert "桥" in arrival["reason"]
    assert len(there["findings"]) == 1
    standing = {name: [(it["title"], it["answered"]) for it in each["checklists"]] for name, each in visits.items()}
    assert standing["上夹河镇胜利村"] == [("公益岗位核查", 2)]
    assert standing["英额门镇丁家街村"] == [("公益岗位核查", 0), ("饮水安全核查", 0)]
    assert len(today["topics"]) == len(TOPICS)


async def test_what_a_checklist_found_wrong_is_the_item_that_was_issued(as_) -> None:
    listed = (await as_("wu", "/api/rectifications", status="issued", region=YAOZHAN.region))["items"]
    [id] = [item["id"] for item in listed if item["source"] != "monthly_check"]
    item = await as_("wu", f"/api/rectifications/{id}")
    path = f"/api/visits/{item['finding']['visit']}/checklists"
    [checklist] = (await as_("zhou", path))["items"]
    asked = {question["code"]: question for question in checklist["questions"]}
    assert checklist["answered"] == len(asked) == 8 and not any(question["lacks"] for question in asked.values())
    assert (asked["S1"]["stands"]["answer"], asked["S1"]["stands"]["finding"]) == ("fails", item["finding"]["id"])
    assert asked["S1"]["differing"] == []


async def test_units_and_leaders_see_what_is_theirs_and_nothing_else(as_) -> None:
    async def places(who: str) -> set[str]:
        page = await as_(who, "/api/rectifications")
        return {item["region"][:6] for item in page["items"]}

    assert await places("chen") == {"210422", "210423"}
    assert await places("zhao") == {"210422"}
    assert await places("zheng") == {"210423"}
    assert await places("guo") == set()
    assert (await as_("guo", "/api/visits"))["items"] == []
    assert await places("ma") == await places("lin") == set()
    unread = await as_("zhao", "/api/phone/today")
    assert unread["unread"] > 0


async def test_everybody_signs_in_with_the_password_of_the_list(as_, story) -> None:
    made, var = story
    path = var / "demo-logins.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listed = json.loads(path.read_text())
    assert len(listed) == len(made) == 21
    assert listed[0].keys() == {"role", "username", "password", "person", "unit"}
    for login in listed:
        me = await as_(login["username"].split(".")[0], "/api/me")
        assert [held["role"] for held in me["roles"]] == [login["role"]]
        assert me["name"] == login["person"]


async def test_it_is_loaded_into_an_empty_database_only(tmp_path: Path) -> None:
    before = (await raw("SELECT count(*) AS n FROM event"))[0]["n"]
    with pytest.raises(Trouble):
        await demo.load(tmp_path)
    assert (await raw("SELECT count(*) AS n FROM event"))[0]["n"] == before
    assert not (tmp_path / "demo-logins.json").exists()


async def test_the_papers_words_find_its_units() -> None:
    on = NOON.date()
    counties = await units.expand("各县区", "210400000000", on)
    assert {unit.short_name for unit in counties} == set(COUNTIES)
    for word in ("市扶贫办", "市扶贫开发办公室"):
        assert [unit.name for unit in await units.known_as(word, on)] == ["抚顺市扶贫开发办公室"]
    assert len(await units.expand("各乡镇", "210422000000", on)) == 2


async def test_topics_are_made_once_and_an_offices_own_name_stays() -> None:
    await raw("UPDATE topic SET name = '饮水' WHERE code = '0304'")
    await ensure_topics()
    rows = {row["code"]: (row["parent"], row["name"]) for row in await raw("SELECT * FROM topic")}
    assert len(rows) == len(TOPICS)
    assert rows["0304"] == ("03", "饮水")
    assert rows["03"][0] is None
    await raw("UPDATE topic SET name = '饮水安全' WHERE code = '0304'")


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-11-24T12:00+08:00", "2026-11-24"),
        ("2026-11-24T09:29+08:00", "2026-11-23"),
        ("2026-11-22T15:00+08:00", "2026-11-20"),
        ("2026-10-05T12:00+08:00", "2026-09-30"),
        ("2026-11-23T17:00+00:00", "2026-11-23"),
    ],
)
def test_the_story_ends_on_the_last_working_day_that_has_begun(now: str, last: str) -> None:
    days = days_until(datetime.fromisoformat(now), Calendar())
    assert days.date(0) == date.fromisoformat(last)
    assert days.at(0, 9, 25) < datetime.fromisoformat(now)


def test_photos_are_pictures_the_same_for_the_same_words_and_others_for_others(tmp_path: Path) -> None:
    drawn = {photo(scene, mended, "Yaozhan", NOON) for scene in Scene for mended in (False, True)}
    assert len(drawn) == 2 * len(Scene)
    assert photo(Scene.pipe, True, "Yaozhan", NOON) in drawn
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo(Scene.roof, False, "Houpu", NOON))
    picture = format.inspect(path)
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 1600, 1200)
    assert path.stat().st_size < 200_000


async def test_one_photo_does_not_agree_and_somebody_explained_it(as_) -> None:
    explained = await raw("SELECT evidence FROM evidence_explanation")
    report = (await as_("zhou", f"/api/evidence/{explained[0]['evidence']}"))["report"]
    told = {check["check"]: check for check in report["checks"]}
    assert len(explained) == 1 and report["level"] == "contradicts"
    assert told["before_as_after"]["level"] == "contradicts"
    assert told["before_as_after"]["explanations"][0]["by_name"] == "李红梅"
    rest = [check for check, it in told.items() if it["level"] != "fits"]
    assert rest == ["before_as_after"]


async def test_the_other_photos_contradict_nothing(as_) -> None:
    """The story is possible: nobody is in two places at once, and nobody's clock is wrong."""
    rows = await raw("SELECT DISTINCT rectification.id FROM rectification JOIN finding_evidence USING (finding)")
    counted: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for record in (await as_("zhou", f"/api/rectifications/{row['id']}/evidence"))["items"]:
            for check in record["trust"]["checks"]:
                counted += {(check["check"], level): check[level] for level in ("unclear", "contradicts")}
    assert {check for (check, level), files in counted.items() if level == "contradicts" and files} == {
        "before_as_after"
    }
    assert {check for (check, level), files in counted.items() if level == "unclear" and files} <= {"seen_before"}


async def test_some_people_are_told_by_mail_that_cannot_leave(as_) -> None:
    shown = await as_("zhao", "/api/channels")
    assert [(one["kind"], one["address"], one["state"]) for one in shown["items"]] == [
        ("mail", "z***@xinbin-water.example", "ready")
    ]
    assert {one["usable"] for one in shown["kinds"]} == {True} and not any(one["connected"] for one in shown["kinds"])


async def test_who_is_late_or_waits_was_reminded(as_) -> None:
    """As the worker would have done in the last two weeks: of dates, of what waits, and of the month's check."""
    rows = await raw("SELECT verb, count(*) AS n FROM event WHERE verb LIKE 'reminder.%' GROUP BY verb")
    assert {row["verb"] for row in rows} >= {
        "reminder.due_near", "reminder.due_today", "reminder.overdue", "reminder.unsigned", "reminder.review_waits",
        "reminder.month_near", "reminder.month_missed",
    }  # fmt: skip
    principal = [notice["title"] for notice in (await as_("qian", "/api/notices"))["items"]]
    assert [title for title in principal if title.startswith("整改期限还剩 1 个工作日，11月25日到期：ZG-")]
    assert not await raw("SELECT 1 FROM reminder WHERE at > $1", NOON)
