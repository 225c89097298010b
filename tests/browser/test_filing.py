"""Filing in a dead spot: what is written without a signal arrives once, with its photos; the phone holds the proof."""

import re
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Page, expect

from backend import clock, receipts, signing
from backend.db import raw
from backend.households.queries import nothing
from backend.roles import SYSTEM
from inspections.findings import queries as findings
from tests import hostile_files, make
from tests.browser.chromium import PASSWORD, Phone
from tests.fault_proxy import Fault, Kind, Network
from tests.waiting import eventually

AT_THE_PLACE = {"latitude": make.TARGET[0], "longitude": make.TARGET[1], "accuracy": 9.0}
CUT_AT = 700_000
# The drafts as they lie on the phone, sealed: each saving seals anew.
DRAFTS = """() => new Promise((done) => { const asked = indexedDB.open('duban'); asked.onsuccess = () => {
    const all = asked.result.transaction('drafts').objectStore('drafts').getAll()
    all.onsuccess = () => done(JSON.stringify(all.result, (_, value) =>
        value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value)) } })"""

# Two fields of colour, 96 × 64, as a phone's camera packs them: made with libheif's encoder.
HEIC = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAA"
    "AAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAAXgAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAwmlwcnAA"
    "AACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkA"
    "AAAwAAAwAeoDCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAGAAAABAAAAAEHBpeGkAAAAAAwgICAAA"
    "ABZpcG1hAAAAAAAAAAEAAQOBAoMAAABmbWRhdAAAAFooAa8TgHjVhci///HhR//Dvnh9jkrwSz/zrJ9+D41/5OeYqidNSkMbQfAV6DUlZ5DNF5"
    "N54kPYHbqkiQDXUZ7I6qKZlda6ms9Weth6xx/qeqnSBBel8IzRddw="
)


async def at_work(browsers: Any, **more: Any) -> tuple[Any, Phone, Page]:
    """An inspector with a visit of the day, signed in at the place."""
    it = await make.cast()
    phone = await browsers.phone(geolocation=AT_THE_PLACE, **more)
    page = await phone.sign_in(it.inspector)
    await expect(page.locator(".visit")).to_be_visible()
    return it, phone, page


async def new_form(phone: Phone, it: Any, *, camera: bool = False) -> Page:
    await phone.go(f"/visits/{it.visit}/findings/new")
    if not camera:
        await phone.page.locator(".camera header .over").first.click()
    return phone.page


async def shoot(page: Page, times: int) -> None:
    """So many photos with the camera of the page."""
    shutter = page.locator(".shutter")
    for n in range(times):
        await expect(shutter).to_be_enabled()
        await shutter.click()
        await expect(page.locator(".camera .thumb img")).to_have_count(n + 1)
    await page.locator(".done").click()


async def fill(page: Page, facts: str, *, reason: str = "") -> None:
    await page.get_by_role("button", name="饮水安全", exact=True).click()
    await page.fill("[name=facts]", facts)
    if reason:
        await page.fill("[name=no_evidence_reason]", reason)


async def hand(page: Page) -> None:
    await page.locator("[data-hand]").click()
    await page.wait_for_url(lambda url: "/findings/" not in url)


async def filed(it: Any) -> list[Any]:
    return (await findings.of_visits([it.visit], SYSTEM, nothing))[it.visit]


async def arrived(page: Page, count: int) -> None:
    await expect(page.locator("[data-sent]")).to_have_count(count)


async def copied_receipts(phone: Phone) -> list[str]:
    """Of the finding that has arrived, as a person takes them along."""
    await phone.context.grant_permissions(["clipboard-read", "clipboard-write", "camera", "geolocation"])
    sent = phone.page.locator("[data-sent]").filter(has_text="张照片")
    await sent.locator("summary").click()
    await sent.get_by_role("button", name="复制回执").click()
    await expect(phone.page.get_by_role("button", name="已复制")).to_be_visible()
    text = await phone.page.evaluate("navigator.clipboard.readText()")
    return re.findall(r"duban receipt v1\n.*?\n\n— .*?\n", text, re.DOTALL)


def large_photo(folder: Path, size: int = 2_000_000) -> Path:
    """A JPEG of twelve megapixels, as a phone's camera makes them, and of about so many bytes."""
    path = folder / "IMG_2026.jpg"
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(path, quality=85)
    filler = [hostile_files.segment(0xFE, b"\1" * 60_000)] * ((size - path.stat().st_size) // 60_000)
    path.write_bytes(hostile_files.with_segments(path.read_bytes(), *filler))
    return path


def putting(page: Page) -> list[str]:
    """The addresses of everything this tab PUTs, from now on."""
    seen: list[str] = []
    page.on("request", lambda asked: seen.append(asked.url) if asked.method == "PUT" else None)
    return seen


async def test_three_photos_taken_offline_survive_the_death_of_the_page_and_arrive_once(browsers):
    it, phone, page = await at_work(browsers)
    await phone.offline()
    await page.locator(".visit").click()
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator("[data-status]")).to_contain_text("已到达")
    await new_form(phone, it, camera=True)
    await shoot(page, 3)
    await fill(page, "饮水管网冻裂，三户无水。")
    await hand(page)
    await phone.kill()
    page = await phone.open("/queue")
    await expect(page.locator("[data-count]")).to_have_text("3 张照片中 0 张已送达")
    assert await filed(it) == []
    await phone.online()
    await arrived(page, 2)
    assert [row["inside"] for row in await raw("SELECT inside FROM arrival WHERE visit = $1", it.visit)] == [True]
    [found] = await filed(it)
    assert (found.facts, found.declared, found.arrived) == ("饮水管网冻裂，三户无水。", 3, 3)
    assert {file.source for file in found.evidence} == {"camera"}
    assert {round(file.accuracy_m or 0) for file in found.evidence} == {9}
    assert {file.token_state for file in found.evidence} == {"good"}
    told = [receipts.read(note, signing.public_keys()) for note in await copied_receipts(phone)]
    assert [(one.kind, one.id) for one in told] == [("finding", found.id), *(("file", it.id) for it in found.evidence)]
    assert [one.sha256 for one in told[1:]] == [file.sha256 for file in found.evidence]
    await make.finding(it, facts="另一台手机登记的问题。")
    await phone.go(f"/visits/{it.visit}")
    await page.get_by_text("另一台手机登记的问题。").click()
    await expect(page.locator("[data-filed]")).to_contain_text("另一台手机登记的问题。")
    await expect(page.locator("[data-hand]")).to_have_count(0)


async def test_a_form_that_was_never_handed_over_is_there_again_after_the_page_died(browsers):
    it, phone, page = await at_work(browsers)
    await phone.offline()
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await expect(page.locator("[data-saved=true]")).to_contain_text("已存在本机")
    before = await page.evaluate(DRAFTS)
    await page.fill("[name=facts]", "村卫生室无人值守")
    await eventually(lambda: page.evaluate(DRAFTS), lambda kept: kept != before)
    await phone.kill()
    page = await phone.open("/queue")
    await page.locator("[data-draft]").click()
    await expect(page.locator("[name=facts]")).to_have_value("村卫生室无人值守")
    await expect(page.locator(".thumbs img")).to_have_count(1)


async def test_an_upload_that_is_cut_goes_on_where_it_was(browsers, address, tmp_path):
    it = await make.cast()
    async with Network(int(address.rsplit(":", 1)[1]), meant=b"PATCH ") as network:
        phone = await browsers.phone(geolocation=AT_THE_PLACE)
        phone.address = network.address
        page = await phone.sign_in(it.inspector)
        offsets: list[str | None] = []
        page.on("request", lambda asked: offsets.append(asked.headers.get("upload-offset"))
                if asked.method == "PATCH" else None)  # fmt: skip
        await new_form(phone, it)
        await page.set_input_files("[data-gallery]", large_photo(tmp_path))
        await expect(page.locator(".thumbs img")).to_have_count(1)
        await fill(page, "管沟未回填")
        network.next = Fault(Kind.cut, CUT_AT)
        await hand(page)
        await phone.go("/queue")
        await arrived(page, 1)
    [found] = await filed(it)
    assert (found.declared, found.arrived) == (1, 1)
    assert offsets[0] == "0" and len(offsets) == 2
    assert 0 < int(offsets[1] or 0) <= CUT_AT


async def test_two_tabs_send_everything_once_between_them(browsers):
    it, phone, first = await at_work(browsers)
    await phone.offline()
    for facts in ("一户断水", "两户断水"):
        await new_form(phone, it)
        await fill(first, facts, reason="夜间无法拍摄")
        await hand(first)
    second = await phone.open("/queue")
    await expect(second.locator("[data-entry]")).to_have_count(2)
    puts = [putting(first), putting(second)]
    await phone.online()
    await arrived(second, 2)
    assert len(puts[0] + puts[1]) == len(set(puts[0] + puts[1])) == 2
    assert sorted(found.facts for found in await filed(it)) == ["一户断水", "两户断水"]


async def test_what_the_server_refuses_stays_in_red_with_its_sentence_and_is_sent_again(browsers):
    it, phone, page = await at_work(browsers)
    await raw("DELETE FROM visit_member WHERE visit = $1 AND person = $2", it.visit, it.inspector.person)
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await fill(page, "泵房无人值守")
    await hand(page)
    await phone.go("/queue")
    red = page.locator(".entry.red")
    await expect(red.locator(".reason").first).to_contain_text("找不到，或不在您的查看范围内")
    async with page.expect_download() as saving:
        await red.get_by_role("button", name="照片存到手机").click()
    assert (await (await saving.value).path()).read_bytes()[:2] in (b"\xff\xd8", b"\x89P")
    await red.get_by_role("button", name="修改").click()
    await expect(page.locator(".thumbs img")).to_have_count(1)
    await page.fill("[name=facts]", "泵房夜间无人值守")
    await raw(
        "INSERT INTO visit_member (id, visit, person, lead) VALUES ($1, $2, $3, false)",
        make.uuid7(), it.visit, it.inspector.person,
    )  # fmt: skip
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    assert [(one.facts, one.arrived) for one in await filed(it)] == [("泵房夜间无人值守", 1)]


async def test_after_the_session_ended_it_waits_for_a_sign_in_and_goes_on(browsers):
    it, phone, page = await at_work(browsers)
    await phone.offline()
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await fill(page, "台账缺失")
    await hand(page)
    await phone.go("/queue")
    await raw("UPDATE session SET ends_at = $1", clock.now())
    await phone.online()
    await expect(page.locator("[data-waits]")).to_contain_text("登录已过期")
    await page.locator(".strips a").click()
    await page.fill("[name=password]", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_url(lambda url: "sign-in" not in url)
    await phone.go("/queue")
    await arrived(page, 1)
    assert [one.arrived for one in await filed(it)] == [1]


async def test_from_the_gallery_a_photo_says_so_and_claims_no_place(browsers, tmp_path):
    it, phone, page = await at_work(browsers)
    heic = tmp_path / "IMG_1.heic"
    heic.write_bytes(HEIC[:40] + bytes(3000))
    await new_form(phone, it)
    await page.set_input_files("[data-gallery]", [large_photo(tmp_path), heic])
    await expect(page.locator(".thumbs .from")).to_have_count(2)
    await expect(page.get_by_role("alert")).to_contain_text("这台手机打不开这张照片")
    await fill(page, "收据复印件")
    await expect(page.locator("[data-hand]")).to_be_disabled()
    await page.get_by_role("button", name="移除照片 2").click()
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    [found] = await filed(it)
    [file] = found.evidence
    assert (file.source, file.media_type, file.lat, file.captured_at) == ("gallery", "image/jpeg", None, None)


async def test_a_phone_that_opens_no_heic_makes_a_jpeg_of_it_when_its_reader_can_be_fetched(browsers, tmp_path):
    it, phone, page = await at_work(browsers)
    heic = tmp_path / "IMG_2.heic"
    heic.write_bytes(HEIC)
    await new_form(phone, it)
    await phone.offline()
    await page.set_input_files("[data-gallery]", heic)
    await expect(page.locator(".photos [role=status]", has_text="HEIC")).to_contain_text("有信号后再转换")
    await fill(page, "收据复印件")
    await expect(page.locator("[data-hand]")).to_be_disabled()
    await phone.online()
    await expect(page.locator(".thumbs small")).to_contain_text("已由 HEIC 转为 JPEG")
    await page.locator(".thumbs .open").click()
    assert await page.locator(".whole img").evaluate("(it) => it.decode().then(() => it.naturalWidth)") == 96
    await page.get_by_role("button", name="关闭").click()
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    [found] = await filed(it)
    assert [(file.source, file.media_type, file.state) for file in found.evidence][0][:2] == ("gallery", "image/jpeg")


async def test_a_smaller_photo_is_sent_where_the_person_wants_to_save_data(browsers, tmp_path):
    it, phone, page = await at_work(browsers)
    await phone.go("/queue")
    await page.check("[name=smaller]")
    await new_form(phone, it)
    await page.set_input_files("[data-gallery]", large_photo(tmp_path))
    await expect(page.locator(".thumbs small")).to_contain_text("已缩小")
    await fill(page, "收据复印件")
    await page.locator(".thumbs .open").click()
    assert await page.locator(".whole img").evaluate("(it) => it.decode().then(() => it.naturalWidth)") == 2048
    await page.get_by_role("button", name="关闭").click()
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    assert [one.arrived for one in await filed(it)] == [1]


async def test_a_phone_whose_clock_is_wrong_files_all_the_same_and_says_so(browsers):
    it = await make.cast()
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    page = await phone.open()
    await page.clock.set_system_time(clock.now() - timedelta(hours=2))
    await phone.sign_in(it.inspector)
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await fill(page, "井盖缺失")
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    await expect(page.locator("[data-clock]")).to_contain_text("慢 120 分钟")
    [found] = await filed(it)
    [photo] = found.evidence
    assert abs(found.received_at - found.found_at - timedelta(hours=2)) < timedelta(minutes=2)
    assert photo.not_before <= photo.declared_at and photo.token_state == "good"


async def test_a_discarded_form_can_be_taken_back(browsers):
    it, phone, page = await at_work(browsers)
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await page.fill("[name=facts]", "路灯不亮")
    await page.locator("details summary").click()
    await page.get_by_role("button", name="放弃").click()
    await page.locator("dialog.ask").get_by_role("button", name="放弃").click()
    await page.wait_for_url(lambda url: "/findings/" not in url)  # the form goes away by itself
    await phone.go("/queue")
    await page.get_by_role("button", name="撤销").click()
    await page.locator("[data-draft]").click()
    await expect(page.locator("[name=facts]")).to_have_value("路灯不亮")
    await expect(page.locator(".thumbs img")).to_have_count(1)


async def test_without_a_camera_there_are_two_other_ways(browsers, tmp_path):
    it = await make.cast()
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    await phone.context.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    )
    page = await phone.sign_in(it.inspector)
    await phone.go(f"/visits/{it.visit}/findings/new")
    told = page.locator(".camera [role=alert]")
    await expect(told).to_contain_text("没有相机权限")
    await told.locator("input[multiple]").set_input_files(large_photo(tmp_path))
    await expect(page.locator(".thumbs img")).to_have_count(1)
    await expect(page.locator(".camera")).to_have_count(0)


async def test_a_full_phone_says_that_a_photo_was_not_kept_and_keeps_the_others(browsers, tmp_path):
    it = await make.cast()
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    browser = await phone.context.new_cdp_session(await phone.context.new_page())
    # Before the app writes: what Chromium has granted once holds for a while.
    room = {"origin": phone.address, "quotaSize": 6_000_000}
    await browser.send("Storage.overrideQuotaForOrigin", room)
    page = await phone.sign_in(it.inspector)
    await new_form(phone, it)
    photo = large_photo(tmp_path)
    await page.set_input_files("[data-gallery]", photo)
    await expect(page.locator(".thumbs img")).to_have_count(1)
    await page.set_input_files("[data-gallery]", [photo, photo])
    await expect(page.get_by_role("alert").filter(has_text="这张照片没有保存")).to_be_visible()
    await fill(page, "水窖无盖板")
    kept = await page.locator(".thumbs img").count()  # not at the alert: the last thumbnail may still be drawn then
    assert 1 <= kept < 3
    await hand(page)
    await phone.go("/queue")
    await arrived(page, 1)
    assert [(one.declared, one.arrived) for one in await filed(it)] == [(kept, kept)]


async def test_photos_wait_for_wifi_when_the_person_wants_it_and_the_record_does_not(browsers):
    it, phone, page = await at_work(browsers)
    await phone.go("/queue")
    await page.check("[name=wifi]")
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await fill(page, "路面塌陷")
    await hand(page)
    await phone.go("/queue")
    await expect(page.locator("[data-waits]")).to_contain_text("照片等 Wi-Fi")
    assert [(one.declared, one.arrived) for one in await filed(it)] == [(1, 0)]
    await page.get_by_role("button", name="现在是 Wi-Fi").click()
    await arrived(page, 1)
