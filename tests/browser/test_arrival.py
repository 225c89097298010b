"""到达记录 on the phone: one tap, the distance, a reason outside, and every way a position can be lacking."""

import re

import pytest
from playwright.async_api import expect

from backend.db import raw
from tests import make
from tests.waiting import eventually

LAT, LNG = make.TARGET
HERE = {"latitude": LAT + 0.0007, "longitude": LNG, "accuracy": 12}  # 78 m north
AWAY = {"latitude": LAT + 0.02, "longitude": LNG, "accuracy": 12}  # 2.2 km north


async def at_the_visit(browsers, it, who=None, **options):
    phone = await browsers.phone(**options)
    page = await phone.sign_in(who or it.inspector)
    await page.locator(".visit").click()
    await expect(page.locator("[data-status]")).to_have_text("未到达")
    return phone, page


async def arrived(it) -> dict:
    """The one arrival, once the server has it."""
    [row] = await eventually(lambda: arrivals(it))
    return row


async def arrivals(it) -> list[dict]:
    return await raw("SELECT * FROM arrival WHERE visit = $1", it.visit)


async def test_one_tap_records_where_the_phone_is(browsers):
    it = await make.cast()
    _, page = await at_the_visit(browsers, it, geolocation=HERE)
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile(r"已到达 \d\d:\d\d，距目标 78 米"))
    row = await arrived(it)
    assert abs(row["distance_m"] - 78) < 1 and row["inside"] and row["accuracy_m"] == 12 and row["datum"] == "wgs84"
    await page.go_back()
    await expect(page.locator(".visit")).to_contain_text("已到达")


async def test_without_a_signal_it_is_kept_and_sent_later_once(browsers):
    it = await make.cast()
    phone, page = await at_the_visit(browsers, it, geolocation=HERE)
    await phone.offline()
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile(r"已到达 \d\d:\d\d，距目标 78 米"))
    await expect(page.locator("[data-waiting]")).to_contain_text("有信号后自动上传")
    assert await arrivals(it) == []
    await phone.kill()
    page = await phone.open(f"/visits/{it.visit}")
    await expect(page.locator("[data-waiting]")).to_be_visible()
    await phone.online()
    await expect(page.locator("[data-waiting]")).to_have_count(0)
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已到达"))
    assert (await arrived(it))["inside"]


async def test_outside_the_radius_the_phone_asks_for_the_reason_before_it_sends(browsers):
    it = await make.cast()
    _, page = await at_the_visit(browsers, it, geolocation=AWAY)
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator(".arrival .notice")).to_contain_text("距目标 2.2 公里，超出 500 米")
    save = page.get_by_role("button", name="保存到达记录")
    await expect(save).to_be_disabled()
    await page.get_by_role("button", name="道路中断，步行前往").click()
    await save.click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已到达"))
    row = await arrived(it)
    assert (row["inside"], row["reason"]) == (False, "道路中断，步行前往")


async def test_a_coarse_position_is_said_and_may_be_recorded_as_it_is(browsers):
    it = await make.cast()
    phone, page = await at_the_visit(browsers, it, geolocation={**HERE, "accuracy": 400})
    await page.get_by_role("button", name="到达记录").click()
    await page.locator(".arrival").get_by_role("button", name="取消").click()  # a person in a hurry
    await expect(page.locator(".arrival .notice")).to_contain_text("定位误差有 400 米")
    await phone.context.set_geolocation(HERE)
    await page.get_by_role("button", name="再定位一次").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已到达"))
    assert (await arrived(it))["accuracy_m"] == 12


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("denied", "手机没有允许定位"),
        ("absent", "这个浏览器不能定位"),
        ("poor", "打开“精确位置”"),
        ("none", "没有定到位"),
    ],
)
async def test_what_is_lacking_is_said_with_the_way_out(browsers, how, sentence):
    it = await make.cast()
    options = {"rights": ()} if how == "denied" else {"geolocation": {**HERE, "accuracy": 1600}}
    phone, page = await at_the_visit(browsers, it, **options)
    if how == "absent":
        await page.evaluate("delete Navigator.prototype.geolocation")
    if how == "none":
        await page.evaluate("navigator.geolocation.watchPosition = () => 1")
    await page.get_by_role("button", name="到达记录").click()
    if how in ("poor", "none"):
        await page.locator(".arrival").get_by_role("button", name="取消").click()
    await expect(page.locator(".arrival [role=alert]")).to_contain_text(sentence)
    await expect(page.get_by_role("button", name="再定位一次")).to_be_enabled()
    assert await arrivals(it) == []


async def test_the_phone_stops_looking_once_it_knows(browsers):
    """A point, never a track: no watch is left when the arrival is saved."""
    it = await make.cast()
    _, page = await at_the_visit(browsers, it, geolocation=HERE)
    await page.evaluate(
        """() => { const g = navigator.geolocation, w = g.watchPosition.bind(g), c = g.clearWatch.bind(g)
        window.open_ = new Set()
        g.watchPosition = (...a) => { const id = w(...a); window.open_.add(id); window.ever = true; return id }
        g.clearWatch = (id) => { window.open_.delete(id); c(id) } }"""
    )
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已到达"))
    assert await page.evaluate("[window.ever, window.open_.size]") == [True, 0]


async def test_the_lead_hands_in_and_what_is_missing_is_said_first(browsers):
    it = await make.cast()
    _, page = await at_the_visit(browsers, it, it.lead, geolocation=HERE)
    hand_in = page.get_by_role("button", name="提交检查")
    await expect(hand_in).to_be_disabled()
    await expect(page.get_by_text("还缺到达记录。")).to_be_visible()
    await page.get_by_role("button", name="到达记录").click()
    await expect(hand_in).to_be_enabled()
    await hand_in.click()
    question = page.get_by_role("dialog", name="提交这次检查？")
    await expect(question).to_contain_text("未发现问题")
    await question.get_by_role("button", name="提交").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已提交"))
    assert (await raw("SELECT status FROM visit WHERE id = $1", it.visit))[0]["status"] == "submitted"


async def test_a_map_app_is_given_the_target_in_its_own_coordinates(browsers):
    from backend import geo

    it = await make.cast()
    _, page = await at_the_visit(browsers, it)
    await page.get_by_role("button", name="导航").click()
    for name, datum in (
        ("amap", geo.Datum.gcj02),
        ("baidu", geo.Datum.bd09),
        ("tencent", geo.Datum.gcj02),
        ("geo", geo.Datum.wgs84),
    ):
        link = await page.locator(f"[data-map={name}]").get_attribute("href")
        lat, lng = geo.from_wgs84(LAT, LNG, datum)
        assert f"{lat:.6f}" in link and f"{lng:.6f}" in link, link
