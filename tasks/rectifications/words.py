"""Closed lists of what is written on a rectification: reasons, grounds, results, sources. No rule stands here."""

from enum import StrEnum


class UnitRole(StrEnum):
    lead = "lead"  # 牵头
    responsible = "responsible"  # 责任
    cooperating = "cooperating"  # 配合


class Answer(StrEnum):
    """To what was asked: every small record ends in one of two (docs/decisions/0007), or with the item itself."""

    upheld = "upheld"
    declined = "declined"
    lapsed = "lapsed"  # the item ended, or was taken from the unit, before anybody answered


class MeasureState(StrEnum):
    """Of a measure that a responsible unit planned (domain.md b.3, T9)."""

    planned = "planned"  # 待完成
    done = "done"  # 已完成
    dropped = "dropped"  # 已取消


class Ground(StrEnum):
    """Why a unit contests an item (domain.md b.3, T4)."""

    fact = "fact"  # 事实不符
    jurisdiction = "jurisdiction"  # 不属职责
    duplicate = "duplicate"  # 重复交办


class ReturnReason(StrEnum):
    """Why an item is sent back: counted, so a closed list."""

    evidence_missing = "evidence_missing"
    not_done = "not_done"
    partly_done = "partly_done"
    evidence_contradicts = "evidence_contradicts"
    other = "other"


class HangReason(StrEnum):
    """Why an item cannot be done for now (domain.md b.3, T19)."""

    season = "season"  # 季节
    engineering = "engineering"  # 工程
    funds = "funds"  # 资金
    litigation = "litigation"  # 诉讼


class CheckResult(StrEnum):
    """What the checkers found on site (T13, T14)."""

    passed = "passed"  # 核查通过
    failed = "failed"  # 核查不通过


class LookBackResult(StrEnum):
    """What a look-back found (T18)."""

    holds = "holds"  # 未反弹
    rebounded = "rebounded"  # 反弹


class Source(StrEnum):
    """Where an item comes from (domain.md a.5)."""

    unannounced = "unannounced"  # 四不两直
    monthly_check = "monthly_check"  # 每月检查
    look_back = "look_back"  # 回头看
    third_party = "third_party"  # 第三方评估
    cross_check = "cross_check"  # 交叉互查
    inspection_tour = "inspection_tour"  # 巡视巡察
    assessment = "assessment"  # 考核评估
    covert_supervision = "covert_supervision"  # 督查暗访
    audit = "audit"  # 审计检查
    public_report = "public_report"  # 群众反映
    paper = "paper"  # 公文
    ledger = "ledger"  # 台账
