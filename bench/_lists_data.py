"""A province with a million items for bench/lists.py: made up, always the same, loaded with COPY."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

PROVINCE, PREFECTURES, COUNTIES, TOWNSHIPS, VILLAGES = "21", 14, 7, 15, 11
DEPARTMENTS = ("水务局", "教育局", "住建局", "卫健局", "民政局", "人社局", "农业农村局", "财政局", "交通局",
               "生态环境局", "乡村振兴局", "文旅局")  # fmt: skip
HEAVY_UNIT, HEAVY_SHARE = "2101010000 水务局", 0.06  # of all items: 60,000 of a million
RARE, COMMON, ABSENT = "蹊跷", "消防", "鲲鹏"  # about a hundred items of a million; a tenth; none
BATCH = 20_000
BIG_TABLES = ("rectification", "rectification_unit", "rectification_search", "review", "event")
TOPICS = ("0101", "0103", "0201", "0202", "0301", "0302", "0303", "0304", "0401", "0402", "0404", "0501", "0502",
          "0503", "0504", "0601", "0602", "0603", "0701", "0801")  # fmt: skip
SOURCES = ("unannounced", "monthly_check", "look_back", "third_party", "cross_check", "ledger")
PLACES = ("村部东侧", "小学门口", "卫生室", "三组", "五组北头", "扶贫车间", "安置点", "集贸市场", "河道桥下", "养老院")
SUBJECTS = ("饮水管网", "危房", "扶贫车间设备", "光伏电站", "义务教育控辍保学", "低保名册", "小额信贷台账", "公益岗位",
            "道路硬化", "垃圾收集点", "驻村工作队", "医保缴费", "产业项目资金", "卫生厕所", "灌溉渠", "临时救助",
            "边缘户监测", "易地搬迁后续", "村务公开栏", "养殖小区")  # fmt: skip
PROBLEMS = ("冻裂漏水未修复", "未按期完工", "账实不符", "长期闲置", "台账缺项漏项", "群众不知晓政策", "资金滞留未拨付",
            "无人管护", "整改不彻底反弹", "标识牌缺失", "人员不在岗", "公示不到位", "数据前后矛盾", "质量不合格",
            "安全隐患未排除")  # fmt: skip
DETAILS = ("涉及农户三户", "涉及脱贫户十二户", "影响群众出行", "群众反映强烈", "入户核查属实", "与系统数据不一致",
           "现场未见责任人", "上次检查已指出", "需县级部门协调", "限期整改")  # fmt: skip
CAUSES = (
    "项目实施单位反映资金尚未到位", "镇村两级都说不清楚底数", "施工队撤场后一直没有复工", "验收单签字早于完工日期",
    "帮扶责任人一年没有入户", "原台账登记人员已经调离", "需要与县里有关部门共同研究", "群众反映多次没有答复",
    "去年检查时已经提出过", "现场照片与上报材料不一致", "设备购置后没有安装调试", "补助标准没有张贴公布",
)  # fmt: skip
ROOT = "210000000000"


@dataclass(slots=True)
class Tree:
    """The made-up province: paths of villages, units by name, the offices that watch an area."""

    regions: list[tuple[Any, ...]]
    villages: list[tuple[str, str, str, str]]  # prefecture, county, township, village
    units: dict[str, UUID]
    unit_rows: list[tuple[Any, ...]]


def tree() -> Tree:
    """14 prefectures, 98 counties, 1,470 townships, 16,170 villages; twelve departments in each of the upper ones."""
    made = random.Random(1)
    it = Tree([_region(ROOT, None, "province", "某省", [ROOT])], [], {}, [])
    _unit(it, made, f"{ROOT[:10]} 督查办", ROOT)
    for a in range(1, PREFECTURES + 1):
        prefecture = f"{PROVINCE}{a:02}".ljust(12, "0")
        it.regions.append(_region(prefecture, ROOT, "prefecture", f"甲{a}市", [ROOT, prefecture]))
        _offices(it, made, prefecture)
        for b in range(1, COUNTIES + 1):
            county = f"{prefecture[:4]}{b:02}".ljust(12, "0")
            it.regions.append(_region(county, prefecture, "county", f"乙{a}{b}县", [ROOT, prefecture, county]))
            _offices(it, made, county)
            for c in range(1, TOWNSHIPS + 1):
                _township(it, made, county, c)
    return it


def _township(it: Tree, made: random.Random, county: str, c: int) -> None:
    prefecture = f"{county[:4]}00000000"
    township = f"{county[:6]}{c:03}".ljust(12, "0")
    path = [ROOT, prefecture, county, township]
    it.regions.append(_region(township, county, "township", f"丙{c}镇", path))
    _unit(it, made, f"{township[:10]} 人民政府", township)
    for d in range(1, VILLAGES + 1):
        village = f"{township[:9]}{d:03}"
        it.regions.append(_region(village, township, "village", f"丁{d}村", [*path, village]))
        it.villages.append((prefecture, county, township, village))


def _region(code: str, parent: str | None, level: str, name: str, path: list[str]) -> tuple[Any, ...]:
    return code, parent, level, name, name, path, date(2020, 1, 1), "bench"


def _offices(it: Tree, made: random.Random, area: str) -> None:
    for name in ("督查办", *DEPARTMENTS):
        _unit(it, made, f"{area[:10]} {name}", area)


def _unit(it: Tree, made: random.Random, name: str, area: str) -> None:
    id = UUID(int=made.getrandbits(128), version=4)
    it.units[name] = id
    it.unit_rows.append((id, name, name[:30], "department", area, date(2020, 1, 1)))


@dataclass(slots=True)
class Batch:
    """Rows of some thousand items, ready for COPY."""

    rectification: list[tuple[Any, ...]]
    rectification_unit: list[tuple[Any, ...]]
    review: list[tuple[Any, ...]]
    event: list[tuple[Any, ...]]


REGION = "code parent level name full_name path valid_from source".split()
UNIT = "id name short_name kind region valid_from".split()
VISIT = "id region place_name purpose kind approval_number lat lng radius_m status opened_by opened_at".split()
MEMBER = "id visit person lead".split()
ITEM = (
    "id number source visit topic severity closing_class facts asks region province prefecture county township status "
    "drafted_at issued_at due_on due_at due_certainty original_due_on closed_at listed public sampled returned "
    "reopened extended look_back_on"
).split()
PART = ("id rectification unit role status item_status item_urgency item_issued_at item_returned item_number").split()
REVIEW = "id rectification by at verb note reason_code".split()
EVENT = "id at actor verb subject payload request".split()
PATHS = {
    "draft": ("drafted",),
    "issued": ("drafted", "issued"),
    "working": ("drafted", "issued", "acknowledged", "reported", "reported"),
    "handed_in": ("drafted", "issued", "acknowledged", "reported", "handed_in"),
    "passed": ("drafted", "issued", "acknowledged", "reported", "handed_in", "passed"),
    "closed": ("drafted", "issued", "acknowledged", "handed_in", "passed", "closed"),
    "hung": ("drafted", "issued", "acknowledged", "reported", "reported"),
    "voided": ("drafted", "issued", "void_asked", "voided"),
}
EVER, NEVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def batches(it: Tree, items: int, by: UUID, visits: list[UUID], now: datetime) -> Iterator[Batch]:
    """All items, the oldest first, over three years; a quarter is open, and those are mostly young."""
    made, numbers = random.Random(7), {}
    counties = {county: made.paretovariate(2.5) for _, county, _, _ in it.villages}
    weights = [counties[county] for _, county, _, _ in it.villages]
    step = timedelta(days=3 * 365) / items
    for first in range(0, items, BATCH):
        batch = Batch([], [], [], [])
        count = min(BATCH, items - first)
        for place, at in zip(made.choices(it.villages, weights, k=count), range(first, first + count), strict=True):
            _item(it, made, numbers, batch, place, now - step * (items - at), now, by, visits)
        yield batch


def _item(it: Tree, made: random.Random, numbers: dict[str, int], batch: Batch, place: tuple[str, str, str, str],
          drafted: datetime, now: datetime, by: UUID, visits: list[UUID]) -> None:  # fmt: skip
    department = made.choice(DEPARTMENTS)
    if made.random() < HEAVY_SHARE:
        name, department = HEAVY_UNIT, HEAVY_UNIT.split()[1]
        place = it.villages[made.randrange(TOWNSHIPS * VILLAGES)]
    else:
        name = f"{place[1][:10]} {department}"
    prefecture, county, township, village = place
    issued = drafted + timedelta(hours=made.randrange(1, 48))
    status = _status(made, (now - drafted).days)
    if issued > now:
        status = "draft"
    id = _uuid7(made, drafted)
    number = None
    if status != "draft":
        series = f"ZG-{county[:6]}-{issued:%Y%m%d}"
        numbers[series] = numbers.get(series, 0) + 1
        number = f"{series}-{numbers[series]:04}"
    due_on = _due(made, status, issued, now) if number else None
    due_at = datetime(due_on.year, due_on.month, due_on.day, 16, tzinfo=UTC) if due_on else None
    returned = made.choices((0, 1, 2, 3), (85, 11, 3, 1))[0] if status not in ("draft", "issued", "voided") else 0
    reopened = int(status in ("working", "closed") and made.random() < 0.01)
    batch.rectification.append((
        id, number, made.choice(SOURCES), made.choice(visits) if made.random() < 0.02 else None, made.choice(TOPICS),
        made.choices(("ordinary", "serious", "grave"), (80, 17, 3))[0],
        made.choices(("fix_now", "by_date", "long_term"), (30, 55, 15))[0],
        _facts(made, village), "修复并回访。", village, ROOT, prefecture, county, township, status, drafted,
        issued if number else None, due_on, due_at, "known" if due_on else None, due_on,
        issued + timedelta(days=40) if status == "closed" else None, made.random() < 0.01, made.random() < 0.1, False,
        returned, reopened, int(made.random() < 0.1),
        (issued + timedelta(days=130)).date() if status == "closed" and made.random() < 0.03 else None,
    ))  # fmt: skip
    copies = (status, due_at or NEVER, issued if number else EVER, returned, number or "~")
    parts = [(it.units[name], "responsible"), (it.units[f"{prefecture[:10]} {department}"], "lead")]
    if made.random() < 0.15:
        parts.append((it.units[f"{township[:10]} 人民政府"], "cooperating"))
    for unit, role in parts:
        own = status if role == "responsible" and status not in ("draft", "voided", "closed", "hung") else None
        batch.rectification_unit.append((_uuid7(made, drafted), id, unit, role, own, *copies))
    for _ in range(returned):
        batch.review.append((_uuid7(made, issued), id, by, issued, "send_back", "还有一户。", "not_done"))
    payload = json.dumps({"by": "某人", "note": "材料已进场，正在施工。"}, ensure_ascii=False).encode()
    apart = min(timedelta(hours=1), (now - drafted) / len(PATHS[status]))  # nothing has happened that is still to come
    for place_of, verb in enumerate(PATHS[status]):
        batch.event.append((UUID(int=made.getrandbits(128), version=4), drafted + place_of * apart, by,
                            f"rectification.{verb}", id, payload, None))  # fmt: skip


def _status(made: random.Random, age: int) -> str:
    if made.random() < (0.72 if age < 180 else 0.20 if age < 540 else 0.09):
        young = 3 if age < 30 else 0
        return made.choices(("issued", "working", "handed_in", "passed", "hung"), (12 * young, 55, 12, 8, 10))[0]
    return made.choices(("closed", "voided", "draft"), (96, 3, 0.4 if age < 90 else 0))[0]


def _due(made: random.Random, status: str, issued: datetime, now: datetime) -> date:
    due = issued + timedelta(days=made.choice((5, 15, 15, 15, 30, 60, 300)))
    if status in ("issued", "working", "handed_in", "passed") and due < now and made.random() < 0.6:
        due = now + timedelta(days=made.randrange(1, 90))  # it was extended
    return due.date()


def _facts(made: random.Random, village: str) -> str:
    words = f"{village[-6:]}{made.choice(PLACES)}{made.choice(SUBJECTS)}{made.choice(PROBLEMS)}，"
    words += f"{made.choice(DETAILS)}，户主{made.choice('赵钱孙李周吴郑王冯陈')}{made.choice('建国军秀兰芳伟强明')}，"
    chance = made.random()
    words += f"{made.choice(CAUSES)}，{made.choice(CAUSES)}，另查{made.choice(SUBJECTS)}{made.choice(PROBLEMS)}"
    if chance < 0.1:
        words += f"，{COMMON}通道被占"
    elif chance > 0.9999:
        words += f"，数据{RARE}"
    return words + "。"


def _uuid7(made: random.Random, at: datetime) -> UUID:
    value = (int(at.timestamp() * 1000) << 80) | made.getrandbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


async def load(line: asyncpg.Connection, items: int, by: UUID, visits: list[UUID], now: datetime, it: Tree) -> None:
    """Fills the big tables of a migrated database; their indexes are made anew afterwards, which is faster."""
    indexes = await _drop_indexes(line)
    await line.execute("SET session_replication_role = replica")  # our own rows: no trigger, no link to check
    began = time.monotonic()
    written = events = 0
    for batch in batches(it, items, by, visits, now):
        await line.copy_records_to_table("rectification", columns=ITEM, records=batch.rectification)
        await line.copy_records_to_table("rectification_unit", columns=PART, records=batch.rectification_unit)
        await line.copy_records_to_table("review", columns=REVIEW, records=batch.review)
        await line.copy_records_to_table("event", columns=EVENT, records=batch.event)
        written, events = written + len(batch.rectification), events + len(batch.event)
        took = time.monotonic() - began
        print(f"\r  {written:>9,} items  {events:>9,} events  {written / took:6,.0f} items/s", end="", flush=True)
    print("\n  words …")
    await line.execute(  # what the triggers would have written; the parts' copies were in the rows
        "INSERT INTO rectification_search SELECT made.* FROM rectification AS it, LATERAL search_row(it) AS made"
    )
    await line.execute("RESET session_replication_role")
    for number, statement in enumerate(indexes, 1):
        print(f"\r  index {number} of {len(indexes)} ", end="", flush=True)
        await line.execute("SET maintenance_work_mem = '1GB'")
        await line.execute(statement)
    print("\r  vacuum analyze …      ")
    await line.execute("VACUUM ANALYZE")
    print(f"  loaded in {time.monotonic() - began:.0f} s")


async def _drop_indexes(line: asyncpg.Connection) -> list[str]:
    """Drops what is no constraint; gives the statements that make them again."""
    found = await line.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indrelid WHERE relname = ANY($1) AND NOT EXISTS "
        "(SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        list(BIG_TABLES),
    )
    for row in found:
        await line.execute(f"DROP INDEX {row['name']}")
    return [row["made"] for row in found]
