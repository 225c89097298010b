"""The cases of the demo, each read from top to bottom: `yield` moves the clock to the next moment of that case."""

from collections.abc import AsyncIterator
from datetime import datetime

from backend import demo_checklists as checklists
from backend.columns import uuid7
from backend.demo_checklists import POSTS, WATER
from backend.demo_people import Cast
from backend.demo_photos import Scene
from backend.demo_steps import (
    CANGSHI,
    DINGJIAJIE,
    HAIYANG,
    HETUALA,
    HOUPU,
    MAERDUN,
    NIEERKU,
    SANDAOGUAN,
    SHENGLI,
    YAOZHAN,
    Days,
    Fact,
    Head,
    acknowledge,
    arrive,
    check_if_drawn,
    close_out,
    concern,
    confirm,
    enter,
    explain,
    file,
    hand_in,
    inspect,
    pass_first,
    read_in_full,
    report,
    send_back,
    send_team,
)
from backend.households.rules import Category
from backend.trust_reports.rules import Check
from inspections.checklists.rules import Conformity
from inspections.findings.rules import ClosingClass, NonImplementation, Severity
from inspections.visits import commands as visits
from tasks.rectifications import voiding
from tasks.rectifications.words import ReturnReason

Case = AsyncIterator[datetime]

TEAM = ("liu", "wang", "sun")
XINBIN_WATER, CITY_WATER = ("新宾县水务局",), ("市水务局",)
QINGYUAN_HOUSING, CITY_HOUSING = ("清原县住建局",), ("市住建局",)
PURPOSE = "“抗疫情 促增收 保脱贫 防返贫”措施落实情况"


async def issued_today(cast: Cast, days: Days) -> Case:
    """Seen this morning, with its unit a few seconds after the team handed in."""
    yield days.at(1, 15, 30)
    visit = await send_team(cast, YAOZHAN, f"{PURPOSE}（饮水安全）", 31, TEAM)
    await checklists.choose(visit, cast, WATER)
    yield days.at(0, 8, 10)
    await arrive(visit, cast["wang"], YAOZHAN)
    yield days.at(0, 8, 20)
    for question in ("S2", "S3", "S4"):
        await checklists.answer(visit, cast["wang"], question)
    await checklists.answer(visit, cast["wang"], "S1", Conformity.fails)
    yield days.at(0, 8, 25)
    fact = Fact(
        "0304",
        "村东侧供水管网冻裂，3户脱贫户自来水断供2天，靠邻居担水；村里报修后无人到场。",
        "立即抢修管网，恢复3户供水并逐户回访；排查全村管网防冻措施。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
        severity=Severity.serious,
        closing_class=ClosingClass.fix_now,
        photos=2,
        note="村部以东约200米，3组",
    )
    finding = await file(cast, visit, cast["wang"], YAOZHAN, fact)
    await checklists.answer(visit, cast["wang"], "S1", Conformity.fails, finding=finding)
    yield days.at(0, 8, 40)
    await checklists.answer(visit, cast["liu"], "S5")
    await checklists.answer(visit, cast["liu"], "S6", Conformity.fails, finding=finding)
    await checklists.answer(visit, cast["liu"], "S7", Conformity.fails, note="村里报修电话无人接，已一并写入供水问题。")
    await checklists.answer(visit, cast["liu"], "S8", Conformity.not_applicable)
    yield days.at(0, 8, 50)
    await visits.submit(visit, cast["liu"])


async def in_progress(cast: Cast, days: Days) -> Case:
    """Acknowledged, working, first report in."""
    yield days.at(4, 9, 0)
    visit = await send_team(cast, HETUALA, f"{PURPOSE}（饮水安全）", 27, TEAM)
    fact = Fact(
        "0304",
        "6组2户水龙头不出水已半月，入户走访时老人称“打过电话没人管”；水质检测公示停留在上年。",
        "查明断水原因并修复；补做水质检测并公示结果。",
        Scene.tap,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(3, 11, 10)
    item = await inspect(cast, visit, HETUALA, fact)
    yield days.at(3, 15, 20)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(1, 16, 40)
    await report(item, cast["zhao"], "已更换2户表井阀门，1户恢复供水；另1户入户管需开挖，材料已到位。", 60)


async def overdue(cast: Cast, days: Days) -> Case:
    """Issued four weeks ago, due after fifteen days, not handed in."""
    yield days.at(21, 10, 0)
    visit = await send_team(cast, CANGSHI, f"{PURPOSE}（住房安全）", 19, TEAM)
    fact = Fact(
        "0303",
        "1户边缘户住房屋面漏雨、山墙开裂，村里已上报危房鉴定申请，至今无人到场鉴定。",
        "尽快组织鉴定；确属危房的，先行安排安全住处，再列入改造。",
        Scene.roof,
        responsible=QINGYUAN_HOUSING,
        lead=CITY_HOUSING,
        severity=Severity.serious,
        lacking=NonImplementation.policy,
        photos=2,
    )
    yield days.at(20, 11, 10)
    item = await inspect(cast, visit, CANGSHI, fact)
    yield days.at(20, 15, 40)
    head = Head("0038", Category.unsafe_housing, "关永福", "210423195203160003", "13904230138", 2)
    household = await concern(item, cast["zhou"], CANGSHI, head)
    yield days.at(18, 9, 15)
    await acknowledge(item, cast["zheng"], "郑海涛", "13904230002")
    yield days.at(9, 14, 30)
    await report(item, cast["zheng"], "已联系鉴定机构，等待排期。", 20)
    yield days.at(5, 10, 20)
    await read_in_full(household, cast["wu"], "逾期未鉴定，电话回访住房安全情况")


async def sent_back_twice(cast: Cast, days: Days) -> Case:
    """Returned twice by the lead unit, and handed in for the third time."""
    yield days.at(10, 14, 0)
    visit = await send_team(cast, NIEERKU, f"{PURPOSE}（饮水安全）", 22, TEAM)
    fact = Fact(
        "0304",
        "村级供水井房消毒设备停用，未见水质检测记录；水费收缴台账与户数对不上。",
        "恢复消毒设备并留存运行记录；补齐水质检测；核对台账。",
        Scene.tap,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(9, 11, 10)
    item = await inspect(cast, visit, NIEERKU, fact)
    yield days.at(8, 9, 5)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(7, 15, 10)
    seen = days.at(9, 10, 40)
    sent = await hand_in(item, cast["zhao"], Scene.tap, NIEERKU, "消毒设备已恢复运行。", principal="钱卫东", old=seen)
    yield days.at(6, 10, 20)
    because = "电话核实：经办人误选了督查组的整改前照片，已要求到现场补拍。"
    await explain(sent, cast["li"], Check.before_as_after, because)
    await send_back(item, cast["li"], ReturnReason.evidence_missing, "没有水质检测报告，照片须补拍，请补充后再报。")
    yield days.at(5, 11, 0)
    note = "补充水质检测报告（检测合格），消毒设备运行正常。"
    await hand_in(item, cast["zhao"], Scene.pipe, NIEERKU, note, principal="钱卫东")
    yield days.at(4, 9, 40)
    await send_back(item, cast["li"], ReturnReason.partly_done, "水费台账仍与户数不符，差11户，请核清。")
    yield days.at(1, 10, 30)
    note = "逐户核对，补录11户，台账与户数一致；检测报告和运行记录齐全。"
    await hand_in(item, cast["qian"], Scene.board, NIEERKU, note)


async def waiting_for_second_key(cast: Cast, days: Days) -> Case:
    """Passed by the lead unit; the office's leader has not turned the second key."""
    yield days.at(8, 9, 0)
    visit = await send_team(cast, HAIYANG, f"{PURPOSE}（住房安全）", 25, TEAM)
    fact = Fact(
        "0303",
        "1户脱贫户房屋屋面瓦片脱落，上年维修资金已拨付，未见维修。",
        "核实资金去向，入冬前完成屋面维修。",
        Scene.roof,
        responsible=QINGYUAN_HOUSING,
        lead=CITY_HOUSING,
    )
    yield days.at(7, 11, 10)
    item = await inspect(cast, visit, HAIYANG, fact)
    yield days.at(6, 10, 0)
    await acknowledge(item, cast["zheng"], "郑海涛", "13904230002")
    yield days.at(4, 16, 0)
    note = "屋面已全部更换，资金已核清，农户签字确认。"
    await hand_in(item, cast["zheng"], Scene.roof, HAIYANG, note, principal="冯国梁")
    yield days.at(2, 14, 15)
    await pass_first(item, cast["he"], "照片与维修清单相符，同意报督查办复核。")
    yield days.at(1, 11, 30)
    await check_if_drawn(cast, item, HAIYANG, Scene.roof)


async def closed_on_time(cast: Cast, days: Days) -> Case:
    """Before and after, two keys, all within the date."""
    yield days.at(9, 9, 30)
    visit = await send_team(cast, MAERDUN, f"{PURPOSE}（饮水安全）", 24, TEAM)
    fact = Fact(
        "0304",
        "村口主管漏水，路面结冰，影响4户出行和用水。",
        "修复漏点，清除路面结冰，设置警示。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
        photos=2,
    )
    yield days.at(8, 11, 10)
    item = await inspect(cast, visit, MAERDUN, fact)
    yield days.at(8, 14, 20)
    head = Head("0012", Category.elder_alone, "佟桂珍", "210422195608090000", "13904220112", 1)
    await concern(item, cast["zhou"], MAERDUN, head)
    yield days.at(8, 15, 0)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(7, 16, 30)
    await report(item, cast["zhao"], "抢修队已进场，漏点已找到。", 50)
    yield days.at(6, 10, 10)
    note = "漏点已修复并回填，4户恢复正常供水，路面结冰已清除。"
    await hand_in(item, cast["zhao"], Scene.pipe, MAERDUN, note, principal="钱卫东")
    yield days.at(6, 14, 40)
    await confirm(item, cast["qian"], "已到现场看过，属实。")
    yield days.at(5, 9, 20)
    await pass_first(item, cast["li"], "前后照片为同一位置，整改到位。")
    yield days.at(4, 10, 30)
    await check_if_drawn(cast, item, MAERDUN, Scene.pipe)
    yield days.at(4, 15, 45)
    await close_out(item, cast["wu"], "同意销号，九十天内安排回头看。")


async def voided(cast: Cast, days: Days) -> Case:
    """The same fact had been filed twice: one leader asks, another person of the office confirms."""
    yield days.at(7, 9, 0)
    visit = await send_team(cast, SANDAOGUAN, f"{PURPOSE}（消费扶贫）", 26, TEAM)
    fact = Fact(
        "0403",
        "村内木耳大棚塑料膜破损，2户脱贫户反映滞销农产品没有登记。",
        "登记滞销农产品的品种和数量，纳入县扶贫农产品目录。",
        Scene.greenhouse,
        responsible=("新宾县",),
        lead=("市农业农村局",),
        lacking=NonImplementation.policy,
    )
    yield days.at(6, 11, 10)
    item = await inspect(cast, visit, SANDAOGUAN, fact)
    yield days.at(5, 10, 30)
    text = "该问题已列入市农业农村局本月检查台账并正在整改，重复登记，拟作废。"
    await voiding.ask_void(item, cast["wu"], id=uuid7(), note=text, duplicate_of=None)
    yield days.at(5, 14, 0)
    await voiding.void(item, cast["zhou"])


async def draft(cast: Cast, days: Days) -> Case:
    """Nobody is named as responsible: the office has to decide before it can be issued."""
    yield days.at(3, 9, 0)
    visit = await send_team(cast, HOUPU, f"{PURPOSE}（边缘户监测）", 29, TEAM)
    fact = Fact(
        "0602",
        "村边缘户监测台账缺慢性病和独居老人两类，公示栏未公示评议结果；村镇说法不一，责任单位待定。",
        "明确责任单位，补齐7类边缘户台账并按程序公示7天。",
        Scene.board,
        lacking=NonImplementation.responsibility,
    )
    yield days.at(2, 11, 10)
    await inspect(cast, visit, HOUPU, fact)


async def not_yet_visited(cast: Cast, days: Days) -> Case:
    """On the team's phones since this morning."""
    yield days.at(0, 8, 5)
    visit = await send_team(cast, DINGJIAJIE, f"{PURPOSE}（驻村帮扶、台账）", 33, TEAM)
    for head in (
        Head("0003", Category.minimum_living, "关秀英", None, None, 2),
        Head("0011", Category.elder_alone, "佟福山", None, None, 1),
        Head("0027", Category.illness, "赵永贵", None, None, 4),
    ):
        await enter(cast["zhou"], DINGJIAJIE, head)
    await checklists.choose(visit, cast, WATER, POSTS)


async def in_the_field(cast: Cast, days: Days) -> Case:
    """Farther from the target than the radius, with a reason; one finding filed, nothing handed in yet."""
    yield days.at(1, 15, 40)
    visit = await send_team(cast, SHENGLI, f"{PURPOSE}（义务教育、环境卫生）", 32, TEAM)
    for head in (
        Head("0002", Category.illness, "佟守义", None, None, 3),
        Head("0009", Category.disability, "那永财", None, None, 2),
        Head("0016", Category.minimum_living, "肇桂芝", None, None, 1),
        Head("0021", Category.unsafe_housing, "关德海", None, None, 5),
        Head("0034", Category.no_labour, "李凤", None, None, 2),
    ):
        await enter(cast["zhou"], SHENGLI, head)
    await checklists.choose(visit, cast, POSTS)
    yield days.at(0, 9, 10)
    reason = "进村桥梁施工封闭，车停桥东，步行入户；到达点距村部约900米。"
    await arrive(visit, cast["sun"], SHENGLI, 900, reason)
    yield days.at(0, 9, 25)
    fact = Fact(
        "0301",
        "村公示栏没有控辍保学和教育资助政策内容，2户家长不清楚资助标准。",
        "公示资助政策，向有在校生的脱贫户逐户告知。",
        Scene.board,
        responsible=("新宾县教育局",),
        lead=("市教育局",),
        lacking=NonImplementation.policy,
    )
    await file(cast, visit, cast["sun"], SHENGLI, fact)
    for question in ("G1", "G2"):
        await checklists.answer(visit, cast["sun"], question)


CASES = (
    overdue,
    sent_back_twice,
    waiting_for_second_key,
    closed_on_time,
    voided,
    draft,
    in_progress,
    issued_today,
    in_the_field,
    not_yet_visited,
)
