"""Closed lists of the month's summary: its kinds, where an item stood, which rule proposes a circular."""

from enum import StrEnum


class Kind(StrEnum):
    """What was kept of a month: the look ahead on its last day, the frozen numbers, and what came afterwards."""

    preview = "preview"  # 预览
    frozen = "frozen"  # 定稿
    supplement = "supplement"  # 补充


class Stands(StrEnum):
    """Where an item stood at an instant, as far as a summary counts: in work, hung, closed or void."""

    in_work = "in_work"  # 在办
    hung = "hung"  # 挂账
    closed = "closed"  # 已销号
    voided = "voided"  # 作废


class Ground(StrEnum):
    """The rule that proposes a unit for a circular (domain.md f.2). A person decides."""

    missing_twice = "missing_twice"  # 同一县区连续两期未检查
    long_overdue = "long_overdue"  # 逾期满十个工作日仍未销号


class Late(StrEnum):
    """What a supplement tells of."""

    filed = "filed"  # 补报
    corrected = "corrected"  # 更正
    withdrawn = "withdrawn"  # 撤回
    exempted = "exempted"  # 准予豁免
    exemption_revoked = "exemption_revoked"  # 撤销豁免
