"""Finding a photo that was handed in before: by its bytes, and by its looks within seven of 64 bits, never beyond."""

import io
import random
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from backend import clock
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.evidence import jobs, reuse, reuse_many
from backend.evidence.looks import COUNT, NOTHING, PARTS, looks
from bench._reuse_edits import edited
from bench._reuse_photos import KINDS, photo
from tests import make
from tests.stores_make import stored

TILES = COUNT - len(PARTS)


@pytest.fixture
async def sender(fresh) -> UUID:
    who = await make.person("张三")
    assert who.person
    return who.person


@pytest.fixture
def made() -> random.Random:
    return random.Random(11)


async def handed_in(sender: UUID, *photos: Sequence[int] | None, sha256: str = "", state: str = "ready") -> list[UUID]:
    """Photos with these looks; None for one that nobody has read yet. Bytes of their own unless a hash is given."""
    ids = [uuid7() for _ in photos]
    now = clock.now().isoformat()
    rows = [
        {"id": id, "sha256": sha256 or id.hex * 2, "size": 1, "media_type": "image/jpeg", "source": "camera",
         "declared_by": sender, "declared_at": now, "state": state, "tries": 0}
        for id in ids
    ]  # fmt: skip
    await insert("evidence", rows)
    readings = [
        {"evidence": id, "looks": list(seen), "traces": [], "read_at": now}
        for id, seen in zip(ids, photos, strict=True)
        if seen is not None
    ]
    await raw(
        "INSERT INTO evidence_reading SELECT * FROM json_populate_recordset(NULL::evidence_reading, $1)",
        msgspec.json.encode(readings).decode(),
    )
    return ids


def any_look(made: random.Random) -> int:
    return made.getrandbits(64) - 2**63 or 1


def any_looks(made: random.Random) -> list[int]:
    return [any_look(made) for _ in range(COUNT)]


def turned(made: random.Random, look: int, bits: int) -> int:
    """The look with so many of its bits turned."""
    value = look % 2**64
    for at in made.sample(range(64), bits):
        value ^= 1 << at
    return value - 2**64 if value >> 63 else value


async def test_a_look_is_found_up_to_seven_bits_away_and_never_beyond(sender, made) -> None:
    photos: list[list[int]] = []
    for _ in range(60):
        photos += [mine := any_looks(made)]
        for bits in range(12):
            part, other = made.randrange(len(PARTS)), any_looks(made)
            other[part] = turned(made, mine[part], bits)
            other[len(PARTS) :] = mine[len(PARTS) :]
            photos.append(other)
    ids = await handed_in(sender, *photos)
    for at in range(0, len(ids), 13):
        found = await reuse.find(ids[at])
        assert [(near.evidence, near.bits) for near in found.near] == [(ids[at + 1 + bits], bits) for bits in range(8)]
        assert found.exact == []


async def test_every_way_to_turn_bits_in_one_band_is_found(sender, made) -> None:
    """Seven bits in one band, and two in each of three and one in the fourth: the hardest for an index of bands."""
    mine = any_looks(made)
    for spread in ((7, 0, 0, 0), (0, 0, 7, 0), (2, 2, 2, 1), (1, 2, 2, 2), (2, 1, 2, 2), (3, 2, 1, 1)):
        value = mine[0] % 2**64
        for band, bits in enumerate(spread):
            for at in made.sample(range(16), bits):
                value ^= 1 << 16 * band + at
        other = [value - 2**64 if value >> 63 else value, any_look(made), any_look(made), *mine[len(PARTS) :]]
        asked, like = await handed_in(sender, mine, other)
        found = (await reuse.find(asked)).near
        assert like in {near.evidence for near in found}, spread


async def test_looks_of_different_parts_are_not_compared(sender, made) -> None:
    mine = any_looks(made)
    asked, _ = await handed_in(sender, mine, [mine[1], mine[2], mine[0], *mine[len(PARTS) :]])
    assert (await reuse.find(asked)).near == []


async def test_what_differs_piece_by_piece_is_not_near(sender, made) -> None:
    mine = any_looks(made)
    other = [*mine[: len(PARTS)], *(turned(made, look, 14) for look in mine[len(PARTS) :])]
    blank = [*mine[: len(PARTS)], *[NOTHING] * TILES]
    asked, _, unknown = await handed_in(sender, mine, other, blank)
    assert [near.evidence for near in (await reuse.find(asked)).near] == [unknown]


async def test_the_same_bytes_are_found_whatever_they_are(sender, made) -> None:
    same = "ab" * 32
    first, second = await handed_in(sender, any_looks(made), None, sha256=same)
    (refused,) = await handed_in(sender, None, sha256=same, state="refused")
    (received,) = await handed_in(sender, None, sha256=same, state="received")
    await handed_in(sender, any_looks(made), None)
    assert set((await reuse.find(second)).exact) == {first, received}
    assert set((await reuse.find(refused)).exact) == {first, second, received}


async def test_bytes_that_were_only_promised_are_not_found(sender) -> None:
    (sent,) = await handed_in(sender, None, sha256="cd" * 32)
    await handed_in(sender, None, sha256="cd" * 32, state="declared")
    assert await reuse.find(sent) == reuse.Reuse([], [])


async def test_the_same_bytes_are_told_once(sender, made) -> None:
    mine = any_looks(made)
    first, second = await handed_in(sender, mine, mine, sha256="ef" * 32)
    assert await reuse.find(first) == reuse.Reuse([second], [])


async def test_a_flat_picture_is_near_nothing(sender) -> None:
    sky = looks(Image.new("RGB", (64, 48), "skyblue"))
    first, _ = await handed_in(sender, sky, sky)
    assert await reuse.find(first) == reuse.Reuse([], [])
    assert (await raw("SELECT count(*) AS n FROM evidence_look"))[0]["n"] == 0


async def test_a_file_that_is_not_there_or_not_read_is_near_nothing(sender) -> None:
    (unread,) = await handed_in(sender, None)
    assert await reuse.find(unread) == reuse.Reuse([], [])
    assert await reuse.find(uuid7()) == reuse.Reuse([], [])


async def test_of_many_the_nearest_are_told_and_the_newest_of_them_first(sender, made) -> None:
    mine = any_looks(made)
    far = [[turned(made, mine[0], 5), *mine[1:]] for _ in range(4)]
    ids = await handed_in(sender, mine, *[mine] * (reuse.MOST - 2), *far)
    found = (await reuse.find(ids[0])).near
    assert len(found) == reuse.MOST
    assert [near.evidence for near in found] == sorted(ids[1:], reverse=True)[: reuse.MOST]


async def test_looks_that_change_are_searched_by_as_they_are_now(sender, made) -> None:
    old, new = any_looks(made), any_looks(made)
    asked, changed = await handed_in(sender, new, old)
    assert (await reuse.find(asked)).near == []
    await raw("UPDATE evidence_reading SET looks = $1 WHERE evidence = $2", new, changed)
    assert [near.evidence for near in (await reuse.find(asked)).near] == [changed]


async def test_photos_from_before_are_compared_with_one_from_after(sender, made) -> None:
    mine = any_looks(made)
    after, edited_one, other = await handed_in(
        sender, mine, [turned(made, mine[0], 3), *any_looks(made)[1:3], *mine[3:]], any_looks(made)
    )
    (same,) = await handed_in(sender, mine, sha256=after.hex * 2)
    found = await reuse.among(after, [edited_one, other, same, after])
    assert found == reuse.Reuse([same], [reuse.Near(edited_one, 3)])
    assert await reuse.among(after, []) == reuse.Reuse([], [])


async def test_an_edited_photo_leads_to_its_original(sender) -> None:
    originals = [photo(kind, 0).resize((320, 240)) for kind in KINDS]
    ids = await handed_in(sender, *map(looks, originals))
    for name in ("re-compressed", "our caption bar", "camera's watermark", "screenshot", "several of them"):
        copies = await handed_in(sender, *(looks(edited(name, image, at)) for at, image in enumerate(originals)))
        found = [(await reuse.find(copy)).near for copy in copies]
        hits = [
            original in {near.evidence for near in near_ones} for original, near_ones in zip(ids, found, strict=True)
        ]
        assert sum(hits) >= 8, name


async def test_each_band_is_asked_in_its_index(sender, made) -> None:
    await handed_in(sender, *(any_looks(made) for _ in range(3)))
    asked = any_looks(made)
    arguments = [*reuse.probes(asked[:3]), asked[:3], uuid7(), asked[3:], ""]
    await raw("ANALYZE evidence_look")
    async with transaction():
        await raw("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await raw(f"EXPLAIN {reuse.NEARLY}", *arguments))
    assert [f"evidence_look_band_{at}" in plan for at in range(4)] == [True] * 4


async def test_many_photos_are_looked_for_at_once_as_each_is_alone(sender, made) -> None:
    photos: list[list[int] | None] = [None, [NOTHING] * COUNT]
    for bits in (0, 3, 7, 8):
        photos += [mine := any_looks(made), [turned(made, mine[0], bits), *mine[1:]]]
    ids = await handed_in(sender, *photos)
    alone = {id: {near.evidence: near for near in (await reuse.find(id)).near} for id in ids}
    assert await reuse_many.near(dict.fromkeys(ids, ())) == {id: near for id, near in alone.items() if near}
    assert sum(map(len, alone.values())) == 8  # within seven bits of one part, or the same in another


async def test_what_is_named_is_found_among_however_many_are_alike(sender, made) -> None:
    mine = any_looks(made)
    first = min(await handed_in(sender, *([mine] * (reuse.MOST + 20))))
    (last,) = await handed_in(sender, mine)
    assert first not in (await reuse_many.near({last: ()}))[last]
    assert first in (await reuse_many.near({last: [first]}))[last]


async def test_a_photo_that_comes_in_edited_leads_to_the_one_before(client, noon) -> None:
    """The whole way: two uploads, the gate's child, the reading, the trigger, the search."""
    it = await make.cast()
    original, strange = photo("village", 3), photo("board", 3)
    ids = [
        await stored(client, it, jpeg(image)) for image in (original, edited("several of them", original, 3), strange)
    ]
    for id in ids:
        await jobs.prepare(id)
    assert [near.evidence for near in (await reuse.find(ids[1])).near] == [ids[0]]
    assert [near.evidence for near in (await reuse.find(ids[0])).near] == [ids[1]]
    assert await reuse.find(ids[2]) == reuse.Reuse([], [])


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
