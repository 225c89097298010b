"""The question who hears of something, and its answer, one person at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.roles import Role
from notifications.inbox.rules import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who are these audiences of this thing? `key` is the event, or whatever the answer is to be known by.

    `facts` is the event's payload, or what it would say.
    """

    key: UUID
    subject: UUID
    audience: tuple[Audience, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def units(self, name: str = "units") -> frozenset[UUID]:
        return frozenset(UUID(unit) for unit in self.facts.get(name) or [] if unit)

    @property
    def concerned(self) -> frozenset[UUID]:
        """The units whose parts it is about; nobody named: all. Where a part went to another unit, that one."""
        one = self.facts.get("to_unit") or self.facts.get("unit")
        return self.units() or frozenset({UUID(one)} if one else ())

    @property
    def left(self) -> frozenset[UUID]:
        """The unit that was taken off, where its part went to another."""
        return frozenset({UUID(self.facts["unit"])} if self.facts.get("to_unit") and self.facts.get("unit") else ())


@dataclass(frozen=True, slots=True)
class Heard:
    """A person who hears of it, as one of an audience, holding `role` at `unit`; both None for a person as such.

    `absence`: as the deputy of somebody who is away.
    """

    key: UUID
    person: UUID
    audience: Audience
    unit: UUID | None = None
    role: Role | None = None
    danger: bool = False  # to life
    absence: UUID | None = None
