"""The Chinese words of a case file for codes, days and places. No layout, no database."""

from collections.abc import Sequence
from datetime import date, datetime

from backend import clock
from backend.evidence.format import SENTENCES as REFUSALS
from backend.evidence.rules import State
from backend.roles import Role
from inspections.findings.rules import ClosingClass, NonImplementation, Severity
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.words import (
    Answer,
    CheckResult,
    Ground,
    HangReason,
    LookBackResult,
    MeasureState,
    ReturnReason,
    Source,
    UnitRole,
)

STATUS: dict[str, str] = {
    Status.draft: "草稿",
    Status.issued: "已交办",
    Status.working: "整改中",
    Status.handed_in: "已申请销号",
    Status.passed: "初审通过",
    Status.closed: "已销号",
    Status.hung: "挂账",
    Status.voided: "作废",
}
SEVERITY = {Severity.ordinary: "一般", Severity.serious: "较重", Severity.grave: "严重"}
CLOSING_CLASS = {
    ClosingClass.fix_now: "立行立改",
    ClosingClass.by_date: "限期整改",
    ClosingClass.long_term: "长期整改",
}
NON_IMPLEMENTATION = {
    NonImplementation.responsibility: "责任不落实",
    NonImplementation.policy: "政策不落实",
    NonImplementation.work: "工作不落实",
}
UNIT_ROLE = {UnitRole.responsible: "责任单位", UnitRole.lead: "牵头单位", UnitRole.cooperating: "配合单位"}
SOURCE = {
    Source.unannounced: "四不两直",
    Source.monthly_check: "每月检查",
    Source.look_back: "回头看",
    Source.third_party: "第三方评估",
    Source.cross_check: "交叉互查",
    Source.inspection_tour: "巡视巡察",
    Source.assessment: "考核评估",
    Source.covert_supervision: "督查暗访",
    Source.audit: "审计检查",
    Source.public_report: "群众反映",
    Source.paper: "公文",
    Source.ledger: "台账",
}
RETURN_REASON: dict[str, str] = {
    ReturnReason.evidence_missing: "佐证不足",
    ReturnReason.not_done: "未整改",
    ReturnReason.partly_done: "整改不到位",
    ReturnReason.evidence_contradicts: "佐证与事实不符",
    ReturnReason.other: "其他",
}
DECISION = {Verb.pass_first: "初审通过", Verb.send_back: "退回", Verb.close_out: "复核销号"}
ANSWER = {Answer.upheld: "成立", Answer.declined: "不成立", Answer.lapsed: "事项已了结，不再处理"}
GRANTED = {Answer.upheld: "准予延期", Answer.declined: "不予延期", Answer.lapsed: "事项已了结，不再处理"}
GROUND: dict[str, str] = {Ground.fact: "事实不符", Ground.jurisdiction: "不属职责", Ground.duplicate: "重复交办"}
HANG_REASON: dict[str, str] = {
    HangReason.season: "季节原因",
    HangReason.engineering: "工程原因",
    HangReason.funds: "资金原因",
    HangReason.litigation: "诉讼原因",
}
MEASURE_STATE = {
    MeasureState.planned: "待完成",
    MeasureState.done: "已完成",
    MeasureState.dropped: "已取消",
}
CHECK_RESULT = {CheckResult.passed: "核查通过", CheckResult.failed: "核查不通过"}
LOOK_BACK_RESULT: dict[str, str] = {LookBackResult.holds: "未反弹", LookBackResult.rebounded: "反弹"}
ROLE: dict[str, str] = {
    Role.inspector: "督查员",
    Role.team_lead: "组长",
    Role.supervision_staff: "督查办工作人员",
    Role.supervision_leader: "督查办负责人",
    Role.lead_unit_reviewer: "牵头单位审核人",
    Role.unit_handler: "责任单位经办人",
    Role.unit_principal: "责任单位负责人",
    Role.leader_viewer: "党政领导",
    Role.contract_leader: "包抓领导",
    Role.sys_admin: "系统管理员",
    Role.security_auditor: "安全审计员",
    Role.system: "系统",
}
FILE_STATE = {
    State.declared: "未送达",
    State.received: "已送达，展示件制作中",
    State.ready: "已送达",
    State.refused: "已送达，不能展示",
}
FAMILY = {"image": "", "audio": "录音 ", "video": "录像 ", "application": ""}
GAVE_UP = "系统多次未能打开这张照片"


def day(on: date | None) -> str:
    return f"{on.year}年{on.month}月{on.day}日" if on else ""


def moment(at: datetime | None) -> str:
    """To the minute, as a clock in China shows it."""
    return f"{clock.local(at):%Y-%m-%d %H:%M}" if at else ""


def spot(lat: float | None, lng: float | None, accuracy_m: float | None) -> str:
    """A point as the phone gave it, in WGS-84: to a tenth of a second of arc, about three metres."""
    if lat is None or lng is None:
        return ""
    return f"北纬 {lat:.5f}°，东经 {lng:.5f}°" + (f"，误差 {accuracy_m:.0f} 米" if accuracy_m is not None else "")


def size(octets: int) -> str:
    return f"{octets / 2**20:.1f} MB" if octets >= 2**20 else f"{max(1, round(octets / 2**10))} KB"


def media(media_type: str) -> str:
    """A file's kind: JPEG, 录音 MP4, 录像 QUICKTIME, PDF."""
    family, _, format = media_type.partition("/")
    return FAMILY[family] + format.upper()


def refusal(code: str | None) -> str:
    return REFUSALS.get(code or "", GAVE_UP)


def shortened(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "……"


def told(field: str, value: object) -> str:
    """What a step of the timeline set or said, by field; a code that has no word stays as it is."""
    match field, value:
        case _, None:
            return "无"
        case "status", str():
            return STATUS.get(value, value)
        case "reason_code", str():
            return RETURN_REASON.get(value) or HANG_REASON.get(value, value)
        case "ground", str():
            return GROUND.get(value, value)
        case "result", str():
            return LOOK_BACK_RESULT.get(value, value)
        case "reason", str():
            return refusal(value)
        case "percent", _:
            return f"{value}%"
        case "distance_m", int() | float():
            return f"{value:.0f} 米"
        case "files", _:
            return f"{value} 件"
        case _, bool():
            return "是" if value else "否"
        case _, str() if len(value) == 10 and value[4:5] == "-" and field.endswith("_on"):
            return day(date.fromisoformat(value))
        case _, Sequence() if not isinstance(value, str):
            return "、".join(map(str, value)) or "无"
        case _:
            return str(value)
