"""Who settles the working-day calendar. What a working day is stands in backend/workdays.py."""

from backend.roles import OFFICE, Actor, Role


def may_settle(actor: Actor) -> str | None:
    if actor.has(Role.sys_admin, Role.system, *OFFICE):
        return None
    return "工作日历由督查办或系统管理员维护。"
