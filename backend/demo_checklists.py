"""The checklists of the demo, after the papers it is about, and what its teams do with them."""

from datetime import timedelta
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.demo_people import Cast
from backend.roles import Actor
from inspections.checklists import commands
from inspections.checklists.commands import Reply
from inspections.checklists.rules import Conformity, Content, Question

FUSHUN = "210400000000"
PAPER = "抚脱贫发〔2020〕3号"
WATER, POSTS = "YS-01", "GW-01"

# Code, what is looked at, how to look, topic of the finding it leads to; whether a failure is shown by a photo, whether
# it may not apply.
QUESTIONS = {
    WATER: (
        (
            "S1",
            "随机走访的农户，家里水龙头都正常出水吗？",
            "每村不少于 3 户，当场打开看，问最近一次停水。",
            "0304",
            True,
            False,
        ),
        ("S2", "水看上去、闻起来正常吗？", "接一杯看颜色、沉淀，闻气味。", "0304", True, False),
        ("S3", "水源井房（池）上锁、有防护，周边没有污染源吗？", "看井房、围栏和排水方向。", "0304", True, True),
        ("S4", "消毒设备在运行，记录写到最近一次吗？", "看设备指示灯和运行记录本。", "0304", True, True),
        ("S5", "最近一次水质检测结果公示了吗？", "看村务公开栏的日期和结论。", "0304", False, False),
        ("S6", "户外管道和水表井做了防冻，入冬后没有冻裂吗？", "看裸露管段和表井保温。", "0304", True, True),
        ("S7", "农户知道水坏了找谁吗？", "问两户，电话打得通才算。", "0103", False, False),
        ("S8", "以前查出的饮水问题，逐户对过账、没有反复吗？", "带上次问题清单，一户一户对。", "0503", False, True),
    ),
    POSTS: (
        ("G1", "公益岗位名单公示了吗？", "看公开栏：姓名、岗位、补贴标准。", "0503", False, False),
        ("G2", "名单上的人本人在岗、知道自己管哪一段吗？", "抽 3 人，到现场找人，不打电话通知。", "0402", True, False),
        ("G3", "岗位优先给了脱贫户和暂时出不去务工的人吗？", "对名单和脱贫户台账。", "0402", False, False),
        (
            "G4",
            "新开发的林业员、水管员、护草员等岗位，脱贫户占比不低于 60% 吗？",
            "只有清原县、新宾县有这个比例。",
            "0402",
            False,
            True,
        ),
        ("G5", "补贴按月发到本人卡上吗？", "看本人存折或手机短信，不看汇总表。", "0202", True, False),
        ("G6", "没有一人占几岗，没有冒领代领吗？", "姓名、身份、银行卡三样对一遍。", "0202", False, False),
        ("G7", "保洁员负责的路段和垃圾点干净吗？", "走一遍负责的路段。", "0504", True, True),
    ),
}
HEADS = {
    WATER: ("饮水安全核查", "0304", "十一.2（市水务局为“三保障”牵头部门）"),
    POSTS: ("公益岗位核查", "0402", "四.2、四.3"),
}


async def adopt(cast: Cast) -> None:
    """Zhou writes both, Wu puts them into force."""
    for code, (title, topic, clause) in HEADS.items():
        version = uuid7()
        questions = tuple(Question(*each) for each in QUESTIONS[code])
        content = Content(title, topic, PAPER, clause, clock.today(), None, False, questions)
        await commands.draft(version, cast["zhou"], content, region=FUSHUN, code=code)
        await commands.adopt(version, cast["wu"])


async def choose(visit: UUID, cast: Cast, *codes: str) -> None:
    rows = await raw("SELECT id FROM checklist WHERE code = ANY($1::text[])", list(codes))
    await commands.choose(visit, cast["zhou"], named={row["id"] for row in rows}, topics=())


async def answer(
    visit: UUID,
    by: Actor,
    question: str,
    said: Conformity = Conformity.passes,
    *,
    note: str = "",
    finding: UUID | None = None,
) -> None:
    """Tapped a few seconds ago, on a phone with a signal."""
    version = await raw(
        "SELECT chosen.version, (SELECT given.id FROM checklist_answer AS given WHERE given.visit = $1 "
        "AND given.question = asked.id ORDER BY number DESC LIMIT 1) AS seen FROM visit_checklist AS chosen "
        "JOIN checklist_question AS asked ON asked.version = chosen.version "
        "WHERE chosen.visit = $1 AND asked.code = $2",
        visit,
        question,
    )
    reply = Reply(question, said, note, finding, version[0]["seen"], clock.now() - timedelta(seconds=4))
    await commands.answer(visit, version[0]["version"], by, reply, id=uuid7())
