"""DOINGS: each bulk move with the form of its single request and the command behind both. No rule stands here.

The Structs are those of the single endpoints, by import, and the commands are theirs too: a test holds the two
together, and every other single endpoint is in NOT_IN_BULK with its reason.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from backend.errors import BadRequest, Incomplete
from backend.evidence.shapes import declarations
from backend.roles import Actor
from backend.shapes import shaped
from tasks.batches.rules import BulkMove, row_id
from tasks.rectifications import (
    api,
    commands,
    extensions,
    hanging,
    looking_back,
    measures,
    publicity,
    site_checks,
    voiding,
)
from tasks.rectifications import procedures_api as procedures
from tasks.rectifications import shapes as s
from tasks.rectifications.queries import expected


@dataclass(frozen=True, slots=True)
class Doing:
    """`path` of the single request behind the item's own; `wanted` is its body (None: it has none).

    `command` takes the members of the body by their names, or (`whole`) the body, where the single request does more
    with it than name them. `decides`: it is about a record of the item, whose id comes with the row.
    """

    path: str
    wanted: type[msgspec.Struct] | None
    command: Callable[..., Awaitable[None]]
    whole: bool = False

    @property
    def decides(self) -> bool:
        return "{" in self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row as it was asked for: of which batch, for which item (as seen when), about which record, what is said."""

    batch: UUID
    move: BulkMove
    item: UUID
    record: UUID | None
    version: int | None
    content: Mapping[str, Any]


async def do(asked: Asked, actor: Actor) -> None:
    """What the single request does: its form first (BadRequest), then its command, which refuses as ever."""
    doing = DOINGS[asked.move]
    if asked.record and not doing.decides:
        raise BadRequest("含有不认识的字段。", "unknown_field", field="record")
    if doing.decides and not asked.record:
        raise Incomplete("要写明是哪一份申请。", "record_needed", field="record")
    data = _read(doing, asked)
    token = expected.set(asked.version)
    try:
        if doing.whole:
            await doing.command(asked.item, actor, data, *([asked.record] if asked.record else []))
        else:
            await doing.command(asked.item, actor, **_said(data))
    finally:
        expected.reset(token)


def check_common(move: BulkMove, content: Mapping[str, Any]) -> None:
    """Raises BadRequest for a part of the common content that no item could take. What is missing, rows may add."""
    wanted = DOINGS[move].wanted
    members = {member.name: member.type for member in msgspec.structs.fields(wanted)} if wanted else {}
    for name, value in content.items():
        _check_known(name, members, f"content.{name}")
        if name == "evidence" and value:
            raise BadRequest("照片属于各个事项，请写在各项的内容里。", "files_are_per_item", field="content.evidence")
        try:
            shaped(value, members[name])
        except BadRequest as wrong:
            inner = f".{wrong.field}" if wrong.field else ""
            raise BadRequest(wrong.message, wrong.code, field=f"content.{name}{inner}", **wrong.details) from wrong


def _read(doing: Doing, asked: Asked) -> msgspec.Struct | None:
    """The single request's Struct, filled with what was said. Raises BadRequest with the field."""
    members = doing.wanted.__struct_fields__ if doing.wanted else ()
    for name in asked.content:
        _check_known(name, members, name)
    if doing.wanted is None:
        return None
    id = {"id": str(row_id(asked.batch, asked.item))} if "id" in members else {}
    return shaped({**asked.content, **id}, doing.wanted)


def _said(data: msgspec.Struct | None) -> dict[str, Any]:
    """The members as keywords: a manifest of files, and sets where a list names people or units."""
    said = {name: getattr(data, name) for name in data.__struct_fields__} if data else {}
    files = {"manifest": declarations(said.pop("evidence"))} if "evidence" in said else {}
    sets = {name: frozenset(value) for name, value in said.items() if isinstance(value, list)}
    return said | sets | files


def _check_known(name: str, members: Collection[str], field: str) -> None:
    """The id is no part of what may be said: it is made of the batch and the item."""
    if name == "id" or name not in members:
        raise BadRequest("含有不认识的字段。", "unknown_field", field=field)


M = BulkMove
DOINGS: dict[BulkMove, Doing] = {
    M.issue: Doing("issue", s.IssueIn, api.issue, True),
    M.drop: Doing("dropping", s.DeclineIn, commands.drop),
    M.acknowledge: Doing("acknowledgement", s.AcknowledgementIn, commands.acknowledge),
    M.report: Doing("reports", s.ReportIn, commands.report),
    M.plan_measure: Doing("measures", procedures.MeasureIn, measures.plan),
    M.finish_measure: Doing(
        "measures/{measure_id}/completion", procedures.MeasureEndIn, procedures.finish_measure, True
    ),
    M.drop_measure: Doing("measures/{measure_id}/dropping", procedures.MeasureEndIn, procedures.drop_measure, True),
    M.ask_extension: Doing("extensions", procedures.ExtensionIn, extensions.ask),
    M.decide_extension: Doing(
        "extensions/{extension_id}/decision", procedures.ExtensionDecisionIn, procedures.decide_extension, True
    ),
    M.hand_in: Doing("hand-ins", s.HandInIn, commands.hand_in),
    M.pass_first: Doing("first-pass", s.FirstPassIn, commands.pass_first),
    M.send_back: Doing("returns", s.ReturnIn, commands.send_back),
    M.assign_check: Doing("site-checks", procedures.SiteCheckIn, site_checks.assign),
    M.publish: Doing("publicity", procedures.PublicityIn, publicity.publish),
    M.close_out: Doing("closure", s.OpinionIn, commands.close_out),
    M.look_back: Doing("look-backs", procedures.LookBackIn, looking_back.look_back),
    M.reopen: Doing("reopening", procedures.ReopeningIn, looking_back.reopen),
    M.hang: Doing("hanging", procedures.HangingIn, hanging.hang),
    M.resume: Doing("resumption", procedures.ResumptionIn, hanging.resume),
    M.ask_void: Doing("voiding", s.VoidingIn, voiding.ask_void),
    M.void: Doing("voiding/confirmation", None, voiding.void),
    M.decline_void: Doing("voiding/refusal", s.DeclineIn, voiding.decline_void),
}

# Single requests that nobody may make for many items at once, and why.
NOT_IN_BULK = {
    "hand-ins/{hand_in_id}/confirmation": "a principal vouches for one hand-in, having read it",
    "objections": "a unit contests a fact with its own proof, once per item",
    "objections/{objection_id}/decision": "a ruling weighs one unit's case, by somebody who did not inspect",
    "site-checks/{check_id}/conclusion": "people stood at one place: their position, photos and words belong to it",
    "publicity/{publicity_id}/objections": "what somebody said against one item",
    "public-objections/{objection_id}/decision": "an answer to what somebody said against one item",
    "household": "an item concerns one household, and no two items the same matter of it",
}
