"""The whole story of one rectification, told from its events and those of the visit it comes from."""

from uuid import UUID

from backend import events
from backend.db import select
from backend.roles import Actor
from tasks.rectifications import queries, shapes

# What the story tells, in the words of the office. Events without a sentence here are machinery, not story.
SENTENCES = {
    "visit.arrived": "检查组到达现场",
    "finding.filed": "登记问题",
    "evidence.stored": "佐证材料送达",
    "visit.submitted": "检查组提交检查",
    "rectification.drafted": "形成整改事项",
    "rectification.issued": "交办",
    "rectification.acknowledged": "签收",
    "rectification.reported": "报进展",
    "rectification.handed_in": "申请销号",
    "rectification.sent_back": "退回",
    "rectification.passed": "初审通过",
    "rectification.closed": "复核销号",
    "rectification.void_asked": "申请作废",
    "rectification.void_declined": "不予作废",
    "rectification.voided": "作废",
}
ORDER = {verb: place for place, verb in enumerate(SENTENCES)}  # for what happened at the same instant


async def timeline(rectification: UUID, actor: Actor) -> shapes.Timeline:
    """Oldest first. Raises NotFound outside the actor's sight."""
    await queries.seen(rectification, actor)
    told = await events.of_subjects(await _subjects(rectification), list(SENTENCES))
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
        "WHERE hand_in.rectification = {}",
        rectification,
        rectification,
        rectification,
    )
    return [row["subject"] for row in rows if row["subject"]]
