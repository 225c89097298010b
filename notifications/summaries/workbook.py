"""The summary as a workbook: matrix, by department, by region, checks, problems, what is missing, supplements."""

from collections.abc import Sequence

from backend.sheets.book import Column, Sheet, Type, Value, workbook
from notifications.summaries import paragraphs
from notifications.summaries.paragraphs import STATES
from notifications.summaries.printing import MARKS, kept_line, legend_of, titled
from notifications.summaries.queries import Told
from notifications.summaries.shapes import CellLine, ItemLine, Items, Summary
from notifications.summaries.words import Stands
from tasks.monthly.shapes import Counts
from tasks.monthly.words import CellState

C, N = Column, Type.number
STANDS = {Stands.in_work: "在办", Stands.hung: "挂账", Stands.closed: "已销号", Stands.voided: "作废"}
ITEM_COLUMNS = (
    C("序号", 6, N), C("编号", 24), C("县区", 18), C("地点", 30), C("问题类别", 14), C("问题描述", 46),
    C("责任单位", 24), C("牵头部门", 18), C("交办日期", 12, Type.day), C("整改期限", 12, Type.day),
    C("状态", 9, Type.mark), C("是否逾期", 9, Type.mark), C("销号日期", 12, Type.day),
)  # fmt: skip
COUNTED = (
    C("应检查", 8, N), C("按时完成", 9, N), C("逾期完成", 9, N), C("未完成", 8, N),
    C("豁免", 7, N), C("检查次数", 9, N), C("发现问题", 9, N), C("当场解决", 9, N),
    C("交办整改", 9, N),
)  # fmt: skip
FLOW = (
    C("在办事项", 9, N), C("其中挂账", 9, N), C("逾期", 7, N), C("上期结转逾期", 10, N),
    C("本期新增", 9, N), C("本期销号", 9, N), C("本期应结", 9, N), C("已结", 7, N),
    C("结案率", 10, Type.percent), C("按期结案", 9, N), C("按期结案率", 11, Type.percent),
)  # fmt: skip


def made(told: Told) -> bytes:
    """The same summary gives the same bytes."""
    it = told.summary
    sheets = [
        _matrix(told),
        _leads(it),
        _regions(it),
        _checks(it),
        _problems(told),
        _unfinished(it),
        _supplements(told),
    ]
    return workbook(sheets, title=titled(it), author="督办系统", made_at=it.as_of)


def _matrix(told: Told) -> Sheet:
    it = told.summary
    cells = {(cell.lead_unit, cell.region): cell for cell in it.cells}
    rows: list[Sequence[Value]] = [
        (lead.name, *(_mark(cells.get((lead.unit, region.code))) for region in it.regions),
         lead.counts.done, lead.counts.done_late, _owed(lead.counts), lead.counts.exempt, lead.counts.found)
        for lead in it.leads
    ]  # fmt: skip
    rows.append((
        "发现问题合计", *(region.counts.found for region in it.regions), it.counts.done, it.counts.done_late,
        _owed(it.counts), it.counts.exempt, it.counts.found,
    ))  # fmt: skip
    columns = [
        C("牵头部门", 20), *(C(region.name, 15, Type.mark) for region in it.regions), C("按时", 7, N),
        C("逾期", 7, N), C("未完成", 8, N), C("豁免", 7, N), C("问题", 7, N),
    ]  # fmt: skip
    legend = "图例：" + "　".join(f"{mark} {words}" for mark, words in legend_of(it)) + "；数字为发现问题数。"
    notes = [legend, *kept_line(told).split("\n"), it.text]
    if it.previous:
        notes.append(paragraphs.of_changes(it.previous.changes))
    return Sheet(name="总表矩阵", title=titled(it), columns=columns, rows=rows, notes=notes, total=True)


def _mark(cell: CellLine | None) -> str:
    if cell is None:
        return ""
    return f"{MARKS[cell.state]} {cell.found}" if cell.checks else MARKS[cell.state]


def _owed(counts: Counts) -> int:
    return counts.missing + counts.not_started


def _counts(counts: Counts) -> tuple[int, ...]:
    return (
        counts.cells, counts.done, counts.done_late, _owed(counts), counts.exempt, counts.checks, counts.found,
        counts.solved, counts.handed_over,
    )  # fmt: skip


def _flow(items: Items) -> tuple[Value, ...]:
    return (
        items.open, items.hung, items.overdue, items.carried_over, items.new, items.cleared, items.due,
        items.due_closed, items.closing_rate, items.due_on_time, items.on_time_rate,
    )  # fmt: skip


def _leads(it: Summary) -> Sheet:
    rows: list[Sequence[Value]] = [
        (
            lead.name,
            lead.taken_over_by,
            *_counts(lead.counts),
            lead.handed_over_cleared,
            lead.handed_over_overdue,
        )
        for lead in it.leads
    ]
    rows.append((
        "合计", None, *_counts(it.counts), sum(lead.handed_over_cleared for lead in it.leads),
        sum(lead.handed_over_overdue for lead in it.leads),
    ))  # fmt: skip
    columns = (
        C("牵头部门", 20), C("现承接单位", 18), *COUNTED, C("交办已销号", 10, N), C("交办逾期", 9, N),
    )  # fmt: skip
    notes = [lead.text for lead in it.leads if lead.text]
    return Sheet(name="分部门", title=f"{titled(it)}：分部门", columns=columns, rows=rows, notes=notes, total=True)


def _regions(it: Summary) -> Sheet:
    rows: list[Sequence[Value]] = [
        (region.name, *_counts(region.counts), *_flow(region.items)) for region in it.regions
    ]
    rows.append(("合计", *_counts(it.counts), *_flow(it.items)))
    columns = (C("县区", 20), *COUNTED, *FLOW)
    notes = (
        f"期间自{paragraphs.until(it.inputs.since)}至{paragraphs.until(it.as_of)}。",
        "结案率＝已结÷本期应结；按期结案率＝在最初期限内销号÷本期应结；准予延期不改变最初期限。挂账事项不计应结。",
        *(region.text for region in it.regions),
    )
    return Sheet(name="分县区", title=f"{titled(it)}：分县区", columns=columns, rows=rows, notes=notes, total=True)


def _checks(it: Summary) -> Sheet:
    """The columns that an office keeps for the 15th (domain.md j 6)."""
    leads, regions = {lead.unit: lead.name for lead in it.leads}, {one.code: one.name for one in it.regions}
    cleared = {
        (lead, region): sum(
            line.stands == Stands.closed for line in it.handed_over if (line.lead, line.region) == (lead, region)
        )
        for lead, region in {(line.lead, line.region) for line in it.handed_over}
    }
    rows: list[Sequence[Value]] = [
        (
            it.month, leads[cell.lead_unit], regions[cell.region], cell.checked_at, cell.checks, cell.found,
            cell.solved, cell.handed_over, cleared.get((leads[cell.lead_unit], cell.region), 0), STATES[cell.state],
            {CellState.done: "是", CellState.done_late: "否", CellState.missing: "否"}.get(cell.state),
            cell.exempt_reason or cell.late_says,
        )
        for cell in it.cells
    ]  # fmt: skip
    columns = (
        C("月份", 10), C("牵头部门", 20), C("县区", 20), C("检查时间", 17, Type.moment), C("检查次数", 9, N),
        C("发现问题", 9, N), C("当场解决", 9, N), C("交办", 8, N), C("已整改", 8, N),
        C("完成情况", 10, Type.mark), C("是否按时", 9, Type.mark), C("备注", 40),
    )  # fmt: skip
    return Sheet(name="检查汇总", title=f"{titled(it)}：检查汇总", columns=columns, rows=rows, frozen=3)


def _problems(told: Told) -> Sheet:
    it = told.summary
    notes = [] if all(line.facts is not None for line in it.handed_over) else ["您不能查看的事项不显示问题描述。"]
    if not it.handed_over:
        notes.append("本期检查没有交办整改事项。")
    return Sheet(
        name="问题明细", title=f"{titled(it)}：交办的问题", columns=ITEM_COLUMNS, rows=_items(it, it.handed_over),
        notes=notes, frozen=2,
    )  # fmt: skip


def _items(it: Summary, lines: Sequence[ItemLine]) -> list[Sequence[Value]]:
    regions = {region.code: region.name for region in it.regions}
    return [
        (
            place, line.number, regions.get(line.region, ""), line.region_name, line.topic, line.facts,
            "、".join(line.units), line.lead, line.issued_on, line.due_on, STANDS[line.stands],
            "是" if line.overdue else "否", line.closed_on,
        )
        for place, line in enumerate(lines, 1)
    ]  # fmt: skip


def _unfinished(it: Summary) -> Sheet:
    """Cells that nobody checked, then items that were overdue a month ago and still are."""
    leads, regions = {lead.unit: lead.name for lead in it.leads}, {one.code: one.name for one in it.regions}
    owed: list[Sequence[Value]] = [
        ("检查未完成", None, regions[cell.region], leads[cell.lead_unit], None, STATES[cell.state], it.last_on, None)
        for cell in it.cells
        if cell.state in (CellState.missing, CellState.not_started)
    ]
    carried: list[Sequence[Value]] = [
        ("结转逾期事项", line.number, regions.get(line.region, ""), "、".join(line.units), line.topic,
         STANDS[line.stands], line.due_on, line.facts)
        for line in it.carried_over
    ]  # fmt: skip
    columns = (
        C("类别", 15), C("编号", 24), C("县区", 20), C("责任单位（部门）", 26), C("问题类别", 14),
        C("状态", 10, Type.mark), C("期限", 12, Type.day), C("问题描述", 46),
    )  # fmt: skip
    notes = [f"另有{it.carried_over_more}件结转逾期事项未列出。"] if it.carried_over_more else []
    if not owed and not carried:
        notes.append("没有未完成的检查，也没有结转逾期的事项。")
    return Sheet(name="未完成", title=f"{titled(it)}：未完成", columns=columns, rows=owed + carried, notes=notes)


def _supplements(told: Told) -> Sheet:
    rows: list[Sequence[Value]] = [
        (
            it.number, line.at, paragraphs.LATE[line.late], line.lead_name, line.region_name, line.finished_at,
            line.found, line.solved, STATES[line.was], STATES[line.state], line.says,
        )
        for it in told.supplements
        if it.supplement
        for line in it.supplement.lines
    ]  # fmt: skip
    columns = (
        C("补充号", 8, N), C("送达时间", 17, Type.moment), C("内容", 8, Type.mark), C("牵头部门", 20),
        C("县区", 20), C("检查时间", 17, Type.moment), C("发现问题", 9, N), C("当场解决", 9, N),
        C("定稿时", 10, Type.mark), C("现状态", 10, Type.mark), C("说明", 44),
    )  # fmt: skip
    notes = [it.text for it in told.supplements if it.text] or ["定稿后没有补充。"]
    title = f"{titled(told.summary)}：补充"
    return Sheet(name="补充", title=title, columns=columns, rows=rows, notes=notes)
