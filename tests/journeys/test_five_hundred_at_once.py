"""Five hundred drafts issued in one request by the real worker, killed in the middle, with and without its queue."""

import httpx

from backend.db import raw
from tests import make
from tests.batches_make import body, drafts
from tests.journeys.conftest import Process
from tests.journeys.test_from_visit_to_close_out import device
from tests.waiting import eventually

COUNT = 500


async def test_a_worker_killed_in_the_middle_issues_every_item_exactly_once(
    http: httpx.AsyncClient, worker: Process, queue: Process
):
    it = await make.cast()
    ids = await drafts(it, COUNT)
    zhou, zhao = await device(http, it.staff), await device(http, it.handler)
    wanted = body("issue", ids, content={"asks": "入冬前完成。"})
    told = await zhou.post("/api/rectifications/batch", 202, **wanted)
    assert (told["state"], told["total"]) == ("running", COUNT)
    address = f"/api/rectifications/batches/{wanted['id']}"

    async def done() -> int:
        return (await zhou.get(address))["done"]

    for reached in (60, 270):  # killed at moments of its work, not of ours
        await eventually(done, lambda n, reached=reached: n >= reached)
        worker.kill()
        if reached == 60:
            queue.kill()  # the database alone is enough
        worker.start()
    queue.start()
    await eventually(done, lambda n: n == COUNT)

    await eventually(lambda: zhou.get(address), lambda told: told["state"] == "done")  # said after the last row
    rows = await raw("SELECT number FROM rectification WHERE id = ANY($1::uuid[])", ids)
    numbers = [int(row["number"][-4:]) for row in rows]
    assert sorted(numbers) == list(range(1, COUNT + 1))  # neither twice nor left out
    walked, cursor = [], ""
    while cursor is not None:
        page = await zhou.get(f"{address}?limit=100{cursor and f'&cursor={cursor}'}")
        walked, cursor = walked + page["items"], page["next"]
    assert [row["item"] for row in walked] == [str(id) for id in ids]
    assert [int(row["number"][-4:]) for row in walked] == list(range(1, COUNT + 1))  # and in their order
    counts = await raw(
        "SELECT count(*) AS events, count(DISTINCT subject) AS items FROM event WHERE verb = 'rectification.issued'"
    )
    assert dict(counts[0]) == {"events": COUNT, "items": COUNT}

    async def told() -> int:
        return (await zhao.get("/api/notices"))["unread"]

    await eventually(told, lambda n: n == COUNT)
    inbox = (await zhou.get("/api/notices"))["items"]
    assert [notice["title"] for notice in inbox] == [f"批量办理完毕：办理 {COUNT} 项，成功 {COUNT}，未办 0"]
