"""Where a walk stands: the item as the model, the fold and the tables have it, and the checks that they agree."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from backend import clock
from backend.db import raw
from backend.roles import Actor
from tests import make
from tests.rectification_asks import Ask
from tests.rectification_fold import Item
from tests.rectification_model import OF_A_PART, STARTS, Model, Who
from tests.rectification_proofs import difference, facts, read
from tests.rectification_verbs import SECRET

BEGINS = datetime(2026, 11, 24, 9, 0, tzinfo=clock.SHANGHAI)


@dataclass
class Standing:
    """`story` is what a failure shows; `done` and the records are what later requests may refer to."""

    client: httpx.AsyncClient
    people: dict[str, Who]
    units: dict[str, UUID]
    visit: UUID
    here: frozenset[UUID]
    now: datetime = BEGINS
    story: list[str] = field(default_factory=list)
    headers: dict[UUID, tuple[datetime, dict[str, str]]] = field(default_factory=dict)

    id: UUID = UUID(int=0)
    item: Model = field(default_factory=Model)
    fold: Item = field(default_factory=Item)
    version: int = 0
    records: dict[str, list[UUID]] = field(default_factory=dict)
    done: list[tuple[Who, Ask]] = field(default_factory=list)
    last_answer: tuple[str, UUID] | None = None  # what was last said about voiding, and by whom
    files: dict[UUID, list[UUID]] = field(default_factory=dict)  # of the latest hand-in of a unit, under way
    used: list[dict[str, Any]] = field(default_factory=list)

    # ── what must agree ──────────────────────────────────────────────────────────────────────────────────────────

    async def check_event(self, event: str, by: Any) -> bool | None:
        """Exactly one event tells of the move; beside it only the lot, where one was drawn. Answers what it said."""
        rows = await self.events()
        drawn = next((row for row in rows if row["verb"] == "rectification.sampled"), None)
        rest = [row for row in rows if row is not drawn]
        told = [(row["verb"].removeprefix("rectification."), row["actor"]) for row in rest]
        assert told == [(event, by)], self.tell(f"one event {event} expected, there are {told}")
        self._heard(rest[0])
        return self._heard(drawn)["drawn"] if drawn else None

    async def check(self, wanted: list[str] | None, by: Any) -> None:
        """These events and no others since the step began (None: seen already); then tables, model and fold agree."""
        if wanted is not None:
            rows = await self.events()
            told = [row["verb"].removeprefix("rectification.") for row in rows]
            assert told == wanted, self.tell(f"events {wanted} expected, there are {told}")
            for row in rows:
                self._heard(row)
        stored = await facts(self.id)
        expected_facts, folded = self.item.facts(), self.fold.facts()
        if self.item.status == "draft" or self.item.due is None:  # nobody has it yet: the finding says whose it will be
            for each in (stored, expected_facts, folded):
                each.pop("parts")
        assert stored == expected_facts, self.tell(difference("tables", stored, "model", expected_facts))
        assert stored == folded, self.tell(difference("tables", stored, "fold of the events", folded))

    async def events(self) -> list[Any]:
        sql = "SELECT verb, actor, at, payload FROM event WHERE subject = $1 AND at >= $2 AND verb LIKE 'rectif%'"
        return list(await raw(sql, self.id, clock.now()))

    def _heard(self, row: Any) -> dict[str, Any]:
        said = read(row)
        self.fold.hear(row["verb"], row["at"], row["actor"], **said)
        self.version += row["verb"] not in SECRET
        return said

    def compare_shown(self, shown: dict[str, Any], who: Who) -> None:
        """The answer over HTTP: status, parts, counters, dates, lateness and buttons."""
        it, now = self.item, clock.now()
        names = ("status", "returned", "reopened", "extended", "listed", "public")
        said = {name: shown[name] for name in names} | {"overdue": shown["overdue"], "version": shown["version"]}
        said |= {"due": shown["due_on"], "original": shown["original_due_on"]}
        wanted = {name: getattr(it, name) for name in names} | {"overdue": it.overdue(now), "version": self.version}
        wanted |= {"due": it.due and it.due.isoformat(), "original": it.original and it.original.isoformat()}
        assert said == wanted, self.tell(difference("shown", said, "model", wanted))
        moves = {move["verb"]: {UUID(unit) for unit in move["units"]} for move in shown["moves"]}
        assert moves == (offered := self.offered(who)), self.tell(difference("buttons", moves, "model", offered))

    async def signed_in(self, who: Who) -> dict[str, str]:
        """Headers of a phone that was used within the last hours."""
        since, headers = self.headers.get(who.id, (None, {}))
        if not since or self.now - since > timedelta(hours=11):
            headers = await make.signed_in(Actor(who.id, who.name))
            self.headers[who.id] = (self.now, headers)
        return headers

    def short(self, body: dict[str, Any] | None) -> str:
        """A request as a line of the story: names for ids, and how many files."""
        known = {str(unit): name for name, unit in self.units.items()}
        known |= {str(who.id): name for name, who in self.people.items()}
        told = {**(body or {}), "evidence": len((body or {}).get("evidence", []))}
        return " ".join(f"{key}={_named(value, known)}" for key, value in told.items() if value and key != "position")

    def tell(self, what: str) -> str:
        return "\n".join([what, "", "The last steps:", *self.story[-25:]])

    def open_now(self) -> dict[str, list[Any]]:
        """The verbs that nothing but the person could hinder, and the units whose part they would move."""
        it, now = self.item, clock.now()
        found = {}
        for verb in STARTS:
            units = sorted(it.parts) if verb in OF_A_PART and it.parts else [None]
            if free := [unit for unit in units if it.hinders(verb, now, unit) is None]:
                found[verb] = free
        return found

    def offered(self, who: Who) -> dict[str, set[UUID]]:
        """The buttons: what this person may do now, and for which units where it is a part that moves."""
        if not self.item.sees(who):
            return {}
        found = {
            verb: {unit for unit in units if self.item.may(verb, who, unit)} for verb, units in self.open_now().items()
        }
        return {verb: units - {None} for verb, units in found.items() if units}


def _named(value: Any, known: dict[str, str]) -> Any:
    return [_named(one, known) for one in value] if isinstance(value, list) else known.get(str(value), value)
