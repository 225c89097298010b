"""More cases of the demo, one for each procedure beside the main path. Read like demo_cases.py."""

from datetime import timedelta

from backend import clock
from backend.columns import uuid7
from backend.demo_cases import CITY_WATER, PURPOSE, TEAM, XINBIN_WATER, Case
from backend.demo_people import Cast
from backend.demo_photos import Scene
from backend.demo_steps import (
    HETUALA,
    HOUPU,
    MAERDUN,
    NIEERKU,
    SANDAOGUAN,
    SHENGLI,
    YAOZHAN,
    Days,
    Fact,
    acknowledge,
    check,
    check_if_drawn,
    close_out,
    extend,
    hand_in,
    inspect,
    look_back,
    object_to,
    pass_first,
    plan,
    report,
    send_team,
)
from backend.roles import SYSTEM
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import commands, extensions, hanging, looking_back, measures, objections, publicity
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.words import CheckResult, Ground, HangReason, LookBackResult

WATER = f"{PURPOSE}（饮水安全）"


async def redirected(cast: Cast, days: Days) -> Case:
    """Not the water bureau's: the objection is upheld and the part goes to the township, which has not signed yet."""
    yield days.at(3, 9, 10)
    visit = await send_team(cast, HETUALA, WATER, 11, TEAM)
    fact = Fact(
        "0304",
        "村内排水沟被弃土堵塞，雨雪水倒灌水源井护栏。",
        "清淤疏通，修复护栏。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(2, 14, 50)
    item = await inspect(cast, visit, HETUALA, fact)
    yield days.at(2, 15, 30)
    note = "村内排水沟由镇政府管护（见镇村管护协议），不属水务局职责。"
    objection = await object_to(item, cast["qian"], Ground.jurisdiction, note)
    yield days.at(1, 10, 0)
    note = "经核管护协议，职责在永陵镇，予以改派。"
    await objections.redirect(item, objection, cast["zhou"], to_unit=cast.units["永陵镇"], note=note)


async def extended(cast: Cast, days: Days) -> Case:
    """More time asked for before the day, and granted once; the original date still counts."""
    yield days.at(9, 9, 0)
    visit = await send_team(cast, HOUPU, WATER, 12, TEAM)
    fact = Fact(
        "0304",
        "2户自来水入户管埋深不足，入冬以来反复冻堵。",
        "重新深埋入户管并做保温。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(8, 11, 30)
    item = await inspect(cast, visit, HOUPU, fact)
    yield days.at(7, 9, 30)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(3, 10, 0)
    wanted = clock.today() + timedelta(days=30)
    asked = await extend(item, cast["qian"], wanted, "保温管材到货推迟，需延期。", "已完成1户，另1户已开挖。")
    yield days.at(2, 14, 0)
    await extensions.grant(item, asked, cast["zhou"], opinion="情况属实，同意延期，期间保证临时供水。")


async def planned(cast: Cast, days: Days) -> Case:
    """Long-term: the unit planned three measures; one is done, one was given up for another, one is open."""
    yield days.at(9, 14, 10)
    visit = await send_team(cast, SHENGLI, WATER, 18, TEAM)
    fact = Fact(
        "0304",
        "高位水池无水质净化设备，雨季水浑，村民自备沉淀桶。",
        "安装净化设备，落实长期管护。",
        Scene.tap,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
        closing_class=ClosingClass.long_term,
    )
    yield days.at(8, 11, 50)
    item = await inspect(cast, visit, SHENGLI, fact)
    yield days.at(8, 15, 40)
    await commands.issue(item, cast["zhou"], due=Wanted(on=clock.today() + timedelta(days=180)))
    yield days.at(7, 10, 30)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    today = clock.today()
    tested = await plan(item, cast["zhao"], "全项水质检测，确定净化工艺。", today + timedelta(days=7), "赵明")
    rented = await plan(item, cast["zhao"], "租用移动净水车临时供水。", today + timedelta(days=10), "赵明")
    await plan(item, cast["zhao"], "安装一体化净化设备并调试。", today + timedelta(days=120), "钱卫东")
    yield days.at(3, 16, 10)
    await measures.finish(item, tested, cast["zhao"], note="检测报告已出，浊度超标，选用一体化净化设备。")
    yield days.at(2, 9, 50)
    await measures.drop(item, rented, cast["zhao"], note="检测后每日投药沉淀已达标，不再租车。")


async def failed_on_site(cast: Cast, days: Days) -> Case:
    """Passed on paper; two people went there and found it not done."""
    yield days.at(11, 9, 0)
    visit = await send_team(cast, MAERDUN, WATER, 13, TEAM)
    fact = Fact(
        "0304",
        "4组水源井无消毒设施，井口未加盖，周边堆放粪肥。",
        "加盖、消毒，清理水源周边，补做水质检测。",
        Scene.tap,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
        severity=Severity.serious,
    )
    yield days.at(10, 11, 0)
    item = await inspect(cast, visit, MAERDUN, fact)
    yield days.at(9, 9, 0)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(5, 15, 0)
    await hand_in(item, cast["qian"], Scene.tap, MAERDUN, "井口已加盖，消毒设施已安装。")
    yield days.at(4, 10, 0)
    await pass_first(item, cast["li"], "资料齐全，同意报核查。")
    yield days.at(1, 14, 40)
    note = "井口已加盖，但消毒设施未通电，粪肥仍在井旁，整改不到位。"
    await check(cast, item, MAERDUN, Scene.tap, note, result=CheckResult.failed)


async def shown_in_public(cast: Cast, days: Days) -> Case:
    """Passed, and shown to the village for seven days; the second key waits for the last of them."""
    yield days.at(8, 9, 20)
    visit = await send_team(cast, NIEERKU, WATER, 14, TEAM)
    fact = Fact(
        "0304",
        "水费收缴和减免情况一年多未公示，群众有意见。",
        "核清收缴和减免账目，在村内公示。",
        Scene.board,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(7, 11, 0)
    item = await inspect(cast, visit, NIEERKU, fact)
    yield days.at(6, 9, 40)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(3, 16, 0)
    await hand_in(item, cast["qian"], Scene.board, NIEERKU, "账目已核清，公示栏已更新。")
    yield days.at(2, 9, 30)
    await pass_first(item, cast["li"], "账目与减免名单相符。")
    yield days.at(1, 9, 0)
    text = "聂尔库村水费收缴和减免账目已核清并在村内公示，现就整改情况公示七天，欢迎监督。"
    await publicity.publish(item, cast["zhou"], id=uuid7(), text=text)


async def hung(cast: Cast, days: Days) -> Case:
    """Cannot be dug in frozen ground: it hangs until a day in spring, and is not overdue meanwhile."""
    yield days.at(13, 9, 0)
    visit = await send_team(cast, SANDAOGUAN, WATER, 15, TEAM)
    fact = Fact(
        "0304",
        "主管网老化，跑冒滴漏，3组季节性缺水。",
        "更换主管网约600米。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(12, 11, 40)
    item = await inspect(cast, visit, SANDAOGUAN, fact)
    yield days.at(11, 9, 10)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(6, 14, 20)
    await report(item, cast["zhao"], "已完成勘测和预算，冻土期无法开挖，先行每日送水。", 15)
    yield days.at(5, 10, 10)
    review_on = clock.today() + timedelta(days=150)
    await hanging.hang(
        item, cast["wu"], id=uuid7(), reason_code=HangReason.season, note="冻土期不能施工，化冻后开工；期间保证送水。",
        paper=f"抚脱贫督〔{clock.today().year}〕36号", review_on=review_on,
    )  # fmt: skip


async def reopened(cast: Cast, days: Days) -> Case:
    """Closed; looked at again, and found as before: open again under the same number."""
    yield days.at(24, 9, 0)
    visit = await send_team(cast, YAOZHAN, WATER, 10, TEAM)
    fact = Fact(
        "0304",
        "供水泵房无人值守，一周停水两次。",
        "落实值守人员和停水通知制度。",
        Scene.tap,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
    )
    yield days.at(23, 11, 0)
    item = await inspect(cast, visit, YAOZHAN, fact)
    yield days.at(22, 9, 30)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(19, 15, 0)
    await hand_in(item, cast["qian"], Scene.tap, YAOZHAN, "已落实2名值守人员，停水提前通知。")
    yield days.at(18, 10, 0)
    await pass_first(item, cast["li"], "值守表和通知记录齐全。")
    yield days.at(17, 10, 30)
    await check_if_drawn(cast, item, YAOZHAN, Scene.tap)
    yield days.at(16, 16, 0)
    await close_out(item, cast["wu"], "同意销号。")
    yield days.at(2, 16, 45)
    note = "泵房上锁无人，群众反映本月又停水三次，问题反弹。"
    await look_back(item, cast["wang"], YAOZHAN, Scene.tap, note, result=LookBackResult.rebounded)
    yield days.at(1, 8, 40)
    due_on = clock.today() + timedelta(days=15)
    await looking_back.reopen(item, cast["wu"], id=uuid7(), note="回头看发现反弹，重开整改。", due_on=due_on)


async def one_of_three_late(cast: Cast, days: Days) -> Case:
    """Three responsible units: one passed, one handed in, one said nothing and is late: there it stands."""
    yield days.at(20, 9, 0)
    visit = await send_team(cast, SHENGLI, f"{PURPOSE}（义务教育、饮水）", 16, TEAM)
    fact = Fact(
        "0301",
        "村小学饮水设备停用，学生自带水；设备、水质、管护各说各的。",
        "分工落实：设备由教育局、水质由水务局、管护由镇政府，共同整改。",
        Scene.tap,
        responsible=("新宾县水务局", "上夹河镇", "新宾县教育局"),
        lead=("市教育局",),
    )
    yield days.at(19, 11, 0)
    item = await inspect(cast, visit, SHENGLI, fact)
    yield days.at(18, 9, 0)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(18, 9, 20)
    await acknowledge(item, cast["tang"], "唐宇", "13804130003")
    yield days.at(16, 9, 5)
    await commands.accept_silently(item, SYSTEM, unit=cast.units["新宾县教育局"])
    yield days.at(14, 15, 0)
    await hand_in(item, cast["qian"], Scene.tap, SHENGLI, "水质检测合格，报告已交学校。")
    yield days.at(12, 10, 0)
    await pass_first(item, cast["jiang"], "水质部分整改到位。", cast.units["新宾县水务局"])
    yield days.at(9, 16, 20)
    note = "管护责任已落实到人，定期清洗记录上墙。"
    await hand_in(item, cast["tang"], Scene.board, SHENGLI, note, principal="佟镇长")


async def closed_after_a_check(cast: Cast, days: Days) -> Case:
    """Serious: two people saw it on the spot before the second key was turned."""
    yield days.at(15, 9, 0)
    visit = await send_team(cast, HOUPU, WATER, 17, TEAM)
    fact = Fact(
        "0304",
        "高位水池护栏缺失，池盖未锁，存在安全隐患。",
        "安装护栏，池盖上锁，专人管护。",
        Scene.pipe,
        responsible=XINBIN_WATER,
        lead=CITY_WATER,
        severity=Severity.serious,
    )
    yield days.at(14, 11, 10)
    item = await inspect(cast, visit, HOUPU, fact)
    yield days.at(13, 9, 0)
    await acknowledge(item, cast["zhao"], "赵明", "13804130001")
    yield days.at(11, 15, 0)
    await hand_in(item, cast["qian"], Scene.pipe, HOUPU, "护栏已安装，池盖已上锁，管护人员已公示。")
    yield days.at(10, 10, 0)
    await pass_first(item, cast["li"], "前后照片为同一位置。")
    yield days.at(8, 14, 30)
    note = "现场查看，护栏牢固，池盖已锁。"
    await check(cast, item, HOUPU, Scene.pipe, note, result=CheckResult.passed)
    yield days.at(7, 9, 30)
    await close_out(item, cast["wu"], "现场核查通过，同意销号。")


PROCEDURES = (
    redirected,
    extended,
    planned,
    failed_on_site,
    shown_in_public,
    hung,
    reopened,
    one_of_three_late,
    closed_after_a_check,
)
