"""A wait in vain says what it was for and what was there instead."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.supervisor import Program, Supervisor
from tests.journeys.machine import Machine
from tests.waiting import eventually, until


async def stored() -> int:
    return 3


async def test_it_answers_as_soon_as_it_holds():
    answers = iter([0, 0, 7])
    assert await eventually(lambda: next(answers), pause=0) == 7
    assert await eventually(stored, lambda n: n == 3) == 3


async def test_in_vain_it_tells_the_question_the_condition_and_the_last_answer():
    with pytest.raises(AssertionError) as told:
        await eventually(stored, lambda n: n > 4, within=0, more=lambda: "the worker is dead")
    said = str(told.value)
    assert "for stored to hold" in said and "n > 4" in said and "the last answer was 3" in said
    assert "the worker is dead" in said
    with pytest.raises(AssertionError, match=r"for `.*\[\].*`; the last answer was \[\]"):
        until(lambda: [], within=0)


def test_a_machine_tells_who_is_dead_and_what_each_said_last(tmp_path: Path):
    keeper, log = Supervisor(tmp_path), tmp_path / "web.log"
    child = keeper.start(Program("web", ("/bin/sh", "-c", "echo no room; exit 3"), log=log))
    keeper.start(Program("worker", ("sleep", "100")))
    try:
        until(child.process.poll, lambda code: code is not None)
        machine: Any = SimpleNamespace(supervisor=keeper)
        said = Machine.told(machine)
        assert "web: dead, exit code 3" in said and "worker: runs" in said and "── web.log ──\nno room" in said
    finally:
        keeper.stop()
