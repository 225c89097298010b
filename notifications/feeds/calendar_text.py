"""A person's days as iCalendar text (RFC 5545), for any calendar that subscribes."""

from collections.abc import Sequence
from datetime import timedelta

from icalendar import Calendar, Event

from notifications.feeds import rules
from notifications.feeds.rules import Day

MAKER = "-//duban//deadlines//ZH"
NAMES = ("督办期限", "Duban deadlines")
LOOK_AGAIN = timedelta(hours=1)


def text(days: Sequence[Day], address: str, *, english: bool) -> bytes:
    """Whole days that block no time. The same days give the same bytes: nothing in it is of the moment of reading."""
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", NAMES[english])
    calendar.add("x-wr-timezone", "Asia/Shanghai")
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for day in days:
        calendar.add_component(_event(day, address, english=english))
    return calendar.to_ical()


def _event(day: Day, address: str, *, english: bool) -> Event:
    event = Event()
    event.add("uid", f"{day.key}@duban")
    event.add("dtstamp", day.since)
    event.add("dtstart", day.on)
    event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", rules.title(day, english=english))
    event.add("description", rules.description(day, english=english))
    event.add("url", address + day.path)
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event
