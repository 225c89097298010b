"""The household ledger: kinds of households, who may enter, correct and read what, and what a reason must be.

Pure. What is cleared is a question about items and stands above, in household_clearing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from backend.errors import BadRequest, Conflict, Incomplete
from backend.personal_data import Kind, found_in, is_id_number, normal
from backend.roles import FIELD, OFFICE, Actor, Role

WRITES = OFFICE | FIELD
READS_WHOLE = WRITES | {Role.contract_leader}
READS_VIEWS = frozenset({Role.security_auditor, Role.supervision_leader})

LEAST_REASON = 5  # characters
VIEW_LASTS = timedelta(minutes=10)  # a phone may ask again for what it was told; later a reason is due again


class Category(StrEnum):
    """The seven kinds of the edge-household ledger (seed 004, 七.2), the unstable ones (七.1), and others."""

    minimum_living = "minimum_living"  # 低保户
    unsafe_housing = "unsafe_housing"  # 危房户
    illness = "illness"  # 慢性病和大病户
    disability = "disability"  # 残疾户
    elder_alone = "elder_alone"  # 独居老人户
    no_labour = "no_labour"  # 无劳力户
    low_income = "low_income"  # 其他低收入户
    unstable = "unstable"  # 已脱贫不稳定户
    other = "other"  # 其他


class Relation(StrEnum):
    """To the head of the household, who stands on the household itself."""

    spouse = "spouse"  # 配偶
    child = "child"  # 子女
    child_in_law = "child_in_law"  # 儿媳、女婿
    parent = "parent"  # 父母
    parent_in_law = "parent_in_law"  # 公婆、岳父母
    grandparent = "grandparent"  # 祖父母、外祖父母
    grandchild = "grandchild"  # 孙子女、外孙子女
    sibling = "sibling"  # 兄弟姐妹
    other = "other"  # 其他


class ViewReason(StrEnum):
    """Why somebody reads the full values: counted, so a closed list."""

    visit = "visit"  # 入户核查
    contact = "contact"  # 联系农户
    verification = "verification"  # 信息核对
    reconciliation = "reconciliation"  # 对账销号
    complaint = "complaint"  # 信访投诉办理
    other = "other"  # 其他


class Verb(StrEnum):
    """What may be done with a household in sight: the buttons of a screen."""

    correct = "correct"  # 更正
    add_person = "add_person"  # 添加成员
    remove_person = "remove_person"  # 移出成员
    view = "view"  # 查看完整信息
    read_views = "read_views"  # 查看调阅记录


# ── who may: None, or the reason why not ─────────────────────────────────────────────────────────────────────────
# `area`: the codes of the household's village and of everything above it.


def may_keep(actor: Actor, area: frozenset[str]) -> str | None:
    """Enter and correct: the office and the inspectors of the area. `area` is empty for an unknown place."""
    if not actor.has(*WRITES):
        return "由督查办或检查组登记和更正农户信息。"
    return "农户不在您的辖区内。" if area and not actor.areas(*WRITES) & area else None


def may_view(actor: Actor, area: frozenset[str]) -> str | None:
    """The full values; everybody else in sight of the household reads them masked."""
    return None if actor.areas(*READS_WHOLE) & area else "您只能查看脱敏后的农户信息。"


def may_read_views(actor: Actor, area: frozenset[str]) -> str | None:
    """Who read the full values, and why."""
    return None if actor.areas(*READS_VIEWS) & area else "调阅记录由安全审计员或督查办负责人查看。"


def open_verbs(actor: Actor, area: frozenset[str]) -> list[Verb]:
    keeps, views = may_keep(actor, area) is None, may_view(actor, area) is None
    open = {
        Verb.correct: keeps,
        Verb.add_person: keeps,
        Verb.remove_person: keeps,
        Verb.view: views,
        Verb.read_views: may_read_views(actor, area) is None,
    }
    return [verb for verb, may in open.items() if may]


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────


def checked_id_number(text: str | None) -> str | None:
    """The number as it is kept: plain digits, X large. Raises BadRequest when its check sign is wrong (GB 11643)."""
    if text is None:
        return None
    number = normal(text)
    if not is_id_number(number):
        raise BadRequest("身份证号不对，请核对。", "bad_id_number", field="id_number")
    return number


def check_household_number(text: str) -> None:
    """Raises BadRequest for an ID number: this column is neither encrypted nor masked."""
    if any(found.kind == Kind.id_number for found in found_in(text)):
        raise BadRequest("户编号不能用身份证号。", "id_number_as_number", field="household_number")


def check_search(q: str | None) -> None:
    """Raises BadRequest for an ID or mobile number: addresses of requests are kept in logs (ASVS 5.0.0-14.2.1)."""
    if q and any(found.kind != Kind.bank_card for found in found_in(q)):
        raise BadRequest("请用“按身份证号查找”，不要把证件号、电话写在网址里。", "personal_data_in_address", field="q")


def check_reason(reason: str, names: Iterable[str]) -> None:
    """Raises Incomplete when too little is said, or when it tells what it asks for: reasons are kept in clear."""
    if len(reason.strip()) < LEAST_REASON:
        raise Incomplete(f"请写明查看事由，至少 {LEAST_REASON} 个字。", field="reason")
    if found_in(reason) or any(len(name) > 1 and name in reason for name in names):
        raise Incomplete("事由里不要写姓名、证件号、电话或卡号。", "personal_data_in_reason", field="reason")


def check_view_lasts(viewed_at: datetime, now: datetime) -> None:
    """A request that comes again is answered again, but not for ever. Raises Conflict."""
    if now - viewed_at > VIEW_LASTS:
        raise Conflict("这次查看已经结束，请重新写明事由。", "view_is_over", field="id")


def check_version(version: int, current: int) -> None:
    """Raises Conflict when somebody corrected it in between."""
    if version != current:
        raise Conflict("这一户刚被别人更正过，请刷新后再改。", "stale", field="version", version=current)
