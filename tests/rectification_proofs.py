"""What the database says of an item: its rows as facts, its events as said, and whether a closing was proper."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend import events
from backend.db import raw
from notifications.summaries.replay import TOLD, Step, standing
from notifications.summaries.words import Stands
from tasks.rectifications import replay
from tasks.rectifications.item import Status
from tests import make
from tests.rectification_fold import Item

IDS = {"unit", "to_unit", "objection", "extension", "check", "publicity", "measure", "hand_in"}
MANY, DATES = (
    {"units", "checkers", "responsible_units", "lead_units"},
    {"due_on", "wanted_on", "ends_on", "review_on", "look_back_on", "planned_on"},
)
STANDS = {"hung": Stands.hung, "closed": Stands.closed, "voided": Stands.voided}
BACK = (
    "rectification.sent_back", "rectification.check_failed", "rectification.public_objection_upheld",
    "rectification.reopened",
)  # fmt: skip
# A record each, and the events that tell of one.
RECORDS = {
    "acknowledgement": ["acknowledged"], "progress": ["reported"], "hand_in": ["handed_in"],
    "review": ["passed", "sent_back", "closed"], "objection": ["objected"], "extension": ["extension_asked"],
    "site_check": ["check_assigned"], "publicity": ["published"], "hanging": ["hung"], "look_back": ["looked_back"],
    "reopening": ["reopened"], "voiding": ["void_asked"], "measure": ["measure_planned"],
}  # fmt: skip


async def facts(id: UUID) -> dict[str, Any]:
    """The item's rows, under the names of rectification_fold.Item.facts()."""
    rows = await raw(
        "SELECT status, returned, reopened, extended, due_on AS due, original_due_on AS original, listed, public, "
        "sampled, closed_at, look_back_on, review_on, "
        "ARRAY(SELECT unit::text || ' ' || status FROM rectification_unit WHERE rectification = item.id "
        "AND role = 'responsible' AND ended_at IS NULL) AS parts, "
        "ARRAY(SELECT unit FROM rectification_unit WHERE rectification = item.id AND ended_at IS NOT NULL "
        "AND role = 'responsible') AS former, "
        "ARRAY(SELECT id::text || ' ' || state FROM measure WHERE measure.rectification = item.id) AS measures "
        "FROM rectification AS item WHERE id = $1",
        id,
    )
    found = dict(rows[0])
    for name in ("parts", "measures"):
        found[name] = {UUID(id): state for id, state in (line.split() for line in found[name])}
    return found | {"former": set(found["former"])}


def read(row: Any) -> dict[str, Any]:
    """What an event row says."""
    said = msgspec.json.decode(row["payload"])
    del said["by"]  # a name, as it was then; so are the roles
    said.pop("as", None)
    for key in said.keys() & IDS:
        said[key] = said[key] and UUID(said[key])
    for key in said.keys() & MANY:
        said[key] = [UUID(one) for one in said[key]]
    for key in said.keys() & DATES:
        said[key] = said[key] and date.fromisoformat(said[key])
    if "closed_at" in said:
        said["closed_at"] = datetime.fromisoformat(said["closed_at"])
    return said


async def folded(id: UUID) -> Item:
    """The item rebuilt from nothing but its event rows, in the order they were written: the clock may stand still."""
    item = Item()
    rows = await raw(
        "SELECT verb, at, actor, payload FROM event WHERE subject = $1 AND verb LIKE 'rectification.%' "
        "ORDER BY at, xmin::text::bigint, cmin::text::bigint",
        id,
    )
    for row in rows:
        item.hear(row["verb"], row["at"], row["actor"], **read(row))
    return item


async def complete(id: UUID) -> None:
    """One record for each accepted request, none for a refused one; all that read events alone come to the row."""
    rows = await raw("SELECT verb FROM event WHERE subject = $1", id)
    verbs = [row["verb"].removeprefix("rectification.") for row in rows]
    for table, told in RECORDS.items():
        found = await raw(f"SELECT count(*) AS n FROM {table} WHERE rectification = $1", id)
        assert found[0]["n"] == sum(verbs.count(verb) for verb in told), (table, verbs)
    item, stored = (await folded(id)).facts(), await facts(id)
    if stored["due"] is None:
        item.pop("parts"), stored.pop("parts")
    assert stored == item, difference("tables", stored, "fold of all events", item)
    assert stored["returned"] == sum(verbs.count(name) for name in ("sent_back", "check_failed")) + verbs.count(
        "public_objection_upheld"
    )
    assert (stored["reopened"], stored["extended"]) == (verbs.count("reopened"), verbs.count("extended"))
    await _told_alike(id)


async def _told_alike(id: UUID) -> None:
    """After every step the timeline, the summary and the fold say the same of the item, each from its events alone."""
    rows = await raw(
        "SELECT id, at, actor, verb, subject, payload FROM event WHERE subject = $1 AND verb LIKE 'rectification.%' "
        "ORDER BY at, xmin::text::bigint, cmin::text::bigint",
        id,
    )
    shown = replay.statuses([events.of_row(row) for row in rows], (await facts(id))["parts"])
    steps, fold = [Step(row["verb"], row["at"], row["payload"]) for row in rows], Item()
    for place, (row, status) in enumerate(zip(rows, shown, strict=True), 1):
        fold.hear(row["verb"], row["at"], row["actor"], **read(row))
        assert (status or Status.draft) == fold.status, (place, row["verb"])
        it = standing(step for step in steps[:place] if step.verb in TOLD)
        if fold.due is None:
            continue  # not issued yet: no summary counts it
        told = (it.stands, it.due_on, it.original_on, it.closed_at, it.units)
        stands = STANDS.get(fold.status, Stands.in_work)
        assert told == (stands, fold.due, fold.original, fold.closed_at, set(fold.parts)), (place, row["verb"])


async def proper_closing(id: UUID) -> None:
    """What trust.md G7 asks of every closed item, asked of the rows and of nothing that the rules computed."""
    item = (await raw("SELECT * FROM rectification WHERE id = $1", id))[0]
    parts = await raw("SELECT * FROM rectification_unit WHERE rectification = $1 AND role = 'responsible'", id)
    own = [part["unit"] for part in parts]
    steps = await raw("SELECT verb, at FROM event WHERE subject = $1 ORDER BY at, id", id)
    began = max([step["at"] for step in steps if step["verb"] in BACK], default=item["issued_at"])
    assert steps[-1]["verb"] == "rectification.closed" and steps[-1]["at"] >= item["closed_at"]
    reviews = await raw("SELECT * FROM review WHERE rectification = $1 ORDER BY at, id", id)
    keys = {key: {row["by"] for row in reviews if row["verb"] == key} for key in ("pass_first", "close_out")}
    handed = await raw("SELECT * FROM hand_in WHERE rectification = $1 ORDER BY at, id", id)
    measures = await raw("SELECT * FROM measure WHERE rectification = $1", id)
    planned = item["listed"] or item["closing_class"] == "long_term"
    who_handed = {row["by"] for row in handed}
    closer = reviews[-1]["by"]
    assert reviews[-1]["verb"] == "close_out" and closer not in keys["pass_first"] | who_handed
    for part in parts:
        if part["ended_at"] is None:
            mine = [row for row in handed if row["unit"] == part["unit"]]
            assert part["status"] == "passed" and mine, "closed without the hand-in of a unit"
            files = await raw(
                "SELECT state FROM hand_in_evidence JOIN evidence ON evidence.id = evidence WHERE hand_in = $1",
                mine[-1]["id"],
            )
            assert files and all(file["state"] in ("received", "ready") for file in files), "closed without evidence"
            states = {row["state"] for row in measures if row["unit"] == part["unit"]}
            assert "planned" not in states, "closed with a measure that is not done"
            assert not planned or "done" in states, "closed without a plan"
            passed = [row for row in reviews if row["hand_in"] == mine[-1]["id"] and row["verb"] == "pass_first"]
            assert passed and passed[-1]["by"] not in who_handed, "closed without a first pass"
    deciders = [closer, *keys["pass_first"]]
    home = await raw("SELECT 1 FROM person WHERE id = ANY($1::uuid[]) AND unit = ANY($2::uuid[])", deciders, own)
    assert not home, "somebody of a responsible unit decided"
    must = item["severity"] != "ordinary" or item["listed"] or item["returned"] or item["sampled"]
    if must or item["closing_class"] == "long_term":
        checks = "SELECT concluded_at FROM site_check WHERE rectification = $1 AND result = 'passed'"
        assert any(row["concluded_at"] >= began for row in await raw(checks, id)), "closed without its site check"
    if item["public"] or item["closing_class"] == "long_term":
        shown = await raw("SELECT at, until FROM publicity WHERE rectification = $1", id)
        assert any(row["at"] >= began and row["until"] <= item["closed_at"] for row in shown), "publicity not over"


def difference(one: str, left: dict[str, Any], two: str, right: dict[str, Any]) -> str:
    keys = [key for key in sorted({*left, *right}) if left.get(key) != right.get(key)]
    return "; ".join(f"{key}: {one} {left.get(key)!r}, {two} {right.get(key)!r}" for key in keys)


OTHERS = {
    "jurisdiction": "fact", "fact": "duplicate", "duplicate": "fact", "partly_done": "not_done", "season": "funds",
    "holds": "rebounded", "rebounded": "holds",
}  # fmt: skip


def other(value: Any) -> Any:
    """Another value of the same kind, which the same field takes."""
    match value:
        case bool():
            return not value
        case int():
            return value - 1 if value > 1 else value + 1
        case str() if value in OTHERS:
            return OTHERS[value]
        case str() if value[:3] == "202":
            return (date.fromisoformat(value) + timedelta(days=1)).isoformat()
        case str() if len(value) == 36:
            return None
        case str():
            return value + "，补充"
        case [*rows, dict()]:
            return [*rows, make.manifest_line(make.photo(6))]
        case [*_, last]:
            return [last] if len(value) > 1 else []
        case _:
            return [make.manifest_line(make.photo(6))]
