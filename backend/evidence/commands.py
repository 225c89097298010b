"""Writing evidence rows: declare (inside another command), receive, mark ready or refused. No bytes here."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import UUID

from backend import clock, events, geo, signing, time_tokens, wake
from backend.db import after_commit, insert, one_statement, raw, transaction
from backend.errors import Incomplete
from backend.evidence.queries import EvidenceShape, shape
from backend.evidence.reading import Reading
from backend.evidence.rules import MOST_FILES, MOST_TRIES, Declaration, State, token_state
from backend.evidence.tables import Evidence
from backend.once import different
from backend.roles import SYSTEM, Actor
from backend.signing import Unsigned
from backend.time_tokens import TimeToken

GAVE_UP = "evidence.gave_up"
DECLARED = (
    "declared_by",
    "sha256",
    "size",
    "media_type",
    "captured_at",
    "source",
    *geo.reported(None),
    "token",
    "token_received_at",
    "since_token_ms",
    "counter",
)


async def declare(manifest: Sequence[Declaration], actor: Actor) -> None:
    """Make room for the files of a manifest; part of the caller's transaction.

    A line declared before with the same content by the same person is left as it is; with other content, or by
    somebody else, Conflict is raised. Raises Incomplete for more than 30 lines or the same id twice.
    """
    if len(manifest) > MOST_FILES:
        raise Incomplete(f"一次最多 {MOST_FILES} 个文件。", "evidence.too_many_files", field="evidence")
    if len({line.id for line in manifest}) != len(manifest):
        raise Incomplete("同一个文件编号出现了两次。", "evidence.listed_twice", field="evidence")
    if not manifest:
        return
    # In the order of their ids, so that two requests with the same files wait for each other and not in a ring.
    tokens = {line.capture.token: _token(line.capture.token) for line in manifest if line.capture.token is not None}
    rows = sorted((_row(line, actor, tokens) for line in manifest), key=itemgetter("id"))
    fresh = await insert("evidence", rows, known_stay=True)
    if len(fresh) < len(rows):
        known = await raw("SELECT * FROM evidence WHERE id = ANY($1::uuid[])", [row["id"] for row in rows])
        earlier = {row["id"]: dict(row) for row in known}
        if not all(_same(earlier[row["id"]], row) for row in rows):
            raise different()


async def remind(files: Sequence[UUID]) -> int:
    """Its sender is reminded of these files by what the caller records in the same transaction; of how many.

    Of a file that came meanwhile, or that somebody was reminded of before, nobody is.
    """
    rows = await raw(
        "UPDATE evidence SET reminded_at = $2 WHERE id = ANY($1::uuid[]) AND state = 'declared' "
        "AND reminded_at IS NULL RETURNING id",
        sorted(files),
        clock.now(),
    )
    return len(rows)


async def receive(declared: EvidenceShape, actor: Actor, width: int | None, height: int | None) -> EvidenceShape | None:
    """The declared bytes are whole and in the store. A second call changes nothing and answers None.

    A photo is ready when its display copies are made; anything else is at once, because nobody decodes it.
    """
    state = State.received if declared.media_type.photo else State.ready
    async with one_statement():
        arrived = await events.record_change(
            "UPDATE evidence SET state = $1, received_at = $2, width = $3, height = $4 "
            "WHERE id = $5 AND state = $6 RETURNING *",
            (state.value, clock.now(), width, height, declared.id, State.declared.value),
            "evidence.stored",
            declared.id,
            actor=actor,
            sha256=declared.sha256,
            size=declared.size,
        )
        if arrived and state == State.received:
            after_commit(lambda: wake.job("prepare", declared.id))
    return shape(dict(arrived[0])) if arrived else None


async def restore(stored: EvidenceShape, actor: Actor) -> None:
    """The store had lost these bytes and has them again. Row and receipt stay."""
    async with transaction():
        await events.record("evidence.restored", stored.id, actor=actor, sha256=stored.sha256, size=stored.size)
        await _try_again(stored.sha256, _WITHOUT_COPIES)


async def try_again(sha256: str) -> None:
    """These bytes lay damaged in the store and are whole."""
    async with one_statement():
        await _try_again(sha256, _WITHOUT_COPIES)


# What was refused, too: it may have been for what the bytes were not.
_WITHOUT_COPIES = f"state IN ('{State.received}', '{State.refused}')"
_GIVEN_UP = f"refusal = '{GAVE_UP}'"


async def _try_again(sha256: str, which: str) -> None:
    """Every such photo of these bytes is tried as if it had just come."""
    waiting = await raw(
        "UPDATE evidence SET state = $1, refusal = NULL, prepared_at = NULL, tries = 0 "
        f"WHERE sha256 = $2 AND {which} RETURNING id",
        State.received.value,
        sha256,
    )
    for row in waiting:
        after_commit(partial(wake.job, "prepare", row["id"]))


async def try_prepare(evidence: UUID) -> Evidence | None:
    """Count one try of the job; None when there is nothing left to do."""
    async with transaction():
        row = await Evidence.objects().get(Evidence.id == evidence).lock_rows(skip_locked=True)
        if row is None or row.state != State.received:
            return None
        await Evidence.update({Evidence.tries: row.tries + 1}).where(Evidence.id == evidence)
        row.tries += 1
        return row


async def give_back(evidence: UUID) -> None:
    """The try did not count: the photo was not looked at."""
    async with transaction():
        await raw(
            "UPDATE evidence SET tries = tries - 1 WHERE id = $1 AND state = $2 AND tries > 0",
            evidence,
            State.received.value,
        )


async def mark_ready(evidence: UUID, reading: Reading) -> None:
    """Its copies are there; what decoding told is kept with it. What was given up of the same bytes is tried again: the
    store had lost them then, perhaps, and they came back under this id.
    """
    async with transaction():
        if sha256 := await _settle(evidence, State.ready, None):
            await _keep(evidence, reading)
            await _try_again(sha256, _GIVEN_UP)


async def mark_redrawn(evidence: UUID, reading: Reading) -> None:
    """Copies of a photo that was ready before were made anew: only the reading may be another one now."""
    async with transaction():
        await _keep(evidence, reading)


async def mark_refused(evidence: UUID, code: str) -> None:
    async with one_statement():
        await _settle(evidence, State.refused, code)


async def give_up(evidence: UUID) -> None:
    """Tried too often without an answer: the gate's child or the worker was killed each time, or the original is gone.

    Seen as `refusal`; a person has it tried again as docs/operations.md says.
    """
    await mark_refused(evidence, GAVE_UP)


def spent(row: Evidence) -> bool:
    return row.tries > MOST_TRIES


async def _settle(evidence: UUID, state: State, refusal: str | None) -> str | None:
    """The hash of its bytes; None when it was settled before."""
    settled = await events.record_change(
        "UPDATE evidence SET state = $1, refusal = $2, prepared_at = $3 WHERE id = $4 AND state = $5 RETURNING sha256",
        (state.value, refusal, clock.now(), evidence, State.received.value),
        f"evidence.{state.value}",
        evidence,
        actor=SYSTEM,
        reason=refusal,
    )
    return settled[0]["sha256"] if settled else None


async def _keep(evidence: UUID, reading: Reading) -> None:
    values = {
        "exif_at": reading.at,
        "exif_zone_known": reading.zone_known,
        "exif_lat": reading.lat,
        "exif_lng": reading.lng,
        "camera": reading.camera,
        "software": reading.software,
        "traces": [trace.value for trace in reading.traces],
        "looks": reading.looks if reading.looks is None else list(reading.looks),
        "read_at": clock.now(),
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 2))
    again = ", ".join(f"{name} = excluded.{name}" for name in values)
    await raw(
        f"INSERT INTO evidence_reading (evidence, {', '.join(values)}) VALUES ({places}) "
        f"ON CONFLICT (evidence) DO UPDATE SET {again}",
        evidence,
        *values.values(),
    )


def _token(given: str) -> TimeToken | None:
    """None for one that is not ours: kept as a fact, never refused."""
    try:
        return time_tokens.read(given, signing.public_keys())
    except Unsigned:
        return None


def _row(line: Declaration, actor: Actor, tokens: Mapping[str, TimeToken | None]) -> dict[str, Any]:
    taken, now = line.capture, clock.now()
    token = tokens[taken.token] if taken.token is not None else None
    return {
        "id": line.id,
        "sha256": line.sha256,
        "size": line.size,
        "media_type": line.media_type.value,
        "captured_at": line.captured_at,
        "source": line.source.value,
        **geo.columns(line.place),
        "declared_by": actor.person,
        "declared_at": now,
        "state": State.declared.value,
        "tries": 0,
        "token": taken.token,
        "token_state": token_state(token, actor.person, now).value if taken.token is not None else None,
        "token_at": token.at if token else None,
        "token_received_at": taken.token_received_at,
        "since_token_ms": taken.since_token_ms,
        "counter": taken.counter,
    }


def _same(earlier: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(earlier[name] == row[name] for name in DECLARED)
