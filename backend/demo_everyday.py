"""The demo's everyday beside the cases: who will be away, what was said about this program and what was answered."""

from datetime import timedelta

from backend.columns import uuid7
from backend.demo_cases import Case
from backend.demo_people import Cast
from backend.demo_steps import Days
from backend.feedback import commands as feedback
from backend.feedback.rules import Kind
from notifications.preferences import commands as absences

AHEAD, LONG = timedelta(days=10), timedelta(days=4)  # after the story: nobody stands in for anybody in it


async def away_and_said(cast: Cast, days: Days) -> Case:
    """One complaint answered, one suggestion that still waits, one deputy named."""
    zhao, qian, complaint = cast["zhao"], cast["qian"], uuid7()
    assert qian.person
    yield days.at(3, 10, 20)
    text = "同一张照片，进展报告里传过，申请销号时还要再选一次。"
    await feedback.give(zhao, [], id=complaint, kind=Kind.complaint, text=text, page="/items", app_version="")
    yield days.at(2, 15, 10)
    text = "进展报告不要求照片；申请销号只需整改后照片，已在表单里写明。"
    await feedback.answer(complaint, cast["zhou"], id=uuid7(), text=text)
    yield days.at(1, 16, 40)
    text = "希望清单能按乡镇筛选。"
    await feedback.give(zhao, [], id=uuid7(), kind=Kind.suggestion, text=text, page="/items", app_version="")
    yield days.at(1, 16, 50)
    away = (days.last + AHEAD, days.last + AHEAD + LONG)
    await absences.enter_absence(uuid7(), zhao, person=zhao.person, unit=None, deputy=qian.person, days=away)


CASES = (away_and_said,)
