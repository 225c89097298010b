"""What happened, for ever: the closed list of verbs, record() as the only writer, and reading by subject."""

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from backend import clock, wake
from backend.db import after_commit, must_be_inside, raw
from backend.roles import Actor

VERBS = {
    "person.added": "An account was made.",
    "person.signed_in": "A person signed in.",
    "person.signed_out": "A person signed out.",
    "person.password_changed": "A password was set anew, by its owner or by the administrator.",
    "person.totp_reset": "A lost second factor was forgotten.",
    "person.recused": "A person declared to keep away from a unit's matters.",
    "person.disabled": "An account was closed.",
    "person.role_granted": "A role was granted at a unit.",
    "person.role_revoked": "A role was taken back.",
    "person.totp_enrolled": "A second factor was enrolled.",
    "unit.added": "A unit was entered.",
    "unit.ended": "A unit's last day was set, and who takes over.",
    "unit.named": "Another name of a unit was entered.",
    "unit.group_set": "A group of units was entered: a word of papers that stands for several.",
    "unit.grouped": "A unit joined a group of units.",
    "unit.ungrouped": "A unit's last day in a group was set.",
    "regions.loaded": "A region file was loaded.",
    "calendar.settled": "The office settled whether a day is a working day.",
    "evidence.stored": "The bytes of a declared file arrived whole and are on disk.",
    "evidence.restored": "The store had lost the bytes of a stored file; they were sent again and are on disk.",
    "evidence.ready": "Display copy and thumbnail were made.",
    "evidence.refused": "The file could not be shown safely.",
    "evidence.explained": "A reviewer explained why a check of a file's trust report is as it is.",
    "evidence.original_taken": "Somebody was let take the original of a file, for the reason that was given.",
    "visit.opened": "A team was sent to a place.",
    "visit.arrived": "A team recorded its arrival.",
    "visit.submitted": "A team handed in what it found.",
    "visit.checklists_chosen": "The office said which checklists a visit answers.",
    "visit.question_answered": "Somebody of the team answered a question of a checklist, for the first time or anew.",
    "checklist.drafted": "A version of a checklist was written, or written anew while it was a draft.",
    "checklist.adopted": "A version of a checklist came into force; the one before it was withdrawn.",
    "checklist.withdrawn": "A version of a checklist was withdrawn; visits that have it go on with it.",
    "finding.filed": "A finding was received.",
    "finding.files_missing": "A day later, files of a finding have not come; its sender is told.",
    "household.entered": "A household of the ledger was entered.",
    "household.corrected": "Fields of a household were corrected; the event names them without their values.",
    "household.person_added": "Somebody was added to a household.",
    "household.person_removed": "Somebody lives in a household no more.",
    "household.viewed": "The full values of a household were read, for the reason that was given.",
    "rectification.drafted": "A finding, or a matter entered by hand, became a rectification that is not issued yet.",
    "rectification.held": "A draft cannot be issued until the office names what is missing.",
    "rectification.issued": "A rectification was handed to its units.",
    "rectification.dropped": "A draft was not issued.",
    "rectification.rescheduled": "The calendar changed, and its date, counted in working days, with it.",
    "rectification.recounted": "The calendar changed; its date stays and is certain now, or no longer.",
    "rectification.answer_time_moved": "The calendar changed, and a unit's time to sign or to object with it.",
    "rectification.decision_time_moved": "The calendar changed, and the office's time to rule or decide with it.",
    "rectification.concerned": "It was said which household a rectification is about.",
    "rectification.acknowledged": "The responsible unit signed for it.",
    "rectification.accepted_silently": "A responsible unit said nothing in time; that is acceptance.",
    "rectification.objected": "A responsible unit contests it.",
    "rectification.objection_declined": "The objection was declined; the unit goes on.",
    "rectification.redirected": "Another unit got the part of the one that objected.",
    "rectification.objection_upheld": "The objection was upheld; the item is void.",
    "rectification.reported": "The responsible unit reported progress.",
    "rectification.measure_planned": "A responsible unit planned a measure.",
    "rectification.measure_done": "A responsible unit said that a measure is done.",
    "rectification.measure_dropped": "A responsible unit gave up a measure, with the reason.",
    "rectification.extension_asked": "A responsible unit asked for more time.",
    "rectification.extended": "More time was granted; the original date still counts for on time.",
    "rectification.extension_declined": "More time was not granted.",
    "rectification.handed_in": "The responsible unit asked for it to be cleared.",
    "rectification.hand_in_confirmed": "The unit's principal confirmed what was handed in.",
    "rectification.hand_in_withdrawn": "The unit's principal withdrew what was handed in; the unit goes on.",
    "rectification.sent_back": "It was returned to the responsible unit.",
    "rectification.passed": "The first review was passed.",
    "rectification.check_assigned": "People were sent to check on site; not told to the unit.",
    "rectification.check_passed": "The site check found it done.",
    "rectification.check_failed": "The site check found it not done; it goes back.",
    "rectification.sampled": "The sample was drawn for an item: its lot, and whether it is checked on site.",
    "rectification.published": "It is shown in public before it is closed.",
    "rectification.public_objection_taken": "Somebody objected in public.",
    "rectification.public_objection_declined": "The public objection was declined.",
    "rectification.public_objection_upheld": "The public objection was upheld; it goes back.",
    "rectification.closed": "The second key was turned; the item is cleared.",
    "rectification.looked_back": "A closed item was looked at again.",
    "rectification.reopened": "It did not hold; it goes on under the same number.",
    "rectification.hung": "It was accepted as long-term, until a day on which it is looked at again.",
    "rectification.resumed": "The clock runs again.",
    "rectification.void_asked": "An office leader asked for it to be voided.",
    "rectification.void_declined": "It was not voided; the item goes on.",
    "rectification.voided": "A second person confirmed; the item is void.",
    "rectification.taken_over": "A unit was merged into another, which has its part now; dates and status stay.",
    "rectification.files_missing": "A day later, files of a hand-in or other record have not come; its sender is told.",
    "rectification.case_file_taken": "Somebody took a copy of its case file.",
    "feedback.given": "Somebody said what is wrong with the program, or what would be better.",
    "feedback.answered": "Feedback was answered; its giver is told.",
    "feedback.closed": "Feedback was closed; its giver is told.",
    "channel.added": "An address was entered, or the robot of a unit's group chat; which one is not told.",
    "channel.confirmed": "It was shown that an address is the person's own.",
    "channel.removed": "An address is not used any more.",
    "calendar_feed.made": "Somebody made a secret address for their calendar; which one is not told.",
    "calendar_feed.revoked": "A secret address of a calendar was revoked.",
    "delivery.retried": "A delivery that was given up was asked for once more.",
    "batch.asked": "One move was asked for many rectifications; what came of each is told by the rectification.",
    "batch.finished": "Every row of a batch is through.",
    "batch.stopped": "The asker stopped what had not begun.",
    "reminder.rule_added": "The office entered a rule of reminders, alone or in the place of another.",
    "reminder.rule_ended": "The last day of a rule of reminders was set.",
    "reminder.due_near": "A due date draws near; the units whose part is open are reminded.",
    "reminder.due_today": "It is the last day; the units whose part is open are reminded.",
    "reminder.overdue": "It is overdue; those who have to act are reminded, and step by step those above them.",
    "reminder.unsigned": "A unit has not signed for an item yet.",
    "reminder.objection_waits": "An objection waits for its ruling.",
    "reminder.extension_waits": "An extension waits for its decision.",
    "reminder.review_waits": "A hand-in waits for its first review.",
    "reminder.check_waits": "A site check has no conclusion yet.",
    "reminder.look_back_waits": "The day of the look-back has come, and nobody has looked.",
    "reminder.hanging_waits": "The day on which a hung item is looked at again draws near, or has come.",
    "reminder.report_waits": "A unit has not reported on a listed item this week.",
    "reminder.month_near": "The month's check is due soon, and regions have no record.",
    "reminder.month_today": "It is the last working day for the month's check, and regions have no record.",
    "reminder.month_missed": "The cutoff of the month's check has passed, and regions have no record.",
    "month.rule_proposed": "The office entered a rule of the monthly check; a second person must approve it.",
    "month.rule_approved": "A second person approved a rule of the monthly check.",
    "month.rule_declined": "A rule of the monthly check was not approved.",
    "month.rule_ended": "A rule of the monthly check was ended; what has begun of it goes on.",
    "month.period_started": "A month of a rule began; its cells were made from the rule and the groups of that day.",
    "month.record_filed": "A lead unit told of a check that it made; what it handed over becomes rectifications.",
    "month.files_missing": "A day later, files of a check record have not come; its sender is told.",
    "month.record_corrected": "A check record was replaced by a corrected one.",
    "month.record_withdrawn": "A check record was withdrawn, with the reason.",
    "month.exemption_asked": "A lead unit asked not to check a region this month.",
    "month.exempted": "A second person granted that a region is not checked this month.",
    "month.exemption_declined": "The region is checked this month after all.",
    "month.previewed": "On the last day of a month it was told how its cells stand.",
    "month.frozen": "The numbers of a month were frozen as of its cutoff; they never change.",
    "month.supplemented": "Check records came or went after the freeze; a numbered supplement tells of them.",
    "month.exemption_revoked": "An exemption was taken back before the cutoff.",
    "operations.troubled": "Something is wrong with this Duban itself; administrators and office are told.",
    "operations.recovered": "What was wrong with this Duban itself is well again.",
    "batch.parked": "A batch got nowhere several times; a person must look.",
    "outbox.parked": "Events could not be handled however often it was tried; a person must look.",
    "notices.chosen": "A person chose by which channels and when to be told.",
    "absence.entered": "A person or a unit will be away; a deputy is told too what they are told.",
    "absence.ended": "Somebody is back earlier than was entered, or was never away.",
}


# Kept for ever like all others, but nothing reacts to them: no outbox row, no doorbell. A test asks the worker.
UNHEARD = frozenset(
    {
        "evidence.stored",
        "evidence.restored",
        "evidence.ready",
        "evidence.refused",
        "evidence.explained",
        "visit.question_answered",
    }
)

# The id under which the running HTTP request is logged; set by the app, kept with every event it causes.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class Held(msgspec.Struct, frozen=True):
    """A role at a unit, as it was held when the thing happened. Text, because a role may be dropped one day."""

    role: str
    unit: UUID


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. `at` is UTC; `payload` is what record() was told, as plain JSON values.

    `held` are the roles the actor had at that moment; none for the program, and for events older than the habit.
    """

    id: UUID
    at: datetime
    actor: UUID | None
    actor_name: str
    verb: str
    subject: UUID
    payload: dict[str, Any]
    held: tuple[Held, ...] = ()


async def record(verb: str, subject: UUID, *, actor: Actor, **facts: object) -> UUID:
    """Write the event and its outbox row in the running transaction, and wake the worker after the commit.

    The payload is encoded once, keys sorted, and kept as these exact bytes, so that it can be hashed later without
    rendering anything again. It carries the actor's name and roles as they are now, because both change.
    Raises KeyError for a verb that is not in VERBS.
    """
    told = _told(verb, subject, actor, facts)
    await raw(f"WITH changed AS (SELECT true){_written(verb, 0)} SELECT FROM changed", *told)
    _wake_for(verb)
    return told[0]


async def record_change(
    change: str, args: Sequence[object], verb: str, subject: UUID, *, actor: Actor, **facts: object
) -> Sequence[Any]:
    """The same together with its cause, in one round trip: `change` is a statement that ends in RETURNING.

    Returns the row it changed; when there was none, there is no event either. More than one is an error.
    """
    told = _told(verb, subject, actor, facts)
    rows = await raw(f"WITH changed AS ({change}){_written(verb, len(args))} SELECT * FROM changed", *args, *told)
    if rows:
        _wake_for(verb)
    return rows


async def record_each(
    changes: str,
    args: Sequence[object],
    verb: str,
    *,
    actor: Actor,
    told: Mapping[str, str],
    counted: str = "count(*) AS n",
    **facts: object,
) -> Any:
    """One event for each row that `changes` returns, in the same statement: for what comes by the hundred thousand.

    `changes` is a statement that ends in RETURNING, with a column `id`, which becomes the event's id and its subject.
    `told` names, for each fact that differs from row to row, the column it stands in: ids, days, whole numbers, yes or
    no, and words of a closed list or several of them only, whose JSON is the same whoever writes it. Returns the one
    row of `counted`, aggregates of what changed, of which `n` says how many there were.
    """
    _, at, person, _, _, payload, request = _told(verb, UUID(int=0), actor, facts)
    constant: dict[str, msgspec.Raw] = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    parts = {name: _literal(f'"{name}":{bytes(value).decode()}') for name, value in constant.items()}
    parts |= {
        name: _literal(f'"{name}":') + f" || coalesce(to_json(changed.{column})::text, 'null')"
        for name, column in told.items()
    }
    body = " || ',' || ".join(parts[name] for name in sorted(parts))
    after = len(args)
    event = (
        ", written AS (INSERT INTO event (id, at, actor, verb, subject, payload, request) "
        f"SELECT changed.id, ${after + 1}::timestamptz, ${after + 2}::uuid, ${after + 3}::text, changed.id, "
        f"convert_to('{{' || {body} || '}}', 'UTF8'), ${after + 4}::text FROM changed RETURNING id, at)"
    )
    rows = await raw(
        f"WITH changed AS ({changes}){event}{_waits(verb)} SELECT {counted} FROM changed",
        *args, at, person, verb, request,
    )  # fmt: skip
    if rows[0]["n"]:
        _wake_for(verb)
    return rows[0]


def _literal(text: str) -> str:
    """As SQL writes a text, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def _told(verb: str, subject: UUID, actor: Actor, facts: Mapping[str, object]) -> tuple[Any, ...]:
    VERBS[verb]
    must_be_inside("an event")
    held = {"as": [Held(grant.role, grant.unit) for grant in actor.grants]} if actor.person and actor.grants else {}
    payload = msgspec.json.encode({"by": actor.name, **held, **facts}, order="sorted")
    return uuid4(), clock.now(), actor.person, verb, subject, payload, request_id.get()


def _written(verb: str, after: int) -> str:
    """SQL that writes the event for the row of `changed`; its seven arguments come `after` so many others."""
    types = ("uuid", "timestamptz", "uuid", "text", "uuid", "bytea", "text")
    told = ", ".join(f"${number}::{kind}" for number, kind in enumerate(types, after + 1))
    event = (
        ", written AS (INSERT INTO event (id, at, actor, verb, subject, payload, request) "
        f"SELECT {told} FROM changed RETURNING id, at)"
    )
    return event + _waits(verb)


def _waits(verb: str) -> str:
    if verb in UNHEARD:
        return ""
    return ", waits AS (INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM written)"


def _wake_for(verb: str) -> None:
    if verb not in UNHEARD:
        after_commit(wake.outbox)


async def of_subjects(subjects: Iterable[UUID], verbs: Sequence[str] | None = None) -> list[Event]:
    """Everything that happened to these subjects, oldest first."""
    rows = await raw(
        "SELECT id, at, actor, verb, subject, payload FROM event WHERE subject = ANY($1::uuid[]) "
        "AND ($2::text[] IS NULL OR verb = ANY($2)) ORDER BY at, id",
        list(subjects),
        list(verbs) if verbs is not None else None,
    )
    return [of_row(row) for row in rows]


def of_row(row: Any) -> Event:
    payload = msgspec.json.decode(row["payload"])
    name, held = payload.pop("by", ""), payload.pop("as", ())
    held = msgspec.convert(held, tuple[Held, ...]) if held else ()
    return Event(row["id"], row["at"], row["actor"], name, row["verb"], row["subject"], payload, held)
