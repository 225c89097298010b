"""为什么通知我: the sentence that says as what somebody is told, at which unit, and in whose stead."""

from collections.abc import Mapping
from typing import Any

from backend.roles import Role
from notifications.inbox.rules import Audience

ROLES = {
    Role.inspector: ("督查员", "inspector"),
    Role.team_lead: ("组长", "team lead"),
    Role.supervision_staff: ("工作人员", "staff"),
    Role.supervision_leader: ("负责人", "head"),
    Role.lead_unit_reviewer: ("审核人", "reviewer"),
    Role.unit_handler: ("经办人", "handler"),
    Role.unit_principal: ("负责人", "principal"),
    Role.leader_viewer: ("领导", "leader"),
    Role.contract_leader: ("包抓领导", "leader in charge"),
    Role.sys_admin: ("系统管理员", "administrator"),
    Role.security_auditor: ("安全审计员", "auditor"),
    Role.system: ("系统", "program"),
}

# {unit} and {role} are those through which it was heard; notices older than the habit do not say them.
SENTENCES = {
    Audience.responsible_units: ("{unit}是责任单位，您是{role}。", "{unit} is responsible, and you are its {role}."),
    Audience.principals: ("{unit}是责任单位，您是{role}。", "{unit} is responsible, and you are its {role}."),
    Audience.lead_units: ("{unit}是牵头单位，您是{role}。", "{unit} is the lead unit, and you are its {role}."),
    Audience.office_leaders: ("您是督查办（{unit}）{role}。", "You are the {role} of the supervision office ({unit})."),
    Audience.closers: (
        "您是督查办（{unit}）{role}，可以复核销号。",
        "You are the {role} of the supervision office ({unit}) and may turn the second key.",
    ),
    Audience.office: ("您是督查办（{unit}）{role}。", "You are {role} of the supervision office ({unit})."),
    Audience.leaders: ("您是{unit}{role}，可查看本地区情况。", "You are {role} at {unit} and read its area."),
    Audience.team: ("问题是您所在的督查组发现的。", "Your team found it."),
    Audience.former_units: (
        "{unit}曾是责任单位或牵头单位，您是{role}。",
        "{unit} had a part in it before, and you are its {role}.",
    ),
    Audience.checkers: ("您被指派参加现场核查。", "You were sent to check on site."),
    Audience.asker: ("这是您提交的，现在有了结果。", "You asked for it; this is the answer."),
    Audience.sender: ("这些材料由您报送。", "You are the one who sends these files."),
    Audience.administrators: ("您是系统管理员。", "You are an administrator."),
}
DEPUTY = ("您代{away}收到这条通知。{because}", "You are told in place of {away}. {because}")
NOT_SAID = ("您的单位", "your unit", "有关人员", "part of it")


def sentence(row: Mapping[str, Any], english: bool) -> str:
    """`row`: `reason`, `unit_name`, `role`, and `away`, the name of who is away."""
    which = 1 if english else 0
    said = {
        "unit": row["unit_name"] or NOT_SAID[which],
        "role": ROLES[Role(row["role"])][which] if row["role"] else NOT_SAID[2 + which],
    }
    because = SENTENCES[Audience(row["reason"])][which].format_map(said)
    return DEPUTY[which].format(away=row["away"], because=because) if row["away"] else because
