"""Checklists for tests: a version with three questions, in force and on the visit unless a test says otherwise."""

from datetime import date
from typing import Any
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from inspections.checklists import commands
from inspections.checklists.commands import Reply
from inspections.checklists.rules import Conformity, Content, Question
from tests import make
from tests.make import Cast

QUESTIONS = (
    Question("S1", "水龙头能正常出水吗？", "当场打开看。", "0304", True, False),
    Question("S2", "公示了水质检测结果吗？", "", "0304", False, True),
    Question("S3", "管水员到岗吗？", "", "0304", False, True),
)


def content(**said: Any) -> Content:
    given: dict[str, Any] = {
        "title": "饮水安全核查", "topic": "0304", "paper": "抚扶贫发〔2020〕4号", "clause": "十一.1",
        "valid_from": date(2026, 1, 1), "valid_to": None, "required": False, "questions": QUESTIONS,
    }  # fmt: skip
    return Content(**(given | said))


async def version(
    it: Cast, *, adopted: bool = True, code: str = "YS-01", region: str = make.FUSHUN, **said: Any
) -> UUID:
    id = uuid7()
    await commands.draft(id, it.staff, content(**said), region=region, code=code)
    if adopted:
        await commands.adopt(id, it.boss)
    return id


async def checklist_of(version: UUID) -> UUID:
    return (await raw("SELECT checklist FROM checklist_version WHERE id = $1", version))[0]["checklist"]


async def on_visit(it: Cast, **said: Any) -> UUID:
    """A version in force that the cast's visit answers."""
    id = await version(it, **said)
    await commands.choose(it.visit, it.staff, named={await checklist_of(id)}, topics=())
    return id


def body(question: str = "S1", answer: str = "passes", **said: Any) -> dict[str, Any]:
    """An answer as a phone sends it, every field said."""
    given = {"phone_at": "2026-11-24T11:58:00+08:00", "note": "", "finding": None, "seen": None}
    return {"question": question, "answer": answer, **given, **said}


def reply(question: str = "S1", answer: Conformity = Conformity.passes, **said: Any) -> Reply:
    given: dict[str, Any] = {"note": "", "finding": None, "seen": None, "phone_at": clock.now()}
    return Reply(question, answer, **(given | said))
