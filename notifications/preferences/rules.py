"""How a person wants to be told: channels, quiet hours, one digest a day. And when that is, by clock and calendar.

The inbox is not asked: what is told stands there at once, always.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from backend.errors import BadRequest, Incomplete
from backend.roles import READS_AREA, RESPONSIBLE, Actor, Role
from backend.workdays import Calendar, moment_of
from notifications.deliveries.rules import ROBOTS, ChannelKind

LONGEST_ABSENCE = timedelta(days=366)
K = ChannelKind


@dataclass(frozen=True, slots=True)
class Wishes:
    """As the person set them; a person who set nothing has these (design.md 2.9: one digest a day, quiet hours).

    `at_once` and `normal` are the channels in order of trying, for what is urgent and for the rest. Quiet is from
    `quiet_from` to `quiet_to` of the next morning (equal: never), and for the rest on rest days too, where
    `rest_days_quiet`.
    """

    at_once: tuple[ChannelKind, ...] = (K.web_push, K.wecom, K.dingtalk, K.feishu, K.mail, K.sms)
    normal: tuple[ChannelKind, ...] = (K.web_push, K.mail)
    quiet_from: time = time(21, 0)
    quiet_to: time = time(7, 30)
    rest_days_quiet: bool = True
    digest: bool = True
    digest_time: time = time(9, 10)  # after the reminders of nine o'clock, so that the day's are in the day's digest

    def quiet(self, at: time) -> bool:
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= at < self.quiet_to
        return at >= self.quiet_from or at < self.quiet_to


def check(wishes: Wishes) -> None:
    """Raises BadRequest, Incomplete. The app itself is no choice: it is always there."""
    for field, channels in (("at_once", wishes.at_once), ("normal", wishes.normal)):
        if len(set(channels)) < len(channels):
            raise BadRequest("同一渠道只能选一次。", "notices.channel_twice", field=field)
    if ROBOTS & set(wishes.normal):
        raise Incomplete("群机器人只发紧急通知，一般通知请选其他渠道。", "notices.robot_not_urgent", field="normal")
    if wishes.digest and wishes.quiet(wishes.digest_time):
        raise Incomplete("汇总时间落在免打扰时段内，请改其中一个。", "notices.digest_in_quiet", field="digest_time")


def at_once_from(wishes: Wishes, now: datetime, local: datetime) -> datetime:
    """From when an urgent notice may be sent: now, or when the night is over; rest days do not hold it up."""
    return now if not wishes.quiet(local.time()) else _morning(wishes, local)


def normal_from(wishes: Wishes, now: datetime, local: datetime, calendar: Calendar) -> datetime:
    """From when another one may be sent by itself: outside of the night, and of rest days where they are quiet."""
    start = local if not wishes.quiet(local.time()) else None
    day = local.date() if start else _morning_day(wishes, local)
    if not wishes.rest_days_quiet or calendar.is_workday(day):
        return now if start else moment_of(day, wishes.quiet_to)
    day = calendar.next_workday(day)
    return moment_of(day, wishes.quiet_to if wishes.quiet(time.min) else time.min)


def _morning(wishes: Wishes, local: datetime) -> datetime:
    return moment_of(_morning_day(wishes, local), wishes.quiet_to)


def _morning_day(wishes: Wishes, local: datetime) -> date:
    """On which day the quiet hours that run now end."""
    return local.date() + timedelta(days=1 if local.time() >= wishes.quiet_to else 0)


def check_absence(first: date, last: date, today: date) -> None:
    """Raises Incomplete for days that say nothing."""
    if last < first:
        raise Incomplete("结束日期早于开始日期。", "absence.ends_before_it_begins", field="last_day")
    if last < today:
        raise Incomplete("请假日期已经过去。", "absence.over", field="last_day")
    if last - first > LONGEST_ABSENCE:
        raise Incomplete("一次最多一年；更长时间请由管理员调整角色。", "absence.too_long", field="last_day")


# Roles that see the same things at a unit: who holds one of them may stand in for who holds another.
SEE_ALIKE = (RESPONSIBLE, frozenset({Role.lead_unit_reviewer}), READS_AREA)
ANSWERS_FOR_UNIT = (Role.unit_principal, Role.supervision_leader)


def sees_alike(role: Role) -> frozenset[Role]:
    """The roles in which somebody sees what this one sees; none for roles that see by person, such as a team's."""
    return next((group for group in SEE_ALIKE if role in group), frozenset())


def can_stand_in(absent: Iterable[tuple[UUID, Role]], deputy: Iterable[tuple[UUID, Role]]) -> bool:
    """Whether there is a unit at which both hold roles that see alike: else the deputy would be told what is hidden."""
    held = set(deputy)
    return any((unit, other) in held for unit, role in absent for other in sees_alike(role))


def may_enter(actor: Actor, person: UUID | None, home: UUID | None) -> str | None:
    """None, or why not: one's own absence; that of a colleague or of the whole unit only who answers for the unit."""
    if person is not None and person == actor.person:
        return None
    if home is not None and home in actor.units(*ANSWERS_FOR_UNIT):
        return None
    return "只有本人，或本单位负责人，可以登记请假代办。"
