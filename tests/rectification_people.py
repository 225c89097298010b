"""The people of a walk: everybody who has to do with an item, and some who have not."""

from datetime import datetime, timedelta
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from tests import make
from tests.rectification_model import Who

R = Role


async def people(units: dict[str, UUID], office: UUID, now: datetime) -> dict[str, Who]:
    """Everybody who has to do with it, and some who have not, each new for every walk."""
    a, b, c, d, lead, far = (units[name] for name in ("a", "b", "c", "d", "lead", "far"))
    known: dict[str, tuple[UUID, tuple[Role, ...], tuple[tuple[Role, UUID], ...]]] = {
        "handler": (a, (R.unit_handler,), ()),
        "principal": (a, (R.unit_principal,), ()),
        "several": (b, (R.unit_principal,), ((R.unit_handler, b), (R.unit_principal, c))),
        "principal_c": (c, (R.unit_principal,), ()),
        "principal_d": (d, (R.unit_principal,), ()),
        "reviewer": (lead, (R.lead_unit_reviewer,), ()),
        "both_keys": (office, (R.supervision_leader,), ((R.lead_unit_reviewer, lead),)),
        "staff": (office, (R.supervision_staff,), ()),
        "boss": (office, (R.supervision_leader,), ()),
        "second_boss": (office, (R.supervision_leader,), ()),
        "mixed": (office, (R.supervision_leader,), ((R.unit_handler, c),)),
        "insider": (a, (), ((R.supervision_staff, office),)),
        "contract": (office, (R.contract_leader,), ()),
        "viewer": (office, (R.leader_viewer,), ()),
        "inspector": (office, (R.inspector,), ()),
        "lead": (office, (R.team_lead,), ()),
        "outsider": (office, (R.inspector,), ()),
        "elsewhere": (far, (R.supervision_leader, R.unit_principal), ()),
        "administrator": (office, (R.sys_admin,), ()),
    }
    found = {}
    for number, (name, (home, roles, more)) in enumerate(known.items()):
        with clock.frozen(now + timedelta(seconds=number)):  # in the order of their ids, so that a walk can be repeated
            actor = await make.person(name, *roles, at=home)
        for role, unit in more:
            await raw(
                "INSERT INTO role_grant (id, person, unit, role, granted_at) VALUES ($1, $2, $3, $4, $5)",
                uuid7(), actor.person, unit, role.value, clock.now(),
            )  # fmt: skip
        held = {(role.value, home) for role in roles} | {(role.value, unit) for role, unit in more}
        found[name] = Who(actor.person, name, home, held)
    return found
