"""The working-day calendar over HTTP: read by everybody, settled by the office, used for deadlines."""

from backend.db import raw
from backend.roles import SYSTEM
from inspections.findings.rules import ClosingClass
from tasks.rectifications import commands
from tasks.rectifications.item import Status
from tests import make

NEXT_WEDNESDAY = "/api/calendar/2026-11-25"


async def test_a_make_up_saturday_and_an_unpublished_year_are_told_apart(client, noon):
    headers = await make.signed_in((await make.cast()).handler)
    days = (await client.get("/api/calendar?from=2026-10-10&days=1", headers=headers)).json()["items"]
    later = (await client.get("/api/calendar?from=2027-03-01&days=1", headers=headers)).json()["items"]
    assert days == [{"day": "2026-10-10", "working": True, "certainty": "known"}]
    assert later == [{"day": "2027-03-01", "working": True, "certainty": "assumed"}]


async def test_the_office_settles_a_day_and_deadlines_follow(client, noon):
    it = await make.cast()
    body = {"working": False, "source": "抚政办〔2026〕9号"}
    refused = await client.put(NEXT_WEDNESDAY, json=body, headers=await make.signed_in(it.handler))
    assert make.problem(refused)["status"] == 403

    settled = await client.put(NEXT_WEDNESDAY, json=body, headers=await make.signed_in(it.staff))
    assert settled.status_code == 204
    item = await make.rectification(it, Status.draft, closing_class=ClosingClass.fix_now)
    await commands.issue(item, SYSTEM)
    due = (await raw("SELECT due_on FROM rectification WHERE id = $1", item))[0]["due_on"]
    assert due.isoformat() == "2026-11-30"  # three working days after Tuesday the 24th, Wednesday being free


async def test_a_stretch_without_a_start_is_malformed(client, noon):
    headers = await make.signed_in((await make.cast()).handler)
    assert make.problem(await client.get("/api/calendar", headers=headers))["status"] == 400
