"""Reads what a report is made of, for many files at once: a fixed number of statements, however many files."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.evidence.rules import Trace
from backend.roles import SYSTEM, Actor
from backend.trust_reports import uses
from backend.trust_reports.around import CLAIMS, capture_of, captures_around
from backend.trust_reports.facts import Facts, Reading, Setting, Use
from backend.trust_reports.uses import Uses

# What these files hang on, as far as the actor sees it; SYSTEM sees everything. Offered by the concepts on whose
# records files hang, and passed in by the doors. A file may hang on several records.
Settings = Callable[[Sequence[UUID], Actor], Awaitable[Mapping[UUID, Setting]]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file with its own facts: what can be known without looking at anything else."""

    facts: Facts
    of_sender: frozenset[UUID]

    @property
    def kept_from(self) -> frozenset[UUID]:
        return self.facts.setting.kept_from if self.facts.setting else frozenset()


async def sent(files: Sequence[UUID], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Sent]:
    """These files, each with its claims, what it says itself, and what it hangs on in the actor's sight."""
    rows = await raw(_SENT, list(files))
    hangs: dict[UUID, Setting] = {}
    for offered in settings:
        for id, setting in (await offered(files, actor)).items():
            hangs[id] = _joined(hangs[id], setting) if id in hangs else setting
    return {
        row["id"]: Sent(Facts(capture_of(row), _reading(row), hangs.get(row["id"])), frozenset(row["units"]))
        for row in rows
    }


async def compared(files: Iterable[Sent], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Facts]:
    """The same facts, with what this actor sees of the sender's other captures, and the uses of the same photo that
    they may know of. A distance or a time from a capture out of sight would tell where or when somebody was.
    """
    own = {it.facts.capture.id: it.facts for it in files}
    captures = [facts.capture for facts in own.values()]
    around = await captures_around(captures)
    known: dict[UUID, Setting | None] = {id: facts.setting for id, facts in own.items()}
    asked, hidden, unseen = set(own), set[UUID](), set[UUID]()
    found, searched, wider = dict[UUID, Uses](), own, 1
    # What must not be noticed must not take the place of what may be: neighbours are asked for, and like photos looked
    # for without it, until enough are known.
    while True:
        found |= await uses.of(searched, hidden) if searched else {}
        met = {id for search in found.values() for id in (*search.met, *(use.id for use in search.told))}
        if not (wanted := (met | around.ids(captures, unseen)) - asked):
            break
        wanted |= around.ids(captures, unseen, wider) - asked
        known |= await known_to(wanted, actor, settings)
        asked |= wanted
        hidden, unseen = asked - known.keys(), {id for id in asked if known.get(id) is None} - own.keys()
        searched = {id: own[id] for id, search in found.items() if search.met & hidden}
        wider *= 16
    return {
        id: replace(
            facts,
            others=tuple(map(capture_of, around.beside(facts.capture, unseen))),
            uses=tuple(replace(use, setting=known[use.id]) for use in found[id].told if _told(use, facts, known)),
            beyond=found[id].beyond,
        )
        for id, facts in own.items()
    }


async def known_to(files: Iterable[UUID], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Setting | None]:
    """Of these files those the actor may know of: with what they hang on where it is in sight, and None elsewhere.

    What hangs on nothing, or only on something secret out of sight, is left out: it must not be noticed at all.
    """
    wanted = sorted(files)
    known: dict[UUID, Setting | None] = {}
    for offered in settings if wanted else ():
        known |= await offered(wanted, actor)
    hidden = [id for id in wanted if id not in known]
    for offered in settings if hidden else ():
        known |= {id: None for id, setting in (await offered(hidden, SYSTEM)).items() if not setting.secret}
    return known


_SENT = f"""
    SELECT {CLAIMS}, reading.*, reading.evidence AS read,
        ARRAY(SELECT unit FROM person WHERE person.id = declared_by
            UNION SELECT unit FROM role_grant WHERE person = declared_by AND revoked_at IS NULL) AS units
    FROM evidence LEFT JOIN evidence_reading AS reading ON reading.evidence = evidence.id
    WHERE evidence.id = ANY($1::uuid[])
"""


def _told(use: Use, facts: Facts, known: Mapping[UUID, Setting | None]) -> bool:
    """Files of one record are one lot. Out of sight only what came before is spoken of, and without saying when."""
    if use.id not in known:
        return False
    setting = known[use.id]
    if setting is None:
        return use.earlier
    return facts.setting is None or setting.record != facts.setting.record


def _joined(lower: Setting, upper: Setting) -> Setting:
    """The lowest concept that knows a file describes it; each may keep people from its report."""
    return replace(lower, kept_from=lower.kept_from | upper.kept_from)


def _reading(row: Any) -> Reading | None:
    if row["read"] is None:
        return None
    return Reading(
        exif_at=row["exif_at"],
        zone_known=bool(row["exif_zone_known"]),
        place=(row["exif_lat"], row["exif_lng"]) if row["exif_lat"] is not None else None,
        camera=row["camera"],
        software=row["software"],
        traces=frozenset(map(Trace, row["traces"])),
    )
