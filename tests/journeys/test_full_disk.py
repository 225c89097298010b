"""The disk of the photos is full: nothing is acknowledged that is not kept, and all of it goes through once there is
room.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from backend.columns import uuid7
from tests import calls, make, small_disk
from tests.evidence_proofs import declare, digest, not_stored, stored_once
from tests.fault_proxy import Fault, Kind, Network
from tests.journeys.conftest import Process, a_web_of
from tests.phones import OFFSET_STREAM, TUS, Phone, creation, photo

BYTES = 2_000_000
PHOTOS = 8  # together more than there is room for


@dataclass
class Small:
    """A web server on a small disk, and its evidence folder as that server sees it."""

    port: int
    folder: Path

    def make_room(self) -> None:
        (self.folder / "filler").unlink()


@pytest.fixture(params=small_disk.ways())
def small(request: pytest.FixtureRequest, queue: Process, tmp_path: Path, fresh: None) -> Iterator[Small]:
    folder = tmp_path / "evidence"
    folder.mkdir(mode=0o700)
    with a_web_of(queue, tmp_path, small_disk.command(request.param, folder), DUBAN_EVIDENCE=str(folder)) as web:
        assert web.child is not None
        seen = Path(f"/proc/{web.child.pid}/root{folder}")
        (seen / "filler").write_bytes(bytes(small_disk.FILLER))
        yield Small(int(web.env["DUBAN_PORT"]), seen)


class Sender:
    """How one of the phones sends: once, and then until it is acknowledged."""

    def __init__(self, phone: Phone, by_tus: bool) -> None:
        self.phone, self.by_tus, self.where = phone, by_tus, None

    async def once(self, id: UUID, content: bytes) -> httpx.Response:
        self.phone.fates = iter([Fault(Kind.slow)])  # so that all are under way when the disk becomes full
        if not self.by_tus:
            return await self.phone.ask("PUT", f"/api/evidence/{id}", content)
        made = await self.phone.ask("POST", "/api/uploads", None, **creation(id, len(content)))
        if made.status_code == 507:
            return made
        self.where = made.headers["location"]
        said = {"upload-offset": "0", "content-type": OFFSET_STREAM}
        return await self.phone.ask("PATCH", self.where, content, **TUS, **said)

    async def again(self, id: UUID, content: bytes) -> None:
        if self.by_tus:
            await self.phone.resume(id, content, where=self.where)
        else:
            await self.phone.put(id, content)


@pytest.mark.parametrize("by_tus", [False, True], ids=["PUT", "tus"])
async def test_what_finds_no_room_is_not_acknowledged_and_goes_through_later(small: Small, by_tus, record_property):
    it = await make.cast()
    headers = await make.signed_in(it.inspector)
    photos = {uuid7(): photo(number, BYTES) for number in range(PHOTOS + 1)}
    for id, content in photos.items():
        await declare(make.declaration(content, id=id), it.inspector)
    async with AsyncExitStack() as stack:
        senders: dict[UUID, Sender] = {}
        for id in photos:
            phone = Phone(await stack.enter_async_context(Network(small.port)), headers, pause=0.2)
            await stack.enter_async_context(phone.http)
            senders[id] = Sender(phone, by_tus)

        # One goes through. Then eight at once, each of which finds room when it begins.
        first, *others = photos
        assert (await senders[first].once(first, photos[first])).is_success
        answers = await asyncio.gather(*(senders[id].once(id, photos[id]) for id in others))
        stored = {first} | {id for id, answer in zip(others, answers, strict=True) if answer.is_success}
        refused = [answer for answer in answers if not answer.is_success]
        assert refused and {answer.status_code for answer in refused} == {507}
        assert all("稍后再传" in answer.json()["detail"] for answer in refused)
        await full_but_honest(
            small, it, senders[first].phone, {id: photos[id] for id in stored}, photos.keys() - stored
        )

        small.make_room()
        for id in others:
            await senders[id].again(id, photos[id])
    await stored_once(photos, small.folder)
    assert_no_torn_photo(small.folder)
    record_property("full disk", f"{len(refused)} of {PHOTOS} photos refused with 507, all stored later")


async def full_but_honest(
    small: Small, it: make.Cast, phone: Phone, stored: dict[UUID, bytes], missing: Iterable[UUID]
) -> None:
    """What was acknowledged is there; of the rest nothing that could be taken for a photo; records still come in."""
    await stored_once(stored, small.folder)
    await not_stored(missing)
    assert_no_torn_photo(small.folder)
    for id in missing:
        assert (await phone.ask("GET", f"/api/evidence/{id}/display")).status_code == 409
    finding = calls.finding_body(it, evidence=[], no_evidence_reason="夜间无法拍照。")
    filed = await phone.tell("PUT", f"/api/visits/{it.visit}/findings/{uuid7()}", finding)
    assert filed["declared"] == 0 and (await phone.ask("GET", "/readyz")).json()["ready"]


def assert_no_torn_photo(folder: Path) -> None:
    """What lies under a hash has that hash."""
    for path in (folder / "originals").rglob("*"):
        if path.is_file():
            assert digest(path.read_bytes()) == path.name
