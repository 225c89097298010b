"""Who may do what on a rectification. Each answers None (may) or the reason why not, in words the person reads."""

from collections.abc import Callable
from uuid import UUID

from backend.roles import FIELD, OFFICE, READS_AREA, RESPONSIBLE, Actor, Role
from tasks.rectifications.item import Item, Status
from tasks.rectifications.words import UnitRole

By = Callable[[Actor, Item], str | None]

# ── by: whose the move is ────────────────────────────────────────────────────────────────────────────────────────


def program(actor: Actor, it: Item) -> str | None:
    return None if actor.has(Role.system) else "由系统按期限办理。"


def issuer(actor: Actor, it: Item) -> str | None:
    if actor.has(Role.system) or _office_here(actor, it, *OFFICE):
        return None
    return None if actor.has(Role.team_lead) and actor.person in it.team else "由督查办或检查组组长交办。"


def may_draft(actor: Actor, area: frozenset[str]) -> str | None:
    """By hand: the office whose area holds the place. `area`: the place's code and those above it."""
    if actor.has(Role.system) or actor.areas(*OFFICE) & area:
        return None
    return "由事项所在地的督查办登记整改事项。"


def may_concern(actor: Actor, it: Item) -> str | None:
    """Say which household an item is about: whoever may issue it, unless they keep away from it."""
    return recused(actor, it) or issuer(actor, it)


def responsible_unit(actor: Actor, it: Item) -> str | None:
    return None if actor.units(*RESPONSIBLE) & _in_focus(it) else "由责任单位办理。"


def unit_principal(actor: Actor, it: Item) -> str | None:
    return None if actor.units(Role.unit_principal) & _in_focus(it) else "由责任单位负责人办理。"


def first_reviewer(actor: Actor, it: Item) -> str | None:
    """The lead unit; the office where no lead unit is named."""
    if it.of(UnitRole.lead):
        here = actor.units(Role.lead_unit_reviewer) & it.of(UnitRole.lead)
        return None if here else "由责任牵头单位初审。"
    return None if _office_here(actor, it, *OFFICE) else "没有牵头单位，由督查办初审。"


def reviewer_now(actor: Actor, it: Item) -> str | None:
    """The first reviewer; after the first pass the office as well."""
    passed = it.status == Status.passed or it.part.status == Status.passed
    if passed and _office_here(actor, it, *OFFICE):
        return None
    return first_reviewer(actor, it)


def office(actor: Actor, it: Item) -> str | None:
    return None if _office_here(actor, it, *OFFICE) else "由督查办办理。"


def office_leader(actor: Actor, it: Item) -> str | None:
    return None if _office_here(actor, it, Role.supervision_leader) else "由督查办负责人办理。"


def second_key(actor: Actor, it: Item) -> str | None:
    """The office leader; for listed items the leader in charge as well (包抓领导, T16)."""
    if it.listed and _office_here(actor, it, Role.contract_leader):
        return None
    return office_leader(actor, it)


def extension_decider(actor: Actor, it: Item) -> str | None:
    """The office; its leader from the second extension on (T8)."""
    return office(actor, it) if it.extended == 0 else office_leader(actor, it)


def checker(actor: Actor, it: Item) -> str | None:
    return None if actor.person and actor.person in it.checkers else "由指派的核查人员办理。"


def looker_back(actor: Actor, it: Item) -> str | None:
    if _office_here(actor, it, *OFFICE):
        return None
    return None if actor.has(*FIELD) and actor.person in it.team | it.checkers else "由督查办或检查人员回头看。"


# ── never: who may not, although the role would do ───────────────────────────────────────────────────────────────


def own_unit(actor: Actor, it: Item) -> str | None:
    """Nobody of a responsible unit, present or former, by role or by home, decides on what the unit did."""
    own = (actor.units() | {actor.home}) & (it.of(UnitRole.responsible) | it.former)
    return "责任单位的人员不能办理本单位的审核、销号和作废。" if own else None


def who_inspected(actor: Actor, it: Item) -> str | None:
    return "提出问题的检查人员不能裁定异议。" if actor.person and actor.person in it.team else None


def who_handed_in(actor: Actor, it: Item) -> str | None:
    return "申请销号和审核、销号不能是同一个人。" if actor.person and actor.person in it.handed_in_by else None


def who_passed(actor: Actor, it: Item) -> str | None:
    return "初审和销号不能是同一个人。" if actor.person and actor.person in it.passed_by else None


def who_asked(actor: Actor, it: Item) -> str | None:
    return "要由另一人确认作废。" if actor.person and actor.person == it.void_asked_by else None


def recused(actor: Actor, it: Item) -> str | None:
    """Who declared to keep away from a unit touches nothing that the unit has a part in (回避)."""
    concerned = it.of(*UnitRole) | it.former | it.gone
    return "您已申请回避与本事项有关的单位。" if actor.recused_units & concerned else None


# ── what is not shown to everyone who sees the item ──────────────────────────────────────────────────────────────


def checks_hidden(actor: Actor, it: Item) -> bool:
    """A site check is as secret to the unit as any inspection, until it is concluded (T12)."""
    if own_unit(actor, it):
        return True
    inspects = actor.person is not None and actor.person in it.team | it.checkers
    reviews = actor.units(Role.lead_unit_reviewer) & it.of(UnitRole.lead)
    return not (actor.has(Role.system) or _office_here(actor, it, *READS_AREA) or inspects or reviews)


def _in_focus(it: Item) -> frozenset[UUID]:
    """The responsible unit whose part is spoken of; nobody's, when there is none or it is responsible no more."""
    return frozenset({it.focus} if it.focus else ()) & it.of(UnitRole.responsible)


def _office_here(actor: Actor, it: Item, *roles: Role) -> bool:
    """Holds an office role whose area contains the place of the item."""
    return bool(actor.areas(*roles) & it.area)
