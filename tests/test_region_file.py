"""Region files on their way into the database: whole or not at all, again and again, renamed and complete."""

import json
from datetime import date
from pathlib import Path

import pytest

from backend.db import raw
from backend.errors import Forbidden
from backend.roles import SYSTEM, Role
from backend.units import region_file
from backend.units.region_file import BadFile, load_file, load_fixture
from backend.units.region_loading import Loaded, full_name, load_regions, spoken_name
from backend.units.region_rows import Level, RegionRow
from tests import make

pytestmark = pytest.mark.usefixtures("fresh", "noon")

SMALL = "code,name\n21,辽宁省\n2104,抚顺市\n210422,新宾满族自治县\n210422108,上夹河镇\n210422108204,腰站村民委员会\n"


@pytest.fixture
def folder(tmp_path: Path):
    async def load(text: str, **said: bool) -> Loaded:
        file = tmp_path / "regions.csv"
        file.write_text(text)
        return await load_file(file, "test", **said)

    return load


async def regions() -> dict[str, str]:
    return {row["code"]: row["full_name"] for row in await raw("SELECT code, full_name FROM region")}


async def test_the_fixture_loads_whole_with_paths_and_names_and_again_changes_nothing() -> None:
    assert await load_fixture() == Loaded(new=2922)
    row = (await raw("SELECT * FROM region WHERE code = '210422108204'"))[0]
    assert row["path"] == ["210000000000", "210400000000", "210422000000", "210422108000", "210422108204"]
    assert row["full_name"] == "抚顺市新宾满族自治县上夹河镇腰站村"
    assert (row["level"], row["parent"], row["valid_from"]) == ("village", "210422108000", date(2026, 11, 24))
    assert "china-division" in row["source"]
    assert await load_fixture() == Loaded(same=2922)


async def test_what_lies_in_an_area_is_found_by_overlap_of_paths() -> None:
    await load_fixture()
    inside = await raw("SELECT level FROM region WHERE path && ARRAY['210400000000']")
    assert [row["level"] for row in inside].count("township") == 72


async def test_one_bad_line_and_nothing_is_loaded(folder) -> None:
    with pytest.raises(BadFile) as refused:
        await folder(SMALL + "21042210820x,坏\n2104221082,坏\n210422109,南杂木镇\n")
    assert [error.line for error in refused.value.errors] == [7, 8]
    assert await regions() == {}


async def test_a_part_can_come_later_below_what_is_there(folder) -> None:
    await folder(SMALL)
    assert await folder("code,name\n210422109,南杂木镇\n210422109200,聂尔库村委会\n") == Loaded(new=2)
    assert (await regions())["210422109200"] == "抚顺市新宾满族自治县南杂木镇聂尔库村"


async def test_a_new_name_reaches_what_lies_below_and_is_not_in_the_file(folder) -> None:
    await folder(SMALL)
    assert await folder("code,name\n210422,新宾县\n") == Loaded(changed=1)
    assert (await regions())["210422108204"] == "抚顺市新宾县上夹河镇腰站村"


async def test_what_is_missing_ends_only_in_a_complete_file_and_only_in_its_provinces(folder) -> None:
    await folder(SMALL + "34,安徽省\n")
    fewer = SMALL.rsplit("210422108204", 1)[0]
    assert await folder(fewer) == Loaded(same=4)
    assert await folder(fewer, complete=True) == Loaded(same=4, ended=1)
    ended = await raw("SELECT code, valid_to FROM region WHERE valid_to IS NOT NULL")
    assert [tuple(row) for row in ended] == [("210422108204", date(2026, 11, 24))]
    assert await folder(fewer, complete=True) == Loaded(same=4)
    assert await folder(SMALL) == Loaded(same=4, changed=1)
    assert not await raw("SELECT 1 FROM region WHERE valid_to IS NOT NULL")


async def test_rows_come_in_by_batches_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.units.region_loading.BATCH", 7)
    rows = [RegionRow("210000000000", None, Level.province, "辽宁省")]
    rows += [RegionRow(f"21{n:02}00000000", "210000000000", Level.prefecture, f"第{n}市") for n in range(1, 21)]
    assert await load_regions(SYSTEM, rows, "test") == Loaded(new=21)
    assert await load_regions(SYSTEM, rows[:-1], "test", complete=True) == Loaded(same=20, ended=1)
    loaded = await raw("SELECT payload FROM event WHERE verb = 'regions.loaded' ORDER BY at, id")
    told = [json.loads(row["payload"]) for row in loaded]
    assert sorted((it["source"], it["by"], it["new"], it["ended"]) for it in told) == [
        ("test", "系统", 0, 1),
        ("test", "系统", 21, 0),
    ]


async def test_only_administrators_load_regions() -> None:
    await make.region()
    leader = await make.person("吴", Role.supervision_leader, at=await make.unit())
    with pytest.raises(Forbidden):
        await load_regions(leader, [], "test")


def test_the_command_prints_the_lines_at_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> Loaded:
        raise BadFile([region_file.RowError(n, f"错误{n}") for n in range(2, 30)])

    monkeypatch.setattr(region_file, "_run", refuses)
    assert region_file.main([str(tmp_path / "x.csv")]) == 1
    said = capsys.readouterr().out
    assert "28 处错误" in said
    assert "第 2 行：错误2" in said
    assert "另有 8 处" in said


def test_the_command_says_when_there_is_no_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> Loaded:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(region_file, "_run", fails)
    assert region_file.main(["none.csv"]) == 1
    assert "打不开文件 none.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "spoken"),
    [
        (("辽宁省",), "辽宁省"),
        (("辽宁省", "抚顺市"), "抚顺市"),
        (("北京市", "市辖区", "东城区"), "北京市东城区"),
        (("北京市", "市辖区"), "北京市"),
        (("河南省", "省直辖县级行政区划", "济源市"), "济源市"),
        (("甘肃省", "嘉峪关市", "新城镇", "横沟村村委会"), "嘉峪关市新城镇横沟村"),
    ],
)
def test_full_names_are_what_people_say(names: tuple[str, ...], spoken: str) -> None:
    assert full_name(names) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("腰站村民委员会", "腰站村"),
        ("某村村民委员会", "某村"),
        ("民主路社区居委会", "民主路社区"),
        ("花园社区居民委员会", "花园社区"),
        ("大街居民委员会", "大街居委会"),
        ("林场生活区", "林场生活区"),
        ("村民委员会", "村民委员会"),
    ],
)
def test_committees_are_called_by_their_place(written: str, spoken: str) -> None:
    assert spoken_name(written) == spoken
