"""Many items and requests for them."""

from typing import Any
from uuid import UUID

import httpx

from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor
from tasks.rectifications import drafting
from tasks.rectifications.drafting import Draft
from tasks.rectifications.words import Source, UnitRole
from tests import make
from tests.make import Cast


def body(move: str, items: list[UUID], **said: Any) -> dict[str, Any]:
    """A request for these items; `own` is content of single ones, by item."""
    own = said.pop("own", {})
    rows = [{"item": str(item), **({"content": own[item]} if item in own else {})} for item in items]
    return {"id": str(uuid7()), "move": move, "items": rows} | said


async def ask(client: httpx.AsyncClient, actor: Actor, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    headers = await make.signed_in(actor)
    answer = await client.post("/api/rectifications/batch", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def show(client: httpx.AsyncClient, actor: Actor, batch: str, query: str = "") -> dict[str, Any]:
    headers = await make.signed_in(actor)
    answer = await client.get(f"/api/rectifications/batches/{batch}{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def drafts(it: Cast, count: int) -> list[UUID]:
    """Items that only need to be issued: one is entered by hand, the others are its copies."""
    id = uuid7()
    units = {
        UnitRole.responsible: frozenset({it.responsible}),
        UnitRole.lead: frozenset({it.lead_unit}),
        UnitRole.cooperating: frozenset[UUID](),
    }
    said = Draft(
        source=Source.ledger, topic="0304", facts="管网冻裂。", region=make.YAOZHAN, units=units,
        no_evidence_reason="见台账。",
    )  # fmt: skip
    await drafting.draft(it.staff, said, id=id)
    columns = await raw(
        "SELECT string_agg(quote_ident(column_name), ', ') AS names FROM information_schema.columns "
        "WHERE table_name = 'rectification' AND column_name <> 'id' AND is_generated = 'NEVER'"
    )
    names = columns[0]["names"]
    copies = [uuid7() for _ in range(count - 1)]
    await raw(
        f"INSERT INTO rectification (id, {names}) SELECT copy, {names} FROM rectification, unnest($2::uuid[]) AS copy "
        "WHERE id = $1",
        id,
        copies,
    )
    await raw(
        "INSERT INTO rectification_unit (id, rectification, unit, role, status) SELECT gen_random_uuid(), copy, unit, "
        "role, status FROM rectification_unit, unnest($2::uuid[]) AS copy WHERE rectification = $1",
        id,
        copies,
    )
    return [id, *copies]


async def statuses(items: list[UUID]) -> list[str]:
    rows = await raw("SELECT id, status FROM rectification WHERE id = ANY($1::uuid[])", items)
    known = {row["id"]: row["status"] for row in rows}
    return [known[item] for item in items]
