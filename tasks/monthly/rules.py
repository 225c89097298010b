"""The monthly check: which months a rule has, when each ends, and how a cell stands as of an instant. Pure."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.errors import BadRequest, Conflict, Incomplete, WrongState
from backend.workdays import Calendar, Certainty, add_months, end_of_day, moment_of
from backend.workdays import day_of as local_day
from tasks.monthly.words import CellState, Roll

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a rule says of its months. Days beyond a month's end mean its last day."""

    window_start_day: int = 1
    cutoff_day: int = 15
    inclusive: bool = True
    roll: Roll = Roll.none
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One month of a rule: its first and last day, and the first instant that is too late."""

    month: str
    starts_on: date
    last_on: date
    certainty: Certainty

    @property
    def starts_at(self) -> datetime:
        return moment_of(self.starts_on, time.min)

    @property
    def cutoff_at(self) -> datetime:
        return end_of_day(self.last_on)


@dataclass(frozen=True, slots=True)
class Filed:
    """A check record: when the check was first told of, when this version came, until when it held.

    `finished_at` is when the check ended, as claimed. `until`: corrected or withdrawn at that instant.
    """

    first_received_at: datetime
    received_at: datetime
    finished_at: datetime
    until: datetime | None = None

    def holds(self, as_of: datetime) -> bool:
        return self.received_at <= as_of and (self.until is None or as_of < self.until)


@dataclass(frozen=True, slots=True)
class Exempted:
    """An exemption that was granted."""

    granted_at: datetime
    revoked_at: datetime | None = None

    def holds(self, as_of: datetime) -> bool:
        return self.granted_at <= as_of and (self.revoked_at is None or as_of < self.revoked_at)


@dataclass(frozen=True, slots=True)
class Cell:
    """Everything that was ever said of a cell."""

    records: tuple[Filed, ...] = ()
    exemptions: tuple[Exempted, ...] = ()


def state(cell: Cell, cutoff: datetime, as_of: datetime) -> CellState:
    """How the cell stands at `as_of`, from what was known then.

    A check in time counts before an exemption, and an exemption before a check that was late (domain.md e).
    """
    current = [record for record in cell.records if record.holds(as_of)]
    if any(on_time(record, cutoff) for record in current):
        return CellState.done
    if any(exempted.holds(as_of) for exempted in cell.exemptions):
        return CellState.exempt
    if current:
        return CellState.done_late
    return CellState.missing if as_of >= cutoff else CellState.not_started


def on_time(record: Filed, cutoff: datetime) -> bool:
    """The server had heard of the check before the cutoff, and it was over by then.

    Nobody can tell today of a check that ends tomorrow: such a claim counts from when it came.
    """
    return record.first_received_at < cutoff and min(record.finished_at, record.received_at) < cutoff


def late_says(record: Filed, cutoff: datetime) -> str | None:
    """Why a record is late, in a sentence; None when it is not."""
    if on_time(record, cutoff):
        return None
    came, ended = local_day(record.first_received_at), local_day(record.finished_at)
    if record.finished_at < cutoff:
        return f"检查在{_told(ended, came)}，记录{_told(came, ended)}送达"
    return f"检查在{ended.month}月{ended.day}日，已过截止时间"


def check_begun(starts_at: datetime, now: datetime) -> None:
    """Raises WrongState for a month that has not begun (a clock that had jumped made it)."""
    if now < starts_at:
        raise WrongState("本期尚未开始。", "not_begun", starts_on=str(local_day(starts_at)))


def check_open(cutoff: datetime, now: datetime) -> None:
    """Exemptions are asked for, decided and revoked before the cutoff. Raises WrongState afterwards."""
    if now >= cutoff:
        raise WrongState("本期已过截止时间，不能再办理豁免。", "cutoff_passed")


def check_counts(found: int, solved: int, handed_over: int) -> None:
    """Raises Incomplete where more was solved and handed over than was found."""
    if solved + handed_over > found:
        raise Incomplete("当场解决数与交办数之和不能超过发现问题数。", "counts_do_not_fit", field="found_count")


def check_finished(finished_at: datetime, starts_at: datetime) -> None:
    """Raises Incomplete for a check of an earlier month: it belongs to that one, where it is late and says so."""
    if finished_at < starts_at:
        raise Incomplete("检查时间早于本期，请记到检查所在的月份。", "outside_period", field="finished_at")


def check_stands(corrected: bool, withdrawn: bool) -> None:
    """Only what stands is corrected or withdrawn. Raises Conflict."""
    if withdrawn:
        raise Conflict("这条记录已经撤回。", "already_withdrawn")
    if corrected:
        raise Conflict("这条记录已经更正，请打开更正后的记录。", "already_corrected")


EARLIEST, YEARS_AHEAD = date(2000, 1, 1), 5  # a rule of another year is a slip of the pen


def check_terms(terms: Terms, today: date) -> None:
    """Raises BadRequest for a rule of times that cannot be meant, Incomplete for days that leave no day to check on, or
    a validity that ends before it begins.
    """
    farthest = add_months(today, 12 * YEARS_AHEAD)
    if not EARLIEST <= terms.valid_from <= farthest:
        raise BadRequest(
            f"规则的起始日期要在{EARLIEST.year}年以后，且不晚于今后{YEARS_AHEAD}年。", "bad_date", field="valid_from"
        )
    if terms.valid_to and terms.valid_to.year >= 2100:
        raise BadRequest("规则的终止日期超出范围；没有终止日期的，请留空。", "bad_date", field="valid_to")
    if not 1 <= terms.window_start_day <= terms.cutoff_day - (not terms.inclusive) <= 31:
        raise Incomplete("开始日要早于截止日，且截止日不超过31日。", "no_days", field="cutoff_day")
    if terms.valid_to and terms.valid_to < terms.valid_from:
        raise Incomplete("终止日期早于起始日期。", "ends_before_it_starts", field="valid_to")


def window(month: date, terms: Terms, calendar: Calendar) -> Window:
    """The month that holds this day, as the rule has it.

    A last day that is no working day stays the last day unless the rule rolls it (民法典 203 does not bind an internal
    deadline: domain.md e); it is never rolled back to before the first day.
    """
    start = _day_of(month, terms.window_start_day)
    last = _day_of(month, terms.cutoff_day) - (timedelta() if terms.inclusive else ONE_DAY)
    last = max(last, start)
    rolled, certainty = _rolled(last, terms.roll, calendar)
    return Window(f"{month:%Y-%m}", start, rolled if rolled >= start else last, certainty)


def windows(terms: Terms, approved_at: datetime, now: datetime, calendar: Calendar) -> Iterator[Window]:
    """The months that have begun by now, oldest first.

    A month belongs to the rule that is valid on its first day. One whose cutoff had passed when the rule was approved
    is not asked for.
    """
    month = terms.valid_from.replace(day=1)
    while moment_of(_day_of(month, terms.window_start_day), time.min) <= now:
        found = window(month, terms, calendar)
        valid = terms.valid_from <= found.starts_on and (terms.valid_to is None or found.starts_on <= terms.valid_to)
        if valid and approved_at < found.cutoff_at:
            yield found
        month = add_months(month, 1)


def target_on(last_on: date, calendar: Calendar) -> tuple[date, Certainty]:
    """The day that reminders aim at: the last day, or the working day before it when that is a day off."""
    day = last_on if calendar.is_workday(last_on) else calendar.previous_workday(last_on)
    passed = [day + n * ONE_DAY for n in range((last_on - day).days + 1)]
    known = all(calendar.certainty(it) == Certainty.known for it in passed)
    return day, Certainty.known if known else Certainty.assumed


def _rolled(last: date, roll: Roll, calendar: Calendar) -> tuple[date, Certainty]:
    if roll == Roll.none:
        return last, Certainty.known
    if calendar.is_workday(last):
        return last, calendar.certainty(last)
    day = calendar.previous_workday(last) if roll == Roll.previous_workday else calendar.next_workday(last)
    between = [min(day, last) + n * ONE_DAY for n in range(abs((last - day).days) + 1)]
    known = all(calendar.certainty(it) == Certainty.known for it in between)
    return day, Certainty.known if known else Certainty.assumed


def _day_of(month: date, day: int) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def _told(day: date, other: date) -> str:
    """With its month only where the other day is of another one."""
    return f"{day.day}日" if (day.year, day.month) == (other.year, other.month) else f"{day.month}月{day.day}日"
