"""Planning deliveries: many in one statement, once per notice and person, undone with whoever asked for them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.columns import uuid7
from backend.db import raw, transaction
from notifications.deliveries.commands import Planned, plan_many
from notifications.deliveries.rules import ChannelKind as K
from tests import deliveries_make, make


@pytest.fixture
async def it(fresh, noon):
    cast = await make.cast()
    for person in (cast.handler, cast.principal):
        for kind, text in ((K.sms, "13904130077"), (K.mail, "a@example.gov.cn"), (K.web_push, person.name)):
            await deliveries_make.address(kind, text, person=person)
    return cast


async def plan(*planned: Planned) -> int:
    async with transaction(joinable=True):
        return await plan_many(planned)


async def test_a_notice_is_on_its_way_to_a_person_once(it, noon):
    one = Planned(uuid7(), it.handler.person, (K.web_push, K.mail), noon, "normal")
    other = replace(one, person=it.principal.person, channels=(K.sms,), urgency="at_once", event=uuid7())
    assert await plan(one, other, one) == 2
    assert await plan(one, replace(one, channels=(K.sms,)), replace(one, notice=uuid7())) == 1
    rows = await raw("SELECT * FROM delivery WHERE notice = $1 ORDER BY channel", one.notice)
    told = [(row["person"], row["chain"], row["channel"], row["at_once"], row["event"], row["state"]) for row in rows]
    assert told == [
        (it.principal.person, ["sms"], "sms", True, other.event, "waiting"),
        (it.handler.person, ["web_push", "mail"], "web_push", False, None, "waiting"),
    ]
    assert {(row["due_at"], row["next_try_at"], row["tries"]) for row in rows} == {(noon, noon, 0)}


async def test_what_stays_in_the_app_is_no_delivery(it, noon):
    later = noon + timedelta(hours=9)
    only_app = Planned(uuid7(), it.handler.person, (K.in_app,), noon, "normal")
    also = Planned(uuid7(), it.handler.person, (K.in_app, K.mail, K.in_app, K.mail, K.sms), later, "normal")
    assert await plan(only_app) == 0
    assert await plan(only_app, also) == 1
    (row,) = await raw("SELECT notice, chain, next_try_at FROM delivery")
    assert (row["notice"], row["chain"], row["next_try_at"]) == (also.notice, ["mail", "sms"], later)


async def test_a_chain_begins_where_there_is_an_address_and_without_one_it_is_over(it, noon):
    """Most people have none at first: they are told in the app, and nothing is tried for them six times."""
    await deliveries_make.address(K.wecom, "aaaa-bbbb", unit=it.responsible)
    chain = (K.dingtalk, K.wecom, K.mail)
    told = [
        Planned(uuid7(), it.handler.person, chain, noon, "normal", unit=it.responsible),
        Planned(uuid7(), it.handler.person, chain, noon, "normal"),
        Planned(uuid7(), it.staff.person, chain, noon, "normal", unit=it.staff.home),
    ]
    assert await plan(*told) == 3
    rows = {row["notice"]: row for row in await raw("SELECT * FROM delivery")}
    assert [(rows[one.notice]["state"], rows[one.notice]["channel"]) for one in told] == [
        ("waiting", "wecom"), ("waiting", "mail"), ("lapsed", "dingtalk"),
    ]  # fmt: skip
    assert rows[told[2].notice]["ended_at"] == noon and {*rows[told[2].notice]["chain"]} == {*chain}


async def test_an_address_that_is_not_confirmed_refused_or_removed_is_none(it, noon):
    for stamp in ("confirmed_at = NULL", "confirmed_at = added_at, refused_at = added_at", "removed_at = added_at"):
        await raw(f"UPDATE channel SET {stamp} WHERE kind = 'mail'")
        one = Planned(uuid7(), it.handler.person, (K.mail,), noon, "normal")
        await plan(one)
        (row,) = await raw("SELECT state FROM delivery WHERE notice = $1", one.notice)
        assert row["state"] == "lapsed"
        await raw("UPDATE channel SET refused_at = NULL, removed_at = NULL, confirmed_at = added_at")


async def test_a_channel_that_is_not_connected_here_is_left_out(it, noon, monkeypatch):
    monkeypatch.setenv("DUBAN_SEND", "sms")
    monkeypatch.setenv("DUBAN_SMS_URL", "https://sms.example.org/send")
    one = Planned(uuid7(), it.handler.person, (K.web_push, K.mail, K.sms), noon, "normal")
    await plan(one)
    assert (await raw("SELECT channel FROM delivery"))[0]["channel"] == "sms"


async def test_who_plans_and_fails_has_planned_nothing(it, noon):
    with pytest.raises(ZeroDivisionError):
        async with transaction(joinable=True):
            await plan_many([Planned(uuid7(), it.handler.person, (K.mail,), noon, "normal")])
            raise ZeroDivisionError
    assert await raw("SELECT FROM delivery") == []
    with pytest.raises(RuntimeError):
        await plan_many([])


async def test_many_are_one_statement(it, noon):
    """A sweep hands over a hundred thousand reminders; here five thousand, to see that none is lost or doubled."""
    many = [Planned(uuid7(), it.handler.person, (K.web_push, K.mail), noon, "normal") for _ in range(5000)]
    assert (await plan(*many), await plan(*many)) == (5000, 0)
    assert (await raw("SELECT count(*) AS n FROM delivery"))[0]["n"] == 5000
