"""A walk of one item through the app: each step is a number, a request is made of it, and all must agree after it.

What is asked is in rectification_asks.py, what should come of it in rectification_model.py. The person and the clock
are the walk's. Nothing here is a test.
"""

import os
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import SYSTEM, Actor, Grant, Role
from inspections.findings.queries import as_filed
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import commands, jobs
from tasks.rectifications.queries import expected
from tasks.rectifications.words import Source
from tests import make
from tests.rectification_asks import Ask, Desk
from tests.rectification_fold import Item, Part
from tests.rectification_model import OF_A_PART, STARTS, Model, Who
from tests.rectification_people import people
from tests.rectification_proofs import other, proper_closing
from tests.rectification_standing import BEGINS, Standing
from tests.rectification_verbs import ASKS, EVENTS, EVIDENCE, FORWARD, MADE, RARE


class Walk(Standing):
    """Goes on from where it stands, one step for each number."""

    @classmethod
    async def begun(cls, client: httpx.AsyncClient) -> "Walk":
        office = await make.unit("市扶贫办", area=make.FUSHUN)
        names = {"a": "新宾县水务局", "b": "新宾县住建局", "c": "新宾县财政局", "d": "新宾县自来水公司"}
        names |= {"lead": "市水务局", "far": "清原县水务局"}
        areas = dict.fromkeys("abcd", make.XINBIN) | {"lead": make.FUSHUN, "far": make.QINGYUAN}
        units = {}
        for number, (key, name) in enumerate(
            names.items()
        ):  # in the order of their ids, so that a walk can be repeated
            with clock.frozen(BEGINS - timedelta(days=2) + timedelta(seconds=number)):
                units[key] = await make.unit(name, area=areas[key])
        here = frozenset({office, *units.values()} - {units["far"]})
        with clock.frozen(BEGINS - timedelta(days=1)):
            who = await people(units, office, clock.now())
            cast = make.Cast()
            cast.staff = await make.person("周", Role.supervision_staff, at=office)
            cast.lead, cast.inspector = (Actor(who[name].id, name, home=office) for name in ("lead", "inspector"))
            walk = cls(client, who, units, await make.visit(cast), here)
        return walk

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def step(self, number: int) -> None:
        dice = Random(number)
        self.now += timedelta(seconds=dice.randint(1, 900))
        if self.item.status == "voided" and dice.randrange(3) == 0 or not self.id.int:
            with clock.frozen(self.now):
                await self.begin_item(dice)
            self.now += timedelta(seconds=1)
        os.environ["DUBAN_SAMPLE_PERCENT"] = dice.choice(["0", "100"])  # the lot itself is secret, and never the same
        choice = dice.randrange(100)
        if choice < 5:
            self.now += timedelta(minutes=dice.choice([60, 60 * 20, 1440, 1440 * 2, 1440 * 6, 1440 * 25]))
        with clock.frozen(self.now):
            await self._step(dice, choice)

    async def _step(self, dice: Random, choice: int) -> None:
        if choice < 8:
            return await self.sweep()
        if choice < 16:
            return await self.arrive(dice)
        if choice < 20:
            return await self.look(dice, dice.choice(sorted(self.people)))
        if choice < 22:
            return await self.change_people(dice)
        if choice < 32 and self.done:
            return await self.again(dice)
        desk = self.desk(dice)
        verb, name = self.chosen(dice, choice)
        await self.ask(self.people[name], ASKS[verb](desk), stale=dice.randrange(20) == 0)

    def desk(self, dice: Random) -> Desk:
        away = {who.id: who.recused for who in self.people.values()}
        return Desk(dice, self.item, self.id, clock.today(), self.people, self.units, self.records, self.used, away)

    def chosen(self, dice: Random, choice: int) -> tuple[str, str]:
        """A verb and a person: mostly what may be done now, by who may; sometimes anything by anybody."""
        everybody = sorted(self.people)
        if choice < 42:
            return dice.choice(sorted(STARTS)), dice.choice(everybody)
        open_now = self.open_now()
        likely = [verb for verb in sorted(open_now) for _ in range(6 if verb in FORWARD else 1 if verb in RARE else 2)]
        verb = dice.choice(likely or sorted(STARTS))
        fit = [name for name in everybody if self.fits(verb, self.people[name], open_now.get(verb, []))]
        return verb, dice.choice(everybody if choice < 50 else fit or everybody)

    def fits(self, verb: str, who: Who, units: list[Any]) -> bool:
        return self.item.sees(who) and any(self.item.may(verb, who, unit) for unit in units)

    async def begin_item(self, dice: Random) -> None:
        """A finding of the team becomes a draft, as the reaction to a submitted visit makes it."""
        names = dice.choice([["a"], ["a"], ["a", "b"], ["a", "b", "c"]])
        responsible = frozenset(self.units[name] for name in names)
        lead = frozenset({self.units["lead"]} if dice.randrange(5) else set())
        kind = dice.choice([*ClosingClass, ClosingClass.by_date])
        severity = dice.choice([Severity.ordinary, Severity.ordinary, Severity.serious])
        cast, who = make.Cast(), self.people["inspector"]
        grants = (Grant(Role.inspector, who.home, make.FUSHUN),)
        cast.visit, cast.inspector = self.visit, Actor(who.id, who.name, grants, home=who.home)
        said = {"closing_class": kind, "severity": severity, "responsible_units": responsible, "lead_units": lead}
        cast.responsible, cast.lead_unit = self.units["a"], self.units["lead"]
        self.id = await make.finding(cast, **said)
        filed = (await as_filed([self.id]))[0]
        await commands.draft_from_finding(filed, SYSTEM, source=Source.unannounced)
        team = frozenset(self.people[name].id for name in ("lead", "inspector"))
        self.item = Model(
            here=self.here, team=team, serious=severity != Severity.ordinary, long_term=kind == ClosingClass.long_term,
            term={ClosingClass.fix_now: 3, ClosingClass.by_date: 15}.get(kind),
            parts={unit: Part() for unit in responsible}, lead=set(lead),
        )  # fmt: skip
        self.fold, self.version = Item(), 1  # the finding was filed under the same id
        self.records, self.done, self.files, self.last_answer = {}, [], {}, None
        self.story.append(f"── {names} {kind} {severity} lead={bool(lead)}")
        await self.check(["drafted"], SYSTEM.person)

    async def sweep(self) -> None:
        """Silence becomes acceptance, for whoever's time is over."""
        expected.set(None)
        silent = sorted(self.item.silent(clock.now()))
        await jobs.sweep_silent()
        for unit in silent:
            self.item.hear("accepted_silently", clock.now(), None, unit=unit)
        self.story.append(f"sweep {len(silent)}")
        await self.check(["accepted_silently"] * len(silent), None)

    async def arrive(self, dice: Random) -> None:
        """The photos of the latest hand-in of a unit come in."""
        for unit in sorted(self.files)[:2]:
            for line in self.files.pop(unit):
                await raw("UPDATE evidence SET state = 'received', received_at = $2 WHERE id = $1", line, clock.now())
            if unit in self.item.parts:
                self.item.parts[unit].missing = 0
        self.story.append("photos")

    async def change_people(self, dice: Random) -> None:
        """Somebody keeps away from a unit, or loses a role, from the next request on."""
        name = dice.choice(sorted(self.people))
        who = self.people[name]
        if dice.randrange(2) and name != "administrator":
            unit = self.units[dice.choice(["a", "b", "lead", "far"])]
            body = {"id": str(uuid7()), "unit": str(unit), "reason": "亲属在该单位工作。"}
            answer = await self.client.post("/api/me/recusals", json=body, headers=await self.signed_in(who))
            who.recused.add(unit)
            assert answer.status_code == 201, answer.text
        elif dice.randrange(2) and who.roles and name in ("both_keys", "mixed", "several", "second_boss"):
            role, unit = dice.choice(sorted(who.roles))
            rows = await raw(
                "SELECT id FROM role_grant WHERE person = $1 AND unit = $2 AND role = $3 AND revoked_at IS NULL",
                who.id, unit, role,
            )  # fmt: skip
            path = f"/api/people/{who.id}/roles/{rows[0]['id']}"
            answer = await self.client.delete(path, headers=await self.signed_in(self.people["administrator"]))
            who.roles.discard((role, unit))
            assert answer.status_code == 204, answer.text
        self.story.append(f"{name}: {who.roles} keeps away from {len(who.recused)}")

    async def look(self, dice: Random, name: str) -> None:
        """Somebody opens it: what they see, and what they may do, is what the model says."""
        who = self.people[name]
        answer = await self.client.get(f"/api/rectifications/{self.id}", headers=await self.signed_in(who))
        self.story.append(f"{name} looks: {answer.status_code}")
        assert answer.status_code == (200 if self.item.sees(who) else 404), self.tell(answer.text)
        if answer.status_code == 200:
            self.compare_shown(answer.json(), who)

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, who: Who, ask: Ask, *, stale: bool = False) -> None:
        headers = dict(await self.signed_in(who))
        if stale:
            headers["If-Match"] = f'"{self.version - 1}"'
        before = self.said_before(who, ask) if self.item.sees(who) else None
        wanted, unit = (before, None) if before else self.foretold(who, ask, stale)
        answer = await self.sent(who, ask, headers)
        got = (answer.status_code, "" if answer.status_code < 400 else make.problem(answer)["code"])
        self.story.append(f"{clock.local(self.now):%m-%d %H:%M} {who.name} {ask.verb} {self.short(ask.body)} → {got}")
        assert got == wanted, self.tell(f"expected {wanted}: {answer.text[:500]}")
        if wanted[0] != 201 or before:
            return await self.check([], None)
        told = dict(ask.told)
        if ask.verb in OF_A_PART:
            told = {"unit": unit, "units": [unit]} | told
        if ask.verb == "hand_in":
            told["confirmed"] = unit in who.at("unit_principal")
        drawn = await self.check_event(EVENTS[ask.verb], who.id)
        self.remember(who, ask, told)
        self.item.hear(EVENTS[ask.verb], clock.now(), who.id, **told)
        if drawn is not None:
            assert self.item.may_be_drawn(), self.tell("drawn, although nothing left it to the sample")
            self.item.hear("sampled", clock.now(), None, drawn=drawn)
        assert (drawn is None) == (ask.verb != "pass_first" or not self.item.may_be_drawn()), self.tell("not drawn")
        await self.check(None, None)
        self.compare_shown(answer.json(), who)
        if ask.verb == "close_out":
            await proper_closing(self.id)

    async def sent(self, who: Who, ask: Ask, headers: dict[str, str]) -> httpx.Response:
        said = {"json": ask.body} if ask.body is not None else {}
        answer = await self.client.post(f"/api/rectifications/{self.id}/{ask.path}", headers=headers, **said)
        assert answer.status_code < 500, self.tell(f"{who.name} {ask.verb} {ask.body}: {answer.text}")
        return answer

    async def again(self, dice: Random) -> None:
        """A request that worked comes once more: word for word, with one word changed, or from somebody else."""
        who, ask = dice.choice(self.done)
        kind = dice.randrange(4)
        body, has_id = dict(ask.body or {}), "id" in (ask.body or {})
        if kind == 1 and has_id:
            key = dice.choice([key for key in sorted(body) if key not in ("id", "unit", "position", "phone")])
            body[key] = [str(self.units["a"])] if body[key] == [] and key == "units" else other(body[key])
        elif kind == 1 and "units" in body:
            body["units"] = other(body["units"]) if body["units"] else [str(self.units["a"])]
        elif kind == 2 and has_id:
            who = self.people[dice.choice(sorted(set(self.people) - {who.name}))]
        elif ask.verb in ("issue", "drop", "void", "decline_void"):
            return await self.look(dice, who.name)  # made at a desk, without an id
        same = body == (ask.body or {}) and not (kind == 2 and has_id)
        wanted = (201, "") if same else (409, "conflict")
        if not self.item.sees(who):
            wanted = (404, "not_found")
        sent = Ask(ask.verb, ask.path, body if ask.body is not None else None)
        answer = await self.sent(who, sent, await self.signed_in(who))
        got = (answer.status_code, "" if answer.status_code < 400 else make.problem(answer)["code"])
        self.story.append(f"again: {who.name} {ask.verb} {self.short(body)} → {got}")
        assert got == wanted, self.tell(f"again, expected {wanted}: {answer.text[:500]}")
        await self.check([], None)

    def remember(self, who: Who, ask: Ask, told: dict[str, Any]) -> None:
        """What later requests may refer to."""
        self.done.append((who, ask))
        if ask.verb in ("ask_void", "void", "decline_void"):
            self.last_answer = (ask.verb, who.id)
        if key := MADE.get(ask.verb):
            self.records.setdefault(EVENTS[ask.verb], []).append(told[key])
        lines = ask.body.get("evidence", []) if ask.body else []
        if ask.verb in EVIDENCE:
            self.used += lines
        if ask.verb == "hand_in":
            self.files[told["unit"]] = [UUID(line["id"]) for line in lines]

    def said_before(self, who: Who, ask: Ask) -> tuple[int, str] | None:
        """Who decides the same on the same record says nothing new (201), or the same with other papers (409)."""
        if ask.verb in ("void", "decline_void"):
            return (201, "") if self.last_answer == (ask.verb, who.id) else None
        if ask.sub is None or "id" in (ask.body or {}):
            return None  # something new, and not an answer
        for by, earlier in self.done:
            said = (by, earlier.path, earlier.verb, earlier.core()) == (who, ask.path, ask.verb, ask.core())
            if said:
                return (201, "") if ask.whole() == earlier.whole() else (409, "conflict")
        return None

    def foretold(self, who: Who, ask: Ask, stale: bool) -> tuple[tuple[int, str], Any]:
        """Status and code that the answer must have, and the unit whose part moves."""
        it, now = self.item, clock.now()
        if not it.sees(who):
            return (404, "not_found"), None
        if ask.early:
            return ask.early, None
        units = [None]
        if ask.focus:
            units = [ask.focus]
        elif ask.body and "unit" in ask.body:
            units = [UUID(ask.body["unit"])]
        elif ask.verb in OF_A_PART and it.parts:
            units = sorted(it.parts)
        verdicts = [self.verdict(who, ask, unit, stale, now) for unit in units]
        could = [unit for unit, verdict in zip(units, verdicts, strict=True) if verdict is None]
        if len(could) > 1:
            return (422, "unit_needed"), None
        if not could:
            codes = [verdict for verdict in verdicts if verdict]
            return next((code for code in codes if code[0] == 409), codes[0]), None
        if ask.lacks(could[0]):
            return (422, "incomplete"), None
        return ask.wrong or (201, ""), could[0]

    def verdict(self, who: Who, ask: Ask, unit: Any, stale: bool, now: datetime) -> tuple[int, str] | None:
        it = self.item
        if not it.may(ask.verb, who, unit, ask.sub):
            return 403, "not_yours_to_do"
        if stale:
            return 409, "stale"
        if hinders := it.hinders(ask.verb, now, unit):
            return 409, hinders
        open_ones = {it.extension, it.check, it.publicity, it.public_objection}
        open_ones |= {part.objection for part in it.parts.values()}
        open_ones |= {part.hand_in for part in it.parts.values() if part.unconfirmed}
        open_ones |= {measure for measure, state in it.measures.items() if state == "planned"}
        return (409, "blocked") if ask.sub is not None and ask.sub not in open_ones else None
