"""What households look like from outside. Everything but FullHousehold is masked (domain.md i.6)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.households.rules import Category, Relation, Verb, ViewReason
from backend.shapes import NOT_BLANK, OptionalNote, RegionCode, Word

PersonName = Annotated[str, Meta(max_length=50, pattern=NOT_BLANK)]
IdNumber = Annotated[str, Meta(max_length=40, pattern=NOT_BLANK)]
Phone = Annotated[str, Meta(max_length=30, pattern=r"^[0-9+\- ]{5,30}$")]
Population = Annotated[int, Meta(ge=1, le=99)]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]


class MaskedPerson(msgspec.Struct):
    """Masked. An empty value with `readable` false could not be decrypted: an operator must look."""

    id: UUID
    name: str
    id_number: str | None
    relation: Relation
    readable: bool


class HouseholdRow(msgspec.Struct):
    """A line of a list, masked. An empty value with `readable` false could not be decrypted."""

    id: UUID
    region: str
    region_name: str
    household_number: str
    category: Category
    head_name: str
    id_number: str | None
    phone: str | None
    population: int
    version: int
    entered_at: datetime
    corrected_at: datetime | None
    readable: bool


class Household(HouseholdRow):
    """One household, masked, with who lives in it and what the asking person may do. `views`: full readings so far."""

    persons: list[MaskedPerson]
    views: int
    moves: list[Verb]


class FullPerson(msgspec.Struct):
    id: UUID
    name: str
    id_number: str | None
    relation: Relation


class FullHousehold(msgspec.Struct):
    """The values themselves, for who gave a reason. Not to be kept by a client."""

    id: UUID
    household_number: str
    version: int
    head_name: str
    id_number: str | None
    phone: str | None
    persons: list[FullPerson]


class ViewShape(msgspec.Struct):
    """One full reading. Says where the household is, and nothing of who lives there."""

    id: UUID
    household: UUID
    region: str
    region_name: str
    by: UUID
    by_name: str
    unit_name: str
    at: datetime
    reason_code: ViewReason
    reason: str


class Views(msgspec.Struct):
    items: list[ViewShape]
    next: str | None


class HouseholdIn(msgspec.Struct, forbid_unknown_fields=True):
    """`region` is a village; `household_number` the number of the ledger that exists; the ID number is the head's."""

    region: RegionCode
    household_number: Word
    category: Category
    head_name: PersonName
    population: Population
    id_number: IdNumber | None = None
    phone: Phone | None = None


class CorrectionIn(msgspec.Struct, forbid_unknown_fields=True):
    """What is named is changed, the rest stays. `version` is the one the correction was made from."""

    version: Version
    region: RegionCode | UnsetType = UNSET
    household_number: Word | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    head_name: PersonName | UnsetType = UNSET
    population: Population | UnsetType = UNSET
    id_number: IdNumber | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET


class HouseholdPersonIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    name: PersonName
    relation: Relation
    id_number: IdNumber | None = None


class ViewIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why the full values are needed, at least five characters, without anybody's name or number."""

    id: UUID
    reason_code: ViewReason
    reason: OptionalNote = ""


class SearchIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whose household is wanted: the head's ID number or that of somebody living there."""

    id_number: IdNumber
