"""What a rectification is, rebuilt from its events alone (trust.md 5, the fold). Written from domain.md b.3.

`hear()` is told one event after the other, as the event rows say it: the walk tells it what it expects, the fold what
the database holds, and both must come to what the tables say.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from backend import clock
from backend.workdays import Calendar

ORDER = ("issued", "working", "handed_in", "passed")  # a unit's part, and an item in work, is in one of these
DAYS = Calendar()


def over(day: date) -> datetime:
    """The instant the day is over in China."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), clock.SHANGHAI)


@dataclass
class Part:
    status: str = "issued"
    accept_by: datetime | None = None
    object_until: datetime | None = None
    objection: Any = None
    ground: str = ""
    missing: int = 0  # photos of the latest hand-in that are still under way
    hand_in: Any = None  # the latest
    unconfirmed: bool = False  # by the principal


@dataclass
class Item:
    """One item. `here` are the units whose area contains its place; ids and people are whatever the walk uses."""

    here: frozenset[Any] = frozenset()
    team: frozenset[Any] = frozenset()
    serious: bool = False
    term: int | None = None  # days its class gives: 3 are working days
    long_term: bool = False
    status: str = "draft"
    parts: dict[Any, Part] = field(default_factory=dict)
    lead: set[Any] = field(default_factory=set)
    former: set[Any] = field(default_factory=set)
    objection_of: dict[Any, Any] = field(default_factory=dict)  # every objection ever made, and whose
    granted: set[Any] = field(default_factory=set)
    wanted: dict[Any, date] = field(default_factory=dict)  # every extension ever asked for
    percent: dict[Any, int] = field(default_factory=dict)
    measures: dict[Any, str] = field(default_factory=dict)  # planned, done or dropped
    hand_in_of: dict[Any, Any] = field(default_factory=dict)
    measure_of: dict[Any, Any] = field(default_factory=dict)  # whose it is
    listed: bool = False
    public: bool = False
    sampled: bool = False
    due: date | None = None
    original: date | None = None
    closed_at: datetime | None = None
    look_back_on: date | None = None
    review_on: date | None = None
    returned: int = 0
    reopened: int = 0
    extended: int = 0
    handed_in_by: set[Any] = field(default_factory=set)
    passed_by: set[Any] = field(default_factory=set)
    sent: dict[Any, set[Any]] = field(default_factory=dict)  # who was sent to each check
    asked_by: Any = None  # who asked to void
    extension: Any = None
    extension_of: Any = None
    check: Any = None
    checked: bool = False
    publicity: Any = None
    public_until: datetime | None = None
    public_objection: Any = None
    rebounded: bool = False

    def facts(self) -> dict[str, Any]:
        """What the tables repeat, and must agree on."""
        names = (
            "status", "returned", "reopened", "extended", "due", "original", "listed", "public", "sampled", "closed_at",
            "look_back_on", "review_on", "measures",
        )  # fmt: skip
        parts = {unit: part.status for unit, part in self.parts.items()}
        return {name: getattr(self, name) for name in names} | {"parts": parts, "former": self.former}

    def measured(self, unit: Any, state: str) -> int:
        """How many measures of this unit are in that state."""
        return sum(self.measures[one] == state for one, whose in self.measure_of.items() if whose == unit)

    def own_date(self, today: date) -> date | None:
        """The date its class brings (b.4)."""
        if self.term is None:
            return None
        return DAYS.add_workdays(today, 3)[0] if self.term == 3 else today + timedelta(days=self.term)

    def hear(self, event: str, at: datetime, by: Any, **said: Any) -> None:
        unit, units = said.get("unit"), said.get("units", ())
        match event.removeprefix("rectification."):
            case "issued":
                self.status, self.due, self.original = "issued", said["due_on"], said["due_on"]
                self.listed, self.public, self.lead = said["listed"], said["public"], set(said["lead_units"])
                self.parts = {one: Part() for one in said["responsible_units"]}
                self._ask(self.parts, at)
            case "dropped" | "objection_upheld" | "voided":
                self._end("voided")
                self.review_on = None
            case "acknowledged" | "accepted_silently":
                self._move([unit], "working")
            case "objected":
                self.objection_of[said["objection"]] = unit
                self.parts[unit].objection, self.parts[unit].ground = said["objection"], said["ground"]
            case "objection_declined":
                self.parts[unit].objection = None
            case "taken_over":
                self._take_over(unit, said["to_unit"], said["role"], said["now"])
            case "redirected":
                self._redirect(unit, said["to_unit"], said["due_on"], at)
            case "reported":
                self.percent[unit] = said["percent"]
            case "measure_planned" | "measure_done" | "measure_dropped":
                self.measures[said["measure"]] = event.rsplit("_")[-1]
                self.measure_of[said["measure"]] = unit
            case "extension_asked":
                self.extension, self.extension_of = said["extension"], unit
                self.wanted[said["extension"]] = said["wanted_on"]
            case "extension_declined":
                self.extension = None
            case "extended":
                self.extension, self.due, self.extended = None, said["due_on"], self.extended + 1
                self.granted.add(said["extension"])
            case "handed_in":
                self._move([unit], "handed_in")
                self.handed_in_by.add(by)
                self.parts[unit].missing = said["files"]
                self.parts[unit].hand_in, self.parts[unit].unconfirmed = said["hand_in"], not said["confirmed"]
                self.hand_in_of[said["hand_in"]] = unit
            case "hand_in_confirmed" | "hand_in_withdrawn":
                self.parts[unit].unconfirmed = False
                if event.endswith("withdrawn"):
                    self._move([unit], "working")
            case "passed":
                self._move(units, "passed")
                self.passed_by.add(by)
            case "sampled":
                self.sampled = said["drawn"]
            case "sent_back" | "check_failed" | "public_objection_upheld":
                self.returned += 1
                self._back(units)
            case "check_assigned":
                self.check, self.sent[said["check"]] = said["check"], set(said["checkers"])
            case "check_passed":
                self.check, self.checked = None, True
            case "published":
                self.publicity, self.public_until = said["publicity"], over(said["ends_on"])
            case "public_objection_taken":
                self.public_objection = said["objection"]
            case "public_objection_declined":
                self.public_objection = None
            case "closed":
                self._end("closed")
                self.closed_at, self.look_back_on = said["closed_at"], said["look_back_on"]
            case "looked_back":
                self.rebounded, self.look_back_on = self.rebounded or said["result"] == "rebounded", None
            case "reopened":
                self.reopened, self.closed_at, self.look_back_on = self.reopened + 1, None, None
                self.due = self.original = said["due_on"]
                self.percent, self.sampled = {}, False
                self._back(units)
            case "hung":
                self.status, self.review_on = "hung", said["review_on"]
            case "resumed":
                self.status, self.review_on, self.due, self.original = "working", None, said["due_on"], said["due_on"]
            case "void_asked":
                self.asked_by = by
            case "void_declined":
                self.asked_by = None
            case "answer_time_moved":
                for name in ("accept_by", "object_until"):
                    if name in said:
                        setattr(self.parts[unit], name, datetime.fromisoformat(said[name]))
            case "rescheduled":
                if self.original == self.due:  # nothing was granted yet
                    self.original = said["due_on"]
                self.due = said["due_on"]
            case "decision_time_moved" | "drafted" | "held" | "concerned" | "recounted" | "case_file_taken":
                pass
            case other:
                raise AssertionError(f"no story knows {other}")

    def _move(self, units: Any, status: str) -> None:
        """The parts move, and the item stands where the least advanced of them stands."""
        for unit in units:
            self.parts[unit].status = status
        self.status = min((part.status for part in self.parts.values()), key=ORDER.index)

    def _ask(self, units: Any, at: datetime) -> None:
        for unit in units:
            self.parts[unit].accept_by, self.parts[unit].object_until = (
                over(DAYS.add_workdays(clock.local(at).date(), days)[0]) for days in (2, 3)
            )

    def _redirect(self, unit: Any, to: Any, due: date | None, at: datetime) -> None:
        """Another unit gets the part; what the former one still asked for is nobody's any more."""
        self.parts = {one: part for one, part in self.parts.items() if one != unit} | {to: Part()}
        self.former = (self.former | {unit}) - {to}
        if self.extension_of == unit:
            self.extension = None
        if due:
            self.due = self.original = due
        self._ask([to], at)
        self._move([], "")

    def _take_over(self, unit: Any, heir: Any, role: str, now: str) -> None:
        """All that is the one's is the other's; of two parts the less advanced stays."""
        if role == "responsible":
            given = self.parts.pop(unit)
            own = self.parts.get(heir, given)
            self.parts[heir] = min(given, own, key=lambda part: ORDER.index(part.status))
            self.former = (self.former | {unit}) - {heir}
            self.measure_of = {one: heir if whose == unit else whose for one, whose in self.measure_of.items()}
            self.objection_of = {one: heir if whose == unit else whose for one, whose in self.objection_of.items()}
        self.lead = (self.lead - {unit, heir}) | ({heir} if now == "lead" else set())

    def _back(self, units: Any) -> None:
        """A new round: what was checked, shown or said against the old one counts no more."""
        self._move(units, "working")
        self.check, self.checked, self.rebounded = None, False, False
        self.publicity = self.public_until = self.public_objection = None

    def _end(self, status: str) -> None:
        self.status, self.asked_by, self.extension, self.check = status, None, None, None
        for part in self.parts.values():
            part.objection = None
