"""When an item is due: what its class or a paper gives, how that day came about, and counting it again. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from backend.errors import BadRequest, Incomplete
from backend.phrases.reading import read
from backend.workdays import Calendar, Certainty, Term, TermUnit, end_of_day, moment_of
from inspections.findings.rules import ClosingClass

LONGEST_TERM = timedelta(days=10 * 366)  # a later date is a slip of the finger
MILESTONE_EVERY = timedelta(days=30)
ONE_DAY = timedelta(days=1)

# The term a closing class brings of its own (domain.md b.4); long-term items get their date from the plan.
TERMS = {
    ClosingClass.fix_now: Term(TermUnit.workdays, 3),
    ClosingClass.by_date: Term(TermUnit.days, 15),
}
GIVEN = "given"  # the rule of a day that a person chose: no calendar moves it (docs/decisions/0015)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the office says about the date: a day, the words of a paper, a time of that day, or nothing of these.

    The words are kept either way; they decide where no day is given. `event_on` is the day of the event they name.
    """

    on: date | None = None
    text: str = ""
    event_on: date | None = None
    time_of_day: time | None = None

    @property
    def said(self) -> bool:
        return self.on is not None or bool(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last day in Asia/Shanghai, with what is needed to count it again.

    `rule` is a term ("workdays:3") counted from `counted_from`, "text" for a day that the words name, or "given".
    """

    on: date
    certainty: Certainty = Certainty.known
    rule: str = GIVEN
    counted_from: date | None = None
    text: str = ""
    time_of_day: time | None = None

    @property
    def at(self) -> datetime:
        """The instant (UTC) from which it is overdue: the end of that day, or the time that was given."""
        return end_of_day(self.on) if self.time_of_day is None else moment_of(self.on, self.time_of_day)

    def columns(self) -> dict[str, Any]:
        """What an item keeps of it; the words apart, which stay when the date moves."""
        return {
            "due_on": self.on,
            "due_at": self.at,
            "due_certainty": self.certainty.value,
            "due_rule": self.rule,
            "due_from": self.counted_from,
        }


NOTHING = Wanted()


def deadline(closing_class: ClosingClass, wanted: Wanted, today: date, calendar: Calendar) -> Deadline | None:
    """The day that was asked for, else the one its words mean, else the one of the class; None: there is none.

    Counted from today, the day of issue. Raises BadRequest for a day that is not ahead or absurdly far, for a time of
    day on anything but fix_now (b.4), and for the day of an event that no words name; Incomplete, with the days to
    choose from, for words that name no one day.
    """
    if wanted.time_of_day and closing_class != ClosingClass.fix_now:
        raise BadRequest("只有立行立改的事项可以定到几时几分。", "time_only_to_fix_now", field="due_time")
    if wanted.event_on and not wanted.text:
        raise BadRequest("没有填期限原文，不知道这是什么事的日期。", "event_without_words", field="due_event_on")
    if wanted.on is not None:
        check_ahead(wanted.on, today)
        return Deadline(on=wanted.on, text=wanted.text, time_of_day=wanted.time_of_day)
    if wanted.text:
        return _as_written(closing_class, wanted, today, calendar)
    if closing_class not in TERMS:
        return None
    term = TERMS[closing_class]
    on, certainty = term.after(today, calendar)
    return Deadline(on=on, certainty=certainty, rule=str(term), counted_from=today, time_of_day=wanted.time_of_day)


def check_ahead(day: date, today: date, field: str = "due_on") -> None:
    """Raises BadRequest for a day that is not ahead, or absurdly far."""
    if day <= today:
        raise BadRequest("期限要晚于今天。", "due_in_the_past", field=field)
    if day > today + LONGEST_TERM:
        raise BadRequest("期限太远，请核对年份。", "due_too_far", field=field)


def milestones(issued_on: date, due_on: date) -> list[date]:
    """The days by which a long-term item reports how far it is: every 30 days, the due day itself left out (b.4)."""
    return [issued_on + n * MILESTONE_EVERY for n in range(1, -(-(due_on - issued_on) // MILESTONE_EVERY))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """A date counted again. `counted` is what the rule gives; `on` is later where that would be today or earlier."""

    on: date
    counted: date
    certainty: Certainty


def again(rule: str, counted_from: date, before: date, today: date, calendar: Calendar) -> Recount | None:
    """The same rule from the same day with this calendar; None for a date that no calendar moves.

    A correction of ours makes nobody overdue: what would become earlier than tomorrow becomes tomorrow, or stays
    where it is when it is due sooner already.
    """
    term = Term.of(rule)
    if term is None or term.unit is not TermUnit.workdays:
        return None
    counted, certainty = term.after(counted_from, calendar)
    return Recount(on=max(counted, min(before, today + ONE_DAY)), counted=counted, certainty=certainty)


def _as_written(closing_class: ClosingClass, wanted: Wanted, today: date, calendar: Calendar) -> Deadline:
    if wanted.event_on and abs(wanted.event_on - today) > LONGEST_TERM:
        raise BadRequest("日期超出范围。", "bad_date", field="due_event_on")
    found = read(wanted.text, today, today, calendar, wanted.event_on)
    if found.due_on is None:
        raise Incomplete(
            found.sentence, "due_unclear", field="due_on", kind=found.kind.value, candidates=list(found.candidates),
            needs=["due_on"],
        )  # fmt: skip
    check_ahead(found.due_on, today, "due_text")
    written = time.fromisoformat(found.due_time) if found.due_time and closing_class == ClosingClass.fix_now else None
    return Deadline(
        on=found.due_on,
        certainty=found.certainty,
        rule=found.rule,
        counted_from=found.counted_from,
        text=wanted.text,
        time_of_day=wanted.time_of_day or written,
    )
