"""Columns spelled out, because Piccolo's defaults (nullable, cascading, defaulting to now) lose data quietly."""

import os
from enum import StrEnum
from typing import Any, cast
from uuid import UUID as Id

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    Boolean,
    Bytea,
    DoublePrecision,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check
from piccolo.table import Table

from backend import clock


def uuid7() -> Id:
    """A new time-ordered id (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[Id]:
    """So many of them, ascending, for what is written by the thousand: then they lie side by side in an index."""
    first = (int(clock.now().timestamp() * 1000) << 80) | (0x7 << 76) | (0x2 << 62)
    drawn = os.urandom(10 * count)
    randoms = (int.from_bytes(drawn[at : at + 10], "big") for at in range(0, 10 * count, 10))
    return [Id(int=first | random) for random in sorted(random & _OF_CHANCE for random in randoms)]


_OF_CHANCE = ~(0xF << 76) & ~(0x3 << 62)  # all but version and variant


def key() -> Any:
    """The primary key: made by the phone, or by uuid7() for what the server makes. Never a counter."""
    return UUID(primary_key=True, default=None, null=False)


def link(table: type[Table] | str, *, null: bool = False, index: bool = True, primary: bool = False) -> Any:
    """A foreign key that restricts: a row that others point at cannot be deleted (docs/decisions/0006).

    Without an index of its own where one of several columns begins with it, or where it is itself the primary key:
    then there is at most one row for each of the other's.
    """
    return ForeignKey(
        table,
        null=null,
        default=None,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        index=index and not primary,
        primary_key=primary,
    )


def identifier(*, null: bool = False, index: bool = False) -> Any:
    """An id without a foreign key: for history, which outlives rows."""
    return UUID(null=null, default=None, index=index)


def text(*, null: bool = False, index: bool = False, unique: bool = False) -> Any:
    """Unbounded text; the bound belongs to the Struct that takes it in."""
    return Text(null=null, default=None, index=index, unique=unique)


def protected(*, null: bool = False) -> Any:
    """Personal data, encrypted (backend/protected.py). Never in a condition, never in a SELECT that a shape is made of
    without being read; beside it may stand `NAME_index`. `./duban keys` finds these columns by this mark.
    """
    return Text(null=null, default=None, secret=True)


def moment(*, null: bool = False, index: bool = False) -> Any:
    """An instant (timestamptz). The command passes clock.now(); the database never makes one up."""
    return Timestamptz(null=null, default=None, index=index)


def number(*, null: bool = False, default: int | None = None) -> Any:
    return Integer(null=null, default=cast(Any, default))


def measure(*, null: bool = False) -> Any:
    """A measured value with a fraction: degrees or metres."""
    return DoublePrecision(null=null, default=cast(Any, None))


def flag() -> Any:
    return Boolean(null=False, default=False)


def flag_or_unknown() -> Any:
    return Boolean(null=True, default=cast(Any, None))


def words() -> Any:
    """Several short texts, in no order that matters; none is the empty list."""
    return Array(Text(), null=False, default=None)


def large_number(*, null: bool = False) -> Any:
    """A whole number of 64 bits with a sign: a phone's milliseconds, a phone's own count."""
    return BigInt(null=null, default=cast(Any, None))


def large_numbers(*, null: bool = False) -> Any:
    """Several whole numbers of 64 bits with a sign."""
    return Array(BigInt(), null=null, default=cast(Any, None))


def octets(*, null: bool = False) -> Any:
    return Bytea(null=null, default=cast(Any, None))


def one_of(column: str, values: type[StrEnum]) -> Check:
    """CHECK that a text column holds a member. SQL text, because Piccolo 1.38 writes broken migrations of is_in()."""
    members = ", ".join(f"'{value.value}'" for value in values)
    return Check(f'"{column}" IN ({members})')
