"""What may happen to an item on its way: objections, extensions, checks, publicity, hanging, looking back."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from tasks.case_files import wording
from tasks.case_files.blocks import Block, gallery, rows, said
from tasks.case_files.queries import Case
from tasks.rectifications.procedures import Decided


def episodes(case: Case) -> list[Block]:
    """All of them in the order of their kinds, oldest first; nothing where nothing happened."""
    kinds = (objections, extensions, site_checks, publicity, hangings, look_backs, reopenings)
    return [block for kind in kinds for block in kind(case)]


def objections(case: Case) -> Iterator[Block]:
    for place, it in enumerate(case.item.objections, 1):
        yield "heading", f"异议（第 {place} 次）"
        yield from rows(
            [
                ("提出单位", it.unit_name),
                *_asked(it),
                ("理由", wording.GROUND[it.ground]),
                *_decided(it, wording.ANSWER[it.answer] if it.answer else ""),
                ("改派给", it.to_unit_name),
            ]
        )
        yield from _photos(case, it.id)


def extensions(case: Case) -> Iterator[Block]:
    for place, it in enumerate(case.item.extensions, 1):
        yield "heading", f"延期（第 {place} 次）"
        yield from rows(
            [
                ("申请单位", it.unit_name),
                *_asked(it),
                ("已完成", it.done_so_far),
                ("原期限", wording.day(it.due_before)),
                ("申请延至", wording.day(it.wanted_on)),
                *_decided(it, wording.GRANTED[it.answer] if it.answer else ""),
                ("准予延至", wording.day(it.granted_on)),
            ]
        )


def site_checks(case: Case) -> Iterator[Block]:
    for place, it in enumerate(case.item.site_checks, 1):
        yield "heading", f"现场核查（第 {place} 次）"
        yield from rows(
            [
                ("指派", _who(it.assigned_by_name, wording.moment(it.assigned_at))),
                ("要求", it.note),
                ("核查人员", "、".join(one.name + ("（到场）" if one.present else "") for one in it.checkers)),
                ("撤回", wording.moment(it.called_off_at)),
                ("结论", wording.CHECK_RESULT[it.result] if it.result else "尚未作出"),
                ("作出结论", _who(it.concluded_by_name, wording.moment(it.concluded_at))),
                ("情况", it.conclusion),
                ("距原地点", f"{it.distance_m:.0f} 米" if it.distance_m is not None else ""),
                ("不在原地点的原因", it.outside_reason),
                ("虚假整改", "是" if it.false_rectification else ""),
            ]
        )
        yield from _photos(case, it.id)


def publicity(case: Case) -> Iterator[Block]:
    for it in case.item.publicity:
        yield "heading", "公示"
        yield from rows(
            [
                ("公示人", _who(it.by_name, wording.moment(it.at))),
                ("公示期", f"{wording.day(it.starts_on)}至{wording.day(it.ends_on)}"),
            ]
        )
        yield from said("公示内容", it.text)
        for objection in it.objections:
            yield "heading", "公示异议"
            yield from rows(
                [
                    *_asked(objection, "登记人"),
                    *_decided(objection, wording.ANSWER[objection.answer] if objection.answer else ""),
                ]
            )


def hangings(case: Case) -> Iterator[Block]:
    for it in case.item.hangings:
        yield "heading", "挂账"
        yield from rows(
            [
                ("批准人", _who(it.by_name, wording.moment(it.at))),
                ("原因", f"{wording.HANG_REASON[it.reason_code]}：{it.note}"),
                ("文件", it.paper),
                ("复查日期", wording.day(it.review_on)),
                ("解除", _who(it.resumed_by_name, wording.moment(it.resumed_at))),
                ("解除说明", it.resume_note),
            ]
        )


def look_backs(case: Case) -> Iterator[Block]:
    for place, it in enumerate(case.item.look_backs, 1):
        yield "heading", f"回头看（第 {place} 次）"
        yield from rows(
            [
                ("回头看人员", _who(it.by_name, wording.moment(it.at))),
                ("结果", wording.LOOK_BACK_RESULT[it.result]),
                ("情况", it.note),
            ]
        )
        yield from _photos(case, it.id)


def reopenings(case: Case) -> Iterator[Block]:
    for place, it in enumerate(case.item.reopenings, 1):
        yield "heading", f"反弹重开（第 {place} 次）"
        yield from rows(
            [
                ("批准人", _who(it.by_name, wording.moment(it.at))),
                ("原因", it.note),
                ("新的期限", wording.day(it.due_on)),
            ]
        )
        yield from _photos(case, it.id)


def _asked(it: Decided, label: str = "提出人") -> list[tuple[str, str]]:
    return [(label, _who(it.by_name, wording.moment(it.at))), ("说明", it.note)]


def _decided(it: Decided, answer: str) -> list[tuple[str, str]]:
    if it.answer is None:
        return [("结果", "尚未答复")]
    who = _who(it.decided_by_name, wording.moment(it.decided_at))
    return [("结果", answer), ("答复人", who), ("答复意见", it.decision or "")]


def _who(name: str | None, at: str) -> str:
    return "，".join(filter(None, (name, at)))


def _photos(case: Case, record: UUID) -> Iterable[Block]:
    return [block for batch in case.other if batch.record == record for block in gallery(batch)]
