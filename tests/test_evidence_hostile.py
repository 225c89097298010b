"""Hundreds of damaged photos, bombs and files that are two things: each is answered, none costs more than allowed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.evidence import format, gate_pool
from backend.evidence.gate import Limits, Prepared, Refused
from tests import hostile_mutants as hostile
from tests.test_evidence_gate import Bench

# Seconds. The limit stops a child at the kernel's next look, which a host busy elsewhere puts off; a second later it is
# killed in any case.
MOST_CPU = Limits().cpu + 1
PATIENCE = 120.0  # seconds for a child that has to wait for others: its processor time is what counts
MOST_MEMORY = 700 * 2**20


class Tally:
    """What became of the files, and the most that one of them cost."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.cpu, self.memory = 0.0, 0

    def add(self, name: str, made: Prepared | Refused) -> None:
        assert isinstance(made, Prepared | Refused)
        assert not (isinstance(made, Refused) and made.try_again), name  # the photo's doing, not the machine's
        assert made.cost.cpu <= MOST_CPU and made.cost.memory <= MOST_MEMORY, (name, made.cost)
        self.answers["prepared" if isinstance(made, Prepared) else made.code] += 1
        self.cpu, self.memory = max(self.cpu, made.cost.cpu), max(self.memory, made.cost.memory)

    def __str__(self) -> str:
        most = f"at most {self.cpu:.2f} s of processor time and {self.memory // 2**20} MB"
        return f"{sum(self.answers.values())} files, {most}; {dict(self.answers.most_common())}"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def prepared(folder: Path, numbers: Iterator[int], tally: Tally) -> None:
    bench = Bench(folder)
    for number in numbers:
        tally.add(f"mutant {number}", await bench.prepare(hostile.mutant(number)[1], wall=PATIENCE))


async def test_five_hundred_damaged_photos_are_answered_and_the_gate_stands(tmp_path, record_property):
    gate_pool.close()  # a new server: it takes a thousand photos
    tally, numbers = Tally(), iter(range(500))
    await Bench(tmp_path).prepare(hostile.bases()[0][1])
    server = gate_pool.server_pid()
    async with asyncio.TaskGroup() as lanes:
        for lane in range(3):
            (folder := tmp_path / str(lane)).mkdir()
            lanes.create_task(prepared(folder, numbers, tally))
    assert gate_pool.server_pid() == server
    assert sum(tally.answers.values()) == 500 and 50 < tally.answers["prepared"] < 450, tally
    record_property("damaged photos", str(tally))


@pytest.mark.parametrize("name", hostile.BOMBS)
async def test_a_bomb_costs_no_more_than_allowed(bench, name):
    content, tally = hostile.BOMBS[name][1](), Tally()
    assert len(content) < 12 * 2**20
    tally.add(name, await bench.prepare(content, wall=PATIENCE))


@pytest.mark.parametrize("name", hostile.POLYGLOTS)
async def test_what_a_picture_is_besides_does_not_reach_its_copies(bench, name):
    content = hostile.POLYGLOTS[name]
    assert b"canary" in content
    made = await bench.prepare(content)
    assert isinstance(made, Prepared), made
    for copy in (bench.display, bench.thumbnail):
        if copy.exists():
            assert b"canary" not in copy.read_bytes()


def test_the_door_answers_every_damaged_photo_without_decoding(tmp_path):
    """What the first bytes and segments tell: a picture of a bounded size, or a refusal with a sentence."""
    told: Counter[str] = Counter()
    for number in range(600):
        path = tmp_path / "o"
        path.write_bytes(hostile.mutant(number)[1])
        try:
            picture = format.inspect(path)
            assert 0 < picture.width * picture.height <= format.MOST_PIXELS
            told["let in"] += 1
        except format.Incomplete as refused:
            assert refused.code in format.SENTENCES
            told[refused.code] += 1
    assert told["let in"] > 150 and told[format.BROKEN_IMAGE] > 50, told
