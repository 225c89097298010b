"""What a notice says, in Chinese and English. Never the name of a household or a person below."""

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.inbox import reminded
from notifications.inbox.rules import HEARS, Subject
from notifications.operations import rules as troubles
from notifications.operations.rules import Trouble

# Braces hold what the event says of itself, or what the thing is now.
TITLES = {
    "rectification.held": ("有问题待补充后交办", "A finding waits to be issued"),
    "rectification.issued": ("新交办整改事项", "A rectification was issued to you"),
    "rectification.rescheduled": ("整改期限随工作日历调整", "The due date moved with the calendar"),
    "rectification.answer_time_moved": (
        "签收、异议的期限随工作日历调整",
        "The time to sign or object moved with the calendar",
    ),
    "rectification.decision_time_moved": (
        "裁定、审批的期限随工作日历调整",
        "The time to rule or decide moved with the calendar",
    ),
    "rectification.acknowledged": ("责任单位已签收", "The responsible unit signed for it"),
    "rectification.accepted_silently": ("逾期未签收，视为签收", "Not signed for in time: taken as accepted"),
    "rectification.objected": ("责任单位提出异议，待裁定", "A unit objects, waiting for a ruling"),
    "rectification.objection_declined": ("异议不成立，请继续整改", "Your objection was declined"),
    "rectification.redirected": ("整改事项已改派", "A rectification was redirected"),
    "rectification.objection_upheld": ("异议成立，事项作废", "The objection was upheld, the item is void"),
    "rectification.extension_asked": ("有延期申请待决定", "An extension waits for a decision"),
    "rectification.extended": ("同意延期", "More time was granted"),
    "rectification.extension_declined": ("不同意延期", "More time was not granted"),
    "rectification.handed_in": ("责任单位申请销号，待审核", "Handed in, waiting for review"),
    "rectification.hand_in_confirmed": ("单位负责人已确认销号申请", "The unit's principal confirmed the hand-in"),
    "rectification.hand_in_withdrawn": ("单位负责人撤回了销号申请", "The unit's principal withdrew the hand-in"),
    "rectification.sent_back": ("整改被退回，请继续整改", "Sent back to you"),
    "rectification.passed": ("初审通过，待复核销号", "First review passed, waiting for the second key"),
    "rectification.check_assigned": ("请您参加现场核查", "You are to check on site"),
    "rectification.check_passed": ("现场核查通过", "The site check was passed"),
    "rectification.check_failed": ("现场核查不通过，请继续整改", "The site check failed"),
    "rectification.published": ("整改事项开始公示", "Shown in public"),
    "rectification.public_objection_taken": ("收到公示异议，待处理", "A public objection waits"),
    "rectification.public_objection_upheld": ("公示异议成立，请继续整改", "A public objection was upheld"),
    "rectification.closed": ("整改事项已销号", "Cleared"),
    "rectification.looked_back": ("已回头看", "Looked back at"),
    "rectification.reopened": ("整改事项反弹，已重开", "Reopened"),
    "rectification.hung": ("整改事项已挂账", "Hung"),
    "rectification.resumed": ("挂账解除，请继续整改", "The clock runs again"),
    "rectification.taken_over": (
        "单位撤并，整改事项由承接单位接办",
        "A unit was merged; its successor has its part now",
    ),
    "rectification.void_asked": (
        "有事项申请作废，待另一人确认",
        "Voiding asked, waiting for a second person",
    ),
    "rectification.void_declined": ("不予作废，事项继续办理", "Not voided, the item goes on"),
    "rectification.voided": ("整改事项已作废", "Voided"),
    "batch.finished": ("批量办理完毕", "A batch is through"),
    "batch.parked": (
        "批量办理中断，请重新提交这一批，或联系管理员",
        "A batch broke off; send it again, or ask the administrator",
    ),
    "operations.troubled": ("系统运行异常：{sentence}", "Something is wrong with the system: {sentence}"),
    "operations.recovered": ("系统异常已排除：{sentence}", "No longer so: {sentence}"),
    "finding.files_missing": ("所登记问题的照片还没有传齐", "Files of a finding have not arrived"),
    "month.files_missing": ("每月检查记录的照片还没有传齐", "Files of a monthly check have not arrived"),
    "rectification.files_missing": ("所提交整改材料还没有传齐", "Files of what you submitted have not arrived"),
    "month.rule_proposed": ("有每月检查规则待批准", "A rule of the monthly check waits for approval"),
    "month.rule_approved": ("每月检查规则已批准，{month} 起执行", "A rule of the monthly check counts from {month}"),
    "month.rule_declined": ("您录入的每月检查规则未获批准", "Your rule of the monthly check was not approved"),
    "month.rule_ended": ("每月检查规则终止，{month} 后不再执行", "A rule of the monthly check ends with {month}"),
    "month.period_started": (
        "{month} 每月检查开始，截止 {last_on}",
        "The monthly check of {month} has begun; its last day is {last_on}",
    ),
    "month.record_filed": (
        "{lead_name}补报 {month} 对{region_name}的检查",
        "{lead_name} told late of its check of {region_name} in {month}",
    ),
    "month.record_corrected": (
        "{lead_name}更正 {month} 对{region_name}的检查记录",
        "{lead_name} corrected its check of {region_name} in {month}",
    ),
    "month.record_withdrawn": (
        "{lead_name}撤回 {month} 对{region_name}的检查记录",
        "{lead_name} withdrew its check of {region_name} in {month}",
    ),
    "month.exemption_asked": (
        "{lead_name}申请 {month} 不检查{region_name}，待审批",
        "{lead_name} asks not to check {region_name} in {month}",
    ),
    "month.exempted": ("同意 {month} 不检查{region_name}", "{region_name} need not be checked in {month}"),
    "month.exemption_declined": (
        "不同意豁免：{month} 仍须检查{region_name}",
        "{region_name} has to be checked in {month} after all",
    ),
    "month.exemption_revoked": (
        "豁免已撤销：{month} 仍须检查{region_name}",
        "The exemption was revoked: {region_name} has to be checked in {month}",
    ),
    "month.previewed": ("{month} 检查汇总预览已出", "The month's summary, a look ahead: {month}"),
    "month.frozen": ("{month} 检查汇总已定稿", "The month's summary is frozen: {month}"),
    "month.supplemented": (
        "{month} 检查汇总有第 {number} 号补充",
        "Supplement {number} to the month's summary: {month}",
    ),
    "feedback.given": ("有新的投诉建议待答复", "Feedback about the program waits for an answer"),
    "feedback.answered": ("您的投诉建议有了答复", "Your feedback was answered"),
    "feedback.closed": ("您的投诉建议已办结", "Your feedback was closed"),
    "outbox.parked": (
        "有 {count} 个事件处理失败，请管理员查看",
        "{count} events could not be handled; the administrator must look",
    ),
    "reminder.due_near": ("整改期限{when}", "Rectification: {when}"),
    "reminder.due_today": ("整改期限{when}", "Rectification: {when}"),
    "reminder.overdue": ("整改{when}", "Rectification {when}"),
    "reminder.unsigned": ("交办后{when}未签收", "Not signed for {when}"),
    "reminder.objection_waits": ("异议待裁定，{when}", "An objection waits for a ruling: {when}"),
    "reminder.extension_waits": ("延期申请待审批，{when}", "An extension waits for a decision: {when}"),
    "reminder.review_waits": ("销号申请待初审{when}", "A hand-in waits for its review {when}"),
    "reminder.check_waits": ("现场核查未出结论{when}", "A site check has no conclusion {when}"),
    "reminder.look_back_waits": ("回头看{when}", "Look-back: {when}"),
    "reminder.hanging_waits": ("挂账复查{when}", "A hung item is to be looked at again: {when}"),
    "reminder.report_waits": ("本周进展还没有报，{when}", "No progress reported this week: {when}"),
    "reminder.month_near": (
        "本月检查指导{when}，还有 {many} 个县区没有检查记录",
        "The month's check: {when}, {many} regions without a record",
    ),
    "reminder.month_today": (
        "本月检查指导{when}，还有 {many} 个县区没有检查记录",
        "The month's check: {when}, {many} regions without a record",
    ),
    "reminder.month_missed": (
        "本月检查指导{when}，{many} 个县区没有检查记录，请补报",
        "The month's check {when}, {many} regions without a record: still to be filed",
    ),
}

REMINDED = frozenset(verb for verb in TITLES if verb.startswith("reminder."))
# What several of one kind are called together, where the title speaks of one alone.
TOGETHER = {
    "month.rule_approved": ("每月检查规则已批准", "Rules of the monthly check were approved"),
    "month.rule_ended": ("每月检查规则终止", "Rules of the monthly check end"),
    "month.period_started": ("每月检查开始", "Monthly checks have begun"),
    "month.record_filed": ("补报每月检查", "Monthly checks told late"),
    "month.record_corrected": ("更正每月检查记录", "Monthly checks corrected"),
    "month.record_withdrawn": ("撤回每月检查记录", "Monthly checks withdrawn"),
    "month.exemption_asked": ("申请不检查，待审批", "Exemptions from the monthly check asked for"),
    "month.exempted": ("同意不检查", "Exemptions from the monthly check granted"),
    "month.exemption_declined": ("不同意豁免，仍须检查", "Exemptions from the monthly check declined"),
    "month.exemption_revoked": ("豁免已撤销，仍须检查", "Exemptions from the monthly check revoked"),
    "month.previewed": ("检查汇总预览已出", "Summaries, a look ahead"),
    "month.frozen": ("检查汇总已定稿", "Summaries are frozen"),
    "month.supplemented": ("检查汇总有补充", "Supplements to summaries"),
    "operations.troubled": ("系统运行异常", "Something is wrong with the system"),
    "operations.recovered": ("系统异常已排除", "The system is well again"),
    "outbox.parked": ("有事件处理失败，请管理员查看", "Events could not be handled"),
    "reminder.due_near": ("整改期限临近", "Due soon"),
    "reminder.due_today": ("整改今日到期", "Due today"),
    "reminder.overdue": ("整改超期", "Overdue"),
    "reminder.unsigned": ("交办后未签收", "Not signed for"),
    "reminder.objection_waits": ("异议待裁定", "Objections wait for a ruling"),
    "reminder.extension_waits": ("延期申请待审批", "Extensions wait for a decision"),
    "reminder.review_waits": ("销号申请待初审", "Hand-ins wait for their review"),
    "reminder.check_waits": ("现场核查未出结论", "Site checks have no conclusion"),
    "reminder.look_back_waits": ("回头看", "Look-backs are due"),
    "reminder.hanging_waits": ("挂账复查", "Hung items are to be looked at again"),
    "reminder.report_waits": ("本周进展还没有报", "No progress reported this week"),
    "reminder.month_near": ("本月检查指导临近截止", "The month's check is due soon"),
    "reminder.month_today": ("本月检查指导今日应办完", "The month's check is to be done today"),
    "reminder.month_missed": ("本月检查指导有缺项", "The month's check is not complete"),
}

# After the title, how it stands with the thing when it is read. Other kinds: the title alone.
DETAILS = {
    Subject.rectification: ("{number}", "{number}"),
    Subject.reminder: ("{number}", "{number}"),
    Subject.batch: ("办理 {total} 项，成功 {done}，未办 {not_done}", "{done} of {total} done, {not_done} not done"),
    Subject.files: (
        "{declared} 个文件还差 {missing} 个，请打开拍摄用的手机继续上传",
        "{missing} of {declared} missing. Open the phone that holds them",
    ),
}


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a tap leads: a path of the API, and of the two screens. They stay; bookmarks and mails hold them."""

    link: str
    phone: str
    desk: str


PATHS = {
    Subject.rectification: Paths(
        "/api/rectifications/{subject}", "/phone/#/items/{subject}", "/desk/#/items/{subject}"
    ),
    Subject.reminder: Paths("/api/rectifications/{subject}", "/phone/#/items/{subject}", "/desk/#/items/{subject}"),
    Subject.batch: Paths("/api/rectifications/batches/{subject}", "/phone/#/inbox", "/desk/#/batches/{subject}"),
    Subject.files: Paths("/api/{path}", "/phone/#/{screen}", "/desk/#/{screen}"),
    Subject.month: Paths("/api/monthly/{month}", "/phone/#/months/{month}", "/desk/#/months/{month}"),
    Subject.summary: Paths("/api/summaries/{month}?rule={rule}", "/phone/#/months/{month}", "/desk/#/months/{month}"),
    Subject.feedback: Paths("/api/feedback/{subject}", "/phone/#/feedback/{subject}", "/desk/#/feedback/{subject}"),
    Subject.operations: Paths("/api/operations", "/phone/#/inbox", "/desk/#/operations"),
}


class _Said(dict[str, object]):
    """Facts for a template. What an older event does not say is a dash, not a failure."""

    def __missing__(self, key: str) -> str:
        return "—"


def title(verb: str, facts: Mapping[str, object], english: bool) -> str:
    """One line: what happened to which thing. `facts`: the event's payload, and the thing as it stands now."""
    which = detail(verb, facts, english)
    return bare(verb, facts, english) + ((": " if english else "：") + which if which else "")


def bare(verb: str, facts: Mapping[str, object], english: bool) -> str:
    """What happened."""
    said = _Said(facts)
    if verb in REMINDED:
        said["when"] = reminded.when(verb, facts, english)
    if "trouble" in facts:
        said["sentence"] = troubles.words(Trouble(facts["trouble"]), int(str(facts["count"])), english=english)
    return TITLES[verb][1 if english else 0].format_map(said)


def detail(verb: str, facts: Mapping[str, object], english: bool) -> str:
    """To which thing, and how it stands with it."""
    said = _Said(facts)
    said["number"] = facts.get("number") or ("(no number yet)" if english else "（未编号）")
    about = HEARS[verb].about
    return DETAILS[about][1 if english else 0].format_map(said) if about in DETAILS else ""


def paths(verb: str, facts: Mapping[str, object]) -> Paths:
    """Where a screen goes when the notice is tapped."""
    to, said = PATHS[HEARS[verb].about], _Said(facts)
    return Paths(to.link.format_map(said), to.phone.format_map(said), to.desk.format_map(said))


def gathered(verb: str, count: int, english: bool) -> str:
    """Several of one kind in one line, without what each says of itself."""
    kind = TOGETHER.get(verb, TITLES[verb])[1 if english else 0]
    return f"{kind} ({count})" if english else f"{kind}（{count} 条）"
