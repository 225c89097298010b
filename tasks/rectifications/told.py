"""What the story of a rectification tells: one row per verb, and the words for what was set or said. No database."""

from collections.abc import Collection
from dataclasses import dataclass

from backend.roles import FIELD, OFFICE, RESPONSIBLE, Role

REVIEWERS = OFFICE | {Role.lead_unit_reviewer}
ISSUERS = OFFICE | {Role.team_lead}
LEADER, PRINCIPAL = frozenset({Role.supervision_leader}), frozenset({Role.unit_principal})
SECOND_KEY = LEADER | {Role.contract_leader}

# Where the files of a step hang: a link table, its column that names the owner, and the payload key that says which
# owner; the subject itself where the payload does not say.
Files = tuple[str, str, str]
FOUND: Files = ("finding_evidence", "finding", "finding")
DONE: Files = ("hand_in_evidence", "hand_in", "hand_in")
ITSELF: Files = ("evidence", "id", "evidence")
BROUGHT: Files = ("record_evidence", "record", "item")  # with an item that comes from no finding


def of_record(key: str) -> Files:
    """The files of a procedure, which the payload names under this key."""
    return ("record_evidence", "record", key)


# The words for what a payload can hold. What stands here and in a row below is shown; nothing else leaves the payload.
LABELS = {
    "status": "状态",
    "found_where": "出处",
    "number": "编号",
    "due_on": "整改期限",
    "review_on": "复查日期",
    "accept_on": "签收期限",
    "object_on": "异议期限",
    "rule_on": "裁定期限",
    "decide_on": "延期审批期限",
    "look_back_on": "回头看日期",
    "responsible_units": "责任单位",
    "lead_units": "牵头单位",
    "cooperating_units": "配合单位",
    "unit": "责任单位",
    "units": "责任单位",
    "to_unit": "现由",
    "responsible_person": "责任人",
    "percent": "进度",
    "text": "措施",
    "planned_on": "计划完成日期",
    "charged": "措施责任人",
    "confirmed_by": "单位负责人",
    "ground": "异议理由",
    "reason_code": "原因",
    "reason": "原因",
    "result": "结果",
    "wanted_on": "申请延至",
    "paper": "文件",
    "starts_on": "公示开始",
    "ends_on": "公示结束",
    "note": "说明",
    "why": "原因",
    "files": "照片数",
    "distance_m": "距目标",
    "false_rectification": "虚假整改",
    "late": "补报",
}
NAMED_UNITS = frozenset({"responsible_units", "lead_units", "cooperating_units", "unit", "units", "to_unit"})
PER_UNIT = frozenset({"percent", "responsible_person"})  # each responsible unit has its own


@dataclass(frozen=True, slots=True)
class Told:
    """A verb on the timeline.

    `by`: the roles in which it can be done; none named: whichever was held. `sets`: payload keys that change the item,
    told as before and after. `says`: payload keys told as they are. `files`: see above. The status is not named here:
    it follows from the table of moves.
    """

    sentence: str
    by: Collection[Role] = ()
    sets: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    files: Files | None = None


# In the order of the story, which settles what is told first of two things at the same instant.
TOLD = {
    "visit.arrived": Told("检查组到达现场", FIELD, says=("distance_m", "late")),
    "finding.filed": Told("登记问题", FIELD, says=("files", "late"), files=FOUND),
    "evidence.stored": Told("佐证材料送达", files=ITSELF),
    "evidence.refused": Told("佐证材料不能展示", says=("reason",), files=ITSELF),
    "visit.submitted": Told("检查组提交检查", {Role.team_lead}),
    "rectification.drafted": Told("形成整改事项", OFFICE, says=("found_where",), files=BROUGHT),
    "rectification.issued": Told(
        "交办", ISSUERS, sets=("number", "due_on", "responsible_units", "lead_units", "cooperating_units")
    ),
    "rectification.rescheduled": Told("期限随工作日历调整", sets=("due_on",), says=("why",)),
    "rectification.answer_time_moved": Told(
        "签收、异议的期限随工作日历调整", says=("unit", "accept_on", "object_on", "why")
    ),
    "rectification.decision_time_moved": Told(
        "裁定、审批的期限随工作日历调整", says=("unit", "rule_on", "decide_on", "why")
    ),
    "rectification.dropped": Told("撤销草稿", ISSUERS, says=("note",)),
    "rectification.concerned": Told("明确涉及的农户", ISSUERS),
    "rectification.acknowledged": Told("签收", RESPONSIBLE, sets=("responsible_person",), says=("unit",)),
    "rectification.accepted_silently": Told("逾期未签收，视为签收", says=("unit",)),
    "rectification.objected": Told(
        "提出异议", PRINCIPAL, says=("unit", "ground", "note", "files"), files=of_record("objection")
    ),
    "rectification.objection_declined": Told("异议不成立", OFFICE, says=("unit", "note")),
    "rectification.redirected": Told("异议成立，改派", OFFICE, sets=("due_on",), says=("unit", "to_unit", "note")),
    "rectification.objection_upheld": Told("异议成立，作废", LEADER, says=("unit", "note")),
    "rectification.reported": Told("报进展", RESPONSIBLE, sets=("percent",), says=("unit", "note")),
    "rectification.measure_planned": Told("拟定整改措施", RESPONSIBLE, says=("unit", "text", "planned_on", "charged")),
    "rectification.measure_done": Told("完成整改措施", RESPONSIBLE, says=("unit", "text", "note")),
    "rectification.measure_dropped": Told("取消整改措施", RESPONSIBLE, says=("unit", "text", "note")),
    "rectification.extension_asked": Told("申请延期", PRINCIPAL, says=("unit", "wanted_on", "note")),
    "rectification.extended": Told("准予延期", OFFICE, sets=("due_on",), says=("note",)),
    "rectification.extension_declined": Told("不予延期", OFFICE, says=("note",)),
    "rectification.handed_in": Told("申请销号", RESPONSIBLE, says=("unit", "confirmed_by", "files"), files=DONE),
    "rectification.hand_in_confirmed": Told("负责人确认销号申请", PRINCIPAL, says=("unit", "note")),
    "rectification.hand_in_withdrawn": Told("负责人撤回销号申请", PRINCIPAL, says=("unit", "note")),
    "rectification.sent_back": Told("退回", REVIEWERS, says=("units", "reason_code", "note")),
    "rectification.passed": Told("初审通过", REVIEWERS, says=("units", "note")),
    "rectification.check_assigned": Told("指派现场核查", OFFICE, says=("note",)),
    "rectification.check_passed": Told(
        "现场核查通过", FIELD | OFFICE, says=("distance_m", "note", "files"), files=of_record("check")
    ),
    "rectification.check_failed": Told(
        "现场核查不通过",
        FIELD | OFFICE,
        says=("units", "false_rectification", "distance_m", "note", "files"),
        files=of_record("check"),
    ),
    "rectification.published": Told("公示", OFFICE, says=("starts_on", "ends_on")),
    "rectification.public_objection_taken": Told("登记公示异议", OFFICE, says=("note",)),
    "rectification.public_objection_declined": Told("公示异议不成立", OFFICE, says=("note",)),
    "rectification.public_objection_upheld": Told("公示异议成立", OFFICE, says=("units", "note")),
    "rectification.closed": Told("复核销号", SECOND_KEY, sets=("look_back_on",), says=("note",)),
    "rectification.looked_back": Told(
        "回头看", FIELD | OFFICE, says=("result", "note", "files"), files=of_record("look_back")
    ),
    "rectification.reopened": Told(
        "反弹重开", LEADER, sets=("due_on",), says=("units", "note"), files=of_record("reopening")
    ),
    "rectification.hung": Told("挂账", LEADER, sets=("review_on",), says=("reason_code", "paper", "note")),
    "rectification.resumed": Told("解除挂账", OFFICE, sets=("due_on",), says=("note",)),
    "rectification.void_asked": Told("申请作废", LEADER, says=("note",)),
    "rectification.void_declined": Told("不予作废", OFFICE, says=("note",)),
    "rectification.voided": Told("作废", OFFICE),
    "rectification.taken_over": Told("单位撤并，由承接单位接办", says=("unit", "to_unit")),
}
# Verbs of a rectification that are no part of its story: what the program notes for itself (the sample would warn the
# unit of a check), and looking at it.
MACHINERY = frozenset(
    {
        "rectification.held",
        "rectification.sampled",
        "rectification.recounted",
        "rectification.files_missing",
        "rectification.case_file_taken",
    }
)

SENTENCES = {verb: told.sentence for verb, told in TOLD.items()}
ORDER = {verb: place for place, verb in enumerate(TOLD)}
