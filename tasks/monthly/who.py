"""Who may do what about the monthly check. Each answers None, or the reason why not."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from backend.roles import OFFICE, Actor, Role

FILERS = (Role.lead_unit_reviewer, Role.unit_principal)


@dataclass(frozen=True, slots=True)
class Around:
    """Whose a cell is: `keeper` owes it (the lead unit, or its successor), `target` is looked at, `area` holds it."""

    keeper: UUID
    lead_unit: UUID
    target: UUID
    area: frozenset[str]


def may_file(actor: Actor, it: Around) -> str | None:
    """Tell of a check, correct it, withdraw it: the lead department for its own cells."""
    if it.keeper not in actor.units(*FILERS):
        return "由牵头部门的审核人或负责人填报本部门的检查记录。"
    return "您已声明回避被检查单位。" if it.target in actor.recused_units else None


def may_ask(actor: Actor, it: Around) -> str | None:
    """Ask for an exemption: the lead department, or the office on its behalf."""
    if it.keeper in actor.units(*FILERS) or actor.areas(*OFFICE) & it.area:
        return None
    return "由牵头部门或督查办申请豁免。"


def may_decide(actor: Actor, it: Around, asked_by: UUID | None) -> str | None:
    """Grant or decline: the office, another person than who asked, and nobody of the department (two keys)."""
    if not actor.areas(*OFFICE) & it.area:
        return "由督查办审批豁免。"
    if asked_by == actor.person:
        return "申请人不能审批自己的申请。"
    return _apart(actor, it)


def may_revoke(actor: Actor, it: Around) -> str | None:
    if not actor.areas(*OFFICE) & it.area:
        return "由督查办撤销豁免。"
    return _apart(actor, it)


def may_propose(actor: Actor, area: Iterable[str]) -> str | None:
    """Enter a rule: the office whose area holds the group's region."""
    return None if actor.areas(*OFFICE) & set(area) else "由督查办录入每月检查规则。"


def may_approve(actor: Actor, area: Iterable[str], proposed_by: UUID | None) -> str | None:
    """Approve or decline it: another person of the office."""
    if not actor.areas(*OFFICE) & set(area):
        return "由督查办批准每月检查规则。"
    return "录入人不能批准自己录入的规则。" if proposed_by == actor.person else None


def may_end(actor: Actor, area: Iterable[str]) -> str | None:
    return None if actor.areas(Role.supervision_leader) & set(area) else "由督查办负责人终止规则。"


def _apart(actor: Actor, it: Around) -> str | None:
    if actor.recused_units & {it.keeper, it.lead_unit, it.target}:
        return "您已声明回避有关单位。"
    return "本单位的人员不能审批本单位的豁免。" if it.keeper in {actor.home, *actor.units()} else None
