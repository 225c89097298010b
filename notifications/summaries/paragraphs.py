"""The sentences of a summary: values in plain order, the same words for everybody, no judgement. No database."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from backend import clock
from notifications.summaries import rules
from notifications.summaries.shapes import Change, Items, LateLine
from notifications.summaries.words import Ground, Late
from tasks.monthly.shapes import Counts
from tasks.monthly.words import CellState

RULES = {
    Ground.missing_twice: "对同一县区连续两期未检查且未豁免",
    Ground.long_overdue: f"整改事项逾期满{rules.RED_AFTER}个工作日仍未销号（挂账、已准予延期的不计）",
}
PEOPLE_DECIDE = "以上依据规则列出事实，仅供参考；是否通报，由有权领导审定。"
STATES = {
    CellState.done: "按时完成", CellState.done_late: "逾期完成", CellState.missing: "未完成",
    CellState.not_started: "尚未检查", CellState.exempt: "豁免",
}  # fmt: skip
OF_CHECKS = (Late.filed, Late.corrected, Late.withdrawn)
LATE = {
    Late.filed: "补报", Late.corrected: "更正", Late.withdrawn: "撤回",
    Late.exempted: "准予豁免", Late.exemption_revoked: "撤销豁免",
}  # fmt: skip
LABELS = {
    "done": "按时完成", "done_late": "逾期完成", "missing": "未完成", "exempt": "豁免", "found": "发现问题",
    "solved": "当场解决", "handed_over": "交办", "new": "新增事项", "cleared": "销号", "open": "在办",
    "overdue": "逾期", "carried_over": "上期结转逾期",
}  # fmt: skip


def month_of(month: str) -> str:
    """ "2026-11" as people say it."""
    year, _, number = month.partition("-")
    return f"{year}年{int(number)}月"


def day_of(on: date) -> str:
    return f"{on.month}月{on.day}日"


def until(as_of: datetime) -> str:
    """The instant a summary speaks of: a midnight belongs to the day that is over."""
    at = clock.local(as_of)
    if (at.hour, at.minute) == (0, 0):
        return f"{day_of(date.fromordinal(at.toordinal() - 1))}24时"
    return f"{day_of(at)}{at.hour}时" + (f"{at.minute}分" if at.minute else "")


def whole(month: str, size: tuple[int, int], counts: Counts, items: Items, as_of: datetime) -> str:
    """`size`: how many lead units and regions."""
    leads, regions = size
    return (
        f"{month_of(month)}，{leads}个牵头部门应对{regions}个县区开展检查指导，共{counts.cells}项："
        f"{_cells(counts)}。{_checks(counts)}。截至{until(as_of)}，{_items(items)}。"
    )


def of_region(name: str, counts: Counts, items: Items, missing: Sequence[str]) -> str:
    owed = f"（{'、'.join(missing)}）" if missing else ""
    return f"{name}：应接受检查{counts.cells}项，{_cells(counts, owed)}。{_checks(counts)}。{_items(items)}。"


def of_lead(name: str, heir: str | None, counts: Counts, missing: Sequence[str], handed: tuple[int, int, int]) -> str:
    """`handed`: items its checks handed over, how many of them are cleared, how many overdue."""
    owed = f"（{'、'.join(missing)}）" if missing else ""
    who = f"{name}（现由{heir}承接）" if heir else name
    all, cleared, overdue = handed
    told = f"；交办的{all}件中已销号{cleared}件、逾期{overdue}件" if all else ""
    return f"{who}：应检查{counts.cells}个县区，{_cells(counts, owed)}。{_checks(counts)}{told}。"


def of_supplement(
    month: str, number: int, lines: Iterable[Late], *, before: Counts, now: Counts, as_of: datetime
) -> str:
    said = list(lines)
    checks, exemptions = (
        "、".join(
            f"{LATE[late]}{said.count(late)}{measure}" for late in LATE if late in said and (late in OF_CHECKS) == own
        )
        for own, measure in ((True, "条"), (False, "项"))
    )
    told = "，".join(part for part in (f"收到检查记录{checks}" if checks else "", exemptions) if part)
    changed = "、".join(
        f"{LABELS[name]}由{getattr(before, name)}项变为{getattr(now, name)}项"
        for name in ("done", "done_late", "missing", "exempt")
        if getattr(before, name) != getattr(now, name)
    )
    return (
        f"{month_of(month)}检查汇总定稿后，截至{until(as_of)}{told if checks else f'，{told}'}。"
        f"{changed + '。' if changed else '各项完成状态没有变化。'}定稿数据不变，本补充（第{number}号）另行记载。"
    )


def of_late(line: LateLine) -> str:
    """One check record or exemption that came or went after the freeze."""
    says = f"（{line.says}）" if line.says else ""
    now = "" if line.was == line.state else f"，由{STATES[line.was]}变为{STATES[line.state]}"
    verb = "撤回" if line.late == Late.withdrawn else f"{LATE[line.late]}了"
    on = day_of(clock.local(line.at).date())
    if line.late not in OF_CHECKS:
        return f"{on}，{line.lead_name}对{line.region_name}的检查{LATE[line.late]}{says}{now}。"
    return f"{on}，{line.lead_name}{verb}对{line.region_name}的检查记录{says}{now}。"


def of_changes(changes: Sequence[Change]) -> str:
    """Compared with the month before: what is other, and by how much."""
    told = [f"{it.label}{'增加' if it.now > it.before else '减少'}{abs(it.now - it.before)}" for it in changes
            if it.now != it.before]  # fmt: skip
    return f"与上月相比，{'、'.join(told)}。" if told else "与上月相比没有变化。"


def _cells(counts: Counts, owed: str = "") -> str:
    told = [f"按时完成{counts.done}项"]
    if counts.done_late:
        told.append(f"逾期完成{counts.done_late}项")
    if counts.not_started:
        told.append(f"尚未检查{counts.not_started}项{owed}")
    if counts.missing:
        told.append(f"未完成{counts.missing}项{owed}")
    if counts.exempt:
        told.append(f"豁免{counts.exempt}项")
    return "，".join(told)


def _checks(counts: Counts) -> str:
    if not counts.checks:
        return "没有检查记录"
    handed = f"，交办整改{counts.handed_over}件" if counts.handed_over else ""
    return f"检查{counts.checks}次，发现问题{counts.found}个，当场解决{counts.solved}个{handed}"


def _items(items: Items) -> str:
    """What is open, what came and went, and of what was due how much is done."""
    if not (items.open or items.new or items.cleared or items.due):
        return "没有整改事项"
    hung = f"（其中挂账{items.hung}件）" if items.hung else ""
    carried = f"（其中上期结转{items.carried_over}件）" if items.carried_over else ""
    told = (
        f"在办整改事项{items.open}件{hung}，逾期{items.overdue}件{carried}，"
        f"本期新增{items.new}件、销号{items.cleared}件"
    )
    return f"{told}。{_rates(items)}" if items.due else told


def _rates(items: Items) -> str:
    return (
        f"本期应结{items.due}件，已结{items.due_closed}件，结案率{rules.percent(items.closing_rate)}"
        f"（{items.due_closed}/{items.due}）；按期结案{items.due_on_time}件，按期结案率"
        f"{rules.percent(items.on_time_rate)}（{items.due_on_time}/{items.due}）"
    )
