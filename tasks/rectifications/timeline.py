"""The whole story of one rectification, told from its events and those of the visit it comes from."""

from uuid import UUID

from backend import events
from backend.db import select
from backend.roles import Actor
from tasks.rectifications import queries, shapes, who

# What the story tells, in the words of the office. Events without a sentence here are machinery, not story.
SENTENCES = {
    "visit.arrived": "检查组到达现场",
    "finding.filed": "登记问题",
    "evidence.stored": "佐证材料送达",
    "visit.submitted": "检查组提交检查",
    "rectification.drafted": "形成整改事项",
    "rectification.issued": "交办",
    "rectification.dropped": "撤销草稿",
    "rectification.rescheduled": "期限随工作日历调整",
    "rectification.acknowledged": "签收",
    "rectification.accepted_silently": "逾期未签收，视为签收",
    "rectification.objected": "提出异议",
    "rectification.objection_declined": "异议不成立",
    "rectification.redirected": "异议成立，改派",
    "rectification.objection_upheld": "异议成立，作废",
    "rectification.reported": "报进展",
    "rectification.extension_asked": "申请延期",
    "rectification.extended": "准予延期",
    "rectification.extension_declined": "不予延期",
    "rectification.handed_in": "申请销号",
    "rectification.sent_back": "退回",
    "rectification.passed": "初审通过",
    "rectification.check_assigned": "指派现场核查",
    "rectification.check_passed": "现场核查通过",
    "rectification.check_failed": "现场核查不通过",
    "rectification.published": "公示",
    "rectification.public_objection_taken": "登记公示异议",
    "rectification.public_objection_declined": "公示异议不成立",
    "rectification.public_objection_upheld": "公示异议成立",
    "rectification.closed": "复核销号",
    "rectification.looked_back": "回头看",
    "rectification.reopened": "反弹重开",
    "rectification.hung": "挂账",
    "rectification.resumed": "解除挂账",
    "rectification.void_asked": "申请作废",
    "rectification.void_declined": "不予作废",
    "rectification.voided": "作废",
}
ORDER = {verb: place for place, verb in enumerate(SENTENCES)}  # for what happened at the same instant


async def timeline(rectification: UUID, actor: Actor) -> shapes.Timeline:
    """Oldest first. Raises NotFound outside the actor's sight."""
    await queries.seen(rectification, actor)
    hidden = who.checks_hidden(actor, await queries.parties(rectification))
    shown = [verb for verb in SENTENCES if not (hidden and verb == "rectification.check_assigned")]
    told = await events.of_subjects(await _subjects(rectification), shown)
    told.sort(key=lambda event: (event.at, ORDER[event.verb]))
    people = {event.actor for event in told if event.actor}
    units = await select(
        "SELECT person.id, unit.short_name FROM person JOIN unit ON unit.id = person.unit WHERE person.id = ANY({})",
        list(people),
    )
    unit_of = {row["id"]: row["short_name"] for row in units}
    return shapes.Timeline(
        [
            shapes.TimelineEntry(
                event.id,
                event.at,
                event.verb,
                SENTENCES[event.verb],
                event.actor,
                event.actor_name,
                unit_of.get(event.actor, "") if event.actor else "",
                event.payload,
            )
            for event in told
        ]
    )


async def _subjects(rectification: UUID) -> list[UUID]:
    """Everything whose events belong to the story: the item, its finding and visit, the files of both."""
    rows = await select(
        "SELECT unnest(ARRAY[id, finding, visit]) AS subject FROM rectification WHERE id = {} "
        "UNION SELECT evidence FROM finding_evidence JOIN rectification ON rectification.finding = "
        "finding_evidence.finding WHERE rectification.id = {} "
        "UNION SELECT evidence FROM hand_in_evidence JOIN hand_in ON hand_in.id = hand_in_evidence.hand_in "
        "WHERE hand_in.rectification = {} "
        "UNION SELECT evidence FROM record_evidence WHERE rectification = {}",
        rectification,
        rectification,
        rectification,
        rectification,
    )
    return [row["subject"] for row in rows if row["subject"]]
