"""What requests about people bring and what answers tell. No behaviour."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.people import rules
from backend.people.rules import TotpState
from backend.roles import Role
from backend.shapes import Line, Note, Word

Secret = Annotated[str, Meta(min_length=1, max_length=rules.LONGEST)]
Code = Annotated[str, Meta(min_length=1, max_length=12)]
Username = Annotated[str, Meta(pattern=rules.USERNAME, examples=["wang.jianguo"])]
Phone = Annotated[str, Meta(pattern=r"^[0-9+-]{5,20}$")]


class SignInIn(msgspec.Struct, forbid_unknown_fields=True):
    username: Word
    password: Secret
    otp: Code | None = None


class PasswordIn(msgspec.Struct, forbid_unknown_fields=True):
    old: Secret
    new: Secret


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    code: Code


class RecusalIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    unit: UUID
    reason: Note
    ends_on: date | None = None


class PersonIn(msgspec.Struct, forbid_unknown_fields=True):
    """`id` is made by the client; the same id with the same content is the same request."""

    id: UUID
    username: Username
    name: Line
    unit: UUID
    password: Secret
    phone: Phone | None = None


class RoleIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    role: Role
    unit: UUID


class UnitOut(msgspec.Struct):
    id: UUID
    name: str


class RoleOut(msgspec.Struct):
    """`area` is the 12-digit code of the unit's region."""

    role: Role
    unit: UUID
    unit_name: str
    area: str


class MyRole(RoleOut):
    may: str


class PersonOut(msgspec.Struct):
    id: UUID
    name: str
    username: str
    unit: UnitOut
    roles: list[RoleOut]


class SignedInOut(msgspec.Struct):
    """`token` is null when the answer set a cookie. `expires_at` is the absolute end; idle ends earlier."""

    token: str | None
    person: PersonOut
    expires_at: datetime
    totp: TotpState


class RotatedOut(msgspec.Struct):
    token: str | None
    expires_at: datetime


class SessionOut(msgspec.Struct):
    id: UUID
    current: bool
    browser: bool
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    network: str


class SessionsOut(msgspec.Struct):
    items: list[SessionOut]
    next: None = None


class RecusalOut(msgspec.Struct):
    id: UUID
    unit: UUID
    reason: str
    declared_at: datetime
    ends_on: date | None
    unit_name: str | None = None


class MeOut(msgspec.Struct):
    id: UUID
    name: str
    username: str
    unit: UnitOut
    phone: str | None
    roles: list[MyRole]
    recusals: list[RecusalOut]
    totp: TotpState


class TotpOut(msgspec.Struct):
    """Shown once. Nothing changes at sign-in until a code of it is confirmed."""

    secret: str
    uri: str


class TotpStateOut(msgspec.Struct):
    totp: TotpState


class AccountOut(msgspec.Struct):
    id: UUID
    username: str
    name: str
    unit: UUID
    phone: str | None


class GrantOut(msgspec.Struct):
    id: UUID
    person: UUID
    role: Role
    unit: UUID
    granted_at: datetime


class ListedRole(RoleOut):
    id: UUID


class ListedOut(msgspec.Struct, omit_defaults=True):
    """The supervision office reads id, name and unit; the rest is for administrators."""

    id: UUID
    name: str
    unit: UnitOut
    username: str | None = None
    phone: str | None = None
    roles: list[ListedRole] | None = None
    totp_confirmed: bool | None = None
    disabled_at: datetime | None = None


class PeopleOut(msgspec.Struct):
    items: list[ListedOut]
    next: UUID | None
