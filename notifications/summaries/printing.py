"""The summary on paper: what backend/papers/summary.typ draws. No database."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from backend import clock
from backend.papers import press
from notifications.summaries import paragraphs, rules
from notifications.summaries.paragraphs import STATES
from notifications.summaries.queries import Told
from notifications.summaries.shapes import Items, RegionLine, Summary
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Counts
from tasks.monthly.words import CellState

MARKS = {
    CellState.done: "●", CellState.done_late: "◐", CellState.missing: "○", CellState.not_started: "○",
    CellState.exempt: "–",
}  # fmt: skip
KINDS = {Kind.preview: "预览", Kind.frozen: "定稿", Kind.supplement: "补充"}


WIDEST = 16  # columns of a matrix that one can read


async def pdf(told: Told) -> BinaryIO:
    """Open at its beginning. The same summary gives the same bytes. Raises Busy, NoRoom."""
    return await press.pdf("summary.typ", paper(told), {}, told.summary.as_of)


def titled(it: Summary) -> str:
    return f"{paragraphs.month_of(it.month)}检查汇总（{KINDS[it.kind]}）"


def kept_line(told: Told) -> str:
    """When it was made, and the hash that anybody can compare."""
    at, until = f"{clock.local(told.made_at):%Y-%m-%d %H:%M}", paragraphs.until(told.summary.as_of)
    if told.sha256 is None:
        return f"预览，数据截至{clock.local(told.summary.as_of):%Y-%m-%d %H:%M}，未定稿，随时可能变化。"
    part = "" if told.whole else "（本页为其中一部分，仅含本地区）"
    if told.summary.kind == Kind.preview:
        return f"预览，数据截至{until}，未定稿，以定稿为准{part}。\nSHA-256 {told.sha256}"
    return f"数据截至{until}，{at}定稿，此后不再改动{part}。\nSHA-256 {told.sha256}"


def paper(told: Told) -> dict[str, Any]:
    """What summary.typ draws: headline numbers and matrix on the first page, then texts and lists."""
    it = told.summary
    return {
        "title": titled(it),
        "subject": it.rule.title,
        "clause": it.rule.clause,
        "author": "督办系统",
        "kept": kept_line(told).split("\n"),
        "headlines": _headlines(it),
        "matrices": [_matrix(it, it.regions[at : at + WIDEST]) for at in range(0, len(it.regions), WIDEST)],
        "legend": legend_of(it),
        "sections": [section for section in _sections(told) if section["lines"]],
    }


def _matrix(it: Summary, regions: Sequence[RegionLine]) -> dict[str, Any]:
    """Some columns of the matrix; the sums at the right and below are of all."""
    cells = {(cell.lead_unit, cell.region): cell for cell in it.cells}
    return {
        "columns": [region.name for region in regions],
        "rows": [
            {
                "name": lead.name + (f"（现{lead.taken_over_by}）" if lead.taken_over_by else ""),
                "cells": [_cell(cells.get((lead.unit, region.code))) for region in regions],
                "sum": _done(lead.counts),
            }
            for lead in it.leads
        ],
        "sums": [_done(region.counts) for region in regions],
        "sum": _done(it.counts),
    }


def _done(counts: Counts) -> str:
    return f"{counts.done + counts.done_late}/{counts.cells}"


def legend_of(it: Summary) -> list[tuple[str, str]]:
    """Marks and their words. Before the cutoff nothing is missing yet; after it nothing is still to come."""
    absent = CellState.missing if it.as_of < it.cutoff_at else CellState.not_started
    return [(MARKS[state], STATES[state]) for state in CellState if state != absent]


def _cell(cell: Any) -> dict[str, Any]:
    if cell is None:
        return {"mark": "", "found": 0, "state": ""}
    return {"mark": MARKS[cell.state], "found": cell.found, "state": cell.state.value}


def _headlines(it: Summary) -> list[list[str]]:
    """Number, and what it says."""
    counts, items = it.counts, it.items
    owed = counts.missing + counts.not_started
    return [
        [_done(counts), "检查完成"],
        [str(owed), "未完成"],
        [str(counts.found), f"发现问题\n当场解决{counts.solved}"],
        [str(counts.handed_over), "交办整改"],
        [str(items.overdue), f"逾期事项\n上期结转{items.carried_over}"],
        [rules.percent(items.closing_rate), _of(items)],
    ]


def _of(items: Items) -> str:
    return f"结案率\n{items.due_closed}/{items.due}" if items.due else "结案率\n本期无到期"


def _sections(told: Told) -> list[dict[str, Any]]:
    it = told.summary
    return [
        {"title": "总体情况", "lines": [it.text, *_compared(it), *_topics(it)]},
        {"title": "未完成检查的部门和县区", "lines": _missing(it)},
        {"title": "供研究是否通报的情况", "lines": _candidates(it), "ragged": True},
        {"title": "分县区情况", "lines": [region.text for region in it.regions if region.text != it.text]},
        {"title": "分部门情况", "lines": [lead.text for lead in it.leads if lead.text]},
        {"title": "定稿后的补充", "lines": [one.text for one in told.supplements]},
    ]


def _compared(it: Summary) -> list[str]:
    return [paragraphs.of_changes(it.previous.changes)] if it.previous else []


def _topics(it: Summary) -> list[str]:
    told = "、".join(f"{topic.name}{topic.new}件" for topic in it.topics)
    return [f"本期新增事项较多的类别：{told}。"] if told else []


def _missing(it: Summary) -> list[str]:
    """Lead unit by lead unit, the regions it owes."""
    names = {region.code: region.name for region in it.regions}
    lines: list[str] = []
    for lead in it.leads:
        owed = [
            names[cell.region]
            for cell in it.cells
            if cell.lead_unit == lead.unit and cell.state in (CellState.missing, CellState.not_started)
        ]
        if owed:
            lines.append(f"{lead.name}：{'、'.join(owed)}。")
    return lines


def _candidates(it: Summary) -> list[str]:
    if not it.candidates:
        return []
    told = [f"{one.name}：{one.rule}。{'；'.join(one.facts)}。" for one in it.candidates]
    more = [f"另有{it.candidates_more}个单位未列出。"] if it.candidates_more else []
    return [*told, *more, paragraphs.PEOPLE_DECIDE]
