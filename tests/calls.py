"""Every call that writes, ready to be made: who may, where, a body that is right. Keyed as in the OpenAPI document."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from pyotp.totp import TOTP

from backend import clock, geo, outbox
from backend.columns import uuid7
from backend.db import raw
from backend.feedback import commands as feedback
from backend.feedback.rules import Kind as FeedbackKind
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Relation
from backend.people import commands as people
from backend.people import queries as people_queries
from backend.people.passwords import digest
from backend.roles import Actor, Role
from backend.uploads import receiving
from inspections.visits import commands as visits
from notifications.deliveries import registering
from notifications.deliveries.rules import ChannelKind
from notifications.deliveries.shapes import ChannelIn
from notifications.feeds import commands as feeds
from notifications.inbox import commands as inbox
from notifications.inbox.reactions import tell_people
from notifications.reminders import defaults
from tasks.batches import commands as batches
from tasks.batches.rules import BulkMove
from tasks.batches.shapes import BatchIn, RowIn
from tasks.monthly import exemptions
from tasks.monthly.words import Answer as MonthlyAnswer
from tasks.rectifications import voiding
from tasks.rectifications.filters import Filter, Sort
from tasks.rectifications.item import Status
from tasks.views import commands as views
from tests import checklists_make, deliveries_make, make, monthly_make, people_make
from tests.make import Cast


@dataclass
class Call:
    """One request that works. `body` is JSON, bytes, or None where the call takes none."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    async def made(self, client: httpx.AsyncClient, **other: Any) -> httpx.Response:
        """Make it, with `path`, `headers`, `content` or `json` replaced where a test says so."""
        said: dict[str, Any] = {"headers": self.headers}
        if isinstance(self.body, bytes):
            said["content"] = self.body
        elif self.body is not None and "content" not in other:
            said["json"] = self.body
        return await client.request(self.method, other.pop("path", self.path), **{**said, **other})


async def by(actor: Actor, method: str, path: str, body: Any = None) -> Call:
    return Call(method, path, await make.signed_in(actor), body)


# ── sign-in and people ───────────────────────────────────────────────────────────────────────────────────────────


async def _person(*roles: Role) -> tuple[UUID, Call]:
    """Somebody with PASSWORD; the call is only there for its headers."""
    id = await people_make.person(f"call-{uuid7().hex[-8:]}", *roles)
    return id, await by(Actor(id, "登录的人"), "", "")


async def sign_in(it: Cast) -> Call:
    await people_make.person("wang.jianguo")
    return Call("POST", "/api/sessions", {}, {"username": "wang.jianguo", "password": people_make.PASSWORD})


async def rotate(it: Cast) -> Call:
    return await by(it.handler, "POST", "/api/sessions/current/rotation")


async def sign_out(it: Cast) -> Call:
    return await by(it.handler, "DELETE", "/api/sessions/current")


async def end_session(it: Cast) -> Call:
    other = await by(it.handler, "", "")
    token = other.headers["Authorization"].split()[1]
    row = await raw("SELECT id FROM session WHERE token_hash = $1", digest(token))
    return await by(it.handler, "DELETE", f"/api/sessions/{row[0]['id']}")


async def password(it: Cast) -> Call:
    _, call = await _person()
    body = {"old": people_make.PASSWORD, "new": "Xin-kou-ling-8421"}
    return Call("POST", "/api/me/password", call.headers, body)


async def totp(it: Cast) -> Call:
    return await by(it.handler, "POST", "/api/me/totp")


async def totp_confirmation(it: Cast) -> Call:
    call = await by(it.handler, "POST", "/api/me/totp/confirmation")
    token = call.headers["Authorization"].split()[1]
    session = await people_queries.live_session(digest(token), clock.now())
    assert session is not None
    secret, _ = await people.enrol_totp(session)
    call.body = {"code": TOTP(secret).at(clock.now())}
    return call


async def recusal(it: Cast) -> Call:
    body = {"id": str(uuid7()), "unit": str(it.responsible), "reason": "配偶在该单位工作。"}
    return await by(it.reviewer, "POST", "/api/me/recusals", body)


async def _admin() -> Actor:
    return await make.person("管理员孙", Role.sys_admin)


async def add_person(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "username": "li.hua",
        "name": "李华",
        "unit": str(it.responsible),
        "password": "Xin-kou-ling-7310",
        "phone": "13812345678",
    }
    return await by(await _admin(), "POST", "/api/people", body)


async def disable(it: Cast) -> Call:
    return await by(await _admin(), "POST", f"/api/people/{it.stranger.person}/disabling")


async def grant(it: Cast) -> Call:
    body = {"id": str(uuid7()), "role": "inspector", "unit": str(it.lead_unit)}
    return await by(await _admin(), "POST", f"/api/people/{it.reviewer.person}/roles", body)


async def revoke(it: Cast) -> Call:
    row = await raw("SELECT id FROM role_grant WHERE person = $1", it.inspector.person)
    path = f"/api/people/{it.inspector.person}/roles/{row[0]['id']}"
    return await by(await _admin(), "DELETE", path)


# ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def add_unit(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "name": "新宾县交通局",
        "kind": "department",
        "region": make.XINBIN,
        "short_name": "县交通局",
        "parent": None,
        "valid_from": "2026-01-01",
    }
    return await by(await _admin(), "POST", "/api/units", body)


async def end_unit(it: Cast) -> Call:
    body = {"on": "2026-12-31", "successor": str(await make.unit("新宾县水利局"))}
    return await by(await _admin(), "POST", f"/api/units/{it.responsible}/ending", body)


async def add_alias(it: Cast) -> Call:
    body = {"id": str(uuid7()), "name": "新宾县水利局", "valid_from": "2026-01-01", "valid_to": "2026-06-30"}
    return await by(await _admin(), "POST", f"/api/units/{it.responsible}/aliases", body)


async def settle_day(it: Cast) -> Call:
    body = {"working": True, "source": "国办发明电〔2026〕9号"}
    return await by(it.boss, "PUT", "/api/calendar/2026-12-05", body)


async def read_phrase(it: Cast) -> Call:
    return await by(it.handler, "POST", "/api/deadlines/readings", {"text": "15个工作日内"})


# ── visits and findings ──────────────────────────────────────────────────────────────────────────────────────────


async def open_visit(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "region": make.YAOZHAN,
        "place_name": "腰站村",
        "purpose": "饮水安全",
        "approval_number": "抚督〔2026〕8号",
        "lat": make.TARGET[0],
        "lng": make.TARGET[1],
        "team": [str(it.lead.person), str(it.inspector.person)],
        "lead": str(it.lead.person),
        "kind": "covert",
        "radius_m": 500.0,
    }
    return await by(it.staff, "POST", "/api/visits", body)


async def arrive(it: Cast) -> Call:
    body = {
        "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 12.0, "datum": "wgs84"},
        "phone_at": "2026-11-24T11:58:00+08:00",
        "reason": "",
    }
    return await by(it.inspector, "PUT", f"/api/visits/{it.visit}/arrivals/{uuid7()}", body)


def finding_body(it: Cast, **said: Any) -> dict[str, Any]:
    """A finding as a phone sends it, every field said."""
    return {
        "topic": "0304",
        "facts": "饮水管网冻裂，三户无水。",
        "found_at": "2026-11-24T11:58:00+08:00",
        "severity": "serious",
        "closing_class": "by_date",
        "non_implementation": "work",
        "asks": "修复管网并回访。",
        "region": make.YAOZHAN,
        "place_note": "村部东侧",
        "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 12.0, "datum": "gcj02"},
        "danger_to_life": False,
        "no_evidence_reason": "",
        "responsible_units": [str(it.responsible)],
        "lead_units": [str(it.lead_unit)],
        "household": None,
        "person": None,
        "evidence": [make.manifest_line(make.photo())],
    } | said


async def file_finding(it: Cast) -> Call:
    path = f"/api/visits/{it.visit}/findings/{uuid7()}"
    household, person = await _family(it)
    return await by(it.inspector, "PUT", path, finding_body(it, household=str(household), person=str(person)))


async def submit(it: Cast) -> Call:
    await visits.arrive(
        it.visit, it.inspector, id=uuid7(), place=geo.Place(*make.TARGET, 12.0, geo.Datum.wgs84),
        phone_at=clock.now(), reason="",
    )  # fmt: skip
    return await by(it.lead, "POST", f"/api/visits/{it.visit}/submission")


async def write_checklist(it: Cast) -> Call:
    question = {
        "code": "S1",
        "text": "水龙头能正常出水吗？",
        "hint": "当场打开看。",
        "topic": "03",
        "photo_when_fails": True,
        "may_not_apply": False,
    }
    body = {
        "region": make.FUSHUN,
        "code": "YS-02",
        "title": "饮水安全核查",
        "topic": "0304",
        "paper": "抚扶贫发〔2020〕4号",
        "clause": "十一.1",
        "valid_from": "2026-01-01",
        "questions": [question],
        "valid_to": "2026-12-31",
        "required": True,
    }
    return await by(it.staff, "PUT", f"/api/checklists/versions/{uuid7()}", body)


async def adopt_checklist(it: Cast) -> Call:
    version = await checklists_make.version(it, adopted=False)
    return await by(it.boss, "POST", f"/api/checklists/versions/{version}/adoption")


async def withdraw_checklist(it: Cast) -> Call:
    version = await checklists_make.version(it)
    body = {"reason": "文件已废止。"}
    return await by(it.boss, "POST", f"/api/checklists/versions/{version}/withdrawal", body)


async def choose_checklists(it: Cast) -> Call:
    version = await checklists_make.version(it)
    body = {"checklists": [str(await checklists_make.checklist_of(version))], "topics": ["0304"]}
    return await by(it.staff, "PUT", f"/api/visits/{it.visit}/checklists", body)


async def answer_question(it: Cast) -> Call:
    version = await checklists_make.on_visit(it)
    said = checklists_make.body("S1", "fails", finding=str(uuid7()), note="三户无水。", seen=str(uuid7()))
    return await by(it.inspector, "PUT", f"/api/visits/{it.visit}/checklists/{version}/answers/{uuid7()}", said)


async def send_evidence(it: Cast) -> Call:
    await make.finding(it)
    row = await raw("SELECT id FROM evidence")
    return await by(it.inspector, "PUT", f"/api/evidence/{row[0]['id']}", make.photo())


async def original_access(it: Cast) -> Call:
    await make.finding(it)
    file = await raw("SELECT * FROM evidence")
    await raw("UPDATE evidence SET state = 'received', received_at = declared_at")
    body = {"id": str(uuid7()), "reason": "复核拍摄地点。"}
    return await by(it.staff, "POST", f"/api/evidence/{file[0]['id']}/original-access", body)


TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


async def begin_upload(it: Cast) -> Call:
    said = {**TUS, "Upload-Length": "5", "Upload-Metadata": f"evidence_id {b64encode(str(uuid7()).encode()).decode()}"}
    call = await by(it.inspector, "POST", "/api/uploads")
    return Call(call.method, call.path, {**call.headers, **said})


async def _to_upload(it: Cast, method: str, headers: dict[str, str], body: Any = None) -> Call:
    call = await by(it.inspector, method, "", body)
    upload = await receiving.start(it.inspector, uuid7(), 5, "")
    return Call(method, f"/api/uploads/{upload.id}", {**call.headers, **headers}, body)


async def go_on_uploading(it: Cast) -> Call:
    return await _to_upload(it, "PATCH", PIECE, b"12345")


async def go_on_by_post(it: Cast) -> Call:
    return await _to_upload(it, "POST", {**PIECE, "X-HTTP-Method-Override": "PATCH"}, b"12345")


async def give_up_uploading(it: Cast) -> Call:
    return await _to_upload(it, "DELETE", TUS)


async def explain(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    row = await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", id)
    body = {"id": str(uuid7()), "check": "clock", "because": "村里没有信号，已电话核实。"}
    return await by(it.reviewer, "POST", f"/api/evidence/{row[0]['evidence']}/explanations", body)


# ── rectifications ───────────────────────────────────────────────────────────────────────────────────────────────


async def issue(it: Cast) -> Call:
    id = await make.rectification(it, Status.draft)
    cooperating = await make.unit("新宾县财政局")
    body = {
        "responsible_units": [],
        "lead_units": [],
        "cooperating_units": [str(cooperating)],
        "due_on": "2026-12-20",
        "asks": "入冬前完成。",
    }
    return await by(it.staff, "POST", f"/api/rectifications/{id}/issue", body)


async def acknowledge(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    body = {"id": str(uuid7()), "responsible_person": "赵经办", "phone": "13812345678"}
    return await by(it.handler, "POST", f"/api/rectifications/{id}/acknowledgement", body)


async def report(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    body = {"id": str(uuid7()), "note": "材料已进场。", "percent": 40}
    return await by(it.handler, "POST", f"/api/rectifications/{id}/reports", body)


async def hand_in(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    body = {
        "id": str(uuid7()),
        "note": "管网已修复。",
        "finished_on": "2026-11-23",
        "similar_sweep": "全县排查，无同类问题。",
        "confirmed_by": "钱局长",
        "evidence": [make.manifest_line(make.photo(7))],
    }
    return await by(it.handler, "POST", f"/api/rectifications/{id}/hand-ins", body)


async def confirm_hand_in(it: Cast) -> Call:
    id = await make.rectification(it, Status.handed_in)
    hand_in = (await raw("SELECT id FROM hand_in WHERE rectification = $1", id))[0]["id"]
    body = {"upheld": False, "note": "还有一户无水。"}
    return await by(it.principal, "POST", f"/api/rectifications/{id}/hand-ins/{hand_in}/confirmation", body)


async def pass_first(it: Cast) -> Call:
    id = await make.rectification(it, Status.handed_in)
    body = {"id": str(uuid7()), "opinion": "资料齐全。"}
    return await by(it.reviewer, "POST", f"/api/rectifications/{id}/first-pass", body)


async def send_back(it: Cast) -> Call:
    id = await make.rectification(it, Status.handed_in)
    body = {"id": str(uuid7()), "reason_code": "partly_done", "note": "还有一户无水。"}
    return await by(it.reviewer, "POST", f"/api/rectifications/{id}/returns", body)


async def close_out(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    body = {"id": str(uuid7()), "opinion": "同意销号。"}
    return await by(it.boss, "POST", f"/api/rectifications/{id}/closure", body)


async def ask_void(it: Cast) -> Call:
    other = await make.rectification(it, Status.issued)
    id = await make.rectification(it, Status.issued)
    body = {"id": str(uuid7()), "note": "重复登记。", "duplicate_of": str(other)}
    return await by(it.boss, "POST", f"/api/rectifications/{id}/voiding", body)


async def void(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    await voiding.ask_void(id, it.boss, id=uuid7(), note="重复登记。", duplicate_of=None)
    return await by(it.staff, "POST", f"/api/rectifications/{id}/voiding/confirmation")


async def decline_void(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    await voiding.ask_void(id, it.boss, id=uuid7(), note="重复登记。", duplicate_of=None)
    return await by(it.staff, "POST", f"/api/rectifications/{id}/voiding/refusal", {"note": "并不重复。"})


async def draft(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "source": "audit",
        "topic": "0304",
        "facts": "供水工程资金未拨付。",
        "region": make.XINBIN,
        "severity": "serious",
        "closing_class": "by_date",
        "asks": "限期拨付。",
        "found_where": "审计报告第 12 页",
        "no_evidence_reason": "见审计报告。",
        "responsible_units": [str(it.responsible)],
        "lead_units": [str(it.lead_unit)],
        "evidence": [make.manifest_line(make.photo(13))],
    }
    return await by(it.staff, "POST", "/api/rectifications", body)


# ── procedures beside the main path ──────────────────────────────────────────────────────────────────────────────


async def drop(it: Cast) -> Call:
    id = await make.rectification(it, Status.draft)
    return await by(it.staff, "POST", f"/api/rectifications/{id}/dropping", {"note": "不属整改事项。"})


async def object_to(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    body = {
        "id": str(uuid7()),
        "ground": "jurisdiction",
        "note": "管网归自来水公司管。",
        "evidence": [make.manifest_line(make.photo(8))],
    }
    return await by(it.principal, "POST", f"/api/rectifications/{id}/objections", body)


async def rule(it: Cast) -> Call:
    id = await make.rectification(it, Status.issued)
    objection = await make.objection(it, id)
    body = {
        "upheld": True,
        "to_unit": str(await make.unit("新宾县自来水公司")),
        "note": "改派。",
        "due_on": "2026-12-20",
    }
    return await by(it.staff, "POST", f"/api/rectifications/{id}/objections/{objection}/decision", body)


async def plan_measure(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    body = {"id": str(uuid7()), "text": "更换冻裂管段。", "due_on": "2026-12-01", "responsible_person": "赵经办"}
    return await by(it.handler, "POST", f"/api/rectifications/{id}/measures", body)


async def finish_measure(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    measure = await make.measure(it.handler, id)
    path = f"/api/rectifications/{id}/measures/{measure}/completion"
    return await by(it.handler, "POST", path, {"note": "已更换。"})


async def drop_measure(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    measure = await make.measure(it.principal, id)
    path = f"/api/rectifications/{id}/measures/{measure}/dropping"
    return await by(it.handler, "POST", path, {"note": "改为整段新建。"})


async def ask_extension(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    body = {"id": str(uuid7()), "due_on": "2026-12-25", "note": "冻土期，管材未到。", "done_so_far": "已开挖。"}
    return await by(it.principal, "POST", f"/api/rectifications/{id}/extensions", body)


async def decide_extension(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    extension = await make.extension(it, id)
    body = {"upheld": True, "opinion": "同意。", "due_on": "2026-12-20"}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/extensions/{extension}/decision", body)


async def assign_check(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    body = {"id": str(uuid7()), "checkers": [str(it.inspector.person), str(it.lead.person)], "note": "看三户。"}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/site-checks", body)


async def conclude_check(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    check = await make.site_check(it, id)
    body = {
        "result": "failed",
        "note": "一户仍无水。",
        "present": [str(it.inspector.person), str(it.lead.person)],
        "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 12.0},
        "evidence": [make.manifest_line(make.photo(9))],
    }
    return await by(it.inspector, "POST", f"/api/rectifications/{id}/site-checks/{check}/conclusion", body)


async def publish(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    body = {"id": str(uuid7()), "text": "腰站村饮水管网已修复。", "starts_on": "2026-11-25", "days": 7}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/publicity", body)


async def take_public_objection(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    publicity = await make.publicity(it, id)
    body = {"id": str(uuid7()), "note": "有村民反映水压不足。"}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/publicity/{publicity}/objections", body)


async def rule_public_objection(it: Cast) -> Call:
    id = await make.rectification(it, Status.passed)
    objection = await make.public_objection(it, id)
    body = {"upheld": True, "note": "属实。", "units": [str(it.responsible)]}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/public-objections/{objection}/decision", body)


async def hang(it: Cast) -> Call:
    id = await make.rectification(it, Status.working)
    body = {
        "id": str(uuid7()),
        "reason_code": "season",
        "note": "冻土期不能施工。",
        "paper": "抚督〔2026〕9号",
        "review_on": "2027-03-15",
    }
    return await by(it.boss, "POST", f"/api/rectifications/{id}/hanging", body)


async def resume(it: Cast) -> Call:
    id = await make.rectification(it, Status.hung)
    body = {"id": str(uuid7()), "note": "已解冻。", "due_on": "2027-04-30"}
    return await by(it.staff, "POST", f"/api/rectifications/{id}/resumption", body)


async def look_back(it: Cast) -> Call:
    id = await make.rectification(it, Status.closed)
    body = {
        "id": str(uuid7()),
        "result": "rebounded",
        "note": "又断水。",
        "evidence": [make.manifest_line(make.photo(10))],
    }
    return await by(it.inspector, "POST", f"/api/rectifications/{id}/look-backs", body)


async def reopen(it: Cast) -> Call:
    id = await make.rectification(it, Status.closed)
    body = {
        "id": str(uuid7()),
        "note": "回头看发现反弹。",
        "due_on": "2026-12-20",
        "units": [str(it.responsible)],
        "evidence": [make.manifest_line(make.photo(11))],
    }
    return await by(it.boss, "POST", f"/api/rectifications/{id}/reopening", body)


async def concern(it: Cast) -> Call:
    id, (household, person) = await make.rectification(it, Status.issued), await _family(it)
    body = {"household": str(household), "person": str(person)}
    return await by(it.staff, "PUT", f"/api/rectifications/{id}/household", body)


async def _family(it: Cast) -> tuple[UUID, UUID]:
    """A household, and somebody who lives there."""
    household, person = await make.household(it), uuid7()
    await households.add_person(
        household, it.staff, nothing, id=person, name="佟桂兰", relation=Relation.spouse, id_number=None
    )
    return household, person


# ── households ───────────────────────────────────────────────────────────────────────────────────────────────────

ID_NUMBER, OTHER_ID_NUMBER = "11010519491231002X", "440524188001010014"  # the examples of GB 11643


async def enter_household(it: Cast) -> Call:
    body = {
        "region": make.YAOZHAN,
        "household_number": "0012",
        "category": "illness",
        "head_name": "佟守义",
        "population": 3,
        "id_number": ID_NUMBER,
        "phone": "13904130077",
    }
    return await by(it.inspector, "PUT", f"/api/households/{uuid7()}/entry", body)


async def search_household(it: Cast) -> Call:
    await make.household(it, id_number=ID_NUMBER)
    return await by(it.staff, "POST", "/api/households/searches", {"id_number": ID_NUMBER})


async def correct_household(it: Cast) -> Call:
    body = {
        "version": 1,
        "region": make.YAOZHAN,
        "household_number": "0013",
        "category": "disability",
        "head_name": "佟守礼",
        "population": 4,
        "id_number": OTHER_ID_NUMBER,
        "phone": "13904130078",
    }
    return await by(it.inspector, "POST", f"/api/households/{await make.household(it)}/corrections", body)


async def add_household_person(it: Cast) -> Call:
    body = {"id": str(uuid7()), "name": "佟桂兰", "relation": "spouse", "id_number": OTHER_ID_NUMBER}
    return await by(it.inspector, "POST", f"/api/households/{await make.household(it)}/persons", body)


async def remove_household_person(it: Cast) -> Call:
    call = await add_household_person(it)
    household, person = UUID(call.path.split("/")[3]), UUID(call.body["id"])
    await households.add_person(
        household, it.staff, nothing, id=person, name="佟桂兰", relation=Relation.spouse, id_number=None
    )
    return await by(it.inspector, "DELETE", f"{call.path}/{person}")


async def view_household(it: Cast) -> Call:
    body = {"id": str(uuid7()), "reason_code": "visit", "reason": "入户核查饮水管网修复情况"}
    return await by(it.inspector, "POST", f"/api/households/{await make.household(it)}/views", body)


# ── many items at once ───────────────────────────────────────────────────────────────────────────────────────────


async def ask_batch(it: Cast) -> Call:
    ids = [await make.rectification(it, Status.passed) for _ in range(2)]
    body = {
        "id": str(uuid7()),
        "move": "close_out",
        "items": [{"item": str(ids[0])}, {"item": str(ids[1]), "content": {"opinion": "现场已看，同意销号。"}}],
        "content": {"opinion": "同意销号。"},
        "dry_run": False,
    }
    return await by(it.boss, "POST", "/api/rectifications/batch", body)


async def stop_batch(it: Cast) -> Call:
    """One that is too long to be done while the asker waits."""
    id, rows = uuid7(), [RowIn(uuid7()) for _ in range(60)]
    await batches.ask(BatchIn(id, BulkMove.close_out, rows, {"opinion": "同意销号。"}), it.boss)
    return await by(it.boss, "POST", f"/api/rectifications/batches/{id}/stop")


# ── inbox ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _notice(it: Cast) -> UUID:
    """The one that tells the handler of a newly issued item."""
    await make.rectification(it, Status.issued)
    await outbox.drain({"rectification.issued": (tell_people,)})
    return (await raw("SELECT id FROM notice WHERE person = $1", it.handler.person))[0]["id"]


async def read_notice(it: Cast) -> Call:
    return await by(it.handler, "PUT", f"/api/notices/{await _notice(it)}/reading")


async def read_all(it: Cast) -> Call:
    return await by(it.handler, "POST", "/api/notices/readings", {"up_to": str(await _notice(it))})


# ── feedback ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def make_feed(it: Cast) -> Call:
    return await by(it.handler, "POST", "/api/calendar-feeds", {"id": str(uuid7())})


async def revoke_feed(it: Cast) -> Call:
    feed = uuid7()
    await feeds.make(feed, it.handler)
    return await by(it.handler, "DELETE", f"/api/calendar-feeds/{feed}")


async def give_feedback(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "kind": "suggestion",
        "text": "整改清单希望能按村筛选。",
        "page": "/items",
        "app_version": "0.1.0",
        "evidence": [make.manifest_line(make.photo(21))],
    }
    return await by(it.handler, "POST", "/api/feedback", body)


async def feedback_given(it: Cast, kind: FeedbackKind = FeedbackKind.suggestion) -> UUID:
    id = uuid7()
    await feedback.give(it.handler, [], id=id, kind=kind, text="字太小。", page="/me", app_version="0.1.0")
    return id


async def answer_feedback(it: Cast) -> Call:
    body = {"id": str(uuid7()), "text": "下个版本增加。"}
    return await by(it.staff, "POST", f"/api/feedback/{await feedback_given(it)}/answers", body)


async def close_feedback(it: Cast) -> Call:
    return await by(it.staff, "POST", f"/api/feedback/{await feedback_given(it)}/closing", {"note": "已有此功能。"})


async def unread_notice(it: Cast) -> Call:
    return await by(it.handler, "DELETE", f"/api/notices/{await _notice(it)}/reading")


async def undo_reading(it: Cast) -> Call:
    reading = uuid7()
    await inbox.mark_many_read(
        it.handler, reading=reading, up_to=await _notice(it), subject=None, verb=None, about=None
    )
    return await by(it.handler, "DELETE", f"/api/notices/readings/{reading}")


PREFERENCES: dict[str, Any] = {
    "at_once": ["web_push", "sms"], "normal": ["mail"], "quiet_from": "20:00", "quiet_to": "08:00",
    "rest_days_quiet": True, "digest": True, "digest_time": "09:00",
}  # fmt: skip


async def choose_preferences(it: Cast) -> Call:
    return await by(it.handler, "PUT", "/api/notices/preferences", PREFERENCES)


async def enter_absence(it: Cast) -> Call:
    days = {"first_day": "2026-11-24", "last_day": "2026-11-30"}
    return await by(it.handler, "PUT", f"/api/notices/absences/{uuid7()}", {"deputy": str(it.principal.person), **days})


async def end_absence(it: Cast) -> Call:
    id = await make.absence(it.handler, it.principal)
    return await by(it.handler, "DELETE", f"/api/notices/absences/{id}")


# ── reminders ────────────────────────────────────────────────────────────────────────────────────────────────────


def reminder_rule(**said: Any) -> dict[str, Any]:
    return {
        "anchor": "due", "offset": -5, "unit": "workdays", "time_of_day": "09:30", "tells": ["responsible_units"],
        "urgency": "normal", "valid_from": "2026-11-25", "valid_to": "2027-11-25",
    } | said  # fmt: skip


async def add_reminder_rule(it: Cast) -> Call:
    await defaults.enter(clock.today(), clock.now())
    old = next(rule.id for rule in defaults.DEFAULTS if (rule.anchor, rule.offset) == ("due", -7))
    return await by(it.staff, "PUT", f"/api/reminders/rules/{uuid7()}", reminder_rule(replaces=str(old)))


async def end_reminder_rule(it: Cast) -> Call:
    await defaults.enter(clock.today(), clock.now())
    body = {"last_on": "2026-11-30", "reason": "按新办法执行。"}
    return await by(it.staff, "POST", f"/api/reminders/rules/{defaults.DEFAULTS[0].id}/ending", body)


# ── the monthly check ────────────────────────────────────────────────────────────────────────────────────────────


async def _month() -> tuple[monthly_make.Fushun, UUID]:
    """A month that runs until the 30th, and a cell of 市水务局 in it."""
    await make.topic()
    city = await monthly_make.fushun(valid_from=clock.today().replace(day=1), cutoff_day=30)
    cells = await monthly_make.begun(city)
    return city, cells[city.units["市水务局"], make.XINBIN]


async def file_monthly_record(it: Cast) -> Call:
    city, cell = await _month()
    photo = make.manifest_line(make.photo(41))
    said = monthly_make.body(cell, clock.now(), region=make.YAOZHAN, evidence=[photo])
    said["position"] = {"lat": 41.8, "lng": 124.9, "accuracy_m": 12.0}
    said["handed_over"] = [monthly_make.problem(files=[photo["id"]], due_on=str(clock.today() + timedelta(days=9)))]
    return await by(city.reviewer, "PUT", f"/api/monthly/records/{uuid7()}", said)


async def withdraw_monthly_record(it: Cast) -> Call:
    city, cell = await _month()
    id = await monthly_make.file(city.reviewer, cell, clock.now())
    return await by(city.reviewer, "POST", f"/api/monthly/records/{id}/withdrawal", {"reason": "填错县区。"})


async def ask_monthly_exemption(it: Cast) -> Call:
    city, cell = await _month()
    return await by(
        city.reviewer, "PUT", f"/api/monthly/exemptions/{uuid7()}", {"cell": str(cell), "reason": "洪水封路。"}
    )


async def decide_monthly_exemption(it: Cast) -> Call:
    city, cell = await _month()
    await exemptions.ask(city.reviewer, id=(id := uuid7()), cell=cell, reason="洪水封路。")
    return await by(
        city.staff, "POST", f"/api/monthly/exemptions/{id}/decision", {"answer": "upheld", "opinion": "同意。"}
    )


async def revoke_monthly_exemption(it: Cast) -> Call:
    city, cell = await _month()
    await exemptions.ask(city.reviewer, id=(id := uuid7()), cell=cell, reason="洪水封路。")
    await exemptions.decide(id, city.staff, answer=MonthlyAnswer.upheld, opinion="同意。")
    return await by(city.staff, "POST", f"/api/monthly/exemptions/{id}/revocation", {"reason": "路已抢通。"})


async def propose_monthly_rule(it: Cast) -> Call:
    city, _ = await _month()
    return await by(city.staff, "POST", "/api/monthly/rules", monthly_make.rule_body(city))


async def decide_monthly_rule(it: Cast) -> Call:
    city, _ = await _month()
    id = await monthly_make.proposed(city)
    body = {"answer": "upheld", "opinion": "同意。"}
    return await by(city.boss, "POST", f"/api/monthly/rules/{id}/decision", body)


async def end_monthly_rule(it: Cast) -> Call:
    city, _ = await _month()
    body = {"on": str(clock.today()), "reason": "文件到期。"}
    return await by(city.boss, "POST", f"/api/monthly/rules/{city.rule}/ending", body)


# ── deliveries and their addresses ───────────────────────────────────────────────────────────────────────────────


async def add_channel(it: Cast) -> Call:
    body = {"id": str(uuid7()), "kind": "mail", "address": "zhao.li@example.gov.cn", "label": "办公邮箱"}
    return await by(it.handler, "POST", "/api/channels", body)


async def add_robot(it: Cast) -> Call:
    url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7bbb-4bc4-97a0"
    body = {"id": str(uuid7()), "kind": "wecom", "address": url, "unit": str(it.responsible)}
    return await by(it.principal, "POST", "/api/channels", body)


async def register_browser(it: Cast) -> Call:
    body = {
        "id": str(uuid7()),
        "endpoint": f"https://fcm.googleapis.com/fcm/send/{uuid7()}",
        "keys": deliveries_make.Browser().keys,
        "label": "工作手机",
    }
    return await by(it.handler, "POST", "/api/channels/push", body)


async def _waiting_channel(it: Cast) -> UUID:
    """An address of the handler whose code is on its way."""
    id = uuid7()
    await registering.add(ChannelIn(id, ChannelKind.mail, "zhao.li@example.gov.cn"), it.handler)
    return id


async def send_to_channel(it: Cast) -> Call:
    return await by(it.handler, "POST", f"/api/channels/{await _waiting_channel(it)}/messages", {"id": str(uuid7())})


async def confirm_channel(it: Cast) -> Call:
    id = await _waiting_channel(it)
    code = await deliveries_make.code(id)
    return await by(it.handler, "POST", f"/api/channels/{id}/confirmation", {"code": code})


async def remove_channel(it: Cast) -> Call:
    return await by(it.handler, "DELETE", f"/api/channels/{await _waiting_channel(it)}")


async def retry_delivery(it: Cast) -> Call:
    await deliveries_make.address(ChannelKind.sms, "13904130077", person=it.handler)
    delivery = await deliveries_make.planned(it.handler, ChannelKind.sms)
    await raw("UPDATE delivery SET state = 'gave_up', ended_at = $2 WHERE id = $1", delivery, clock.now())
    return await by(it.handler, "POST", f"/api/deliveries/{delivery}/retry")


# ── saved views ──────────────────────────────────────────────────────────────────────────────────────────────────


async def keep_view(it: Cast) -> Call:
    body = {
        "name": "本县超期",
        "filter": {"group": "open", "region": make.XINBIN, "overdue": True, "q": "饮水"},
        "sort": "returned",
        "place": 1,
        "first": True,
        "shared": False,
    }
    return await by(it.staff, "PUT", f"/api/views/{uuid7()}", body)


async def discard_view(it: Cast) -> Call:
    id = uuid7()
    await views.keep(id, it.staff, name="旧的", wanted=Filter(), sort=Sort.urgency, place=0, first=False, shared=False)
    return await by(it.staff, "DELETE", f"/api/views/{id}")


VERBS: dict[str, Callable[[Cast], Awaitable[Call]]] = {
    "POST /api/rectifications/{item_id}/issue": issue,
    "POST /api/rectifications/{item_id}/acknowledgement": acknowledge,
    "POST /api/rectifications/{item_id}/reports": report,
    "POST /api/rectifications/{item_id}/hand-ins": hand_in,
    "POST /api/rectifications/{item_id}/hand-ins/{hand_in_id}/confirmation": confirm_hand_in,
    "POST /api/rectifications/{item_id}/first-pass": pass_first,
    "POST /api/rectifications/{item_id}/returns": send_back,
    "POST /api/rectifications/{item_id}/closure": close_out,
    "POST /api/rectifications/{item_id}/voiding": ask_void,
    "POST /api/rectifications/{item_id}/voiding/confirmation": void,
    "POST /api/rectifications/{item_id}/voiding/refusal": decline_void,
    "POST /api/rectifications/{item_id}/dropping": drop,
    "POST /api/rectifications/{item_id}/objections": object_to,
    "POST /api/rectifications/{item_id}/objections/{objection_id}/decision": rule,
    "POST /api/rectifications/{item_id}/measures": plan_measure,
    "POST /api/rectifications/{item_id}/measures/{measure_id}/completion": finish_measure,
    "POST /api/rectifications/{item_id}/measures/{measure_id}/dropping": drop_measure,
    "POST /api/rectifications/{item_id}/extensions": ask_extension,
    "POST /api/rectifications/{item_id}/extensions/{extension_id}/decision": decide_extension,
    "POST /api/rectifications/{item_id}/site-checks": assign_check,
    "POST /api/rectifications/{item_id}/site-checks/{check_id}/conclusion": conclude_check,
    "POST /api/rectifications/{item_id}/publicity": publish,
    "POST /api/rectifications/{item_id}/publicity/{publicity_id}/objections": take_public_objection,
    "POST /api/rectifications/{item_id}/public-objections/{objection_id}/decision": rule_public_objection,
    "POST /api/rectifications/{item_id}/hanging": hang,
    "POST /api/rectifications/{item_id}/resumption": resume,
    "POST /api/rectifications/{item_id}/look-backs": look_back,
    "POST /api/rectifications/{item_id}/reopening": reopen,
}
WRITES: dict[str, Callable[[Cast], Awaitable[Call]]] = {
    "POST /api/sessions": sign_in,
    "POST /api/sessions/current/rotation": rotate,
    "DELETE /api/sessions/current": sign_out,
    "DELETE /api/sessions/{session}": end_session,
    "POST /api/me/password": password,
    "POST /api/me/totp": totp,
    "POST /api/me/totp/confirmation": totp_confirmation,
    "POST /api/me/recusals": recusal,
    "POST /api/people": add_person,
    "POST /api/people/{person}/disabling": disable,
    "POST /api/people/{person}/roles": grant,
    "DELETE /api/people/{person}/roles/{grant}": revoke,
    "POST /api/units": add_unit,
    "POST /api/units/{unit_id}/ending": end_unit,
    "POST /api/units/{unit_id}/aliases": add_alias,
    "PUT /api/calendar/{day}": settle_day,
    "POST /api/deadlines/readings": read_phrase,
    "POST /api/visits": open_visit,
    "PUT /api/visits/{visit_id}/arrivals/{arrival_id}": arrive,
    "PUT /api/visits/{visit_id}/findings/{finding_id}": file_finding,
    "POST /api/visits/{visit_id}/submission": submit,
    "PUT /api/checklists/versions/{version_id}": write_checklist,
    "POST /api/checklists/versions/{version_id}/adoption": adopt_checklist,
    "POST /api/checklists/versions/{version_id}/withdrawal": withdraw_checklist,
    "PUT /api/visits/{visit_id}/checklists": choose_checklists,
    "PUT /api/visits/{visit_id}/checklists/{version_id}/answers/{answer_id}": answer_question,
    "PUT /api/evidence/{evidence_id}": send_evidence,
    "POST /api/evidence/{evidence_id}/explanations": explain,
    "POST /api/evidence/{evidence_id}/original-access": original_access,
    "POST /api/uploads": begin_upload,
    "PATCH /api/uploads/{upload_id}": go_on_uploading,
    "POST /api/uploads/{upload_id}": go_on_by_post,
    "DELETE /api/uploads/{upload_id}": give_up_uploading,
    "POST /api/rectifications": draft,
    "PUT /api/rectifications/{item_id}/household": concern,
    "PUT /api/households/{household_id}/entry": enter_household,
    "POST /api/households/searches": search_household,
    "POST /api/households/{household_id}/corrections": correct_household,
    "POST /api/households/{household_id}/persons": add_household_person,
    "DELETE /api/households/{household_id}/persons/{person_id}": remove_household_person,
    "POST /api/households/{household_id}/views": view_household,
    "POST /api/rectifications/batch": ask_batch,
    "POST /api/rectifications/batches/{batch_id}/stop": stop_batch,
    "PUT /api/notices/{notice_id}/reading": read_notice,
    "POST /api/calendar-feeds": make_feed,
    "DELETE /api/calendar-feeds/{feed}": revoke_feed,
    "POST /api/feedback": give_feedback,
    "POST /api/feedback/{feedback_id}/answers": answer_feedback,
    "POST /api/feedback/{feedback_id}/closing": close_feedback,
    "PUT /api/monthly/records/{record_id}": file_monthly_record,
    "POST /api/monthly/records/{record_id}/withdrawal": withdraw_monthly_record,
    "PUT /api/monthly/exemptions/{exemption_id}": ask_monthly_exemption,
    "POST /api/monthly/exemptions/{exemption_id}/decision": decide_monthly_exemption,
    "POST /api/monthly/exemptions/{exemption_id}/revocation": revoke_monthly_exemption,
    "POST /api/monthly/rules": propose_monthly_rule,
    "POST /api/monthly/rules/{rule_id}/decision": decide_monthly_rule,
    "POST /api/monthly/rules/{rule_id}/ending": end_monthly_rule,
    "PUT /api/views/{view_id}": keep_view,
    "DELETE /api/views/{view_id}": discard_view,
    "POST /api/notices/readings": read_all,
    "DELETE /api/notices/{notice_id}/reading": unread_notice,
    "DELETE /api/notices/readings/{reading_id}": undo_reading,
    "PUT /api/notices/preferences": choose_preferences,
    "PUT /api/notices/absences/{absence_id}": enter_absence,
    "PUT /api/reminders/rules/{rule_id}": add_reminder_rule,
    "POST /api/reminders/rules/{rule_id}/ending": end_reminder_rule,
    "DELETE /api/notices/absences/{absence_id}": end_absence,
    "POST /api/channels": add_channel,
    "POST /api/channels/push": register_browser,
    "POST /api/channels/{channel_id}/messages": send_to_channel,
    "POST /api/channels/{channel_id}/confirmation": confirm_channel,
    "DELETE /api/channels/{channel_id}": remove_channel,
    "POST /api/deliveries/{delivery_id}/retry": retry_delivery,
    **VERBS,
}


async def snapshot() -> dict[str, str]:
    """A digest of each table's rows; sign-ins apart, which every request may touch."""
    names = await raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'")
    parts = [
        f"SELECT '{row['tablename']}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS rows "
        f'FROM "{row["tablename"]}" AS t'
        for row in names
        if row["tablename"] != "session"
    ]
    return {row["name"]: row["rows"] for row in await raw(" UNION ALL ".join(parts))}
