"""The table of rules and its history, what a day will bring against what it brought, what an item was told."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock, outbox
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from backend.worker import REACTIONS
from notifications.reminders import defaults
from tasks.rectifications.item import Status
from tests import calls, make, monthly_make
from tests import reminders_make as reminders
from tests.reminders_make import moment, settled, swept

RULES, PREVIEW = "/api/reminders/rules", "/api/reminders/preview"
DUE = date(2026, 12, 4)
TOMORROW = date(2026, 11, 25)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def default(anchor: str, offset: int) -> UUID:
    return next(rule.id for rule in defaults.DEFAULTS if (rule.anchor, rule.offset) == (anchor, offset))


async def listed(client, who, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(RULES, headers=await make.signed_in(who), params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


# ── the table of rules ───────────────────────────────────────────────────────────────────────────────────────────


async def test_the_ladder_of_entering_a_rule(client, it):
    call = await calls.add_reminder_rule(it)
    before = await calls.snapshot()
    assert (await call.made(client, headers={})).status_code == 401
    for who in (it.handler, it.reviewer, it.inspector, it.leader):
        refused = await call.made(client, headers=await make.signed_in(who))
        assert (refused.status_code, make.problem(refused)["detail"]) == (403, "提醒规则由督查办维护。")
    for wrong, code, field in (
        ({"replaces": str(uuid7())}, "unknown_reference", "replaces"),
        ({"anchor": "look_back"}, "another_anchor", "anchor"),
        ({"valid_from": "2026-11-24"}, "begins_too_early", "valid_from"),
        ({"valid_to": "2026-11-24"}, "ends_before_it_starts", "valid_to"),
        ({"time_of_day": "23:00"}, "at_night", "time_of_day"),
        ({"time_of_day": "9:00"}, "malformed", "time_of_day"),
        ({"tells": []}, "nobody_to_tell", "tells"),
        ({"tells": ["everybody"]}, "malformed", "tells[0]"),
        ({"offset": 200}, "offset_too_far", "offset"),
        ({"unit": "months"}, "offset_too_far", "offset"),
        ({"surprise": 1}, "unknown_field", "surprise"),
    ):
        answer = await call.made(client, json=call.body | wrong)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (400, code, field), wrong
    taken = await call.made(client, json=call.body | {"offset": -3, "time_of_day": "09:00", "replaces": None})
    assert (taken.status_code, make.problem(taken)["code"]) == (409, "same_rule")
    assert await calls.snapshot() == before

    for _ in range(2):  # the same request twice is one rule
        answer = await call.made(client)
        assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["offset"], told["time_of_day"], told["by_name"], told["office_name"]) == (
        -5,
        "09:30:00",
        "督查办周",
        "市扶贫办",
    )
    assert not told["holds"] and not told["default"]
    other = await call.made(client, json=call.body | {"offset": -6})
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'reminder.rule_added'")) == 1
    with clock.frozen(moment(TOMORROW)):  # a repetition that arrives late is still the same request
        assert (await call.made(client, headers=await make.signed_in(it.staff))).status_code == 200


async def test_a_change_ends_the_old_rule_the_day_before_and_the_old_one_stays_readable(client, it):
    call = await calls.add_reminder_rule(it)
    assert (await call.made(client)).status_code == 200
    old = next(rule for rule in await listed(client, it.handler) if rule["id"] == str(default("due", -7)))
    assert (old["valid_to"], old["end_reason"], old["holds"]) == ("2026-11-24", "由新规则替代。", True)
    again = await call.made(client, path=f"{RULES}/{uuid7()}")
    assert (again.status_code, make.problem(again)["code"]) == (409, "rule_ended")
    with clock.frozen(moment(TOMORROW)):
        assert str(default("due", -7)) not in {rule["id"] for rule in await listed(client, it.handler)}
        assert str(default("due", -7)) in {rule["id"] for rule in await listed(client, it.handler, ended=True)}
    rows = await raw("SELECT series FROM reminder_rule WHERE id = $1", UUID(call.path.rsplit("/", 1)[1]))
    assert rows[0]["series"] == default("due", -7)


async def test_the_ladder_of_ending_a_rule(client, it):
    call = await calls.end_reminder_rule(it)
    before = await calls.snapshot()
    assert (await call.made(client, headers={})).status_code == 401
    nowhere = await call.made(client, path=f"{RULES}/{uuid7()}/ending", headers=await make.signed_in(it.handler))
    assert nowhere.status_code == 404
    refused = await call.made(client, headers=await make.signed_in(it.principal))
    assert refused.status_code == 403
    for wrong, code, field in (
        ({"last_on": "2026-11-23"}, "ends_in_the_past", "last_on"),
        ({"reason": " "}, "malformed", "reason"),
    ):
        answer = await call.made(client, json=call.body | wrong)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (400, code, field)
    assert await calls.snapshot() == before
    for _ in range(2):
        answer = await call.made(client)
        assert (answer.status_code, answer.json()["valid_to"], answer.json()["end_reason"]) == (
            200, "2026-11-30", "按新办法执行。",
        )  # fmt: skip
    late = await call.made(client, json=call.body | {"reason": "另有原因。"})
    assert (late.status_code, make.problem(late)["code"]) == (409, "rule_ended")
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'reminder.rule_ended'")) == 1


async def test_a_rule_that_is_ended_today_still_speaks_today_and_no_more_tomorrow(client, it):
    await reminders.entered()
    await make.rectification(it, Status.working, due_on=date(2026, 12, 3))  # seven working days after today
    await make.rectification(it, Status.working, due_on=DUE)
    await raw("UPDATE rectification SET issued_at = issued_at - interval '1 day'")
    body = {"last_on": "2026-11-24", "reason": "按新办法执行。"}
    path = f"{RULES}/{default('due', -7)}/ending"
    assert (await (await calls.by(it.boss, "POST", path, body)).made(client)).status_code == 200
    assert (await swept(date(2026, 11, 24), "13:00"), await swept(TOMORROW)) == (1, 0)


async def test_each_rule_says_in_a_sentence_when_and_whom(client, it):
    await reminders.entered()
    said = {UUID(rule["id"]): rule["says"] for rule in await listed(client, it.staff)}
    for anchor, offset, says in (
        ("due", -7, "整改期限前 7 个工作日 09:00，提醒责任单位"),
        ("due", 10, "整改期限后 10 个工作日 09:00，提醒责任单位负责人、牵头单位、督查办负责人"),
        ("signing", 1, "交办（未签收）后 1 个工作日 15:00，提醒责任单位"),
        ("month", -1, "每月检查的最后一个工作日前 1 个工作日 09:00，提醒牵头单位"),
        ("month", 3, "每月检查截止日后 3 天 09:00，提醒督查办"),
    ):
        assert said[default(anchor, offset)] == says
    headers = {**await make.signed_in(it.staff), "Accept-Language": "en-GB"}
    told = {rule["id"]: rule["says"] for rule in (await client.get(RULES, headers=headers)).json()["items"]}
    assert told[str(default("due", -3))] == "3 working days before the due day, at 09:00: to the responsible units"
    assert told[str(default("look_back", 0))] == "On the day of the look-back, at 09:00: to the office"


async def test_everybody_may_read_the_rules_and_sees_who_may_change_them(client, it):
    await reminders.entered()
    assert len(await listed(client, it.handler)) == len(defaults.DEFAULTS)
    for who, refusal in ((it.handler, "提醒规则由督查办维护。"), (it.staff, None)):
        answer = await client.get(RULES, headers=await make.signed_in(who))
        assert answer.json()["refusal"] == refusal
    assert (await client.get(RULES)).status_code == 401


# ── what a day will bring ────────────────────────────────────────────────────────────────────────────────────────


async def shown(client, who, on: date, **asked: Any) -> dict[str, Any]:
    answer = await client.get(PREVIEW, headers=await make.signed_in(who), params={"on": str(on), **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _many(it: make.Cast) -> None:
    """Something of each kind that speaks on Wednesday the 25th, and much that does not."""
    for day in (date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 30), date(2026, 12, 2), DUE):
        await make.rectification(it, Status.working, due_on=day)
    await make.shared(it, due_on=DUE)
    await make.rectification(it, Status.handed_in, due_on=DUE)
    await make.rectification(it, Status.issued, due_on=date(2027, 2, 1))
    with clock.frozen(moment(date(2026, 11, 20), "16:00")):
        await make.rectification(it, Status.handed_in, due_on=date(2027, 2, 1))
        checked = await make.rectification(it, Status.passed, due_on=date(2027, 2, 1))
        await make.site_check(it, checked)
    city = await monthly_make.fushun(valid_from=date(2026, 11, 1), cutoff_day=26)
    await monthly_make.begun(city)
    await make.person("审核孙", Role.lead_unit_reviewer, at=city.units["市教育局"])


async def test_the_preview_of_tomorrow_is_what_tomorrow_then_brings(client, it):
    """Every row, every word, every person: shown today, and written by the sweeps of tomorrow."""
    await reminders.entered()
    await _many(it)
    await reminders.settled(date(2026, 11, 24), "13:00")  # what today has still to say is said
    preview = await shown(client, it.staff, TOMORROW)
    assert {share["anchor"] for share in preview["shares"]} >= {"due", "signing", "review", "site_check", "month"}
    began = clock.now()
    with clock.frozen(moment(TOMORROW, "08:59")):
        await outbox.drain(REACTIONS)
    for at in ("09:00", "15:00", "23:00"):
        await settled(TOMORROW, at)
    written = await raw(
        "SELECT rule, subject, target_on, reminder.at FROM reminder WHERE at > $1", began + timedelta(hours=2)
    )
    promised = {(line["rule"], line["subject"], line["target_on"], line["at"]) for line in preview["items"]}
    assert promised == {
        (str(row["rule"]), str(row["subject"]), str(row["target_on"]), f"{row['at']:%Y-%m-%dT%H:%M:%SZ}")
        for row in written
    }
    assert preview["total"] == len(promised) == sum(share["count"] for share in preview["shares"])
    told = await raw(
        "SELECT reminder.subject, rule, notice.person, notice.reason FROM notice "
        "JOIN reminder ON reminder.id = notice.event WHERE reminder.at > $1",
        began + timedelta(hours=2),
    )
    assert {tuple(map(str, row.values())) for row in told} == {
        (line["subject"], line["rule"], person["id"], person["audience"])
        for line in preview["items"]
        for person in line["people"]
    }


async def test_the_words_and_people_of_a_preview(client, it):
    await reminders.entered()
    id = await make.rectification(it, Status.working, due_on=DUE)
    number = (await make.row(id))["number"]
    (line,) = (await shown(client, it.staff, TOMORROW))["items"]
    assert line["title"] == f"整改期限还剩 7 个工作日，12月4日到期：{number}" and line["item"] == str(id)
    assert [(person["name"], person["unit_name"], person["audience"]) for person in line["people"]] == [
        ("局长钱", "新宾县水务局", "responsible_units"), ("经办赵", "新宾县水务局", "responsible_units"),
    ]  # fmt: skip


async def test_a_preview_comes_in_pages_without_gaps_or_repetitions(client, it):
    await reminders.entered()
    await _many(it)
    whole = (await shown(client, it.staff, TOMORROW))["items"]
    pages, cursor = [], None
    while True:
        page = await shown(client, it.staff, TOMORROW, limit=3, **({"cursor": cursor} if cursor else {}))
        pages += page["items"]
        if not (cursor := page["next"]):
            break
    assert pages == whole and len(whole) > 9


async def test_a_preview_shows_what_the_reader_sees_and_nobody_but_the_office_reads_one(client, it):
    await reminders.entered()
    await _many(it)
    county = await make.unit("清原县督查办", area=make.QINGYUAN)
    far = await make.person("清原周", Role.supervision_staff, at=county)
    near = await make.person("新宾周", Role.supervision_staff, at=await make.unit("新宾县督查办", area=make.XINBIN))
    assert not [line for line in (await shown(client, far, TOMORROW))["items"] if line["item"]]
    seen, everything = await shown(client, near, TOMORROW), await shown(client, it.staff, TOMORROW)
    items = [line for line in everything["items"] if line["item"]]
    assert {line["subject"] for line in seen["items"] if line["item"]} == {line["subject"] for line in items}
    insider = await make.person("水务周", Role.supervision_staff, at=await make.unit("市扶贫办"))
    await raw("UPDATE person SET unit = $1 WHERE id = $2", it.responsible, insider.person)
    hidden = await shown(client, insider, TOMORROW)
    assert "site_check" in {share["anchor"] for share in everything["shares"]}
    assert "site_check" not in {share["anchor"] for share in hidden["shares"]}
    for who in (it.handler, it.inspector, it.leader):
        refused = await client.get(PREVIEW, headers=await make.signed_in(who), params={"on": str(TOMORROW)})
        assert refused.status_code == 403
    assert (await client.get(PREVIEW, params={"on": str(TOMORROW)})).status_code == 401


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"on": "2026-11-23"}, "preview_out_of_reach"),
        ({"on": "2027-03-01"}, "preview_out_of_reach"),
        ({"on": "tomorrow"}, "malformed"),
        ({"on": "2026-11-25", "cursor": "1.2"}, "bad_cursor"),
        ({"on": "2026-11-25", "limit": 0}, "malformed"),
    ],
)
async def test_a_preview_of_nonsense_is_refused(client, it, asked, code):
    answer = await client.get(PREVIEW, headers=await make.signed_in(it.staff), params=asked)
    assert (answer.status_code, make.problem(answer)["code"]) == (400, code)


async def test_of_today_only_what_is_still_to_come(client, it):
    await reminders.entered()
    await make.rectification(it, Status.working, due_on=TOMORROW)
    with clock.frozen(moment(TOMORROW, "12:00")):
        today = await shown(client, it.staff, TOMORROW)
        assert [line["at"] for line in today["items"]] == ["2026-11-25T07:00:00Z"]
    assert (await shown(client, it.staff, date(2026, 11, 29)))["items"] == []  # a Sunday with nothing due


# ── what was given of an item ────────────────────────────────────────────────────────────────────────────────────


async def test_an_item_says_when_and_whom_it_was_reminded_of(client, it):
    await reminders.entered()
    id = await make.rectification(it, Status.working, due_on=DUE)
    await settled(TOMORROW)
    await settled(date(2026, 12, 9))
    for who in (it.handler, it.reviewer, it.staff):
        answer = await client.get("/api/reminders", headers=await make.signed_in(who), params={"item": str(id)})
        assert [(line["title"].split("：")[0], line["told"], line["lapsed_at"]) for line in answer.json()["items"]] == [
            ("整改超期 3 个工作日（12月4日到期），已按规则提醒单位负责人、牵头单位", 3, None),  # +1 was missed
            ("整改期限还剩 7 个工作日，12月4日到期", 2, None),
        ]  # fmt: skip
    strange = await client.get("/api/reminders", headers=await make.signed_in(it.stranger), params={"item": str(id)})
    assert strange.status_code == 404
    assert (await client.get("/api/reminders", params={"item": str(id)})).status_code == 401


async def test_the_units_do_not_learn_of_a_site_check_from_its_reminders(client, it):
    await reminders.entered()
    id = await make.rectification(it, Status.passed, due_on=date(2027, 2, 1))
    await make.site_check(it, id)
    await settled(date(2026, 11, 27))
    for who, seen in ((it.handler, 0), (it.principal, 0), (it.staff, 1), (it.inspector, 1)):
        answer = await client.get("/api/reminders", headers=await make.signed_in(who), params={"item": str(id)})
        assert answer.status_code == 200 and len(answer.json()["items"]) == seen
