"""One chain of attempts per notice and person: what is tried when, what survives a killed worker, who waits."""

import asyncio
import json
import shutil
from datetime import timedelta

import asyncpg
import pytest

from backend import clock, settings
from backend.columns import uuid7
from backend.db import raw
from notifications.deliveries import attempting, circuits, cli, jobs, recording, rules
from notifications.deliveries.rules import ChannelKind as K
from tests import deliveries_make, make
from tests.deliveries_make import Browser, lanes, planned, story
from tests.waiting import eventually


@pytest.fixture
async def it(fresh, noon):
    circuits.forget()
    shutil.rmtree(recording.folder(), ignore_errors=True)  # what tests before this one had recorded
    yield await make.cast()
    circuits.forget()


@pytest.fixture
def provider(monkeypatch):
    """WeCom, SMS and push services, all of them this server; DingTalk is one where nobody listens."""
    with deliveries_make.provider() as it:
        monkeypatch.setenv("DUBAN_SEND", "wecom,dingtalk,sms,web_push")
        monkeypatch.setenv("DUBAN_WECOM_ORIGIN", it.url)
        monkeypatch.setenv("DUBAN_DINGTALK_ORIGIN", "http://127.0.0.1:9")
        monkeypatch.setenv("DUBAN_SMS_URL", f"{it.url}/sms")
        monkeypatch.setenv("DUBAN_PUSH_ORIGINS", it.url)
        monkeypatch.setenv("DUBAN_PUSH_KEY", deliveries_make.PUSH_KEY)
        monkeypatch.setenv("DUBAN_PUSH_CONTACT", "duban@example.gov.cn")
        yield it


async def test_where_nothing_is_connected_it_is_recorded_and_nothing_leaves(it, capsys):
    await deliveries_make.address(K.mail, "zhao@example.gov.cn", person=it.handler)
    delivery = await planned(it.handler, K.web_push, K.mail)
    assert await lanes() == 1  # it begins where there is an address
    assert await story(delivery) == ("sent", ["mail:recorded"])
    kept = next(recording.recorded())
    assert (kept["channel"], kept["to"], kept["title"]) == ("mail", "zhao@example.gov.cn", "整改事项被退回")
    (path,) = recording.folder().glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    assert cli.main(["--last", "3"]) == 0
    said = capsys.readouterr().out
    assert "都不外发" in said and "邮件  zhao@example.gov.cn" in said and "整改事项被退回" in said
    path.unlink()
    assert cli.main([]) == 0 and "没有记录的消息" in capsys.readouterr().out


async def test_nothing_goes_out_before_its_time_and_once_then(it, provider):
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    delivery = await planned(it.handler, K.sms, not_before=clock.now() + timedelta(hours=9))
    assert await lanes() == 0
    with clock.frozen(clock.now() + timedelta(hours=9)):
        assert (await lanes(), await lanes()) == (1, 0)
    assert await story(delivery) == ("sent", ["sms:sent"])
    assert len(provider.asked) == 1


async def test_a_failure_is_tried_again_and_then_the_next_channel_has_its_turn(it, provider):
    provider.answers = [(500, {}, {})]
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    await deliveries_make.address(K.wecom, "aaaa-bbbb", unit=it.responsible)
    delivery, now = await planned(it.handler, K.sms, K.wecom), clock.now()
    await lanes()
    assert await story(delivery) == ("waiting", ["sms:failed"])
    for seconds in (14, 20, 100):
        with clock.frozen(now + timedelta(seconds=seconds)):
            await lanes(K.sms)
    assert await story(delivery) == ("waiting", ["sms:failed"] * 3)
    provider.answers = [(200, {"errcode": 0}, {})]
    with clock.frozen(now + timedelta(seconds=101)):
        await lanes()
    assert await story(delivery) == ("sent", ["sms:failed"] * 3 + ["wecom:sent"])


async def test_a_provider_that_is_ill_is_left_alone_and_others_are_not_held_up(it, provider):
    """DingTalk is down: after three failures its deliveries take the next channel without a try."""
    await deliveries_make.address(K.dingtalk, "abc123", unit=it.responsible)
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    first = [await planned(it.handler, K.dingtalk, K.sms, event=uuid7()) for _ in range(3)]
    await lanes(K.dingtalk)
    assert {(await story(delivery))[1][0] for delivery in first} == {"dingtalk:failed"}
    later, alone = await planned(it.handler, K.dingtalk, K.sms), await planned(it.principal, K.dingtalk)
    await lanes()
    assert await story(later) == ("sent", ["dingtalk:down", "sms:sent"])
    assert await story(alone) == ("waiting", ["dingtalk:down"])  # nothing else is left: it waits
    (row,) = await raw("SELECT tries, next_try_at FROM delivery WHERE id = $1", alone)
    assert row["tries"] == 0 and row["next_try_at"] >= clock.now() + circuits.FIRST_PAUSE
    for minutes in range(1, 200, 20):
        with clock.frozen(clock.now() + timedelta(minutes=minutes)):
            circuits.noted("dingtalk", True, clock.now())  # another attempt has just looked, in vain
            await lanes(K.dingtalk)
    assert await story(alone) == ("waiting", ["dingtalk:down"])  # said once


async def test_one_that_hangs_holds_up_neither_the_other_lanes_nor_its_lane_for_long(it, provider, monkeypatch):
    monkeypatch.setattr("notifications.deliveries.posting.READ_WITHIN", 1.0)
    await deliveries_make.address(K.wecom, "aaaa-bbbb", unit=it.responsible)
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    provider.answers = [30.0]
    hanging = [await planned(it.handler, K.wecom, event=uuid7()) for _ in range(3)]
    slow = asyncio.ensure_future(lanes(K.wecom))
    await eventually(lambda: len(provider.asked), lambda n: n == 3)
    provider.answers = [(200, {}, {})]
    other = await planned(it.handler, K.sms)
    await lanes(K.sms)
    assert (await story(other))[0] == "sent" and not slow.done()
    await slow
    assert [await story(delivery) for delivery in hanging] == [("waiting", ["wecom:slow"])] * 3
    assert "wecom" in circuits.resting(clock.now())


async def test_a_worker_killed_in_mid_delivery_loses_nothing(it, provider):
    """The first one has written its attempt down and dies; when its lease ends another sends, and says so."""
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    delivery = await planned(it.handler, K.sms)
    (claimed,) = await attempting.claim(K.sms, 8)
    await attempting.begin(claimed, await jobs.queries.addresses(claimed))
    assert await lanes() == 0  # the lease holds
    with clock.frozen(clock.now() + rules.LEASE):
        assert await lanes() == 1
        assert await story(delivery) == ("sent", ["sms:lost", "sms:sent"])
        assert await attempting.lapse(claimed) == "lapsed"  # the dead one comes back: it has no word any more
    assert (await story(delivery))[0] == "sent"


async def test_a_message_that_was_taken_while_the_database_restarted_is_not_sent_again(it, provider):
    """Every connection breaks between the provider's yes and our note of it."""

    async def cut() -> None:
        line = await asyncpg.connect(**settings.load().database)
        await line.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await line.close()

    def taken(_):
        asyncio.run(cut())
        return 200, {}, {}

    provider.answers = [taken]
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    delivery = await planned(it.handler, K.sms)
    assert await lanes(K.sms) == 1
    assert await story(delivery) == ("sent", ["sms:sent"]) and len(provider.asked) == 1


async def test_what_is_urgent_does_not_stand_in_the_queue_of_the_rest(it, provider, monkeypatch):
    """A wave of digests must not hold up a code or a danger to life."""
    monkeypatch.setattr(jobs, "WIDTH", 2)
    monkeypatch.setattr(jobs, "TURN", 2)
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    early = clock.now() - timedelta(minutes=5)
    rest = [await planned(it.handler, K.sms, not_before=early) for _ in range(5)]
    urgent = await planned(it.handler, K.sms, urgency="at_once")
    await lanes(K.sms)
    assert (await story(urgent))[0] == "sent"
    assert sorted([(await story(delivery))[0] for delivery in rest]) == ["sent"] + ["waiting"] * 4


async def test_a_lane_takes_up_no_more_than_it_asked_for_whatever_the_database_plans(it):
    """A table analyzed while it held one row is looped over, and a subquery would be asked anew for each."""
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    await planned(it.handler, K.sms)
    await raw("ANALYZE delivery")
    for _ in range(4):
        await planned(it.handler, K.sms)
    assert len(await attempting.claim(K.sms, 2)) == 2


async def test_many_lanes_at_once_send_each_delivery_once(it, provider):
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    all_of_them = [await planned(it.handler, K.sms) for _ in range(30)]
    assert sum(await asyncio.gather(*(lanes(K.sms) for _ in range(4)))) == 30
    assert {(await story(delivery))[0] for delivery in all_of_them} == {"sent"}
    assert len({asked.json["id"] for asked in provider.asked}) == len(provider.asked) == 30


async def test_a_group_is_told_of_an_event_once_whoever_of_the_unit_hears_of_it(it, provider):
    await deliveries_make.address(K.wecom, "aaaa-bbbb", unit=it.responsible)
    event = uuid7()
    both = [await planned(person, K.wecom, event=event) for person in (it.handler, it.principal)]
    await lanes()
    with clock.frozen(clock.now() + rules.GROUP_PAUSE):
        await lanes()
    told = sorted([(await story(delivery)) for delivery in both])
    assert told == [("sent", ["wecom:sent"]), ("sent", ["wecom:shared"])]
    assert len(provider.asked) == 1
    await planned(it.handler, K.wecom, event=uuid7())
    await lanes()
    assert len(provider.asked) == 2


async def test_without_a_unit_no_group_chat_is_told(it, provider):
    """What concerns a person as such is nobody else's business."""
    await deliveries_make.address(K.wecom, "aaaa-bbbb", unit=it.responsible)
    delivery = await planned(it.handler, K.wecom, unit=None)
    assert await lanes() == 0 and await story(delivery) == ("lapsed", [])
    other = await planned(it.handler, K.wecom, unit=it.lead_unit)
    assert await lanes() == 0 and await story(other) == ("lapsed", [])


async def test_any_browser_that_is_reached_is_enough_and_one_that_is_gone_is_forgotten(it, provider):
    tabs = [Browser(), Browser()]
    for place, browser in enumerate(tabs):
        await deliveries_make.address(
            K.web_push, f"{provider.url}/push/{place}", person=it.handler, secret=json.dumps(browser.keys)
        )
    provider.answers = [(410, {}, {}), (201, {}, {})]
    delivery = await planned(it.handler, K.web_push)
    await lanes()
    state, attempts = await story(delivery)
    assert state == "sent" and sorted(attempts) == ["web_push:sent", "web_push:unknown_address"]
    (left,) = await raw("SELECT count(*) AS n FROM channel WHERE removed_at IS NULL")
    assert left["n"] == 1


async def test_what_has_nothing_left_to_say_or_nobody_to_say_it_to_is_not_sent(it, provider):
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)

    async def nothing(notices):
        return {}

    read = await planned(it.handler, K.sms)
    await jobs.run_lane(K.sms, (nothing,))
    assert await story(read) == ("lapsed", [])
    gone = await planned(it.handler, K.sms)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.handler.person)
    await lanes()
    assert await story(gone) == ("gave_up", ["sms:no_address"])
    assert provider.asked == []


async def test_a_notice_that_nobody_can_put_in_words_stops_no_other(it, provider):
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    bad = uuid7()

    async def words_but_for_one(notices):
        if bad in notices:
            raise KeyError("a bug")
        return await deliveries_make.words_of(notices)

    broken, good = await planned(it.handler, K.sms, notice=bad), await planned(it.handler, K.sms)
    await jobs.run_lane(K.sms, (words_but_for_one,))
    assert await story(good) == ("sent", ["sms:sent"])
    assert await story(broken) == ("waiting", ["sms:failed"])  # tried again, and given up like anything that fails


async def test_after_a_day_it_is_given_up_whatever_is_in_the_way(it, provider):
    provider.answers = [(503, {}, {"Retry-After": "600"})]
    await deliveries_make.address(K.sms, "13904130077", person=it.handler)
    delivery, began = await planned(it.handler, K.sms), clock.now()
    for hours in range(0, 26):
        with clock.frozen(began + timedelta(hours=hours)):
            await lanes()
    state, attempts = await story(delivery)
    assert state == "gave_up" and set(attempts) <= {"sms:failed", "sms:down"}
    assert await jobs.queries.failed(began) == 1
    assert await jobs.queries.failed(began + timedelta(days=2)) == 0
