"""A rule of reminders as the office asks for it, and which could not be meant. Pure."""

from dataclasses import dataclass
from datetime import date, time

from backend.errors import BadRequest
from backend.workdays import TermUnit
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders.rules import OF_ITS_PART, STEP_UP, Anchor

LONGEST_OFFSET = 120  # days or working days


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A rule as the office asks for it."""

    anchor: Anchor
    offset: int
    unit: TermUnit
    at: time
    tells: tuple[Audience, ...]
    urgency: Urgency
    valid_from: date
    valid_to: date | None = None


# Of what began on a day, nothing can be said before it.
BEGAN = (Anchor.signing, Anchor.review, Anchor.site_check)
_OF_MONTHS = {Audience.lead_units, Audience.office, Audience.office_leaders, Audience.leaders}
EARLIEST, LATEST = time(7, 0), time(21, 0)


def check(wanted: Wanted, today: date) -> None:
    """Raises BadRequest, with the field, for a rule that could not be meant.

    A rule begins tomorrow at the earliest: what today brings is settled, and the preview shows tomorrow.
    """
    if wanted.unit == TermUnit.months or abs(wanted.offset) > LONGEST_OFFSET:
        raise BadRequest(f"提前或逾期最多 {LONGEST_OFFSET} 天，按天或工作日算。", "offset_too_far", field="offset")
    if wanted.anchor in BEGAN and wanted.offset <= 0:
        raise BadRequest("从开始之日起算的提醒，天数要大于 0。", "offset_before_beginning", field="offset")
    if not EARLIEST <= wanted.at <= LATEST:
        raise BadRequest("提醒时间要在 7:00 到 21:00 之间。", "at_night", field="time_of_day")
    if wanted.anchor == Anchor.site_check and set(wanted.tells) & set(OF_ITS_PART):
        raise BadRequest("现场核查对责任单位保密，不能提醒责任单位。", "check_is_secret", field="tells")
    if not wanted.tells or set(wanted.tells) - (_OF_MONTHS if wanted.anchor == Anchor.month else set(STEP_UP)):
        raise BadRequest("请选择提醒的对象。", "nobody_to_tell", field="tells")
    if len(set(wanted.tells)) != len(wanted.tells):
        raise BadRequest("提醒的对象重复。", "told_twice", field="tells")
    if wanted.valid_from <= today:
        raise BadRequest("规则最早从明天起生效。", "begins_too_early", field="valid_from")
    if wanted.valid_to is not None and wanted.valid_to < wanted.valid_from:
        raise BadRequest("终止日期早于起始日期。", "ends_before_it_starts", field="valid_to")
