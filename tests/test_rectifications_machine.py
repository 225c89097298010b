"""Whatever is asked in whatever order: no step skipped, no closing without its proofs, one event per move (T5, G7)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backend import clock
from backend.db import raw
from tests import make
from tests.conftest import Tables, empty
from tests.rectification_proofs import complete
from tests.rectification_walk import Walk

STEPS = 128  # of a walk


class Numbers(list[int]):
    """The numbers of a walk; printed are those that do something, by their place."""

    def __repr__(self) -> str:
        return f"walk({ ({place: number for place, number in enumerate(self) if number}) })"


# A step is a number, and everything it does is drawn from it; 0 does nothing. So hypothesis takes steps out of a walk
# that failed until no more can go, and shows what is left.
walks = st.lists(st.integers(0, 2**32 - 1), min_size=STEPS, max_size=STEPS).map(Numbers)
walking = settings(
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[*HealthCheck],
)


@dataclass
class Tally:
    """What was walked by a test, all walks together."""

    steps: int = 0


@pytest.fixture
def tally(monkeypatch, capsys) -> Iterator[Tally]:
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "0")  # the walk turns it
    yield (counted := Tally())
    with capsys.disabled():
        print(f"\n{counted.steps} steps", end=" ")  # noqa: T201


async def walked(client, settle, tables: Tables, numbers: list[int], tally: Tally) -> None:
    await empty(tables)  # nobody of an earlier walk is told of this one, and hypothesis can repeat each alone
    make.forget()
    await make.region()
    await make.region(make.QINGYUAN)
    await make.topic()
    walk = await Walk.begun(client)
    for place, number in enumerate(numbers):
        if number:
            await walk.step(place << 32 | number)
            tally.steps += 1
    if not any(numbers):
        return
    await complete(walk.id)
    if numbers[0] % 4 == 0:  # whoever is told of it, is told: no reaction stumbles over any of these states
        with clock.frozen(walk.now):
            await settle()
        stuck = await raw("SELECT verb, last_error FROM outbox JOIN event ON event.id = event WHERE attempts > 0")
        assert not stuck, [tuple(row.values()) for row in stuck]
    await raw("DELETE FROM outbox")


@given(walks)
@settings(walking, max_examples=43, derandomize=True)
async def test_five_thousand_steps_of_anybody_at_anything(client, settle, tables, tally, numbers):
    """The same ones every time, so that who changes something else is not stopped by them."""
    await walked(client, settle, tables, numbers, tally)


@pytest.mark.long
@given(walks)
@settings(walking, max_examples=420)
async def test_fifty_thousand_steps_others_every_time(client, settle, tables, tally, numbers):
    await walked(client, settle, tables, numbers, tally)
