"""Looking for a photo among a million by what it looks like, against a scan; and how many edited ones are found."""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import asyncpg
import msgspec
from PIL import Image

from backend import settings, up
from backend.evidence.looks import NEAR, NOTHING, PARTS, looks
from bench import _filing_scene as servers
from bench import _reuse_scene as scene
from bench._reuse_edits import EDITS, edited
from bench._reuse_photos import HARD, KINDS, photo

# The same question without an index: one pass over all looks.
SCAN = (
    "SELECT evidence, min(bit_count((look # ($1::bigint[])[part + 1])::bit(64))) FROM evidence_look "
    f"WHERE bit_count((look # ($1::bigint[])[part + 1])::bit(64)) <= {NEAR} GROUP BY evidence"
)
Row = tuple[str, list[int], list[list[int]]]  # kind, looks of the photo, looks of each edit
Asked = tuple[list[int], list[int], UUID | None]  # looks of the parts, of the tiles, and what must be found
NOBODY = UUID(int=0)
STRANGERS = 25  # of each kind
MANY = 10_000_000  # photos, for how crowded the bands are
SURE = 3  # bits that can be turned in a look, and one of its four bands is the same


@dataclass(slots=True)
class Figures:
    """Seconds of each lookup, and how many copies were not found."""

    strangers: list[float] = field(default_factory=list)
    copies: list[float] = field(default_factory=list)
    scans: list[float] = field(default_factory=list)
    missed: int = 0
    cpu: float = 0.0  # of the database's process, a lookup


def main(argv: list[str]) -> int:
    """Prints the figures. The database of the lookups stays, for the next run; --drop removes it."""
    wanted = _parser().parse_args(argv)
    name = f"duban_bench_reuse_{wanted.photos}"
    with _services():
        print(f"{asyncio.run(servers.durability())}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        if wanted.quality or wanted.real:
            made = _real(wanted.real) if wanted.real else _made(wanted.made)
            with scene.database(f"duban_bench_reuse_{os.getpid()}", keep=False):
                return asyncio.run(_quality(made))
        with scene.database(name, keep=not wanted.drop):
            return asyncio.run(_speed(wanted))


@contextmanager
def _services() -> Iterator[None]:
    """The database server and queue of the settings, or ones of our own under var/bench-reuse."""
    given = settings.load()
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(given.var / "bench-reuse")
    with up.services(settings.load()):
        yield


# ── how fast ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def _speed(wanted: argparse.Namespace) -> int:
    line = await scene.connected()
    if not await scene.is_loaded(line):
        print(f"loading {wanted.photos:,} photos; this is done once")
        began = time.perf_counter()
        await scene.load(line, wanted.photos)
        print(f"loaded in {time.perf_counter() - began:.0f} s")
    from backend import db  # only now: it takes the address of the database that is named by now

    await db.open_pool(most=1)
    try:
        await _print_sizes(line)
        asked = await _asked(line, wanted)
        for one in asked[:50]:  # prepared statements and caches, as on any day but the first
            await _near(one)
        _print_speed(await _lookups(line, asked, wanted.scans))
        await _print_entries(line, asked[:200])
        if wanted.plan:
            await _print_plan(line, asked[0])
    finally:
        await db.close_pool()
        await line.close()
    return 0


async def _asked(line: asyncpg.Connection, wanted: argparse.Namespace) -> list[Asked]:
    """Photos to look for: every other one an edited copy of one that is there, the rest strangers.

    Neither lent a band to the photos of the database, so both meet what photos that know nothing of each other would.
    """
    made = random.Random(7)
    rows = await line.fetch("SELECT evidence, looks FROM evidence_reading WHERE evidence <= $1", scene.LAST)
    own = [(row["looks"], row["evidence"]) for row in rows if any(row["looks"][: len(PARTS)])]
    strangers = await asyncio.to_thread(scene.made_up, scene.SEEDS + scene.OWN, STRANGERS)
    made.shuffle(own)
    made.shuffle(strangers)
    asked: list[Asked] = []
    for at in range(wanted.lookups // 2):
        seen, id = own[at % len(own)]
        parts = [look and _turned(made, look, made.randint(0, SURE)) for look in seen[: len(PARTS)]]
        asked.append((parts, seen[len(PARTS) :], id))
        unknown = strangers[at % len(strangers)]
        asked.append((unknown[: len(PARTS)], unknown[len(PARTS) :], None))
    return asked


def _turned(made: random.Random, look: int, bits: int) -> int:
    value = look % 2**64
    for at in made.sample(range(64), bits):
        value ^= 1 << at
    return value - 2**64 if value >> 63 else value


async def _near(asked: Asked) -> set[UUID]:
    from backend.evidence import reuse

    parts, tiles, _ = asked
    found = await reuse.alike([reuse.Photo(NOBODY, "", [*parts, *tiles])])
    return set(found[NOBODY].near) if found else set()


async def _lookups(line: asyncpg.Connection, asked: Sequence[Asked], scans: int) -> Figures:
    """Each in turn, a scan now and then between them."""
    from backend.db import planned

    it, server = Figures(), (await planned("SELECT pg_backend_pid() AS pid"))[0]["pid"]
    every = max(1, len(asked) // scans)
    used = servers.cpu_seconds(server)
    for at, one in enumerate(asked):
        began = time.perf_counter()
        found = await _near(one)
        (it.copies if one[2] else it.strangers).append(time.perf_counter() - began)
        if one[2] and one[2] not in found:
            it.missed += 1
        if at % every == 0:
            began = time.perf_counter()
            await line.fetch(SCAN, one[0])
            it.scans.append(time.perf_counter() - began)
    it.cpu = (servers.cpu_seconds(server) - used) / len(asked)
    return it


def _print_speed(it: Figures) -> None:
    for name, took in (("stranger", it.strangers), ("copy", it.copies)):
        p99 = quantiles(took, n=100)[98]
        print(f"{name:<9} median {median(took) * 1000:6.2f} ms   p99 {p99 * 1000:6.2f} ms   ({len(took)} lookups)")
    print(f"          processor time of the database {it.cpu * 1000:.2f} ms each")
    print(f"scan      median {median(it.scans) * 1000:6.0f} ms   ({len(it.scans)}, bit_count over every look)")
    print(f"ratio     1 : {median(it.scans) / median(it.strangers + it.copies):.0f}")
    print(f"missed    {it.missed} of {len(it.copies)} copies at most {SURE} bits away in each part")


async def _print_sizes(line: asyncpg.Connection) -> None:
    rows = await line.fetch(
        "SELECT relname, relkind, pg_relation_size(oid) AS size FROM pg_class "
        "WHERE relname LIKE 'evidence_look%' ORDER BY relname"
    )
    looks_there = await line.fetchval("SELECT count(*) FROM evidence_look")
    bands = sum(row["size"] for row in rows if "_band_" in row["relname"])
    rest = sum(row["size"] for row in rows) - bands
    print(f"{looks_there:,} looks; four indexes of bands {bands / 2**20:,.0f} MB, table and key {rest / 2**20:,.0f} MB")


async def _print_entries(line: asyncpg.Connection, asked: Sequence[Asked]) -> None:
    """How many entries of the indexes a lookup goes through: what it costs, whatever the machine is doing."""
    from backend.evidence import reuse

    of_band = " UNION ALL ".join(
        f"SELECT count(*) FROM evidence_look WHERE {reuse.band(at)} = {reuse.band(at, 'my.part', 'my.look')}"
        for at in range(4)
    )
    count = (
        "SELECT sum(count)::integer FROM unnest($1::smallint[], $2::bigint[]) AS my(part, look), "
        f"LATERAL ({of_band}) AS met WHERE my.look <> 0"
    )
    for name, of_one_sort in (("stranger", asked[1::2]), ("copy", asked[::2])):
        met = [await line.fetchval(count, list(range(len(PARTS))), it[0]) or 0 for it in of_one_sort]
        print(f"entries   {sum(met) / len(met):,.0f} met in the indexes by a {name}, the median {median(met):,.0f}")


async def _print_plan(line: asyncpg.Connection, asked: Asked) -> None:
    """What PostgreSQL does, and how many entries of the indexes it looks at."""
    from backend.evidence import reuse

    parts, tiles, _ = asked
    told = msgspec.json.encode([reuse._told(reuse.Photo(NOBODY, "", [*parts, *tiles]))]).decode()
    for row in await line.fetch(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {reuse._ANYWHERE}", told, []):
        print("   ", row[0][:200])


# ── how many are found ───────────────────────────────────────────────────────────────────────────────────────────


def _made(each: int) -> list[Row]:
    """So many made-up photos of each kind, each in every edit."""
    wanted = [(kind, number) for kind in KINDS for number in range(each)]
    with scene.workers() as pool:
        return pool.starmap(_made_up, wanted, chunksize=4)


def _made_up(kind: str, number: int) -> Row:
    image = photo(kind, number)
    return kind, looks(image), [looks(edited(name, image, number)) for name in EDITS]


def _real(folder: Path) -> list[Row]:
    """The pictures in a folder of one's own, as a phone's of 1600 px, each in every edit."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    with scene.workers() as pool:
        return pool.starmap(_taken, enumerate(paths))


def _taken(number: int, path: Path) -> Row:
    with Image.open(path) as file:
        file.thumbnail((1600, 1600))
        image = file.convert("RGB")
    return "real", looks(image), [looks(edited(name, image, number)) for name in EDITS]


async def _quality(made: Sequence[Row]) -> int:
    """Every edit is looked for, by the statement that is used, among all photos."""
    line = await scene.connected()
    ids = await scene.hand_in(line, [row[1] for row in made])
    from backend import db  # only now: it takes the address of the database that is named by now

    await db.open_pool(most=1)
    try:
        recall = {name: 0 for name in EDITS}
        false: list[tuple[int, int]] = []
        for at, (_, mine, copies) in enumerate(made):
            for name, copy in zip(["", *EDITS], [mine, *copies], strict=True):
                found = await _near((copy[: len(PARTS)], copy[len(PARTS) :], None))
                if name:
                    recall[name] += ids[at] in found
                false += [(at, ids.index(other)) for other in found if other != ids[at]]
        blind = sum(not any(mine[: len(PARTS)]) for _, mine, _ in made)
        _print_quality(recall, false, [kind for kind, _, _ in made], blind)
        print(f"crowding     {_met([mine for _, mine, _ in made], MANY):,.0f} entries met among {MANY:,} such photos")
    finally:
        await db.close_pool()
        await line.close()
    return 0


def _met(made: Sequence[list[int]], photos: int) -> float:
    """How many entries of the indexes a photo would meet among so many that are like these and independent of each
    other: from how many pairs of these have a band in common.
    """
    pairs = 0
    for part in range(len(PARTS)):
        for at in range(0, 64, 16):
            bands = Counter(mine[part] >> at & 0xFFFF for mine in made if mine[part] != NOTHING)
            pairs += sum(count * (count - 1) for count in bands.values())
    return pairs / len(made) / (len(made) - 1) * photos


def _print_quality(recall: dict[str, int], false: list[tuple[int, int]], kinds: Sequence[str], blind: int) -> None:
    photos = len(kinds)
    print(f"{photos:,} photos, {len(EDITS)} edits each; {blind} photos show too little to have a look")
    for name, found in recall.items():
        print(f"  {name:<30} {found / photos:7.1%}")
    print(f"  {'all edits':<30} {sum(recall.values()) / photos / len(recall):7.1%} found")
    pairs = photos * (len(EDITS) + 1) * (photos - 1)
    hard = sum(kinds[a] in HARD and kinds[b] in HARD for a, b in false)
    print(
        f"false pairs  {len(false):,} of {pairs:,}: {len(false) / pairs * 10_000:.3f} in 10,000; {hard} of hard kinds"
    )
    often = Counter((kinds[a], kinds[b]) for a, b in false).most_common(4)
    if often:
        print("             " + ", ".join(f"{a} for {b} {count}" for (a, b), count in often))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="duban bench reuse", description=__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000, help="in the database")
    parser.add_argument("--lookups", type=int, default=1_000)
    parser.add_argument("--scans", type=int, default=20)
    parser.add_argument("--plan", action="store_true", help="what PostgreSQL does for one lookup")
    parser.add_argument("--drop", action="store_true", help="remove the database at the end")
    parser.add_argument("--quality", action="store_true", help="how many edited photos are found, how many false pairs")
    parser.add_argument("--made", type=int, default=200, help="photos of each of ten kinds, with --quality")
    parser.add_argument("--real", type=Path, help="the same with the pictures of a folder of your own")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
