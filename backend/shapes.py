"""Annotated types that every request Struct uses, so that a limit stands in one place; shaped() checks them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.errors import BadRequest
from backend.geo import Datum, Place

NOT_BLANK = r"\S"
NO_NUL = r"^[^\x00]*$"  # in a body it is refused before any Struct is looked at; a query parameter is not

Line = Annotated[str, Meta(max_length=200, pattern=NOT_BLANK)]
Note = Annotated[str, Meta(max_length=5000, pattern=NOT_BLANK)]
OptionalNote = Annotated[str, Meta(max_length=5000)]
Word = Annotated[str, Meta(max_length=64, pattern=NOT_BLANK)]
RegionCode = Annotated[str, Meta(pattern=r"^[0-9]{12}$", examples=["210422108204"])]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Percent = Annotated[int, Meta(ge=0, le=100)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Metres = Annotated[float, Meta(gt=0, le=100_000)]


def check_claimed(at: datetime | None, field: str) -> None:
    """A time by a phone's clock, right or wrong; raises BadRequest for one that cannot be kept as UTC."""
    if at is not None and not 1 < at.year < 9999:
        raise BadRequest("时间超出范围，请检查手机的日期。", "bad_time", field=field)


class PositionIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A point as the phone gave it. `datum` names its coordinate system; the server keeps it and adds WGS-84.

    Height, heading and speed as the device has them; what it does not know is left out or null.
    """

    lat: Latitude
    lng: Longitude
    accuracy_m: Metres
    datum: Datum = Datum.wgs84
    altitude_m: Annotated[float, Meta(ge=-100_000, le=100_000)] | None = None
    heading_deg: Annotated[float, Meta(ge=-360, le=360)] | None = None
    speed_mps: Annotated[float, Meta(ge=-1, le=100_000)] | None = None

    def place(self) -> Place:
        return Place(self.lat, self.lng, self.accuracy_m, self.datum, self.altitude_m, self.heading_deg, self.speed_mps)


def shaped(values: Any, wanted: Any) -> Any:
    """Plain values of a JSON body as the Struct, nothing converted that is not what it should be: "5" is no number.

    litestar converts leniently, as query parameters need it; by then this is done. Raises BadRequest with the field.
    """
    try:
        return msgspec.convert(values, wanted)
    except msgspec.ValidationError as wrong:
        raise _refusal(str(wrong)) from wrong


def _refusal(said: str) -> BadRequest:
    """msgspec says what is wrong, quoting an unknown or missing member, then where: "… - at `$.evidence[0].size`"."""
    what, _, where = said.partition(" - at `$")
    unknown = "unknown field `" in what
    parts = [where.rstrip("`").lstrip(".")]
    parts += [what.split("`")[1]] if unknown or "required field `" in what else []
    field = ".".join(part for part in parts if part) or None
    if unknown:
        return BadRequest("含有不认识的字段。", "unknown_field", field=field, said=said[:200])
    return BadRequest("内容不符合要求。", "malformed", field=field, said=said[:200])
