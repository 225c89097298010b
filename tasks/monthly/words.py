"""Closed lists of the monthly check: how a cell stands, what a rule does with a day off, verbs. No rule stands here."""

from enum import StrEnum


class CellState(StrEnum):
    """How a cell stands as of an instant: computed, never stored (domain.md e)."""

    not_started = "not_started"  # 未开展
    done = "done"  # 已完成
    done_late = "done_late"  # 逾期完成
    missing = "missing"  # 未完成
    exempt = "exempt"  # 豁免


class Roll(StrEnum):
    """What becomes of a last day that is no working day. By default it stays (domain.md e)."""

    none = "none"  # 不顺延
    previous_workday = "previous_workday"  # 提前
    next_workday = "next_workday"  # 顺延


class RuleState(StrEnum):
    proposed = "proposed"  # 待批准
    approved = "approved"  # 已批准
    declined = "declined"  # 未批准


class Verb(StrEnum):
    """What may be done about a cell, a record, an exemption or a rule."""

    file = "file"  # 填报检查记录
    correct = "correct"  # 更正
    withdraw = "withdraw"  # 撤回
    ask_exemption = "ask_exemption"  # 申请豁免
    approve_exemption = "approve_exemption"  # 准予豁免
    decline_exemption = "decline_exemption"  # 不予豁免
    revoke_exemption = "revoke_exemption"  # 撤销豁免
    approve_rule = "approve_rule"  # 批准规则
    decline_rule = "decline_rule"  # 不予批准
    end_rule = "end_rule"  # 终止规则


class Answer(StrEnum):
    """To an exemption that was asked for, and to a rule that was entered."""

    upheld = "upheld"
    declined = "declined"
