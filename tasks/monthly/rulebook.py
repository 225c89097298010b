"""Reading the rules of the monthly check: who sees which, what may be done with one, its next month beforehand."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw, select
from backend.errors import NotFound
from backend.roles import READS_AREA, RESPONSIBLE, Actor, Role
from backend.workdays import add_months
from tasks.monthly import queries, rules, shapes, starting, who
from tasks.monthly.words import Answer, RuleState, Verb

OPINION = [shapes.Need("opinion", "要写明意见")]
REASON = [shapes.Need("reason", "要写明终止理由"), shapes.Need("on", "要写明最后一日")]


def visible_to(actor: Actor) -> QueryString:
    """Offices and leaders of the rule's region and of those above and below it; the units it names, once approved."""
    areas = list(actor.areas(*READS_AREA))
    return QueryString(
        "(region.path && {}::text[] OR monthly_rule.region IN (SELECT unnest(path) FROM region WHERE code = ANY({})) "
        "OR (monthly_rule.answer = 'upheld' AND monthly_rule.id IN (SELECT rule FROM monthly_rule_lead "
        "WHERE unit = ANY({}))))",
        areas,
        areas,
        list(actor.units(Role.lead_unit_reviewer, *RESPONSIBLE)),
    )


async def listed(actor: Actor, cursor: UUID | None, most: int) -> shapes.Rules:
    """The rules in sight, the latest entered first."""
    items = await _shaped(
        actor,
        "WHERE {} AND ({}::uuid IS NULL OR (monthly_rule.at, monthly_rule.id) < "
        "(SELECT at, id FROM monthly_rule WHERE id = {})) ORDER BY monthly_rule.at DESC, monthly_rule.id DESC LIMIT {}",
        visible_to(actor),
        cursor,
        cursor,
        most,
    )
    return shapes.Rules(items, items[-1].id if len(items) == most else None)


async def proposed(actor: Actor) -> list[shapes.Rule]:
    """Those that wait for the approval of this person, the oldest first. At most a hundred."""
    order = "ORDER BY monthly_rule.at, monthly_rule.id LIMIT 100"
    found = await _shaped(actor, f"WHERE monthly_rule.answer IS NULL AND {{}} {order}", visible_to(actor))
    return [rule for rule in found if rule.moves]


async def rule(id: UUID, actor: Actor) -> shapes.Rule:
    """Raises NotFound outside the actor's sight."""
    found = await _shaped(actor, "WHERE monthly_rule.id = {} AND {}", id, visible_to(actor))
    if not found:
        raise NotFound()
    return found[0]


async def lock(id: UUID, actor: Actor) -> Any:
    """The rule with its region's `path`, locked for the running transaction. Raises NotFound."""
    await raw("SELECT 1 FROM monthly_rule WHERE id = $1 FOR NO KEY UPDATE", id)
    rows = await select(
        "SELECT monthly_rule.*, path FROM monthly_rule JOIN region ON region.code = monthly_rule.region "
        "WHERE monthly_rule.id = {} AND {}",
        id,
        visible_to(actor),
    )
    if not rows:
        raise NotFound()
    return rows[0]


async def preview(id: UUID, actor: Actor) -> shapes.Preview:
    """The rule's next month that has not begun, with the cells it would have as units and groups stand now.

    Raises NotFound outside the actor's sight, and for a rule that has no further month.
    """
    row = await select(
        "SELECT monthly_rule.* FROM monthly_rule JOIN region ON region.code = monthly_rule.region "
        "WHERE monthly_rule.id = {} AND {}",
        id,
        visible_to(actor),
    )
    if not row:
        raise NotFound()
    return await _preview(row[0])


async def _preview(row: Any) -> shapes.Preview:
    days, terms, now = await calendar.load(), queries.terms(row), clock.now()
    month = max(row["valid_from"], clock.local(now).date()).replace(day=1)
    window = rules.window(month, terms, days)
    while window.starts_at <= now or window.starts_on < terms.valid_from:
        month = add_months(month, 1)
        window = rules.window(month, terms, days)
    if terms.valid_to and window.starts_on > terms.valid_to:
        raise NotFound("这条规则没有以后的月份。", "no_further_month")
    cells = await starting.expanded(row["id"], row["target_group"], window.starts_on)
    target, certainty = rules.target_on(window.last_on, days)
    leads = {cell["lead_unit"]: shapes.RuleLead(cell["lead_unit"], cell["lead_name"]) for cell in cells}
    regions = {cell["region"]: _region(cell, len(leads)) for cell in cells}
    return shapes.Preview(
        window.month, window.starts_on, window.last_on, window.certainty, target, certainty, window.cutoff_at,
        [*leads.values()], [*regions.values()], len(cells),
    )  # fmt: skip


def _region(cell: dict[str, Any], leads: int) -> shapes.Region:
    return shapes.Region(cell["region"], cell["region_name"], cell["target"], shapes.Counts(cells=leads))


def state(row: Any) -> RuleState:
    if row["answer"] is None:
        return RuleState.proposed
    return RuleState.approved if row["answer"] == Answer.upheld else RuleState.declined


async def _shaped(actor: Actor, condition: str, *args: Any) -> list[shapes.Rule]:
    rows = await select(
        "SELECT monthly_rule.*, path, unit_group.name AS target_name, proposer.name AS by_name, "
        "decider.name AS decided_by_name, "
        "(SELECT count(*) FROM monthly_period WHERE monthly_period.rule = monthly_rule.id) AS periods "
        "FROM monthly_rule JOIN region ON region.code = monthly_rule.region "
        "JOIN unit_group ON unit_group.id = target_group "
        'JOIN person AS proposer ON proposer.id = monthly_rule."by" '
        "LEFT JOIN person AS decider ON decider.id = decided_by " + condition,
        *args,
    )
    leads = await raw(
        "SELECT rule, unit, unit.name FROM monthly_rule_lead JOIN unit ON unit.id = unit "
        "WHERE rule = ANY($1::uuid[]) ORDER BY position",
        [row["id"] for row in rows],
    )
    return [_rule(row, leads, actor) for row in rows]


def _rule(row: Any, leads: Sequence[Any], actor: Actor) -> shapes.Rule:
    own = [shapes.RuleLead(lead["unit"], lead["name"]) for lead in leads if lead["rule"] == row["id"]]
    said = {**row, "leads": own, "state": state(row), "moves": _moves(row, actor, clock.now())}
    return msgspec.convert(said, shapes.Rule)


def _moves(row: Any, actor: Actor, now: datetime) -> list[shapes.Move]:
    if row["answer"] is None and not who.may_approve(actor, row["path"], row["by"]):
        return [shapes.Move(verb, OPINION, row["id"]) for verb in (Verb.approve_rule, Verb.decline_rule)]
    if row["answer"] == Answer.upheld and not who.may_end(actor, row["path"]) and _runs(row, clock.local(now).date()):
        return [shapes.Move(Verb.end_rule, REASON, row["id"])]
    return []


def _runs(row: Any, today: date) -> bool:
    return row["ended_at"] is None and (row["valid_to"] is None or row["valid_to"] >= today)
