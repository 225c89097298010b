"""A small model of a rectification, written from domain.md b.2 to b.4: who may, when, and what follows.

It shares no line with the table of moves. What follows from a move is in rectification_fold.py.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backend import clock
from tests.rectification_fold import DAYS, ORDER, Item, Part, over

TICKING = {*ORDER}
WITH_UNIT, OPEN = {"issued", "working"}, {*ORDER, "hung"}
STARTS = {  # from which status, of the part where the move is one unit's, else of the item
    "issue": {"draft"}, "drop": {"draft"}, "acknowledge": {"issued"}, "object_to": WITH_UNIT,
    "decline_objection": WITH_UNIT, "redirect": WITH_UNIT, "uphold_objection": WITH_UNIT, "report": {"working"},
    "plan_measure": {"working"}, "finish_measure": {"working"}, "drop_measure": {"working"},
    "ask_extension": {"working"}, "grant_extension": TICKING, "decline_extension": TICKING, "hand_in": {"working"},
    "confirm_hand_in": {"handed_in", "passed"}, "withdraw_hand_in": {"handed_in"},
    "pass_first": {"handed_in"}, "send_back": {"handed_in", "passed"}, "assign_check": {"passed"},
    "pass_check": {"passed"}, "fail_check": {"passed"}, "publish": {"passed"}, "take_public_objection": {"passed"},
    "decline_public_objection": {"passed"}, "uphold_public_objection": {"passed"}, "close_out": {"passed"},
    "look_back": {"closed"}, "reopen": {"closed"}, "hang": {"working"}, "resume": {"hung"},
    "ask_void": OPEN | {"draft"}, "void": OPEN | {"draft"}, "decline_void": OPEN | {"draft"},
}  # fmt: skip
OF_A_PART = {
    "acknowledge", "object_to", "decline_objection", "redirect", "uphold_objection", "report", "ask_extension",
    "plan_measure", "finish_measure", "drop_measure", "hand_in", "confirm_hand_in", "withdraw_hand_in",
    "pass_first", "send_back",
}  # fmt: skip
OF_THE_LEADER = {"uphold_objection", "reopen", "hang", "ask_void"}
OF_THE_UNIT = {"acknowledge", "report", "plan_measure", "finish_measure", "drop_measure", "hand_in"}
OF_ITS_PRINCIPAL = {"object_to", "ask_extension", "confirm_hand_in", "withdraw_hand_in"}
DECIDE_TIME = {"grant_extension", "decline_extension"}
RULINGS = {"decline_objection", "redirect", "uphold_objection"}
SETTLING = {"finish_measure", "drop_measure", "confirm_hand_in", "withdraw_hand_in"}  # of a record named in the path


@dataclass
class Who:
    """Somebody: roles as (role, unit), the unit they belong to, and the units they keep away from."""

    id: Any
    name: str
    home: Any
    roles: set[tuple[str, Any]]
    recused: set[Any] = field(default_factory=set)

    def at(self, *roles: str) -> set[Any]:
        return {unit for role, unit in self.roles if not roles or role in roles}


class Model(Item):
    """One item, and what may be done with it. Units are those whose `here` area contains its place."""

    # ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def sees(self, who: Who) -> bool:
        area = who.at("supervision_staff", "supervision_leader", "leader_viewer", "contract_leader") & self.here
        own = who.at("unit_handler", "unit_principal") & (self.parts.keys() | self.former)
        part = self.status != "draft" and self.due is not None and (own or who.at("lead_unit_reviewer") & self.lead)
        return bool(
            area or part or (who.at("inspector", "team_lead") and who.id in self.team.union(*self.sent.values()))
        )

    def may(self, verb: str, who: Who, unit: Any = None, sub: Any = None) -> bool:
        if who.recused & (self.parts.keys() | self.lead | self.former):
            return False
        units = {unit} & self.parts.keys()
        office = who.at("supervision_staff", "supervision_leader") & self.here
        leader = who.at("supervision_leader") & self.here
        if verb == "issue":
            return bool(office or (who.at("team_lead") and who.id in self.team))
        if verb in OF_THE_UNIT:
            return bool(who.at("unit_handler", "unit_principal") & units)
        if verb in OF_ITS_PRINCIPAL:
            return bool(who.at("unit_principal") & units)
        if (who.at() | {who.home}) & (self.parts.keys() | self.former):
            return False  # nobody decides on what their own unit did
        if verb in OF_THE_LEADER or (verb in DECIDE_TIME and self.extended > (sub in self.granted)):
            return bool(leader and not (verb in RULINGS and who.id in self.team))
        if verb in ("pass_first", "send_back"):
            first = bool(who.at("lead_unit_reviewer") & self.lead if self.lead else office)
            late = unit in self.parts and "passed" in (self.parts[unit].status, self.status)
            return first and who.id not in self.handed_in_by if verb == "pass_first" else first or bool(late and office)
        if verb in ("pass_check", "fail_check"):
            return who.id in self.sent.get(sub or self.check, set())
        if verb == "close_out":
            second = leader or (self.listed and who.at("contract_leader") & self.here)
            return bool(second) and who.id not in self.handed_in_by | self.passed_by
        if verb == "look_back":
            went = self.sent.values() if self.status == "closed" else [self.sent.get(self.check, set())]
            return bool(office or (who.at("inspector", "team_lead") and who.id in self.team.union(*went)))
        if verb == "drop":
            return bool(office or (who.at("team_lead") and who.id in self.team))
        barred = (verb in RULINGS and who.id in self.team) or (verb == "void" and who.id == self.asked_by)
        return bool(office) and not barred

    # ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hinders(self, verb: str, now: datetime, unit: Any = None) -> str | None:
        """The code of what stands in the way, beyond the person: None, wrong_state or blocked."""
        part = self.parts.get(unit, Part()) if unit else Part()
        stands = part.status if verb in OF_A_PART and unit and self.status in ORDER else self.status
        if stands not in STARTS[verb]:
            return "wrong_state"
        return "blocked" if self._blocks(verb, now, part, unit) else None

    def _blocks(self, verb: str, now: datetime, part: Part, unit: Any) -> bool:
        today = clock.local(now).date()
        match verb:
            case "issue" | "drop" | "ask_void":
                return self.asked_by is not None
            case "hang":
                waits = any(part.objection for part in self.parts.values())
                return waits or self.asked_by is not None or self.extension is not None
            case "void" | "decline_void":
                return self.asked_by is None
            case "object_to":
                return unit in self.objection_of.values() or (
                    part.object_until is not None and now >= part.object_until
                )
            case "decline_objection":
                return part.objection is None
            case "redirect":
                return part.objection is None or part.ground != "jurisdiction"
            case "uphold_objection":
                return part.objection is None or part.ground == "jurisdiction" or len(self.parts) > 1
            case "confirm_hand_in" | "withdraw_hand_in":
                return not part.unconfirmed
            case "plan_measure":
                return self.measured(unit, "planned") + self.measured(unit, "done") >= 50
            case "finish_measure" | "drop_measure":
                return self.measured(unit, "planned") == 0
            case "hand_in":
                return part.objection is not None
            case "ask_extension":
                late = self.listed and self.due is not None and DAYS.workdays_between(today, self.due) < 20
                return self.extension is not None or self.past(now) or self.extended >= 2 or late
            case "grant_extension" | "decline_extension":
                return self.extension is None
            case "pass_check" | "fail_check":
                return self.check is None
            case "publish":
                return self.publicity is not None
            case "take_public_objection":
                return self.publicity is None or self.public_objection is not None
            case "decline_public_objection" | "uphold_public_objection":
                return self.public_objection is None
            case "close_out":
                unchecked = self.check is not None or (self.must_check() and not self.checked)
                unshown = (self.public or self.long_term) and self.public_until is None
                running = self.public_until is not None and now < self.public_until
                return bool(self.asked_by or unchecked or unshown or running or self.public_objection)
        return False

    def unplanned(self, unit: Any) -> bool:
        """The unit may not hand in yet: something is open, or a plan is asked for and there is none (T9, b.4)."""
        planned, done = self.measured(unit, "planned"), self.measured(unit, "done")
        return planned > 0 or (done == 0 and (self.listed or self.long_term))

    def must_check(self) -> bool:
        return self.serious or self.listed or self.long_term or self.returned > 0 or self.sampled

    def may_be_drawn(self) -> bool:
        """Passed by all, and neither sure to be checked nor spared (b.4)."""
        sure = self.serious or self.listed or self.long_term or self.returned > 0
        return self.status == "passed" and self.term == 15 and not sure

    def past(self, now: datetime) -> bool:
        return self.due is not None and now >= over(self.due)

    def overdue(self, now: datetime) -> bool:
        return self.status in TICKING and self.past(now)

    def silent(self, now: datetime) -> list[Any]:
        """The units whose silence is acceptance by now."""
        waits = self.status in ORDER
        return [unit for unit, part in self.parts.items() if waits and part.status == "issued" and not part.objection
                and part.accept_by and part.accept_by <= now]  # fmt: skip
