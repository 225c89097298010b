"""调阅原件: who may take an original, for how long one recorded reason serves, and who reads the records. Pure."""

from datetime import datetime, timedelta

from backend.errors import Conflict, Forbidden, Incomplete
from backend.personal_data import found_in
from backend.roles import READS_AREA, Role

TAKES = READS_AREA | {Role.lead_unit_reviewer}
READS_RECORDS = frozenset({Role.security_auditor, Role.supervision_leader})

LEAST_REASON = 5  # characters
LASTS = timedelta(minutes=10)  # one reason serves for a download that broke off, and not for another day


def may_take(seen: bool) -> str | None:
    """An original says more than its copy: position, device, whatever stood behind the picture.

    `seen`: whether it is in sight by one of the roles of TAKES. Units and teams see what they sent as everybody does.
    """
    return None if seen else "原件由督查办、牵头单位审核人和领导调阅，您可以查看展示件。"


def may_read_records(seen: bool) -> str | None:
    """Who took originals, and why."""
    return None if seen else "调阅记录由安全审计员或督查办负责人查看。"


def check_reason(reason: str) -> None:
    """Raises Incomplete when too little is said, or with a number of somebody's: reasons are kept in clear."""
    if len(reason.strip()) < LEAST_REASON:
        raise Incomplete(f"请写明调阅事由，至少 {LEAST_REASON} 个字。", field="reason")
    if found_in(reason):
        raise Incomplete("事由里不要写证件号、电话或卡号。", "personal_data_in_reason", field="reason")


def check_lasts(asked_at: datetime, now: datetime) -> None:
    """A request that comes again is answered again, but not for ever. Raises Conflict."""
    if now - asked_at > LASTS:
        raise Conflict("这次调阅已经结束，请重新写明事由。", "original_access_is_over", field="id")


def check_asked(asked_at: datetime | None, now: datetime) -> None:
    """Raises Forbidden where no reason was recorded in the last minutes."""
    if asked_at is None or now - asked_at > LASTS:
        raise Forbidden("请先写明调阅事由；写明后十分钟内可以下载。", "original_access_needed")
