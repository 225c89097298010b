"""From a finding to a text message through the real worker, which is killed while the gateway thinks it over."""

from pathlib import Path

from backend.db import raw
from notifications.deliveries.rules import ChannelKind as K
from tests import deliveries_make, make
from tests.deliveries_make import story
from tests.journeys.conftest import a_worker
from tests.waiting import eventually

PHONE = "13904130077"


async def test_a_worker_killed_while_it_sends_sends_once_more_and_tells_nobody_the_number(
    queue, tmp_path: Path, fresh, monkeypatch
):
    with deliveries_make.provider() as gateway:
        monkeypatch.setenv("DUBAN_SEND", "sms")
        monkeypatch.setenv("DUBAN_SMS_URL", f"{gateway.url}/send")
        monkeypatch.setenv("DUBAN_PUBLIC_URL", "https://duban.example.gov.cn")
        gateway.answers = [60.0, (202, {}, {})]
        it = await make.cast()
        await deliveries_make.address(K.sms, PHONE, person=it.handler)
        await make.finding(it, danger_to_life=True)  # at any hour of the day
        with a_worker(queue, tmp_path) as worker:
            await eventually(lambda: len(gateway.asked), lambda n: n == 1)
            worker.kill()
            (delivery,) = await raw("SELECT id, state FROM delivery WHERE person = $1", it.handler.person)
            assert delivery["state"] == "sending"
            await raw("UPDATE delivery SET next_try_at = now() WHERE state = 'sending'")  # the lease is over
            worker.start()
            sent = ("sent", ["sms:lost", "sms:sent"])
            await eventually(lambda: story(delivery["id"]), lambda told: told == sent)
        log = (tmp_path / "worker.log").read_text()
    (item,) = await raw("SELECT id, number FROM rectification")
    said = gateway.asked[-1].json
    assert said["to"] == PHONE and item["number"] in said["message"]
    assert f"https://duban.example.gov.cn/phone/#/items/{item['id']}" in said["message"]
    assert len({asked.json["id"] for asked in gateway.asked}) == 1  # a gateway that knows the key sends one text
    assert PHONE not in log and item["number"] not in log
    others = await raw("SELECT state FROM delivery WHERE person <> $1", it.handler.person)
    assert {row["state"] for row in others} == {"lapsed"}  # they have no address
