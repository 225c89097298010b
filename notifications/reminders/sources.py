"""Where the things stand that wait: for each anchor one piece of SQL, found by range of its day. No actor's sight here.

Who asks for people guards them (queries.py); the sweep and the hand-over ask as the program.
"""

from dataclasses import dataclass

from notifications.reminders.rules import Anchor, Phase, Rule, Stage
from tasks.rectifications.drivers import Args
from tasks.rectifications.item import WAITING_FOR_UNIT, Status
from tasks.rectifications.words import UnitRole

# What is just being handed over looks from outside as if nobody had been told: a later step that asks (`unheard`) would
# tell its audiences again. So the two take turns, a statement of the sweep and a batch of the hand-over at a time.
GIVING = "SELECT pg_advisory_xact_lock(hashtext('reminders'))"
HANDING_OVER = "SELECT pg_advisory_xact_lock_shared(hashtext('reminders'))"

_WORK = ", ".join(f"'{status.value}'" for status in sorted(WAITING_FOR_UNIT))
_PART = f"part.role = '{UnitRole.responsible.value}' AND part.ended_at IS NULL"
_NOBODY = "'{}'::uuid[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`waits` is FROM and WHERE: what waits now, as `it`. `id` is the subject, `item` the rectification it belongs to.

    `on` is the target, a date; `units` whose work it is, where it is a unit's; `soon` and `late` what else must be true
    before and after the target ({now} is the instant). `certainty` is that of the target itself, `many` how many things
    wait under one subject. `began`, where it is known: when the thing was told of; what a rule would have said ahead of
    the target before that is not said any more.
    """

    waits: str
    on: str
    id: str = "it.id"
    item: str = "it.rectification"
    units: str = _NOBODY
    certainty: str = "'known'"
    many: str = "1"
    soon: str = "true"
    late: str = "true"
    began: str | None = None

    def unsaid(self, phase: Phase, spoke: str) -> str:
        """That it had begun when the rule spoke (SQL of that instant); of what is late nothing is left out."""
        return "true" if phase == Phase.late or self.began is None else f"coalesce({self.began} < {spoke}, true)"

    def during(self, phase: Phase) -> str:
        """What must be true of what waits, beside the target's day, while a rule of this phase speaks."""
        return self.late if phase == Phase.late else self.soon

    @property
    def columns(self) -> str:
        return (
            f"{self.id} AS subject, {self.item} AS item, {self.on} AS target_on, {self.certainty} AS certainty, "
            f"{self.many} AS many"
        )


def asked(sql: str, *, now: str, today: str) -> str:
    """A piece of a source with the places of its two arguments: the instant, and the legal day it is on."""
    return sql.replace("{now}", f"{now}::timestamptz").replace("{today}", f"{today}::date")


def late(rule: Rule, on: str) -> str:
    """Whether the day is past of which a rule speaks before it is (SQL): then it says so."""
    return "false" if rule.phase == Phase.late else f"{on} < {{today}}"


def unheard(stage: Stage, args: Args, until: str = "'infinity'") -> str:
    """Of a row of `found`: the audiences of earlier words that nobody was told of since they were due (SQL, text[]).

    `until`: words later than that are still to come. What had not begun by then was not missed.
    """
    if not stage.before:
        return "NULL::text[]"
    last = (
        "SELECT max(given.at) FROM reminder AS given WHERE given.subject = found.subject "
        "AND given.target_on = found.target_on AND given.series = ANY(ARRAY(SELECT series FROM reminder_rule "
        f"WHERE anchor = {args.put(stage.rule.anchor.value)}::text)) "
        "AND given.lapsed_at IS NULL AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event = given.id)"
    )
    first = args.put(stage.first)
    steps = ", ".join(
        f"({args.put(audience.value)}::text, ({args.put(list(moments))}::timestamptz[])"
        f"[found.target_on - {first}::date + 1])"
        for audience, moments in stage.before.items()
    )
    return (
        f"ARRAY(SELECT step.audience FROM (VALUES {steps}) AS step (audience, at), LATERAL ({last}) AS told (at) "
        f"WHERE step.at <= {until} AND coalesce(found.began < step.at, true) AND coalesce(told.at < step.at, true))"
    )


def _last_day(until: str) -> str:
    """The day that ends at this instant."""
    return f"(({until} - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date"


def _day(at: str) -> str:
    return f"({at} AT TIME ZONE 'Asia/Shanghai')::date"


def _parts(condition: str) -> str:
    return (
        f"ARRAY(SELECT part.unit FROM rectification_unit AS part WHERE part.rectification = it.id AND {_PART} "
        f"AND {condition})"
    )


# A part speaks for its unit and for those that were merged into it (docs/decisions/0024).
_ITS_UNITS = (
    "(SELECT own.unit FROM rectification_unit AS own WHERE own.rectification = part.rectification "
    "AND part.unit IN (own.unit, own.taken_over_by))"
)
# A part that has not reported in the days from Monday to the report day.
_SILENT = (
    f"part.status = '{Status.working.value}' AND NOT EXISTS (SELECT FROM progress "
    f"WHERE progress.rectification = part.rectification AND progress.unit IN {_ITS_UNITS} "
    "AND progress.at >= (({report} - 4)::timestamp AT TIME ZONE 'Asia/Shanghai'))"
)
_REPORT = "({today} + (4 - (extract(isodow FROM {today})::integer - 1)))"  # the Friday of this week
_CONTESTED = (
    "SELECT FROM objection JOIN rectification_unit AS own ON own.rectification = objection.rectification "
    "AND own.unit = objection.unit WHERE objection.rectification = it.rectification "
    "AND objection.decided_at IS NULL AND it.unit IN (own.unit, own.taken_over_by)"
)
# What a lead unit still owes in a period is one thing, however many regions: one reminder, not one for each cell.
# Owed is what has no record that stands and no exemption, as in tasks/monthly/rules.state.
_OWED = (
    "SELECT md5(cell.period::text || cell.lead_unit::text)::uuid AS id, cell.lead_unit AS unit, period.last_on, "
    "period.certainty, count(*)::integer AS many FROM monthly_cell AS cell "
    "JOIN monthly_period AS period ON period.id = cell.period WHERE period.starts_at <= {now} AND NOT EXISTS ("
    "SELECT FROM monthly_record AS record WHERE record.cell = cell.id AND record.first = record.id "
    "AND record.withdrawn_at IS NULL) AND NOT EXISTS (SELECT FROM monthly_exemption AS exemption "
    "WHERE exemption.cell = cell.id AND exemption.answer = 'upheld' AND exemption.revoked_at IS NULL) "
    "GROUP BY cell.period, cell.lead_unit, period.last_on, period.certainty"
)

SOURCES: dict[Anchor, Source] = {
    # Only units whose part is open are asked; an item stands where its least advanced part stands.
    Anchor.due: Source(
        waits=f"FROM rectification AS it WHERE it.status IN ({_WORK})",
        on="it.due_on",
        item="it.id",
        units=_parts(f"part.status IN ({_WORK})"),
        certainty="it.due_certainty",
        soon="it.due_at > {now}",
        late="it.due_at <= {now}",
        began="it.issued_at",  # who is issued an item that is due tomorrow reads so there, and not again a minute later
    ),
    # A unit that contests the item is not asked to sign it.
    Anchor.signing: Source(
        waits=f"FROM rectification_unit AS it WHERE it.status = '{Status.issued.value}' AND it.ended_at IS NULL "
        f"AND it.role = '{UnitRole.responsible.value}' AND it.item_status = '{Status.issued.value}' "
        f"AND NOT EXISTS ({_CONTESTED})",
        on="it.asked_on",
        units="ARRAY[it.unit]",
    ),
    Anchor.objection: Source(waits="FROM objection AS it WHERE it.decided_at IS NULL", on=_last_day("it.rule_by")),
    Anchor.extension: Source(waits="FROM extension AS it WHERE it.decided_at IS NULL", on=_last_day("it.decide_by")),
    # The latest hand-in of a part that nobody has looked at.
    Anchor.review: Source(
        waits="FROM rectification_unit AS part CROSS JOIN LATERAL (SELECT id, rectification, at FROM hand_in "
        f"WHERE hand_in.rectification = part.rectification AND hand_in.unit IN {_ITS_UNITS} ORDER BY at DESC, id DESC "
        f"LIMIT 1) AS it WHERE part.status = '{Status.handed_in.value}' AND part.ended_at IS NULL",
        on=_day("it.at"),
    ),
    Anchor.site_check: Source(
        waits="FROM site_check AS it WHERE it.concluded_at IS NULL AND it.called_off_at IS NULL",
        on=_day("it.assigned_at"),
    ),
    # Its narrow copy has the index (docs/decisions/0018).
    Anchor.look_back: Source(
        waits=f"FROM rectification_search AS it WHERE it.status = '{Status.closed.value}' "
        "AND it.look_back_on IS NOT NULL",
        on="it.look_back_on",
        id="it.rectification",
    ),
    Anchor.hanging: Source(
        waits=f"FROM rectification AS it WHERE it.status = '{Status.hung.value}'",
        on="it.review_on",
        item="it.id",
        began="(SELECT hanging.at FROM hanging WHERE hanging.rectification = it.id AND hanging.resumed_at IS NULL)",
    ),
    Anchor.weekly_report: Source(
        waits="FROM rectification AS it WHERE it.listed AND it.status IN ("
        f"{_WORK}) AND EXISTS (SELECT FROM rectification_unit AS part WHERE part.rectification = it.id "
        f"AND {_PART} AND {_SILENT.format(report=_REPORT)})",
        on=_REPORT,
        item="it.id",
        units=_parts(_SILENT.format(report=_REPORT)),
    ),
    Anchor.month: Source(
        waits=f"FROM ({_OWED}) AS it WHERE true",
        on="it.last_on",
        item="NULL::uuid",
        units="ARRAY[it.unit]",
        certainty="it.certainty",
        many="it.many",
    ),
}
