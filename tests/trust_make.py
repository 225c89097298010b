"""Photos for tests of trust reports: filed and sent through HTTP, with the claims a test wants to make."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from backend import clock, geo
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor, Role
from inspections.visits import commands as visits
from inspections.visits.rules import Kind
from tests import calls, make
from tests.make import Cast

METRE = 1 / 111_060  # degrees of latitude at the target


def position(metres: float = 0.0, accuracy_m: float = 12.0) -> dict[str, Any]:
    """So far north of the target."""
    return {"lat": make.TARGET[0] + metres * METRE, "lng": make.TARGET[1], "accuracy_m": accuracy_m}


def line(content: bytes, **said: Any) -> dict[str, Any]:
    return {**make.manifest_line(content), "captured_at": clock.now().isoformat(), "position": position(), **said}


async def filed(
    client: httpx.AsyncClient, it: Cast, photos: Sequence[dict[str, Any]], *, visit: UUID | None = None, **said: Any
) -> UUID:
    """A finding with these lines of a manifest, by the cast's inspector."""
    body = calls.finding_body(it, evidence=list(photos), found_at=clock.now().isoformat(), region=None) | said
    id = uuid7()
    path = f"/api/visits/{visit or it.visit}/findings/{id}"
    answer = await (await calls.by(it.inspector, "PUT", path, body)).made(client)
    assert answer.status_code == 201, answer.text
    return id


async def send(client: httpx.AsyncClient, by: Actor, told: dict[str, Any], content: bytes) -> UUID:
    answer = await client.put(f"/api/evidence/{told['id']}", content=content, headers=await make.signed_in(by))
    assert answer.status_code == 200, answer.text
    return UUID(str(told["id"]))


async def taken(client: httpx.AsyncClient, it: Cast, number: int = 0, **said: Any) -> UUID:
    """A photo of a finding of its own, whose bytes have come in."""
    visit = said.pop("visit", None)
    content = make.photo(number)
    told = line(content, **said)
    await filed(client, it, [told], visit=visit)
    return await send(client, it.inspector, told, content)


async def token(
    client: httpx.AsyncClient, by: Actor, fetched: datetime, phone_clock: datetime, since: timedelta, counter: int = 1
) -> dict[str, Any]:
    """What the phone notes at the shutter: the server's time, fetched then, and what it counted from there."""
    with clock.frozen(fetched):
        answer = await client.get("/api/time", headers=await make.signed_in(by))
    return {
        "token": answer.json()["token"],
        "token_received_at": phone_clock.isoformat(),
        "since_token_ms": round(since.total_seconds() * 1000),
        "counter": counter,
    }


async def read(file: UUID, **said: Any) -> None:
    """As if decoding had told this."""
    content = {"traces": [], "read_at": clock.now()} | said
    columns = ", ".join(content)
    values = ", ".join(f"${place}" for place in range(2, len(content) + 2))
    await raw(f"INSERT INTO evidence_reading (evidence, {columns}) VALUES ($1, {values})", file, *content.values())


async def multiplied(file: UUID, times: int, finding: UUID, *, same: bool = False) -> None:
    """As if so many photos that look like this one had come with the finding; with `same`, the very same bytes."""
    hashed = "sha256" if same else "encode(sha256(n::text::bytea), 'hex')"
    await raw(
        f"""
        WITH made AS MATERIALIZED (SELECT gen_random_uuid() AS id, n FROM generate_series(1, {times}) AS n),
        files AS (INSERT INTO evidence
            SELECT (json_populate_record(one, json_build_object('id', made.id, 'sha256', {hashed}))).*
            FROM evidence AS one, made WHERE one.id = $1),
        readings AS (INSERT INTO evidence_reading
            SELECT (json_populate_record(one, json_build_object('evidence', made.id))).*
            FROM evidence_reading AS one, made WHERE one.evidence = $1)
        INSERT INTO finding_evidence (id, finding, evidence, position) SELECT gen_random_uuid(), $2, id, n FROM made
        """,
        file,
        finding,
    )


async def shown(client: httpx.AsyncClient, by: Actor, file: UUID, **headers: str) -> dict[str, Any]:
    answer = await client.get(f"/api/evidence/{file}", headers=await make.signed_in(by) | headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def report(client: httpx.AsyncClient, by: Actor, file: UUID) -> dict[str, Any]:
    told = (await shown(client, by, file))["report"]
    assert told is not None
    return told


def levels(report: dict[str, Any]) -> dict[str, str]:
    return {check["check"]: check["level"] for check in report["checks"]}


def said(report: dict[str, Any], check: str) -> str:
    return next(told["sentence"] for told in report["checks"] if told["check"] == check)


async def elsewhere(it: Cast, kind: Kind = Kind.covert) -> UUID:
    """A visit of the same team to a village of Qingyuan, sixty kilometres away."""
    id = uuid7()
    await visits.open_visit(
        it.staff, id=id, region=make.QINGYUAN, place_name="红透山镇", purpose="饮水安全", kind=kind,
        approval_number="抚督〔2026〕8号", target=(make.TARGET[0] + 60_000 * METRE, make.TARGET[1]), radius_m=500.0,
        team=[it.lead.person, it.inspector.person], lead=it.lead.person,
    )  # fmt: skip
    return id


async def submit(it: Cast, visit: UUID) -> None:
    place = geo.Place(*make.TARGET, 12.0, geo.Datum.wgs84)
    await visits.arrive(visit, it.inspector, id=uuid7(), place=place, phone_at=clock.now(), reason="桥断，步行。")
    await visits.submit(visit, it.lead)


async def county_office() -> Actor:
    """Sees Xinbin, and nothing of Qingyuan."""
    return await make.person("县督查办孟", Role.supervision_staff, at=await make.unit("新宾县督查办", area=make.XINBIN))
