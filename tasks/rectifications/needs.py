"""What must be there before a move, and what stands in its way beyond the status."""

from collections.abc import Callable
from dataclasses import dataclass

from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications.item import Facts, Item
from tasks.rectifications.words import Ground, UnitRole

MOST_MEASURES = 50  # of one unit on one item, dropped ones apart
MOST_EXTENSIONS = 2  # T8
LISTED_EXTENSION_AHEAD = 20  # working days before the due day (T8)
FEWEST_CHECKERS = 2  # T12


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be there: the field that supplies it, the sentence that asks for it, the test.

    Where there is something to `count`, the sentence says how many: it has `{n}` in it.
    """

    field: str
    sentence: str
    met: Callable[[Item, Facts], bool]
    count: Callable[[Item], int] | None = None

    def said(self, it: Item) -> str:
        """The sentence as it is about this item."""
        return self.sentence if self.count is None else self.sentence.format(n=self.count(it))


DESCRIPTION = Need("facts", "要写明问题事实", lambda it, f: f.described)
A_UNIT = Need("responsible_units", "要有责任单位", lambda it, f: bool(it.of(UnitRole.responsible)))
DUE = Need("due_on", "要有整改期限", lambda it, f: f.due)
EVIDENCE = Need("evidence", "要有佐证材料或无材料的原因", lambda it, f: f.evidence > 0 or f.no_evidence_reason)
NAMED_PERSON = Need("responsible_person", "要写明责任人", lambda it, f: bool(f.responsible_person.strip()))
NOTE = Need("note", "要写明情况", lambda it, f: bool(f.note.strip()))
REASON = Need("note", "要写明理由", lambda it, f: bool(f.note.strip()))
OPINION = Need("opinion", "要写明意见", lambda it, f: bool(f.note.strip()))
REASON_CODE = Need("reason_code", "要选原因", lambda it, f: bool(f.reason_code))
RESULT = Need("result", "要选回头看结果", lambda it, f: bool(f.reason_code))
GROUND = Need("ground", "要选异议理由", lambda it, f: bool(f.reason_code))
NEW_UNIT = Need("to_unit", "要选改派的责任单位", lambda it, f: f.unit is not None)
NEW_DATE = Need("due_on", "要写明新的期限", lambda it, f: f.due)
REVIEW_DATE = Need("review_on", "要写明复查日期", lambda it, f: f.due)
PAPER = Need("paper", "要写明挂账依据的文件", lambda it, f: bool(f.paper.strip()))
LOWER_REASON = Need(
    "lower_reason", "进度比上次低，要写明原因",
    lambda it, f: f.percent >= it.part.percent or bool(f.lower_reason.strip()),
)  # fmt: skip
AFTER_PHOTO = Need("evidence", "要有整改后照片", lambda it, f: f.after_photos > 0 or not f.site_item)
# A hand-in is received before its photos are, as a finding is; only the review waits for them.
FILES_THERE = Need("evidence", "整改后照片还没有传完", lambda it, f: it.part.files_missing == 0)
PRINCIPAL = Need("confirmed_by", "要有单位负责人确认", lambda it, f: bool(f.principal.strip()))
PRINCIPALS_WORD = Need("principal_answer", "单位负责人还没有在系统中确认", lambda it, f: not it.part.word_wanted)
MEASURE = Need("text", "要写明整改措施", lambda it, f: bool(f.note.strip()))
PLAN = Need("measures", "要先拟定整改措施", lambda it, f: it.part.measures > 0 or not plan_mandatory(it))
MEASURES_DONE = Need(
    "measures", "还有 {n} 项措施未完成",
    lambda it, f: it.part.measures_open == 0, count=lambda it: it.part.measures_open,
)  # fmt: skip
CHECKERS = Need("checkers", f"核查人员至少 {FEWEST_CHECKERS} 人", lambda it, f: f.checkers >= FEWEST_CHECKERS)
CHECK_PHOTO = Need("evidence", "要有现场核查照片", lambda it, f: f.photos > 0)
NEAR = Need("outside_reason", "不在原地点附近，要写明原因", lambda it, f: f.near or bool(f.outside_reason.strip()))
PUBLIC_TEXT = Need("text", "要有公示内容", lambda it, f: bool(f.note.strip()))
NEW_EVIDENCE = Need("evidence", "要有新的佐证：回头看反弹记录或照片", lambda it, f: f.photos > 0 or it.rebounded)


# ── blocks: what stands in the way, beyond the status ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Block:
    """A small record that overlaps with the status in real life and holds up the move while `stands` is true."""

    sentence: str
    stands: Callable[[Item], bool]


def plan_mandatory(it: Item) -> bool:
    """Long-term items have their date from a plan (domain.md b.4), listed ones a plan of their household (b.3, T9).

    Elsewhere a plan is the unit's own choice; what it planned it must do or drop, whatever the class.
    """
    return it.listed or it.closing_class == ClosingClass.long_term


def check_mandatory(it: Item) -> bool:
    """Serious, listed, returned before, long-term, or drawn (domain.md b.3, T12; b.4)."""
    return (
        it.severity != Severity.ordinary
        or it.listed
        or it.returned > 0
        or it.closing_class == ClosingClass.long_term
        or it.sampled
    )


def publicity_mandatory(it: Item) -> bool:
    """Flagged by the office, or long-term (T15, b.4)."""
    return it.public or it.closing_class == ClosingClass.long_term


VOIDING_ASKED = Block("已经提出作废，要先由另一人确认或不予作废。", lambda it: it.void_asked_by is not None)
NO_VOIDING_ASKED = Block("要先由督查办负责人提出作废。", lambda it: it.void_asked_by is None)

OBJECTION_OPEN = Block("异议还没有裁定。", lambda it: it.part.objection is not None)
ANY_OBJECTION_OPEN = Block("异议还没有裁定。", lambda it: any(part.objection is not None for part in it.parts.values()))
NO_OBJECTION = Block("没有待裁定的异议。", lambda it: it.part.objection is None)
# Only who is not the right unit is taken off the item; a wrong fact goes with the item.
NOT_JURISDICTION = Block("只有职责异议可以改派。", lambda it: it.part.ground != Ground.jurisdiction)
JURISDICTION = Block("职责异议成立的，请改派。", lambda it: it.part.ground == Ground.jurisdiction)
# Voiding the item would take it from the units that do not contest it.
OTHERS_WORK = Block(
    "还有其他责任单位在办，请不予支持，或另行申请作废。", lambda it: len(it.of(UnitRole.responsible)) > 1
)
OBJECTED_ONCE = Block("每个责任单位只能提出一次异议。", lambda it: it.part.objected)
OBJECTION_LATE = Block(
    "已过提出异议的期限。", lambda it: it.part.object_until is not None and it.at >= it.part.object_until
)

NOTHING_TO_CONFIRM = Block("没有待确认的销号申请：已确认，或已退回、撤回。", lambda it: not it.part.unconfirmed)
MEASURES_ENOUGH = Block(f"一个责任单位最多 {MOST_MEASURES} 项措施。", lambda it: it.part.measures >= MOST_MEASURES)
NO_MEASURE = Block("没有待完成的措施：已完成，或已取消。", lambda it: it.part.measures_open == 0)

EXTENSION_OPEN = Block("已有延期申请在等待决定。", lambda it: it.extension is not None)
NO_EXTENSION = Block("没有待决定的延期申请。", lambda it: it.extension is None)
AFTER_DUE = Block("期限已过，不能再申请延期。", lambda it: it.due_at is not None and it.at >= it.due_at)
EXTENDED_ENOUGH = Block(f"最多延期 {MOST_EXTENSIONS} 次。", lambda it: it.extended >= MOST_EXTENSIONS)
LISTED_TOO_LATE = Block(
    f"挂牌事项要在到期 {LISTED_EXTENSION_AHEAD} 个工作日前申请延期。",
    lambda it: it.listed and it.workdays_left is not None and it.workdays_left < LISTED_EXTENSION_AHEAD,
)

NO_CHECK = Block("没有待办的现场核查：已有结论，或已改派他人。", lambda it: it.check is None)
CHECK_OPEN = Block("现场核查还没有结论。", lambda it: it.check is not None)
CHECK_WANTED = Block("要先通过现场核查。", lambda it: check_mandatory(it) and not it.check_passed)

PUBLICITY_THERE = Block("本轮已经公示过。", lambda it: it.publicity_until is not None)
NO_PUBLICITY = Block("还没有公示。", lambda it: it.publicity_until is None)
PUBLICITY_WANTED = Block("要先公示。", lambda it: publicity_mandatory(it) and it.publicity_until is None)
PUBLICITY_RUNNING = Block("公示期未满。", lambda it: it.publicity_until is not None and it.at < it.publicity_until)
PUBLIC_OBJECTION_OPEN = Block("公示异议还没有处理。", lambda it: it.public_objection is not None)
NO_PUBLIC_OBJECTION = Block("没有待处理的公示异议。", lambda it: it.public_objection is None)
