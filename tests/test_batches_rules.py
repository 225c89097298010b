"""Bulk and single requests are the same thing: every move in both or with a reason, one Struct, one way back."""

import inspect
import re
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler

from backend.app import CONTROLLERS
from backend.errors import BadRequest, TooMany
from tasks.batches import rules
from tasks.batches.doing import DOINGS, NOT_IN_BULK
from tasks.batches.rules import UNDONE_BY, BulkMove
from tasks.rectifications.item import Verb
from tasks.rectifications.rules import MOVES

ITEM = "/api/rectifications/{item_id}/"
# Two verbs in one request: the answer says which.
ANSWERS = {BulkMove.decide_extension: (Verb.grant_extension, Verb.decline_extension)}


def singles() -> dict[str, type[msgspec.Struct] | None]:
    """Every write about one item, by its path behind the item's, with the Struct of its body."""
    found: dict[str, type[msgspec.Struct] | None] = {}
    for controller in CONTROLLERS:
        for handler in vars(controller).values():
            if isinstance(handler, HTTPRouteHandler) and handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"}:
                for path in handler.paths or {""}:
                    whole = re.sub(r":\w+\}", "}", f"{controller.path}{path}")
                    if whole.startswith(ITEM):
                        found[whole.removeprefix(ITEM)] = _body(handler.fn.__annotations__.get("data"))
    return found


def _body(annotation: Any) -> type[msgspec.Struct] | None:
    return get_args(annotation)[0] if annotation else None


def test_every_bulk_move_is_a_single_request_with_the_same_struct():
    known = singles()
    assert set(DOINGS) == set(BulkMove)
    assert {move: known.get(doing.path, "no such request") for move, doing in DOINGS.items()} == {
        move: doing.wanted for move, doing in DOINGS.items()
    }


def test_every_member_of_a_form_is_a_word_its_command_knows():
    for move, doing in DOINGS.items():
        known = inspect.signature(doing.command).parameters
        members = set(doing.wanted.__struct_fields__) if doing.wanted and not doing.whole else set()
        files = {"manifest"} if "evidence" in members else set()
        assert (members - {"evidence"}) | files <= known.keys(), move


def test_every_single_request_is_in_bulk_or_says_why_not():
    in_bulk = {doing.path for doing in DOINGS.values()}
    assert in_bulk | NOT_IN_BULK.keys() == set(singles()) and not in_bulk & NOT_IN_BULK.keys()
    assert all(len(reason) > 20 for reason in NOT_IN_BULK.values())


def test_a_bulk_move_has_the_word_of_its_verb():
    assert {move.value for move in BulkMove} - {verb.value for verb in Verb} == {move.value for move in ANSWERS}


@pytest.mark.parametrize("move", BulkMove)
def test_what_leads_back_starts_where_the_move_ends(move):
    verbs = ANSWERS.get(move) or (Verb(move.value),)
    for back in UNDONE_BY[move][:1]:
        for verb in verbs:
            ends = {MOVES[verb].end} if MOVES[verb].end else set(MOVES[verb].start)
            assert ends <= set(MOVES[back].start) | ({MOVES[verb].end} if MOVES[back].end is None else set())


def test_the_id_of_a_row_is_the_same_every_time_and_no_two_rows_share_it():
    batch, other, item = UUID(int=1), UUID(int=2), UUID(int=3)
    assert rules.row_id(batch, item) == rules.row_id(batch, item) == UUID("8db4be14-f9e2-579f-9590-c1bd7bb856b1")
    assert len({rules.row_id(batch, item), rules.row_id(other, item), rules.row_id(batch, other)}) == 3


def test_an_item_twice_and_too_many_batches_are_refused():
    rules.check_items([UUID(int=1), UUID(int=2)])
    with pytest.raises(BadRequest) as twice:
        rules.check_items([UUID(int=1), UUID(int=2), UUID(int=1)])
    assert (twice.value.code, twice.value.field) == ("item_twice", "items[2].item")
    rules.check_room(rules.MOST_RUNNING - 1)
    with pytest.raises(TooMany):
        rules.check_room(rules.MOST_RUNNING)
