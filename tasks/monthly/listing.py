"""The monthly check as a person sees it: a month's matrix, what each cell needs, one cell with its records, moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw
from backend.errors import Conflict, NotFound, WrongState
from backend.evidence import queries as evidence
from backend.roles import Actor
from backend.workdays import Calendar
from tasks.monthly import queries, rules, shapes, who
from tasks.monthly.queries import Held
from tasks.monthly.words import CellState, Verb

STILL_OWED = timedelta(days=31)  # what is missing of a month is asked for until the next one ends

NEEDS = {
    Verb.file: [shapes.Need("finished_at", "要写明检查完成时间"), shapes.Need("place", "要写明检查地点"),
                shapes.Need("went", "要写明参加检查的人员")],
    Verb.correct: [shapes.Need("reason", "要写明更正理由")],
    Verb.withdraw: [shapes.Need("reason", "要写明撤回理由")],
    Verb.ask_exemption: [shapes.Need("reason", "要写明豁免理由")],
    Verb.approve_exemption: [shapes.Need("opinion", "要写明意见")],
    Verb.decline_exemption: [shapes.Need("opinion", "要写明意见")],
    Verb.revoke_exemption: [shapes.Need("reason", "要写明撤销理由")],
}  # fmt: skip


async def month(actor: Actor, month: str, as_of: datetime) -> shapes.Month:
    """Every rule's month of which the actor sees a cell, with what may be done now."""
    days = await calendar.load()
    seen = []
    for period in await queries.periods_of(month):
        try:
            seen.append(await _seen(period.id, actor, as_of, days))
        except NotFound:
            continue  # nothing of this rule is in the actor's sight
    return shapes.Month(month, as_of, seen)


async def waiting(actor: Actor) -> list[shapes.WaitingCell]:
    """Cells that wait for this person, of the months that run and of those that ended last: a check is owed still.

    By cutoff, then line by line.
    """
    now, days = clock.now(), await calendar.load()
    found: list[shapes.WaitingCell] = []
    for period in await queries.periods_since(now - STILL_OWED, now):
        try:
            seen = await _seen(period.id, actor, now, days)
        except NotFound:
            continue
        leads = {lead.unit: lead.name for lead in seen.leads}
        regions = {region.code: region.name for region in seen.regions}
        found += [
            shapes.WaitingCell(
                period.month, period.title, period.cutoff_at, seen.left_says,
                leads[cell.lead_unit], regions[cell.region], cell,
            )
            for cell in seen.cells if _waits(cell)
        ]  # fmt: skip
    return found


def _waits(cell: shapes.SeenCell) -> bool:
    verbs = {move.verb for move in cell.moves}
    return Verb.approve_exemption in verbs or (cell.state in queries.OWED and Verb.file in verbs)


async def cell(actor: Actor, month: str, id: UUID) -> shapes.CellDetail:
    """One cell with its records and exemptions. Raises NotFound outside the actor's sight, and in another month."""
    found = await queries.seen_cell(id, actor)
    if found["month"] != month:
        raise NotFound()
    now = clock.now()
    matrix = await queries.seen_matrix(found["period"], now, actor, only=id)
    held = (await queries.held([id]))[id]
    waiting = await _waiting([id])
    seen = _shown(matrix.cells[0], held, matrix.period, actor, waiting.get(id))
    records = await _records(id, held.cutoff_at)
    seen.moves += [move for record in records for move in _record_moves(record, held, actor)]
    return shapes.CellDetail(
        matrix.period, matrix.leads[0], matrix.regions[0], seen, records, await _exemptions(id, held.cutoff_at, now)
    )


async def _seen(period: UUID, actor: Actor, as_of: datetime, days: Calendar) -> shapes.SeenPeriod:
    matrix = await queries.seen_matrix(period, as_of, actor)
    ids = [cell.id for cell in matrix.cells]
    held, waiting, it = await queries.held(ids), await _waiting(ids), matrix.period
    left = max(0, int((it.cutoff_at - as_of).total_seconds()))
    workdays = max(0, days.workdays_between(clock.local(as_of).date(), it.last_on))
    return shapes.SeenPeriod(
        it, left, workdays, _left_says(it, as_of, workdays), matrix.counts, matrix.leads, matrix.regions,
        [_shown(cell, held[cell.id], it, actor, waiting.get(cell.id)) for cell in matrix.cells],
    )  # fmt: skip


def _left_says(period: shapes.Period, as_of: datetime, workdays: int) -> str:
    today, last = clock.local(as_of).date(), period.last_on
    if as_of < period.starts_at:
        return f"{period.starts_on.month}月{period.starts_on.day}日开始"
    if as_of >= period.cutoff_at:
        return f"已于{last.month}月{last.day}日24时截止"
    if today == last:
        return "今天24时截止"
    return f"还剩{workdays}个工作日，{last.month}月{last.day}日24时截止"


def _shown(cell: shapes.Cell, held: Held, period: shapes.Period, actor: Actor, waiting: Any) -> shapes.SeenCell:
    said = msgspec.structs.asdict(cell)
    return shapes.SeenCell(
        **said, needs_says=_needs_says(cell, period, waiting), moves=_cell_moves(cell, held, actor, waiting)
    )


def _needs_says(cell: shapes.Cell, period: shapes.Period, waiting: Any) -> str | None:
    if cell.state not in queries.OWED:
        return None
    if waiting and waiting["decided_at"] is None and cell.state == CellState.not_started:
        return "豁免申请待审批"
    last = period.last_on
    return (
        f"还需要检查记录1条（{last.month}月{last.day}日24时前）"
        if cell.state == CellState.not_started
        else "已过截止时间，仍需补报检查记录"
    )


def _cell_moves(cell: shapes.Cell, held: Held, actor: Actor, waiting: Any) -> list[shapes.Move]:
    """What the commands would not refuse now, from the same questions they ask."""
    now, around = clock.now(), held.around
    moves: list[shapes.Move] = []
    if _holds(rules.check_begun, held.starts_at, now) and not who.may_file(actor, around):
        moves.append(_move(Verb.file))
    if not _holds(rules.check_open, held.cutoff_at, now):
        return moves
    if waiting is None:
        if cell.state != CellState.done and not who.may_ask(actor, around):
            moves.append(_move(Verb.ask_exemption))
    elif waiting["decided_at"] is None:
        if not who.may_decide(actor, around, waiting["by"]):
            moves += [_move(verb, waiting["id"]) for verb in (Verb.approve_exemption, Verb.decline_exemption)]
    elif not who.may_revoke(actor, around):
        moves.append(_move(Verb.revoke_exemption, waiting["id"]))
    return moves


def _record_moves(record: shapes.Record, held: Held, actor: Actor) -> list[shapes.Move]:
    stands = _holds(rules.check_stands, record.corrected_by is not None, record.withdrawn_at is not None)
    if not stands or who.may_file(actor, held.around):
        return []
    return [_move(Verb.correct, record.id), _move(Verb.withdraw, record.id)]


def _move(verb: Verb, subject: UUID | None = None) -> shapes.Move:
    return shapes.Move(verb, NEEDS[verb], subject)


def _holds(check: Any, *args: Any) -> bool:
    try:
        check(*args)
    except (Conflict, WrongState):
        return False
    return True


async def _waiting(cells: Sequence[UUID]) -> dict[UUID, Any]:
    """The exemption of each cell that waits for a decision or is in force."""
    rows = await raw(
        "SELECT * FROM monthly_exemption WHERE cell = ANY($1::uuid[]) "
        "AND (decided_at IS NULL OR answer = 'upheld') AND revoked_at IS NULL",
        cells,
    )
    return {row["cell"]: row for row in rows}


async def _records(cell: UUID, cutoff: datetime) -> list[shapes.Record]:
    rows = await raw(
        "SELECT record.*, person.name AS by_name, region.full_name AS region_name, heir.id AS corrected_by, "
        "root.withdrawn_at AS gone_at, root.withdraw_reason AS gone_why, leaver.name AS withdrawn_by_name, "
        "least(heir.received_at, root.withdrawn_at) AS until FROM monthly_record AS record "
        'JOIN person ON person.id = record."by" JOIN monthly_record AS root ON root.id = record.first '
        "LEFT JOIN monthly_record AS heir ON heir.corrects = record.id "
        "LEFT JOIN person AS leaver ON leaver.id = root.withdrawn_by "
        "LEFT JOIN region ON region.code = record.region WHERE record.cell = $1 ORDER BY record.received_at, record.id",
        cell,
    )
    ids = [row["id"] for row in rows]
    files, handed = await evidence.shapes("monthly_record_evidence", "record", ids), await _handed_over(ids)
    return [_record(row, cutoff, files.get(row["id"], []), handed.get(row["id"], [])) for row in rows]


def _record(row: Any, cutoff: datetime, files: list[Any], handed: list[shapes.HandedOver]) -> shapes.Record:
    filed = queries.filed(row)
    return msgspec.convert(
        {
            **row,
            "on_time": rules.on_time(filed, cutoff),
            "late_says": rules.late_says(filed, cutoff),
            "withdrawn_at": row["gone_at"],
            "withdraw_reason": row["gone_why"],
            "handed_over": handed,
            **evidence.counted(files),
        },
        shapes.Record,
        from_attributes=True,
    )


async def _handed_over(records: Sequence[UUID]) -> dict[UUID, list[shapes.HandedOver]]:
    rows = await raw(
        "SELECT handed.*, unit.name AS responsible_name, item.number, item.status FROM monthly_hand_over AS handed "
        "JOIN unit ON unit.id = handed.responsible LEFT JOIN rectification AS item ON item.id = handed.id "
        "AND item.source = 'monthly_check' AND item.issued_at IS NOT NULL "
        "WHERE handed.record = ANY($1::uuid[]) ORDER BY position",
        records,
    )
    found: dict[UUID, list[shapes.HandedOver]] = {}
    for row in rows:
        found.setdefault(row["record"], []).append(msgspec.convert(dict(row), shapes.HandedOver))
    return found


async def _exemptions(cell: UUID, cutoff: datetime, now: datetime) -> list[shapes.Exemption]:
    rows = await raw(
        "SELECT it.*, asker.name AS by_name, decider.name AS decided_by_name, revoker.name AS revoked_by_name "
        'FROM monthly_exemption AS it JOIN person AS asker ON asker.id = it."by" '
        "LEFT JOIN person AS decider ON decider.id = it.decided_by "
        "LEFT JOIN person AS revoker ON revoker.id = it.revoked_by WHERE cell = $1 ORDER BY asked_at, it.id",
        cell,
    )
    return [
        msgspec.convert({**row, "lapsed": row["decided_at"] is None and now >= cutoff}, shapes.Exemption)
        for row in rows
    ]
