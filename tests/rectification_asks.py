"""Requests of a walk: one function per verb makes the body, right or wrong, and says what should come of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from tests import make
from tests.rectification_model import OF_A_PART, RULINGS, SETTLING, Model

NEAR, FAR = make.TARGET, (make.TARGET[0] + 0.1, make.TARGET[1])


@dataclass
class Ask:
    """`early`: refused before the person is looked at; `lacks`: something is missing; `wrong`: something is false.

    `sub`: the record that is decided on; `focus`: the unit whose part it is about. `told`: what the event will say.
    """

    verb: str
    path: str
    body: dict[str, Any] | None
    told: dict[str, Any] = field(default_factory=dict)
    lacks: Callable[[Any], bool] = lambda unit: False
    wrong: tuple[int, str] | None = None
    early: tuple[int, str] | None = None
    sub: Any = None
    focus: Any = None

    def core(self) -> dict[str, Any]:
        """Of a decision: what makes it this one and no other. A granted date counts whether it was said or implied."""
        said = self.body or {}
        found = {key: said.get(key) for key in ("upheld", "opinion", "note", "to_unit", "result", "present")}
        return found | ({"granted": self.told["due_on"]} if self.verb == "grant_extension" else {})

    def whole(self) -> dict[str, Any]:
        """And what came with it."""
        return (
            self.core()
            | {key: (self.body or {}).get(key) for key in ("units", "evidence", "due_on")}
            | ({"due_on": None} if self.verb == "grant_extension" else {})
        )


@dataclass
class Desk:
    """What a request can be made of: the dice, the item as it should stand, its records, people and units."""

    dice: Random
    item: Model
    id: UUID
    today: date
    people: dict[str, Any]
    units: dict[str, UUID]
    records: dict[str, list[UUID]]
    used: list[dict[str, Any]]  # manifest lines that hang on something
    away: dict[UUID, set[UUID]]  # who keeps away from which units

    def slip(self, one_in: int = 12) -> bool:
        return self.dice.randrange(one_in) == 0

    def day(self, least: int, most: int) -> date:
        return self.today + timedelta(days=self.dice.randint(least, most))

    def words(self, text: str, lacks: list[bool]) -> str:
        """The text, or what counts as none."""
        lacks.append(missing := self.slip(25))
        return self.dice.choice(["", " ", "\n"]) if missing else text

    def file(self) -> dict[str, Any]:
        return make.manifest_line(make.photo(self.dice.randrange(5)))

    def record(self, kind: str, open_one: Any) -> Any:
        """The id of the record that waits; sometimes of an old one, sometimes of none."""
        old = self.records.get(kind, [])
        if open_one is None or self.slip():
            return self.dice.choice([*old, uuid7()])
        return open_one


def _said(desk: Desk, verb: str, path: str, body: dict[str, Any], lacks: list[bool], **more: Any) -> Ask:
    """A request about the unit the dice name, where the move is of one unit's part."""
    ask = Ask(verb, path, body, lacks=more.pop("needs", lambda unit: any(lacks)), **more)
    if verb in OF_A_PART - RULINGS - SETTLING and (desk.dice.randrange(4) or len(desk.item.parts) > 1):
        unit = desk.dice.choice(sorted(desk.item.parts) or [uuid7()])
        if desk.slip(30):
            unit = desk.dice.choice([desk.units["lead"], uuid7()])
        if not desk.slip(10):
            ask.body = body | {"unit": str(unit)}
            ask.early = None if unit in desk.item.parts else (400, "not_a_responsible_unit")
    return ask


def issue(desk: Desk) -> Ask:
    it = desk.item
    wanted = desk.day(-1, 60) if desk.slip(3) or (it.long_term and not desk.slip(10)) else None
    due = wanted or it.own_date(desk.today)
    without = {*it.parts} if desk.slip(25) else set()
    added = {desk.units["d"]} - {*it.parts} if desk.slip(6) else set()
    responsible = (it.parts.keys() | added) - without
    body = {
        "due_on": wanted and wanted.isoformat(), "public": desk.slip(6), "listed": desk.slip(6),
        "without_units": sorted(map(str, without)), "responsible_units": sorted(map(str, added)),
    }  # fmt: skip
    told = {"due_on": due, "listed": body["listed"], "public": body["public"], "lead_units": sorted(it.lead)}
    told |= {"responsible_units": sorted(responsible)}
    past = (400, "due_in_the_past") if wanted and wanted <= desk.today else None
    return Ask("issue", "issue", body, told, lambda unit: not responsible or due is None, past)


def drop(desk: Desk) -> Ask:
    lacks: list[bool] = []
    return _said(desk, "drop", "dropping", {"note": desk.words("不属整改事项。", lacks)}, lacks)


def acknowledge(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "responsible_person": desk.words("赵经办", lacks), "phone": "13812345678"}
    return _said(desk, "acknowledge", "acknowledgement", body, lacks)


def object_to(desk: Desk) -> Ask:
    lacks: list[bool] = []
    ground = desk.dice.choice(["fact", "jurisdiction", "jurisdiction", "duplicate"])
    body = {"id": str(uuid7()), "ground": ground, "note": desk.words("不归我单位管。", lacks)}
    if desk.slip(3):
        body["evidence"] = [desk.file()]
    told = {"objection": UUID(body["id"]), "ground": ground}
    wrong = None
    if desk.slip(30):
        body["duplicate_of"], wrong = str(desk.id), (400, "duplicate_of_itself")
    return _said(desk, "object_to", "objections", body, lacks, told=told, wrong=wrong)


def rule(desk: Desk) -> Ask:
    lacks: list[bool] = []
    waiting = {part.objection: unit for unit, part in desk.item.parts.items() if part.objection}
    sub = desk.record("objected", desk.dice.choice(sorted(waiting)) if waiting else None)
    focus = desk.item.objection_of.get(sub)
    ground = desk.item.parts[focus].ground if focus in desk.item.parts else "fact"
    fit = "redirect" if ground == "jurisdiction" else "uphold_objection"
    verb = desk.dice.choice(["decline_objection", fit, fit, "redirect", "uphold_objection"])
    body: dict[str, Any] = {"upheld": verb != "decline_objection", "note": desk.words("经核实。", lacks)}
    told: dict[str, Any] = {"objection": sub, "unit": focus}
    wrong = None
    if verb == "redirect":
        to = desk.dice.choice([desk.units[name] for name in ("a", "b", "c", "d", "d", "lead")])
        due = desk.day(-1, 40) if desk.slip(3) else None
        body |= {"to_unit": str(to), "due_on": due and due.isoformat()}
        told |= {"to_unit": to, "due_on": due}
        if to in desk.item.parts or to in desk.item.lead:
            wrong = (400, "unit_in_two_roles")
        elif due and due <= desk.today:
            wrong = (400, "due_in_the_past")
    ask = _said(desk, verb, f"objections/{sub}/decision", body, lacks, told=told, wrong=wrong, sub=sub, focus=focus)
    ask.early = None if focus else (404, "not_found")
    return ask


def report(desk: Desk) -> Ask:
    lacks: list[bool] = []
    percent, reason = desk.dice.randint(0, 100), "又冻裂一处。" if desk.slip(2) else ""
    body = {"id": str(uuid7()), "note": desk.words("已组织抢修。", lacks), "percent": percent, "lower_reason": reason}

    def needs(unit: Any) -> bool:
        return any(lacks) or (not reason and percent < desk.item.percent.get(unit, 0))

    return _said(desk, "report", "reports", body, lacks, needs=needs, told={"percent": percent})


def plan_measure(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "text": desk.words("更换冻裂管段。", lacks), "responsible_person": "赵经办"}
    if desk.slip(2):
        body["due_on"] = desk.day(-3, 40).isoformat()
    return _said(desk, "plan_measure", "measures", body, lacks, told={"measure": UUID(body["id"])})


def settle_measure(desk: Desk) -> Ask:
    lacks: list[bool] = []
    planned = [one for one, state in desk.item.measures.items() if state == "planned"]
    sub = desk.record("measure_planned", desk.dice.choice(planned) if planned else None)
    focus = desk.item.measure_of.get(sub)
    verb, way = ("drop_measure", "dropping") if desk.slip(4) else ("finish_measure", "completion")
    body = {"note": desk.words("管段已换好。", lacks)}
    told = {"measure": sub, "unit": focus}
    early = None if focus else (404, "not_found")
    path = f"measures/{sub}/{way}"
    return _said(desk, verb, path, body, lacks, told=told, early=early, sub=sub, focus=focus)


def ask_extension(desk: Desk) -> Ask:
    lacks: list[bool] = []
    due = desk.day(-2, 80)
    body = {"id": str(uuid7()), "note": desk.words("管材未到。", lacks), "done_so_far": "已开挖。"}
    body["due_on"] = due.isoformat()
    wrong = _not_later(desk, due)
    return _said(
        desk,
        "ask_extension",
        "extensions",
        body,
        lacks,
        wrong=wrong,
        told={"extension": UUID(body["id"]), "wanted_on": due},
    )


def decide_extension(desk: Desk) -> Ask:
    lacks: list[bool] = []
    sub = desk.record("extension_asked", desk.item.extension)
    body: dict[str, Any] = {"upheld": not desk.slip(3), "opinion": desk.words("同意。", lacks)}
    granted, wrong = desk.item.wanted.get(sub), None
    if body["upheld"]:
        if desk.slip(4):
            granted = desk.day(-2, 80)
            body["due_on"] = granted.isoformat()
        wrong = _not_later(desk, granted) if granted else None
    verb = "grant_extension" if body["upheld"] else "decline_extension"
    told = {"extension": sub, "due_on": granted}
    early = None if sub in desk.item.wanted else (404, "not_found")
    return _said(desk, verb, f"extensions/{sub}/decision", body, lacks, told=told, wrong=wrong, early=early, sub=sub)


def _not_later(desk: Desk, due: date) -> tuple[int, str] | None:
    if due <= desk.today:
        return 400, "due_in_the_past"
    return (400, "not_later") if desk.item.due and due <= desk.item.due else None


def hand_in(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body: dict[str, Any] = {"id": str(uuid7()), "note": desk.words("管网已修复。", lacks), "confirmed_by": "钱局长"}
    line, wrong = desk.file(), None
    if desk.used and desk.slip(20):
        line, wrong = desk.dice.choice(desk.used), (422, "evidence.used_before")
    lacks.append(not (evidence := [] if desk.slip(20) else [line]))
    body["evidence"] = evidence

    def needs(unit: Any) -> bool:
        return any(lacks) or desk.item.unplanned(unit)

    return _said(
        desk,
        "hand_in",
        "hand-ins",
        body,
        lacks,
        needs=needs,
        wrong=wrong,
        told={"files": len(evidence), "hand_in": UUID(body["id"])},
    )


def confirm_hand_in(desk: Desk) -> Ask:
    lacks: list[bool] = []
    waiting = sorted(part.hand_in for part in desk.item.parts.values() if part.unconfirmed)
    sub = desk.record("handed_in", desk.dice.choice(waiting) if waiting else None)
    focus = desk.item.hand_in_of.get(sub)
    body: dict[str, Any] = {"upheld": not desk.slip(6), "note": desk.words("与现场一致。", lacks)}
    verb = "confirm_hand_in" if body["upheld"] else "withdraw_hand_in"
    told, early = {"hand_in": sub, "unit": focus}, None if focus else (404, "not_found")
    path = f"hand-ins/{sub}/confirmation"
    missing = [any(lacks) and not body["upheld"]]
    return _said(desk, verb, path, body, missing, told=told, early=early, sub=sub, focus=focus)


def pass_first(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "opinion": desk.words("资料齐全。", lacks)}

    def needs(unit: Any) -> bool:
        return any(lacks) or desk.item.parts[unit].missing > 0

    return _said(desk, "pass_first", "first-pass", body, lacks, needs=needs)


def send_back(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "reason_code": "partly_done", "note": desk.words("还有一户无水。", lacks)}
    return _said(desk, "send_back", "returns", body, lacks)


def assign_check(desk: Desk) -> Ask:
    fit = [desk.people[name].id for name in ("inspector", "lead", "outsider", "staff")]
    checkers = set(desk.dice.sample(fit, desk.dice.choice([1, 2, 2, 2, 3])))
    few, wrong = len(checkers) < 2, None
    if desk.slip(12):
        checkers.add(desk.people["viewer"].id)
        few, wrong = len(checkers) < 2, (422, "not_a_checker")
    elif desk.slip(12):
        insider = desk.people["insider"]
        checkers.add(insider.id)
        own = insider.home in desk.item.parts.keys() | desk.item.former
        few, wrong = len(checkers) < 2, (422, "checker_of_responsible_unit") if own else None
    concerned = desk.item.parts.keys() | desk.item.lead | desk.item.former
    if not wrong and any(desk.away[one] & concerned for one in checkers):
        wrong = (422, "checker_recused")
    body = {"id": str(uuid7()), "checkers": sorted(map(str, checkers)), "note": "看三户。"}
    told = {"check": UUID(body["id"]), "checkers": sorted(checkers)}
    return _said(desk, "assign_check", "site-checks", body, [few], told=told, wrong=wrong)


def conclude(desk: Desk) -> Ask:
    lacks: list[bool] = []
    sub = desk.record("check_assigned", desk.item.check)
    verb = desk.dice.choice(["pass_check", "pass_check", "fail_check"])
    present = {one for one in sorted(desk.item.sent.get(sub, set())) if not desk.slip(25)}
    at, reason = FAR if desk.slip(6) else NEAR, "" if desk.slip(2) else "村民搬到了镇上。"
    lacks += [len(present) < 2, at == FAR and not reason, no_photo := desk.slip(20)]
    body: dict[str, Any] = {
        "result": "passed" if verb == "pass_check" else "failed", "note": desk.words("已看过。", lacks),
        "present": sorted(map(str, present)), "outside_reason": reason,
        "position": {"lat": at[0], "lng": at[1], "accuracy_m": 12.0}, "evidence": [] if no_photo else [desk.file()],
    }  # fmt: skip
    back, wrong = _some_units(desk, body) if verb == "fail_check" else ([], None)
    early = (404, "not_found") if sub not in desk.records.get("check_assigned", []) else None
    path = f"site-checks/{sub}/conclusion"
    told = {"check": sub, "units": back}
    return _said(desk, verb, path, body, lacks, told=told, wrong=wrong, early=early, sub=sub)


def _some_units(desk: Desk, body: dict[str, Any]) -> tuple[list[UUID], tuple[int, str] | None]:
    """Names some of the responsible units in the body, or none, which means all."""
    named = [unit for unit in sorted(desk.item.parts) if desk.slip(2)]
    wrong = None
    if desk.slip(30):
        named, wrong = [*named, desk.units["lead"]], (400, "not_a_responsible_unit")
    body["units"] = [str(unit) for unit in named]
    return named or sorted(desk.item.parts), wrong


def publish(desk: Desk) -> Ask:
    lacks: list[bool] = []
    starts, days = desk.day(-1 if desk.slip(10) else 0, 3), desk.dice.randint(1, 7)
    body = {"id": str(uuid7()), "text": desk.words("腰站村饮水管网已修复。", lacks), "days": days}
    body["starts_on"] = starts.isoformat()
    wrong = (400, "starts_in_the_past") if starts < desk.today else None
    if not any(lacks) and not wrong and desk.slip():
        body["text"], wrong = "详情请致电 13812345678。", (422, "personal_data")
    told = {"publicity": UUID(str(body["id"])), "ends_on": starts + timedelta(days=days - 1)}
    return _said(desk, "publish", "publicity", body, lacks, told=told, wrong=wrong)


def take_public_objection(desk: Desk) -> Ask:
    lacks: list[bool] = []
    sub = desk.record("published", desk.item.publicity)
    body = {"id": str(uuid7()), "note": desk.words("有村民反映水压不足。", lacks)}
    early = None if sub in desk.records.get("published", []) else (404, "not_found")
    told = {"objection": UUID(body["id"])}
    path = f"publicity/{sub}/objections"
    return _said(desk, "take_public_objection", path, body, lacks, told=told, early=early, sub=sub)


def rule_public_objection(desk: Desk) -> Ask:
    lacks: list[bool] = []
    sub = desk.record("public_objection_taken", desk.item.public_objection)
    body: dict[str, Any] = {"upheld": desk.slip(2), "note": desk.words("经核实。", lacks)}
    verb = "uphold_public_objection" if body["upheld"] else "decline_public_objection"
    back, wrong = _some_units(desk, body) if body["upheld"] else ([], None)
    early = None if sub in desk.records.get("public_objection_taken", []) else (404, "not_found")
    path, told = f"public-objections/{sub}/decision", {"units": back}
    return _said(desk, verb, path, body, lacks, told=told, wrong=wrong, early=early, sub=sub)


def close_out(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "opinion": desk.words("同意销号。", lacks)}
    told = {"closed_at": clock.now(), "look_back_on": desk.today + timedelta(days=90)}
    return _said(desk, "close_out", "closure", body, lacks, told=told)


def look_back(desk: Desk) -> Ask:
    lacks: list[bool] = []
    result = desk.dice.choice(["holds", "rebounded"])
    body: dict[str, Any] = {"id": str(uuid7()), "result": result, "note": desk.words("入户看过。", lacks)}
    if desk.slip(2):
        body["evidence"] = [desk.file()]
    return _said(desk, "look_back", "look-backs", body, lacks, told={"result": result})


def reopen(desk: Desk) -> Ask:
    lacks: list[bool] = []
    due, photo = desk.day(-1, 40), desk.slip(2)
    body: dict[str, Any] = {"id": str(uuid7()), "note": desk.words("又断水。", lacks), "due_on": due.isoformat()}
    body["evidence"] = [desk.file()] if photo else []
    lacks.append(not photo and not desk.item.rebounded)
    back, wrong = _some_units(desk, body)
    if not wrong and due <= desk.today:
        wrong = (400, "due_in_the_past")
    return _said(desk, "reopen", "reopening", body, lacks, told={"units": back, "due_on": due}, wrong=wrong)


def hang(desk: Desk) -> Ask:
    lacks: list[bool] = []
    review = desk.day(-1, 190)
    body = {"id": str(uuid7()), "reason_code": "season", "note": desk.words("冻土期。", lacks)}
    body |= {"paper": desk.words("抚督〔2026〕9号", lacks), "review_on": review.isoformat()}
    wrong = (400, "review_too_far") if review > desk.today + timedelta(days=183) else None
    wrong = (400, "due_in_the_past") if review <= desk.today else wrong
    return _said(desk, "hang", "hanging", body, lacks, told={"review_on": review}, wrong=wrong)


def resume(desk: Desk) -> Ask:
    lacks: list[bool] = []
    due = desk.day(-1, 60)
    body = {"id": str(uuid7()), "note": desk.words("已解冻。", lacks), "due_on": due.isoformat()}
    wrong = (400, "due_in_the_past") if due <= desk.today else None
    return _said(desk, "resume", "resumption", body, lacks, told={"due_on": due}, wrong=wrong)


def ask_void(desk: Desk) -> Ask:
    lacks: list[bool] = []
    body = {"id": str(uuid7()), "note": desk.words("重复登记。", lacks)}
    wrong = None
    if desk.slip(20):
        body["duplicate_of"], wrong = str(desk.id), (400, "duplicate_of_itself")
    return _said(desk, "ask_void", "voiding", body, lacks, wrong=wrong)


def void(desk: Desk) -> Ask:
    return Ask("void", "voiding/confirmation", None)


def decline_void(desk: Desk) -> Ask:
    lacks: list[bool] = []
    return _said(desk, "decline_void", "voiding/refusal", {"note": desk.words("并不重复。", lacks)}, lacks)
