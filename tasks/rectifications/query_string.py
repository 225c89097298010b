"""The filters of a list as they stand in a query string. What they mean is in filters.py."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from backend.errors import BadRequest
from backend.roles import Actor
from backend.shapes import NO_NUL
from inspections.findings.rules import Severity
from tasks.rectifications.filters import Filter, Group
from tasks.rectifications.item import Status
from tasks.rectifications.words import Source, UnitRole

OF_THE_PAGE = ("sort", "cursor", "limit")


async def filter_asked(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],  # so that it comes before: side by side, the two cost a group of tasks
    *,
    group: FromQuery[Group] = Group.all,
    status: FromQuery[Status | None] = None,
    unit: FromQuery[UUID | None] = None,
    unit_role: FromQuery[UnitRole | None] = None,
    region: Annotated[str | None, QueryParameter(pattern=r"^[0-9]{12}$")] = None,
    topic: Annotated[str | None, QueryParameter(pattern=r"^[0-9]{2,8}$")] = None,
    source: FromQuery[Source | None] = None,
    severity: FromQuery[Severity | None] = None,
    overdue: FromQuery[bool | None] = None,
    due_soon: FromQuery[bool | None] = None,
    returned: FromQuery[bool | None] = None,
    rebounded: FromQuery[bool | None] = None,
    listed: FromQuery[bool | None] = None,
    look_back_due: FromQuery[bool | None] = None,
    household: FromQuery[UUID | None] = None,
    q: Annotated[str | None, QueryParameter(max_length=50, pattern=NO_NUL)] = None,
) -> Filter:
    """The filters of a query string. Raises BadRequest for a name that is none: a misspelt filter narrows nothing."""
    for name in request.query_params:
        if name not in Filter.__struct_fields__ and name not in OF_THE_PAGE:
            raise BadRequest("没有这个筛选条件。", "unknown_field", field=name)
    return Filter(
        group=group, status=status, unit=unit, unit_role=unit_role, region=region, topic=topic, source=source,
        severity=severity, overdue=overdue, due_soon=due_soon, returned=returned, rebounded=rebounded, listed=listed,
        look_back_due=look_back_due, household=household, q=q,
    )  # fmt: skip
