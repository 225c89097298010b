"""What goes into a case file: the item and its story as the API shows them to this person, and its photos by name."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.evidence import storage, stores
from backend.evidence.queries import EvidenceShape, arrived
from backend.evidence.rules import State
from backend.evidence.storage import Missing
from backend.roles import Actor
from tasks.rectifications import queries as rectifications
from tasks.rectifications import timeline
from tasks.rectifications.shapes import Detail, TimelineEntry


@dataclass(frozen=True, slots=True)
class Photo:
    """A declared file under the name it has in the case file."""

    name: str
    member: str
    file: EvidenceShape

    @property
    def shown(self) -> bool:
        """Whether there is a display copy."""
        return self.file.state == State.ready and self.file.media_type.photo


Copies = Mapping[str, Path]  # the display copies by the member they become, while copies() is open


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that came with one record, whose id this is: with the finding, a hand-in, an objection, a check …"""

    record: UUID
    title: str
    photos: tuple[Photo, ...]

    @property
    def pictures(self) -> tuple[Photo, ...]:
        """Those that can be printed."""
        return tuple(it for it in self.photos if it.file.media_type.photo)

    @property
    def others(self) -> tuple[Photo, ...]:
        """Recordings, films and papers: named by number and hash, never printed."""
        return tuple(it for it in self.photos if not it.file.media_type.photo)

    @property
    def count(self) -> str:
        """ "3 of 5 photos arrived", in the words of the office."""
        there, more = arrived(it.file for it in self.pictures), arrived(it.file for it in self.others)
        lost = sum(photo.file.state == State.refused for photo in self.photos)
        refused = f"，{lost} 张不能展示" if lost else ""
        others = f"；录音、录像、文件 {len(self.others)} 件，已送达 {more} 件" if self.others else ""
        return f"{self.title}照片 {len(self.pictures)} 张，已送达 {there} 张{refused}{others}"


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a case file is made of.

    `before` came with the item, `after` with its hand-ins, `other` with objections, checks, look-backs, reopenings.
    `as_of` is the latest step told, `taken_on` the legal day it is taken.
    """

    item: Detail
    steps: list[TimelineEntry]
    before: Batch
    after: tuple[Batch, ...]
    other: tuple[Batch, ...]
    unit_names: dict[UUID, str]
    taken_by: str
    taken_on: date
    as_of: datetime

    @property
    def number(self) -> str:
        return self.item.number or "未编号"

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Those that a person should be told of: empty ones only where photos belong."""
        return (self.before, *self.after, *(batch for batch in self.other if batch.photos))

    def photos(self) -> Iterator[Photo]:
        for batch in self.batches:
            yield from batch.photos

    def told(self) -> dict[str, Any]:
        """The item as the API shows it, without what the asking person could do next."""
        return {key: value for key, value in msgspec.to_builtins(self.item).items() if key != "moves"}

    def etag(self) -> str:
        """Changes with anything the file shows: the item, its story, its photos, who takes it, and the day."""
        content = [self.told(), self.steps, self.taken_by, self.taken_on, [photo.shown for photo in self.photos()]]
        return sha256(msgspec.json.encode(content)).hexdigest()[:32]


async def case(rectification: UUID, actor: Actor) -> Case:
    """The case as this person sees it. Raises NotFound outside the actor's sight."""
    item = await rectifications.detail(rectification, actor)
    steps = await timeline.whole(rectification, actor)
    found = item.finding
    named = [*found.responsible_units, *found.lead_units] if found else []
    rows = await raw("SELECT id, name FROM unit WHERE id = ANY($1::uuid[])", named)
    return Case(
        item=item,
        steps=steps,
        before=_batch(item.id, "整改前", "前", "before", found.evidence if found else item.evidence),
        after=tuple(
            _batch(it.id, f"第{place}次整改后", f"后{place}-", f"after-{place}", it.evidence)
            for place, it in enumerate(item.hand_ins, 1)
        ),
        other=tuple(_others(item)),
        unit_names={row["id"]: row["name"] for row in rows} | {part.unit: part.name for part in item.units},
        taken_by=actor.name,
        taken_on=clock.today(),
        as_of=max((step.at for step in steps), default=item.issued_at or clock.now()),
    )


@asynccontextmanager
async def copies(case: Case) -> AsyncIterator[Copies]:
    """Brings the display copies to hand; one that the store has lost is left out. Raises StoreAway, NoRoom."""
    async with AsyncExitStack() as held:
        found: dict[str, Path] = {}
        for photo in case.photos():
            with suppress(Missing):
                if photo.shown:
                    name = storage.derived("display", photo.file.id)
                    found[photo.member] = await held.enter_async_context(stores.store().local(name))
        yield found


def _others(item: Detail) -> Iterator[Batch]:
    kinds: list[tuple[str, str, str, list[Any]]] = [
        ("异议证明", "异", "objection", item.objections),
        ("现场核查", "核", "check", item.site_checks),
        ("回头看", "看", "look-back", item.look_backs),
        ("重开", "开", "reopening", item.reopenings),
    ]
    for title, name, member, records in kinds:
        for place, it in enumerate(records, 1):
            yield _batch(it.id, title, f"{name}{place}-", f"{member}-{place}", it.evidence)


def _batch(record: UUID, title: str, name: str, member: str, files: list[EvidenceShape]) -> Batch:
    photos = [Photo(f"{name}{place}", f"{member}-{place:02d}.jpg", file) for place, file in enumerate(files, 1)]
    return Batch(record, title, tuple(photos))
