"""Keeping, changing and throwing away saved views."""

from typing import Any
from uuid import UUID

import msgspec

from backend import clock, once
from backend.db import raw, transaction
from backend.errors import Conflict, Forbidden, NotFound, WrongState
from backend.roles import Actor
from tasks.rectifications import filters
from tasks.rectifications.filters import Filter, Sort
from tasks.views import queries, rules


async def keep(
    view: UUID, actor: Actor, *, name: str, wanted: Filter, sort: Sort, place: int, first: bool, shared: bool
) -> None:
    """Keep a view under this id, or make it what is said now. Shared is shared with one's own unit.

    Raises Forbidden for a colleague's, NotFound for a stranger's, Conflict for a name that another of one's own has,
    WrongState beyond fifty, BadRequest for filters that say nothing together.
    """
    filters.check(wanted)
    content: dict[str, Any] = {
        "name": name.strip(),
        "filter": msgspec.json.encode(wanted).decode(),
        "sort": sort.value,
        "place": place,
        "first": first,
        "shared_with": actor.home if shared else None,
        "changed_at": clock.now(),
    }
    async with transaction():
        await raw("SELECT id FROM person WHERE id = $1 FOR NO KEY UPDATE", actor.person)  # one's own, one at a time
        await once.one_at_a_time(view)
        if owner := await queries.owner(view, actor):
            if reason := rules.may_change(owner, actor.person):
                raise Forbidden(reason)
        await _check_room(view, actor, content["name"])
        if first:
            await raw("UPDATE saved_view SET first = false WHERE person = $1 AND id <> $2", actor.person, view)
        await _write(view, actor, content)


async def discard(view: UUID, actor: Actor) -> None:
    """Raises NotFound for one that is not there or out of sight, Forbidden for a colleague's."""
    async with transaction():
        owner = await queries.owner(view, actor)
        if owner is None:
            raise NotFound()
        if reason := rules.may_change(owner, actor.person):
            raise Forbidden(reason)
        await raw("DELETE FROM saved_view WHERE id = $1", view)


async def _check_room(view: UUID, actor: Actor, name: str) -> None:
    others = await raw("SELECT name FROM saved_view WHERE person = $1 AND id <> $2", actor.person, view)
    if any(row["name"] == name for row in others):
        raise Conflict("您已有同名的视图。", "view_name_taken", field="name")
    if len(others) >= rules.MOST_VIEWS:
        raise WrongState(f"最多保存 {rules.MOST_VIEWS} 个视图，请先删除不用的。", "too_many_views")


async def _write(view: UUID, actor: Actor, content: dict[str, Any]) -> None:
    names = list(content)
    places = ", ".join(f"${at}" for at in range(3, len(names) + 3))
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    await raw(
        f"INSERT INTO saved_view (id, person, {', '.join(names)}) VALUES ($1, $2, {places}) "
        f"ON CONFLICT (id) DO UPDATE SET {changes}",
        view,
        actor.person,
        *content.values(),
    )
