"""Reading addresses: one's own and the robots of units one sees, masked."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from piccolo.querystring import QueryString

from backend import protected, settings
from backend.db import raw, select
from backend.errors import NotFound, Unreadable
from backend.outgoing import Outgoing
from backend.roles import OFFICE, Actor, Role
from notifications.deliveries import addresses
from notifications.deliveries.rules import LANES, ChannelKind, ChannelState, DeliveryState, Purpose
from notifications.deliveries.shapes import ChannelPage, ChannelShape, KindShape


def visible_to(actor: Actor) -> QueryString:
    """One's own; robots of units one works for, of units of the office's area, and, for administrators, of all."""
    if actor.has(Role.sys_admin):
        return QueryString("(channel.person = {} OR channel.unit IS NOT NULL)", actor.person)
    return QueryString(
        "(channel.person = {} OR channel.unit = ANY({}) OR channel.unit IN (SELECT unit.id FROM unit "
        "JOIN region ON region.code = unit.region WHERE region.path && {}))",
        actor.person,
        list(actor.units()),
        sorted(actor.areas(*OFFICE)),
    )


async def page(actor: Actor, unit: UUID | None) -> ChannelPage:
    """One's own addresses, or the robots of a unit; and which kinds of channels are connected here."""
    own = "channel.person = {}" if unit is None else "channel.unit = {}"
    rows = await select(
        f"{_WHOLE} WHERE {{}} AND {own} AND channel.removed_at IS NULL ORDER BY channel.added_at, channel.id",
        visible_to(actor),
        actor.person if unit is None else unit,
    )
    out = settings.load().outgoing
    return ChannelPage([_shape(row, out) for row in rows], None, [_kind(kind, out) for kind in LANES])


async def one(channel: UUID, actor: Actor) -> ChannelShape:
    """Raises NotFound outside the actor's sight, and for one that was removed."""
    rows = await select(f"{_WHOLE} WHERE channel.id = {{}} AND {{}} AND removed_at IS NULL", channel, visible_to(actor))
    if not rows:
        raise NotFound()
    return _shape(rows[0], settings.load().outgoing)


async def lock(channel: UUID, actor: Actor) -> dict[str, Any]:
    """The row, removed or not, held until the transaction ends. Raises NotFound outside the actor's sight."""
    rows = await select(
        "SELECT * FROM channel WHERE id = {} AND {} FOR NO KEY UPDATE OF channel", channel, visible_to(actor)
    )
    if not rows:
        raise NotFound()
    return rows[0]


async def path_of_unit(unit: UUID, *, on: date | None = None) -> frozenset[str]:
    """The regions a unit lies in; with `on` only of one that is there on that day. Raises NotFound."""
    rows = await raw(
        "SELECT path FROM unit JOIN region ON region.code = unit.region WHERE unit.id = $1 "
        "AND ($2::date IS NULL OR unit.valid_to IS NULL OR unit.valid_to >= $2)",
        unit,
        on,
    )
    if not rows:
        raise NotFound()
    return frozenset(rows[0]["path"])


async def sent_since(purpose: Purpose, since: datetime, *, person: UUID, address_indexes: list[str]) -> tuple[int, int]:
    """How many codes or tests this person asked for since then, and how many went to this address from anybody."""
    rows = await raw(
        "SELECT count(*) FILTER (WHERE delivery.person = $3) AS mine, "
        "count(*) FILTER (WHERE channel.address_index = ANY($4::text[])) AS there "
        "FROM delivery JOIN channel ON channel.id = delivery.address "
        "WHERE purpose = $1 AND planned_at > $2 AND (delivery.person = $3 OR channel.address_index = ANY($4::text[]))",
        purpose.value,
        since,
        person,
        address_indexes,
    )
    return rows[0]["mine"], rows[0]["there"]


_WHOLE = (
    "SELECT channel.*, (SELECT delivery.state FROM delivery WHERE delivery.address = channel.id "
    "ORDER BY delivery.id DESC LIMIT 1) AS last_state FROM channel"
)


def _kind(kind: ChannelKind, out: Outgoing) -> KindShape:
    return KindShape(kind, connected=kind.value in out.sends, usable=not out.sends or kind.value in out.sends)


def _shape(row: dict[str, Any], out: Outgoing) -> ChannelShape:
    kind = ChannelKind(row["kind"])
    try:
        shown = addresses.shown(kind, protected.decrypt(row["address"], "channel.address", row["id"]))
    except Unreadable:
        shown = "（无法读取）"
    state = (
        ChannelState.refused if row["refused_at"]
        else ChannelState.ready if row["confirmed_at"]
        else ChannelState.unconfirmed
    )  # fmt: skip
    return ChannelShape(
        id=row["id"], kind=kind, unit=row["unit"], address=shown, label=row["label"], state=state,
        connected=kind.value in out.sends, added_at=row["added_at"], confirmed_at=row["confirmed_at"],
        refused_at=row["refused_at"], last_sent=row["last_state"] and DeliveryState(row["last_state"]),
    )  # fmt: skip
