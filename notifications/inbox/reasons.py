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

# {unit} and {role} are those through which it was heard; notices older than the habit do not say them. {who} is the
# reader, or whom the reader stands in for.
SENTENCES = {
    Audience.responsible_units: ("{unit}是责任单位，{who}是{role}。", "{unit} is responsible; {who} its {role}."),
    Audience.principals: ("{unit}是责任单位，{who}是{role}。", "{unit} is responsible; {who} its {role}."),
    Audience.lead_units: ("{unit}是牵头单位，{who}是{role}。", "{unit} is the lead unit; {who} its {role}."),
    Audience.office_leaders: ("{who}是督查办（{unit}）{role}。", "{who} {role} of the supervision office ({unit})."),
    Audience.closers: (
        "{who}是督查办（{unit}）{role}，可以复核销号。",
        "{who} {role} of the supervision office ({unit}): the second key can be turned.",
    ),
    Audience.office: ("{who}是督查办（{unit}）{role}。", "{who} {role} of the supervision office ({unit})."),
    Audience.leaders: ("{who}是{unit}{role}，可查看本地区情况。", "{who} {role} at {unit}, which reads its area."),
    Audience.team: ("问题是您所在的督查组发现的。", "Your team found it."),
    Audience.former_units: (
        "{unit}曾是责任单位或牵头单位，{who}是{role}。",
        "{unit} had a part in it before; {who} its {role}.",
    ),
    Audience.checkers: ("您被指派参加现场核查。", "You were sent to check on site."),
    Audience.asker: ("这是您提交的，现在有了结果。", "You asked for it; this is the answer."),
    Audience.sender: ("这些材料由您报送。", "You are the one who sends these files."),
    Audience.administrators: ("您是系统管理员。", "You are an administrator."),
}
IN_PLACE_OF = ("{who}不在，您代为收到。{because}", "You are told in place of {who}. {because}")
ON_DUTY = ("{unit}不在岗，您值班代为收到。", "{unit} is away; you are on duty and told in its place.")
NOT_SAID = ("您的单位", "your unit", "有关人员", "part of it")


def mark(row: Mapping[str, Any], english: bool) -> str:
    """What stands before the title of what a deputy is told; nothing for others."""
    who = row["away_person"] or row["away_unit"]
    return (f"(for {who}) " if english else f"（代{who}）") if who else ""


def sentence(row: Mapping[str, Any], english: bool) -> str:
    """`row`: `reason`, `unit_name`, `role`; `away_person` or `away_unit`, the name of who is away."""
    which = 1 if english else 0
    if row["away_unit"]:
        return ON_DUTY[which].format(unit=row["away_unit"])
    who = row["away_person"]
    said = {
        "unit": row["unit_name"] or NOT_SAID[which],
        "role": ROLES[Role(row["role"])][which] if row["role"] else NOT_SAID[2 + which],
        "who": (who or "您", f"{who} is" if who else "you are")[which],
    }
    because = SENTENCES[Audience(row["reason"])][which].format_map(said)
    because = because[0].upper() + because[1:]
    return IN_PLACE_OF[which].format(who=who, because=because) if who else because
