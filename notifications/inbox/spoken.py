"""What notices say: the event's own facts, and the thing as it is when it is read. And which have lapsed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from notifications.inbox.rules import HEARS, Subject

# The files of a record, whichever kind it is, with the path under which it is found, and that of its screen.
_FILES = """
    SELECT link.finding AS record, link.evidence, 'visits/' || finding.visit || '/findings/' || finding.id AS path,
           'visits/' || finding.visit AS screen
    FROM finding_evidence AS link JOIN finding ON finding.id = link.finding
    UNION ALL SELECT link.hand_in, link.evidence, 'rectifications/' || rectification, 'items/' || rectification
    FROM hand_in_evidence AS link JOIN hand_in ON hand_in.id = link.hand_in
    UNION ALL SELECT link.record, link.evidence, 'monthly/' || month || '/cells/' || cell, 'months/' || month
    FROM monthly_record_evidence AS link JOIN monthly_record ON monthly_record.id = link.record
    JOIN monthly_cell ON monthly_cell.id = cell JOIN monthly_period ON monthly_period.id = period
    UNION ALL SELECT record, evidence, 'rectifications/' || rectification, 'items/' || rectification
    FROM record_evidence
"""
_MISSING = ", ".join(f"'{verb}'" for verb, hearing in HEARS.items() if hearing.about == Subject.files)

# What has lapsed is told no more: nothing is left to be done about it.
STANDS = (
    f"(notice.verb NOT IN ({_MISSING}) OR EXISTS (SELECT 1 FROM ({_FILES}) AS hangs "
    "JOIN evidence ON evidence.id = hangs.evidence WHERE hangs.record = notice.subject AND state = 'declared'))"
)


async def facts(notices: Sequence[Mapping[str, Any]]) -> dict[UUID, dict[str, Any]]:
    """For each of these rows of notices what its words are made of, by its id."""
    said = {row["id"]: {"subject": row["subject"]} for row in notices}
    about = {row["id"]: HEARS[row["verb"]].about for row in notices}
    events = await _events([row["event"] for row in notices])
    for kind, read in _NOW.items():
        some = [row for row in notices if about[row["id"]] == kind]
        now = await read([row["subject"] for row in some]) if some else {}
        for row in some:
            said[row["id"]] |= now.get(row["subject"], {})
    return {row["id"]: events.get(row["event"], {}) | said[row["id"]] for row in notices}


async def _events(ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await raw("SELECT id, payload FROM event WHERE id = ANY($1::uuid[])", ids)
    return {row["id"]: msgspec.json.decode(row["payload"]) for row in rows}


async def _items(ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await raw("SELECT id, number FROM rectification WHERE id = ANY($1::uuid[])", ids)
    return {row["id"]: {"number": row["number"]} for row in rows}


async def _batches(ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await raw("SELECT id, total, done, total - done AS not_done FROM batch WHERE id = ANY($1::uuid[])", ids)
    return {row["id"]: dict(row) for row in rows}


async def _files(records: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """How many were declared, how many of them are missing, and where the record stands."""
    rows = await raw(
        "SELECT record, path, screen, count(*) AS declared, count(*) FILTER (WHERE state = 'declared') AS missing "
        f"FROM ({_FILES}) AS hangs JOIN evidence ON evidence.id = hangs.evidence "
        "WHERE record = ANY($1::uuid[]) GROUP BY record, path, screen",
        records,
    )
    return {row["record"]: dict(row) for row in rows}


_NOW = {
    Subject.rectification: _items,
    Subject.reminder: _items,
    Subject.batch: _batches,
    Subject.files: _files,
}
