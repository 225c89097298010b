"""The case file on paper: which section says what, in blocks that backend/papers/dossier.typ draws. No database."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, BinaryIO

from backend import clock
from backend.papers import press
from inspections.findings.queries import FindingShape
from tasks.case_files import wording
from tasks.case_files.blocks import Block, Rows, compared, filled, gallery, rows, said, table
from tasks.case_files.episodes import episodes
from tasks.case_files.queries import Batch, Case, Copies
from tasks.rectifications.shapes import HandInShape, TimelineEntry, UnitPart
from tasks.rectifications.told import LABELS
from tasks.rectifications.words import Answer, UnitRole

TITLE = "整改事项卷宗"
CLAIMS = "照片为展示件。拍摄时间和位置由手机上报，未经核验；送达时间以服务器接收为准。"
SIGNED_BY = ("责任单位负责人", "牵头单位审核人", "督查办负责人", "归档人")


async def pdf(case: Case, copies: Copies) -> BinaryIO:
    """The whole case file, open at its beginning. The same case gives the same bytes. Raises Busy, NoRoom."""
    return await press.pdf("dossier.typ", paper(case), copies, case.as_of)


def paper(case: Case) -> dict[str, Any]:
    """What dossier.typ draws."""
    item = case.item
    return {
        "kind": "一案一档",
        "title": TITLE,
        "number": case.number,
        "author": case.taken_by,
        "running": f"{TITLE}　{case.number}",
        "subject": wording.shortened(f"{item.topic_name}：{item.facts}", 60),
        "cover": filled(_cover(case)),
        "sections": [
            _section("发现问题", _finding(case), fresh=True),
            _section("整改要求与签收", _asked(case)),
            _section("整改情况与申请销号", _hand_ins(case)),
            _section("审核与决定", _decisions(case)),
            *([_section("异议、延期、核查、公示等", others)] if (others := episodes(case)) else []),
            _section("办理经过", _story(case), fresh=True),
            _section("佐证材料清单", _files(case)),
            _section("签署", _closing(case)),
        ],
    }


def _section(title: str, blocks: Sequence[Block], *, fresh: bool = False) -> dict[str, Any]:
    """`fresh`: begins on a page of its own."""
    return {"title": title, "fresh": fresh, "blocks": blocks or [("note", "无。")]}


def _cover(case: Case) -> Rows:
    item = case.item
    counted = {"退回": item.returned, "延期": item.extended, "重开": item.reopened}
    return [
        ("状态", wording.STATUS[item.status] + ("（已逾期）" if item.overdue else "")),
        ("问题类别", _sort(item)),
        ("来源", wording.SOURCE[item.source] + ("，挂牌督战" if item.listed else "")),
        ("地点", item.region_name),
        *_units(case),
        ("交办日期", _day_of(item.issued_at)),
        ("整改期限", _due(case)),
        ("销号日期", _day_of(item.closed_at)),
        ("次数", "，".join(f"{what} {times} 次" for what, times in counted.items() if times)),
        ("照片", "\n".join(batch.count for batch in case.batches)),
        ("数据截至", wording.moment(case.as_of)),
        ("打印", f"{case.taken_by}，{wording.day(case.taken_on)}"),
    ]


def _finding(case: Case) -> list[Block]:
    """As filed on a visit; where there was no visit, as the office entered it."""
    item, found = case.item, case.item.finding
    told = _filed(case, found) if found else [("来源", wording.SOURCE[item.source]), ("出处", item.found_where)]
    facts, asks = (found.facts, found.asks) if found else (item.facts, "")
    return [
        *rows(told),
        ("heading", "问题事实（登记原文）"),
        ("text", facts),
        *said("检查组的要求", asks),
        *gallery(case.before),
        *([("note", CLAIMS)] if case.before.photos else []),
    ]


def _filed(case: Case, found: FindingShape) -> list[tuple[str, str]]:
    by = next((step.by_name for step in case.steps if step.verb == "finding.filed"), "")
    named = (*found.responsible_units, *found.lead_units)
    where = wording.spot(found.lat, found.lng, found.accuracy_m)
    why = found.non_implementation
    return [
        ("登记人", by),
        ("发现时间", f"{wording.moment(found.found_at)}（手机上报）"),
        ("服务器接收", wording.moment(found.received_at) + ("（提交检查后补报）" if found.late else "")),
        ("问题类别", _sort(found)),
        ("未落实类型", wording.NON_IMPLEMENTATION[why] if why else ""),
        ("地点", "，".join(filter(None, (case.item.region_name, found.place_note)))),
        ("定位", f"{where}（手机上报，WGS-84）" if where else ""),
        ("危及人身安全", "是" if found.danger_to_life else ""),
        ("检查组所报单位", "、".join(case.unit_names.get(it, "") for it in named)),
        ("无照片的原因", found.no_evidence_reason),
    ]


def _asked(case: Case) -> list[Block]:
    item, signed = case.item, case.item.acknowledgement
    told = [
        ("交办时间", wording.moment(item.issued_at)),
        ("整改期限", _due(case)),
        ("最初的期限", wording.day(item.original_due_on) if item.original_due_on != item.due_on else ""),
        *_units(case),
        ("签收", f"{signed.by_name}，{wording.moment(signed.at)}" if signed else ""),
        ("责任人", "，".join(filter(None, (signed.responsible_person, signed.phone))) if signed else ""),
    ]
    return [*rows(told), *said("整改要求", item.asks), *_reports(case)]


def _reports(case: Case) -> list[Block]:
    lines = [
        [
            wording.moment(it.at),
            f"{it.by_name}\n{case.unit_names.get(it.unit, '')}",
            f"{it.percent}%",
            "\n".join(filter(None, (it.note, it.lower_reason and f"进度下降的原因：{it.lower_reason}"))),
        ]
        for it in case.item.progress
    ]
    columns = (("时间", 26), ("报告人", 38), ("进度", 14), ("情况", None))
    return [("heading", "进展情况"), table(*columns, rows=lines)] if lines else []


def _measures(case: Case) -> list[Block]:
    lines = [
        [
            f"{it.text}\n（{it.unit_name}）",
            "\n".join(filter(None, (it.responsible_person, wording.day(it.due_on)))),
            wording.MEASURE_STATE[it.state],
            "\n".join(filter(None, (it.settled_note, it.settled_by_name, wording.moment(it.settled_at)))),
        ]
        for it in case.item.measures
    ]
    columns = (("措施", None), ("责任人、计划完成日期", 38), ("结果", 16), ("情况", 50))
    return [("heading", "整改措施"), table(*columns, rows=lines)] if lines else []


def _hand_ins(case: Case) -> list[Block]:
    blocks = _measures(case)
    for place, (hand_in, after) in enumerate(zip(case.item.hand_ins, case.after, strict=True), 1):
        blocks += [("heading", f"第 {place} 次申请销号"), *rows(_hand_in(case, hand_in, after))]
        blocks += said("整改情况", hand_in.note) + said("举一反三", hand_in.similar_sweep)
        blocks += compared(case.before, after)
    return blocks


def _hand_in(case: Case, hand_in: HandInShape, after: Batch) -> list[tuple[str, str]]:
    return [
        ("申请单位", case.unit_names.get(hand_in.unit, "")),
        ("申请人", f"{hand_in.by_name}，{wording.moment(hand_in.at)}"),
        ("完成日期", wording.day(hand_in.finished_on)),
        ("单位负责人", hand_in.confirmed_by),
        ("负责人在系统中", _word(hand_in)),
        ("照片", after.count),
    ]


def _word(hand_in: HandInShape) -> str:
    """What the principal said in the system; without it the name beside is what the handler typed."""
    if hand_in.principal_answer is None:
        return "未确认（姓名为经办人填写）"
    said = "确认" if hand_in.principal_answer == Answer.upheld else "撤回"
    told = (said, hand_in.principal_name, wording.moment(hand_in.principal_at), hand_in.principal_note)
    return "，".join(filter(None, told))


def _decisions(case: Case) -> list[Block]:
    lines = [
        [
            wording.moment(it.at),
            it.by_name,
            "\n".join(
                filter(
                    None, (wording.DECISION.get(it.verb, it.verb), case.unit_names.get(it.unit, "") if it.unit else "")
                )
            ),
            "：".join(filter(None, (it.reason_code and wording.RETURN_REASON[it.reason_code], it.note))),
        ]
        for it in case.item.reviews
    ]
    columns = (("时间", 26), ("办理人", 24), ("决定", 38), ("意见", None))
    blocks = [table(*columns, rows=lines, bold=(2,))] if lines else []
    return [*blocks, *said("已申请作废，待另一人确认", case.item.voiding or "")]


def _story(case: Case) -> list[Block]:
    """The timeline; photos that one person sent in a row are one line of it."""
    lines: list[list[str]] = []
    sent, alone = "evidence.stored", sum(part.role == UnitRole.responsible for part in case.item.units) < 2
    for key, group in groupby(case.steps, lambda step: (step.by, step.unit_name) if step.verb == sent else step.id):
        run = list(group)
        what = f"{run[0].sentence} {len(run)} 件" if isinstance(key, tuple) else _what(run[0], alone)
        lines.append([_when(run), _who(run[0]), what])
    return [table(("时间", 26), ("办理人", 46), ("事项", None), rows=lines, bold=(2,))] if lines else []


def _when(run: Sequence[TimelineEntry]) -> str:
    first, last = wording.moment(run[0].at), wording.moment(run[-1].at)
    return first if first == last else f"{first}\n至 {last}"


def _who(step: TimelineEntry) -> str:
    role = f"（{wording.ROLE.get(step.role, step.role)}）" if step.role else ""
    return "\n".join(filter(None, (step.by_name + role, step.unit_name)))


def _what(step: TimelineEntry, alone: bool) -> str:
    """`alone`: one unit is responsible, and need not be named each time."""
    lines = [step.sentence]
    for change in step.changes:
        before, after = (wording.told(change.field, it) for it in (change.before, change.after))
        lines.append(f"{change.label}：{after}" if change.before is None else f"{change.label}：{before} → {after}")
    for field, it in step.facts.items():
        if it and not (alone and field in ("unit", "units")):
            lines.append(f"{LABELS[field]}：{wording.told(field, it)}")
    return "\n".join(lines)


def _files(case: Case) -> list[Block]:
    lines = [
        [
            photo.name,
            f"{wording.media(photo.file.media_type)}\n{wording.size(photo.file.size)}",
            f"{photo.file.sha256[:32]}\n{photo.file.sha256[32:]}",
            wording.FILE_STATE[photo.file.state],
        ]
        for photo in case.photos()
    ]
    columns = (("编号", 16), ("格式、大小", 20), ("原件的 SHA-256", None), ("状态", 26))
    note = f"{CLAIMS}原件保存在系统中，从不改动；以下为原件的校验值。"
    return [("note", note), table(*columns, rows=lines, mono=(2,))] if lines else []


def _closing(case: Case) -> list[Block]:
    told = (
        f"本卷宗由督办系统依据记录生成，数据截至 {wording.moment(case.as_of)}。个人电话等信息已脱敏。"
        "字库中没有的字和不可见的字符以〔U+编码〕标出，原文以系统记录为准。"
    )
    return [("note", told), ("signatures", SIGNED_BY)]


def _sort(it: Any) -> str:
    """Of an item or a finding: what it is about, how bad, how it is to be cleared."""
    return f"{it.topic_name}，{wording.SEVERITY[it.severity]}，{wording.CLOSING_CLASS[it.closing_class]}"


def _units(case: Case) -> Rows:
    """By role; a unit it was taken from is named with that."""
    return [
        (
            wording.UNIT_ROLE[role],
            "、".join(
                part.name + (_left(part) if part.ended_at else "") for part in case.item.units if part.role == role
            ),
        )
        for role in (UnitRole.responsible, UnitRole.lead, UnitRole.cooperating)
    ]


def _left(part: UnitPart) -> str:
    return "（已撤并）" if part.taken_over_by else "（已改派）"


def _due(case: Case) -> str:
    assumed = "（暂定：该年工作日安排尚未公布）" if case.item.due_certainty == "assumed" else ""
    return wording.day(case.item.due_on) + assumed


def _day_of(at: datetime | None) -> str:
    return wording.day(clock.local(at).date()) if at else ""
