"""Finding a photo that was handed in before by its looks: a band of one part the same, and at most ten bits apart."""

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
from backend.evidence import jobs, reuse
from backend.evidence.looks import COUNT, NEAR, NOTHING, PARTS, looks
from backend.evidence.reuse import Found, Near
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


def turned(made: random.Random, look: int, bits: int, bands: Sequence[int] = range(4)) -> int:
    """The look with so many of its bits turned, in these bands alone."""
    value = look % 2**64
    for at in made.sample([16 * band + bit for band in bands for bit in range(16)], bits):
        value ^= 1 << at
    return value - 2**64 if value >> 63 else value


async def near(photo: UUID, *others: UUID) -> list[Near]:
    """What is near a photo, the nearest first."""
    found = (await reuse.near({photo: others})).get(photo, Found()).near
    return sorted(found.values(), key=lambda near: (near.bits, -near.evidence.int))


async def nearest(photo: UUID) -> list[UUID]:
    return [found.evidence for found in await near(photo)]


async def test_a_look_is_found_up_to_three_bits_away_wherever_they_are(sender, made) -> None:
    """Of four bands one must be the same then."""
    photos: list[list[int]] = []
    for _ in range(60):
        photos += [mine := any_looks(made)]
        for bits in range(4):
            part, other = made.randrange(len(PARTS)), any_looks(made)
            other[part] = turned(made, mine[part], bits)
            other[len(PARTS) :] = mine[len(PARTS) :]
            photos.append(other)
    ids = await handed_in(sender, *photos)
    for at in range(0, len(ids), 5):
        assert await near(ids[at]) == [Near(ids[at + 1 + bits], bits) for bits in range(4)]


async def test_a_look_with_one_band_the_same_is_found_up_to_ten_bits_away_and_never_beyond(sender, made) -> None:
    mine = any_looks(made)
    same = made.randrange(4)
    rest = [band for band in range(4) if band != same]
    others = [
        [turned(made, mine[0], bits, rest), *any_looks(made)[1 : len(PARTS)], *mine[len(PARTS) :]]
        for bits in range(4, NEAR + 4)
    ]
    asked, *ids = await handed_in(sender, mine, *others)
    assert await near(asked) == [Near(ids[bits - 4], bits) for bits in range(4, NEAR + 1)]


async def test_a_look_without_a_band_the_same_is_not_found(sender, made) -> None:
    """What the index cannot lead to: a bit in each of the four bands, in every part."""
    mine = any_looks(made)
    other = [look ^ 0x0001_0001_0001_0001 for look in mine[: len(PARTS)]]
    (asked,) = await handed_in(sender, mine)
    (apart,) = await handed_in(sender, [*other, *mine[len(PARTS) :]])
    assert await near(asked) == []
    assert await near(asked, apart) == [Near(apart, 4)]


async def test_looks_of_different_parts_are_not_compared(sender, made) -> None:
    mine = any_looks(made)
    asked, _ = await handed_in(sender, mine, [*mine[1 : len(PARTS)], mine[0], *mine[len(PARTS) :]])
    assert await near(asked) == []


async def test_what_differs_piece_by_piece_is_not_near(sender, made) -> None:
    mine = any_looks(made)
    other = [*mine[: len(PARTS)], *(turned(made, look, 14) for look in mine[len(PARTS) :])]
    blank = [*mine[: len(PARTS)], *[NOTHING] * TILES]
    asked, _, unknown = await handed_in(sender, mine, other, blank)
    assert await nearest(asked) == [unknown]


async def test_the_same_bytes_are_not_told_again(sender, made) -> None:
    """Those are found by their hash, by the trust report."""
    mine = any_looks(made)
    first, second = await handed_in(sender, mine, mine, sha256="ef" * 32)
    assert await near(first) == []
    assert await near(first, second) == [Near(second, 0)]


async def test_a_flat_picture_is_near_nothing(sender) -> None:
    sky = looks(Image.new("RGB", (64, 48), "skyblue"))
    first, _ = await handed_in(sender, sky, sky)
    assert await near(first) == []
    assert (await raw("SELECT count(*) AS n FROM evidence_look"))[0]["n"] == 0


async def test_a_file_that_is_not_there_or_not_read_is_near_nothing(sender) -> None:
    (unread,) = await handed_in(sender, None)
    assert await near(unread) == [] == await near(uuid7())


async def test_of_many_the_nearest_are_told_and_the_newest_of_them_first(sender, made) -> None:
    mine = any_looks(made)
    like = [[turned(made, look, 2) for look in mine[: len(PARTS)]] + mine[len(PARTS) :] for _ in range(4)]
    ids = await handed_in(sender, mine, *like, *[mine] * (reuse.MOST - 2))
    found = await nearest(ids[0])
    assert len(found) == reuse.MOST
    assert found == [*sorted(ids[5:], reverse=True), *sorted(ids[1:5], reverse=True)[:2]]


async def test_that_there_are_more_than_are_told_is_said(sender, made) -> None:
    mine = any_looks(made)
    ids = await handed_in(sender, *[mine] * (reuse.MOST + 1))
    assert (await reuse.near({ids[0]: ()}))[ids[0]].beyond is None
    (more,) = await handed_in(sender, mine)
    found = (await reuse.near({ids[0]: ()}))[ids[0]]
    assert (found.beyond, len(found.near)) == (reuse.MOST, reuse.MOST) and more in found.near
    # As if one of them were not there: the rest are all.
    without = (await reuse.near({ids[0]: ()}, [more]))[ids[0]]
    assert without.beyond is None and without.near.keys() == {*ids[1:]}


async def test_all_that_stands_in_the_way_is_named_at_once(sender, made) -> None:
    """Not fifty at a time: who may know of none of them has the search made anew without them."""
    mine = any_looks(made)
    file, *others = await handed_in(sender, *[mine] * (2 * reuse.MOST))
    assert (await reuse.near({file: ()}))[file].met == {*others}


async def test_that_a_band_was_cut_is_said_though_the_tiles_tell_all_of_it_apart(sender, made) -> None:
    """A form that was photographed very often, filled in otherwise each time."""
    mine = any_looks(made)
    filled = [
        [mine[0], *any_looks(made)[1 : len(PARTS)], *(turned(made, look, 14) for look in mine[len(PARTS) :])]
        for _ in range(reuse.MOST_SEEN)
    ]
    ids = await handed_in(sender, mine, *filled)
    assert ids[0] not in await reuse.near({ids[0]: ()})
    (one,) = await handed_in(sender, mine)
    found = (await reuse.near({ids[0]: ()}))[ids[0]]
    assert found.beyond == reuse.MOST_SEEN and len(found.met) > reuse.MOST_SEEN
    assert {*found.near} <= {one}


async def test_looks_that_change_are_searched_by_as_they_are_now(sender, made) -> None:
    old, new = any_looks(made), any_looks(made)
    asked, changed = await handed_in(sender, new, old)
    assert await near(asked) == []
    await raw("UPDATE evidence_reading SET looks = $1 WHERE evidence = $2", new, changed)
    assert await nearest(asked) == [changed]


async def test_photos_from_before_are_compared_with_one_from_after(sender, made) -> None:
    mine = any_looks(made)
    changed = [turned(made, mine[0], 3), *any_looks(made)[1 : len(PARTS)], *mine[len(PARTS) :]]
    after, edited_one, other = await handed_in(sender, mine, changed, any_looks(made))
    assert await near(after, edited_one, other, after) == [Near(edited_one, 3)]


async def test_an_edited_photo_leads_to_its_original(sender) -> None:
    originals = [photo(kind, 0).resize((320, 240)) for kind in KINDS]
    ids = await handed_in(sender, *map(looks, originals))
    for name in ("re-compressed", "our caption bar", "camera's watermark", "screenshot", "several of them"):
        copies = await handed_in(sender, *(looks(edited(name, image, at)) for at, image in enumerate(originals)))
        hits = [original in await nearest(copy) for original, copy in zip(ids, copies, strict=True)]
        assert sum(hits) >= 8, name


async def test_each_band_is_asked_in_its_index_and_each_find_alone(sender, made) -> None:
    """Also by a plan that is made for any photo."""
    await handed_in(sender, *(any_looks(made) for _ in range(3)))
    await raw("ANALYZE evidence_look, evidence_reading, evidence")
    async with transaction():
        await raw("SET LOCAL enable_seqscan = off")
        await raw("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await raw(f"EXPLAIN {reuse._ANYWHERE}", "[]", []))
    assert [f"evidence_look_band_{at}" in plan for at in range(4)] == [True] * 4
    assert plan.count("hashed SubPlan") == 4, plan  # what is left out is not gone through for each find
    assert "evidence_reading_pkey" in plan and "evidence_pkey" in plan and "Join" not in plan, plan


async def test_many_photos_are_looked_for_at_once_as_each_is_alone(sender, made) -> None:
    photos: list[list[int] | None] = [None, [NOTHING] * COUNT]
    for bits in (0, 1, 2, 3):
        photos += [
            mine := any_looks(made),
            [turned(made, look, bits) for look in mine[: len(PARTS)]] + mine[len(PARTS) :],
        ]
    ids = await handed_in(sender, *photos)
    alone = {id: {near.evidence: near for near in await near(id)} for id in ids}
    together = await reuse.near(dict.fromkeys(ids, ()))
    assert {id: found.near for id, found in together.items()} == {id: near for id, near in alone.items() if near}
    assert sum(map(len, alone.values())) == 8


async def test_what_is_named_is_found_among_however_many_are_alike(sender, made) -> None:
    mine = any_looks(made)
    first = min(await handed_in(sender, *([mine] * (reuse.MOST + 20))))
    (last,) = await handed_in(sender, mine)
    assert first not in (await reuse.near({last: ()}))[last].near
    assert first in (await reuse.near({last: [first]}))[last].near


async def test_a_photo_that_comes_in_edited_leads_to_the_one_before(client, noon) -> None:
    """The whole way: two uploads, the gate's child, the reading, the trigger, the search."""
    it = await make.cast()
    original, strange = photo("village", 3), photo("board", 3)
    ids = [
        await stored(client, it, jpeg(image)) for image in (original, edited("several of them", original, 3), strange)
    ]
    for id in ids:
        await jobs.prepare(id)
    assert [await nearest(id) for id in ids] == [[ids[1]], [ids[0]], []]


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
