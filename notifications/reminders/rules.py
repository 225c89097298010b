"""Reminders: when a rule speaks of a day, which rule speaks now, and who is told when nobody is there.

What a rule may say: wanted.py. Pure: no database, no clock. A *target* is the day that a reminder is about (the due
day, say); a rule gives the instant at which it speaks of that day. Sources: domain.md e, f (level 0), b.3; issue 5,
scope 3.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from backend.roles import OFFICE, Actor
from backend.workdays import Calendar, Certainty, Stretch, TermUnit, moment_of
from notifications.inbox.rules import Audience, Urgency

ONE_DAY = timedelta(days=1)
# What has been late for longer than this and was never reminded of stays so: nobody is to be flooded with old matters.
LONGEST_LATE = timedelta(days=400)
MARGIN = timedelta(days=30)
REPORT_WEEKDAY = 4  # Friday (domain.md d.2)


class Anchor(StrEnum):
    """What a rule counts from: the last day of a term, or the day on which something began to wait."""

    due = "due"  # 整改期限
    signing = "signing"  # 交办之日起未签收
    objection = "objection"  # 异议裁定期限
    extension = "extension"  # 延期审批期限
    review = "review"  # 申请销号之日起未初审
    site_check = "site_check"  # 指派核查之日起无结论
    look_back = "look_back"  # 回头看日期
    hanging = "hanging"  # 挂账复查日期
    weekly_report = "weekly_report"  # 挂牌事项每周五前报进展
    month = "month"  # 每月检查的内部目标日


class Phase(StrEnum):
    """Where the target lies: each phase of an anchor is an event of its own, with words of its own."""

    soon = "soon"  # 临近
    today = "today"  # 当日
    late = "late"  # 逾期


def phase_of(offset: int) -> Phase:
    return Phase.soon if offset < 0 else Phase.late if offset else Phase.today


# The event by which a reminder is told. Where the phase changes what is said, each has its own.
BY_PHASE = {
    Anchor.due: {Phase.soon: "due_near", Phase.today: "due_today", Phase.late: "overdue"},
    Anchor.month: {Phase.soon: "month_near", Phase.today: "month_today", Phase.late: "month_missed"},
}
ALWAYS = {
    Anchor.signing: "unsigned",
    Anchor.objection: "objection_waits",
    Anchor.extension: "extension_waits",
    Anchor.review: "review_waits",
    Anchor.site_check: "check_waits",
    Anchor.look_back: "look_back_waits",
    Anchor.hanging: "hanging_waits",
    Anchor.weekly_report: "report_waits",
}


def verb(anchor: Anchor, phase: Phase) -> str:
    """The event of a reminder."""
    return f"reminder.{BY_PHASE[anchor][phase] if anchor in BY_PHASE else ALWAYS[anchor]}"


VERBS = frozenset(verb(anchor, phase) for anchor in Anchor for phase in Phase)

# Whom a rule may tell, and who is told when there is nobody: one step up, until somebody is found.
STEP_UP = {
    Audience.responsible_units: Audience.lead_units,
    Audience.principals: Audience.lead_units,
    Audience.checkers: Audience.office,
    Audience.lead_units: Audience.office,
    Audience.office: Audience.office_leaders,
    Audience.office_leaders: Audience.leaders,
    Audience.leaders: None,
}
OF_ITS_PART = (Audience.responsible_units, Audience.principals)  # asked for each unit whose part is open


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table of reminders. `offset` is in working days or days, negative before the target.

    It holds on the days from `valid_from` to `valid_to`. A change is a new rule of the same `series`, which began on
    `since`: what one of a series has said of a target, the others do not say again, and none speaks of what it would
    have said before the series began.
    """

    id: UUID
    series: UUID
    since: date
    anchor: Anchor
    offset: int
    unit: TermUnit
    at: time
    tells: tuple[Audience, ...]
    urgency: Urgency
    valid_from: date
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def phase(self) -> Phase:
        return phase_of(self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A rule that speaks now of the targets from `first` on, day after day.

    `spoke` says for each at which instant the rule spoke, `left` how far away it is today, in what the rule counts in
    (below zero: past); `certainty` whether every day counted stands in a published list. `before`: whom this rule does
    not tell and an earlier one does, and for each target when that one spoke last (None: it did not). Whoever has heard
    nothing since then hears with this one.
    """

    rule: Rule
    first: date
    spoke: Sequence[datetime]
    left: Sequence[int]
    certainty: Sequence[Certainty]
    before: Mapping[Audience, Sequence[datetime | None]] = field(default_factory=dict[Audience, Any])

    @property
    def last(self) -> date:
        return self.first + (len(self.left) - 1) * ONE_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What a rule says of one target since when, and who should have heard an earlier word on it, when."""

    rule: Rule
    target: date
    spoke: datetime
    certainty: Certainty
    before: Mapping[Audience, datetime]


# ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def speaks_on(rule: Rule, target: date, calendar: Calendar) -> tuple[date, Certainty]:
    """The day on which the rule speaks of this target, and how certain it is.

    A month is aimed at by its last working day: reminders move to it, the cutoff does not (domain.md e).
    """
    firm = Certainty.known
    if rule.anchor == Anchor.month and rule.offset <= 0:
        target, firm = aim(target, calendar)
    if rule.unit == TermUnit.days:
        return target + rule.offset * ONE_DAY, firm
    count = calendar.add_workdays if rule.offset > 0 else calendar.workdays_before
    day, certainty = count(target, abs(rule.offset))
    return day, certainty if firm == Certainty.known else firm


def aim(last_on: date, calendar: Calendar) -> tuple[date, Certainty]:
    """The last working day up to and including this one."""
    if calendar.is_workday(last_on):
        return last_on, calendar.certainty(last_on)
    day, certainty = calendar.workdays_before(last_on, 1)
    return day, certainty


def plan(rules: Collection[Rule], now: datetime, today: date, calendar: Calendar) -> list[Stage]:
    """Which rule speaks now of which targets.

    Of each target only the rules that spoke last: what was missed is made up for by the latest of it, once, for all who
    should have heard, and not at all when it is no longer true (nothing is due soon that is past).
    """
    stages: list[Stage] = []
    calendar = Stretch.of(calendar, today - LONGEST_LATE - MARGIN, today + LONGEST_LATE + MARGIN)
    for anchor in Anchor:
        valid = [rule for rule in rules if rule.anchor == anchor and rule.holds(today)]
        spoken: dict[Rule, list[_Word]] = {rule: [] for rule in valid}
        for target in _targets(anchor, valid, today):
            for word in _last_words(valid, target, now, today, calendar):
                spoken[word.rule].append(word)
        for found in spoken.values():
            stages += _stages(found, today, calendar)
    return stages


def speaking_on(rules: Collection[Rule], day: date, calendar: Calendar) -> list[tuple[datetime, Stage]]:
    """What each rule says on this day if the program runs all day: the instant, and of which targets; earliest first.

    For the preview: the same as what plan() gives at those instants.
    """
    found: list[tuple[datetime, Stage]] = []
    moments = sorted({moment_of(day, rule.at) for rule in rules if rule.holds(day)})
    for moment in moments:
        for stage in plan(rules, moment, day, calendar):
            if moment_of(day, stage.rule.at) == moment:
                words = [word for word in _words(stage) if speaks_on(stage.rule, word.target, calendar)[0] == day]
                found += [(moment, part) for part in _stages(words, day, calendar)]
    return found


def _words(stage: Stage) -> Iterator[_Word]:
    """The stage day by day."""
    for n, certainty in enumerate(stage.certainty):
        before = {audience: at for audience, moments in stage.before.items() if (at := moments[n])}
        target = stage.first + n * ONE_DAY
        yield _Word(rule=stage.rule, target=target, spoke=stage.spoke[n], certainty=certainty, before=before)


def _targets(anchor: Anchor, rules: Sequence[Rule], today: date) -> Iterator[date]:
    """The days that these rules could speak of today: from the longest past to the farthest ahead."""
    if not rules:
        return
    ahead = max((_reach(rule) for rule in rules if rule.offset < 0), default=timedelta())
    late = LONGEST_LATE if anchor not in BY_PHASE or any(rule.offset > 0 for rule in rules) else timedelta()
    if anchor == Anchor.weekly_report:
        late = min(late, timedelta(days=6))  # what was not reported last week is not asked for any more
    day = today - late
    while day <= today + ahead:
        if anchor != Anchor.weekly_report or day.weekday() == REPORT_WEEKDAY:
            yield day
        day += ONE_DAY


def _reach(rule: Rule) -> timedelta:
    """No further ahead than this lies a day that the rule speaks of: holidays are at most ten days in a row."""
    return timedelta(days=-rule.offset if rule.unit == TermUnit.days else 3 * -rule.offset + 14)


def _last_words(rules: Sequence[Rule], target: date, now: datetime, today: date, calendar: Calendar) -> list[_Word]:
    """Of the rules that spoke last of this target, among those whose words can be true today.

    Where several spoke at that moment, one of them speaks to those who should have heard before, too.
    """
    spoken = [(rule, (day, rule.at), certainty) for rule in rules
              for day, certainty in (speaks_on(rule, target, calendar),)
              if rule.since <= day and (day < today or day == today and moment_of(day, rule.at) <= now)]  # fmt: skip
    true = [word for word in spoken if _true(word[0].anchor, word[0].phase, target, today, calendar)]
    if not true:
        return []
    latest = max(at for _, at, _ in true)
    last = [(rule, certainty) for rule, at, certainty in true if at == latest]
    hear = {audience for rule, _ in last for audience in rule.tells}
    earlier = sorted((at, rule.tells) for rule, at, _ in spoken if at < latest and not hear.issuperset(rule.tells))
    before = {audience: moment_of(*at) for at, tells in earlier for audience in tells if audience not in hear}
    moment = moment_of(*latest)
    return [
        _Word(rule=rule, target=target, spoke=moment, certainty=certainty, before={} if place else before)
        for place, (rule, certainty) in enumerate(last)
    ]


def worth_telling(anchor: Anchor, phase: Phase, target: date, today: date, calendar: Calendar) -> bool:
    """Whether what was given and held up since may be said today: nothing has "one day left" that is past.

    What is said of the day itself may come later where it has no words of its own, rather than never.
    """
    return phase == Phase.today and anchor not in BY_PHASE or _fits(anchor, phase, target, today, calendar)


def _true(anchor: Anchor, phase: Phase, target: date, today: date, calendar: Calendar) -> bool:
    """Whether what a rule that has spoken says of the target can be true today.

    Where the words are the same before and after the day they say how much is left or by how much it is late today: it
    waits all the same, and who should have heard before the day hears after it.
    """
    return anchor not in BY_PHASE or _fits(anchor, phase, target, today, calendar)


def _fits(anchor: Anchor, phase: Phase, target: date, today: date, calendar: Calendar) -> bool:
    """Whether today lies to the target as the phase has it. A month's last days are all days to do it on."""
    aimed = aim(target, calendar)[0] if anchor == Anchor.month else target
    match phase:
        case Phase.soon:
            return today < aimed
        case Phase.today:
            return aimed <= today <= target
        case Phase.late:
            return today > target


def _stages(found: Sequence[_Word], today: date, calendar: Calendar) -> Iterator[Stage]:
    """Days in a row are one stage."""
    run: list[_Word] = []
    for word in found:
        if run and word.target != run[-1].target + ONE_DAY:
            yield _stage(run, today, calendar)
            run = []
        run.append(word)
    if run:
        yield _stage(run, today, calendar)


def _stage(run: Sequence[_Word], today: date, calendar: Calendar) -> Stage:
    rule = run[0].rule
    heard = sorted({audience for word in run for audience in word.before})
    return Stage(
        rule=rule,
        first=run[0].target,
        spoke=[word.spoke for word in run],
        left=[left(rule, word.target, today, calendar) for word in run],
        certainty=[word.certainty for word in run],
        before={audience: [word.before.get(audience) for word in run] for audience in heard},
    )


def left(rule: Rule, target: date, today: date, calendar: Calendar) -> int:
    """How far away the target is, in what the rule counts in; below zero when it is past."""
    return (target - today).days if rule.unit == TermUnit.days else calendar.workdays_between(today, target)


# ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Told = TypeVar("Told")


def climb(audience: Audience, there: Callable[[Audience], Collection[Told]]) -> tuple[Audience, Collection[Told]]:
    """The audience, or the first above it in which there is anybody; nobody at all: the last one, empty."""
    step: Audience | None = audience
    while step is not None:
        audience = step
        if found := there(audience):
            return audience, found
        step = STEP_UP[audience]
    return audience, ()


def may_edit(actor: Actor) -> str | None:
    return None if actor.has(*OFFICE) else "提醒规则由督查办维护。"


def office_of(actor: Actor) -> UUID:
    """The office for which somebody who may edit does so."""
    return min(actor.units(*OFFICE))


def may_preview(actor: Actor) -> str | None:
    return None if actor.has(*OFFICE) else "提醒预览由督查办查看。"
