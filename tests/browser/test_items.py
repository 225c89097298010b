"""Units, reviewers and leaders on the phone: an item from its notice to the second key, and what goes wrong."""

import asyncio
import json
import re
from itertools import pairwise
from typing import Any
from uuid import UUID

from playwright.async_api import CDPSession, Page, expect

from backend import clock
from backend.db import raw
from backend.roles import Actor, Role
from tasks.monthly import jobs
from tasks.rectifications.item import Status
from tests import make, monthly_make
from tests.browser.chromium import Browsers, Phone
from tests.waiting import PATIENCE, eventually

AT_THE_PLACE = {"latitude": make.TARGET[0], "longitude": make.TARGET[1], "accuracy": 9.0}


async def signed_in(browsers: Browsers, person: Actor, path: str) -> tuple[Phone, Page]:
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    return phone, await phone.sign_in(person, path)


async def submit(page: Page) -> None:
    await page.locator(".act .button.primary").click()


async def standing(id: UUID) -> str:
    return (await make.row(id))["status"]


async def told(person: Actor) -> None:
    """The worker has written a notice: an open inbox asks again only after a while."""
    await eventually(lambda: raw("SELECT 1 FROM notice WHERE person = $1", person.person))


class Work:
    """Processor seconds that a page has taken: what else runs on the machine of a test does not count."""

    def __init__(self, line: CDPSession) -> None:
        self.line = line

    @classmethod
    async def of(cls, page: Page) -> "Work":
        line = await page.context.new_cdp_session(page)
        await line.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(line)

    async def spent(self) -> float:
        told = (await self.line.send("Performance.getMetrics"))["metrics"]
        return next(one["value"] for one in told if one["name"] == "TaskDuration")


async def photo(page: Page, number: int) -> None:
    """From the gallery, as a phone hands it over."""
    file: Any = {"name": f"after{number}.jpg", "mimeType": "image/jpeg", "buffer": make.photo(number, size=(640, 480))}
    await page.locator("[data-gallery]").first.set_input_files(file)
    await expect(page.locator(".photos .thumbs li")).to_have_count(1)


async def test_a_unit_works_an_item_off_from_the_notice_to_the_hand_in(browsers):
    it = await make.cast()
    id = await make.rectification(it)
    await told(it.handler)
    _, page = await signed_in(browsers, it.handler, "/inbox")
    notice = page.locator(".notice-line", has_text="新交办整改事项")
    await expect(notice).to_be_visible()
    await notice.locator("a").click()
    await expect(page.locator(".facts")).to_have_text("饮水管网冻裂，三户无水。")
    await page.get_by_role("link", name="签收", exact=True).click()
    await expect(page.locator("[data-field=responsible_person] input")).to_have_value("经办赵")
    await page.fill("[data-field=responsible_person] input", "赵明")
    await submit(page)
    await expect(page.get_by_text("已签收")).to_be_visible()
    assert await standing(id) == "working"

    await page.get_by_role("link", name="申请销号", exact=True).click()
    await submit(page)
    await expect(page.get_by_role("alert")).to_have_text("要有整改后照片。")
    await photo(page, 7)
    await submit(page)
    await expect(page.get_by_role("alert")).to_have_text("要写明情况。")
    await page.fill("[data-field=note] textarea", "管网已修复，三户恢复供水。")
    await page.fill("[data-field=confirmed_by] input", "钱局长")
    await submit(page)
    await expect(page.locator(".item .tag", has_text="待初审").first).to_be_visible()
    [handed] = await raw("SELECT * FROM hand_in WHERE rectification = $1", id)
    assert (handed["note"], handed["confirmed_by"]) == ("管网已修复，三户恢复供水。", "钱局长")
    assert len(await make.happened(id, "acknowledged")) == len(await make.happened(id, "handed_in")) == 1
    await expect(page.get_by_role("button", name="整改后 1/1")).to_be_visible()
    await expect(page.locator(".photo-strip img").last).to_be_visible()  # drawn by the worker


async def test_it_is_sent_back_in_words_and_a_leader_turns_the_second_key(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.handed_in)
    _, reviewer = await signed_in(browsers, it.reviewer, f"/items/{id}")
    await reviewer.get_by_role("link", name="退回", exact=True).click()
    await submit(reviewer)
    await expect(reviewer.get_by_role("alert")).to_have_text("要选退回原因。")
    await reviewer.get_by_label("整改不到位").check()
    await reviewer.fill("[data-field=note] textarea", "还有一户无水，请补拍照片。")
    await submit(reviewer)
    await expect(reviewer.get_by_text("已退回")).to_be_visible()
    assert await standing(id) == "working" and (await make.row(id))["returned"] == 1

    _, unit = await signed_in(browsers, it.handler, f"/items/{id}")
    came = unit.locator(".came", has_text="退回原因")
    await expect(came).to_contain_text("整改不到位")
    await expect(came).to_contain_text("还有一户无水，请补拍照片。")
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    await make.checked(it, id)  # what was returned is looked at on site

    _, leader = await signed_in(browsers, it.boss, "/lead")
    await leader.locator(".lines .item-line").first.click()
    await leader.get_by_role("link", name="复核销号", exact=True).click()
    await expect(leader.get_by_text("资料齐全。")).to_be_visible()  # what the first review said stands beside it
    await leader.fill("[data-field=opinion] textarea", "同意销号。")
    await submit(leader)
    await expect(leader.get_by_text("已复核销号")).to_be_visible()
    assert await standing(id) == "closed" and len(await make.happened(id, "closed")) == 1


async def test_who_comes_too_late_is_told_and_keeps_what_was_typed(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    _, page = await signed_in(browsers, it.boss, f"/items/{id}/closure")
    await page.fill("[data-field=opinion] textarea", "同意销号，请抓好后续。")
    await make.send_back(it.reviewer, id)
    await submit(page)
    await expect(page.get_by_role("alert")).to_contain_text("别人刚刚处理过这个事项")
    await expect(page.locator("[data-field=opinion] textarea")).to_have_value("同意销号，请抓好后续。")
    assert await standing(id) == "working" and await make.happened(id, "closed") == []
    await page.get_by_role("link", name="看最新情况").click()
    await expect(page.locator(".item .tag", has_text="整改中").first).to_be_visible()


async def test_a_phone_without_any_room_says_so_where_it_is_typed_and_keeps_the_text_once_there_is(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    phone, page = await signed_in(browsers, it.handler, "/today")
    await page.clock.install()
    await phone.go(f"/items/{id}/report")
    text = page.locator("[data-field=note] textarea")
    await expect(text).to_be_visible()
    # As Chromium says it on a disk that is full to the last byte.
    await page.evaluate("""() => { window.kept = IDBObjectStore.prototype.put
        const said = new DOMException('Failed to write blobs (IOError)', 'DataError')
        IDBObjectStore.prototype.put = () => { throw said } }""")
    await text.fill("管网已修复。")
    refused = page.get_by_role("alert").filter(has_text="手机存储空间不足")

    async def a_while_later() -> int:
        await page.clock.fast_forward(3_000)
        return await refused.count()

    await eventually(a_while_later)
    await expect(refused).to_be_in_viewport()
    await page.evaluate("() => { IDBObjectStore.prototype.put = window.kept }")
    await eventually(a_while_later, lambda count: not count)
    await expect(page.get_by_text("已存在本机")).to_be_visible()


async def test_lists_and_items_open_without_a_signal_and_a_report_arrives_once(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    phone, page = await signed_in(browsers, it.handler, "/items?tab=all")
    await page.locator(".item-line").click()
    await expect(page.locator(".item .facts")).to_be_visible()  # of the item: the line in the list has some, too
    await phone.offline()
    await page.reload()
    await expect(page.locator(".item .facts")).to_have_text("饮水管网冻裂，三户无水。")
    await expect(page.get_by_text("截至", exact=False).first).to_be_visible()
    await phone.go("/items?tab=all")
    await expect(page.locator(".item-line")).to_have_count(1)
    await page.get_by_role("searchbox").fill("没有这个词")
    await expect(page.get_by_text("手机里存的清单中没有", exact=False)).to_be_visible()

    await phone.go(f"/items/{id}/report")
    await page.fill("[data-field=note] textarea", "材料已进场。")
    await expect(page.get_by_text("已存在本机", exact=False)).to_be_visible()
    await phone.kill()
    page = await phone.open(f"/items/{id}/report")
    await expect(page.locator("[data-field=note] textarea")).to_have_value("材料已进场。")
    await submit(page)
    await expect(page.get_by_text("已存在手机里", exact=False).first).to_be_visible()
    assert await make.happened(id, "reported") == []
    await phone.online()
    await expect(page.locator(".item .said", has_text="材料已进场。")).to_be_visible()
    assert len(await make.happened(id, "reported")) == 1


async def test_what_is_still_needed_is_said_before_anybody_tries(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working, listed=True)
    await make.measure(it.handler, id)
    _, page = await signed_in(browsers, it.handler, f"/items/{id}")
    await expect(page.locator(".need")).to_have_text("还需：还有 1 项措施未完成")
    await page.get_by_role("link", name="申请销号", exact=True).click()
    await expect(page.get_by_role("button", name="提交：申请销号")).to_be_disabled()
    await page.go_back()
    await page.get_by_role("link", name="完成措施", exact=True).click()
    await page.fill("[data-field=note] textarea", "已更换。")
    await submit(page)
    await expect(page.get_by_text("已完成措施")).to_be_visible()
    await expect(page.locator(".need")).to_have_count(0)


async def test_a_thousand_items_scroll_with_few_lines_in_the_page(browsers, record_property):
    it = await make.cast()
    await make.rectification(it)
    columns = await raw(
        "SELECT string_agg(quote_ident(column_name), ', ') AS names FROM information_schema.columns "
        "WHERE table_name = 'rectification' AND is_generated = 'NEVER' AND column_name <> ALL('{id,number,finding}')"
    )
    names = columns[0]["names"]
    await raw(
        f"INSERT INTO rectification (id, number, {names}) SELECT gen_random_uuid(), 'Z-' || lpad(n::text, 4, '0'), "
        f"{names} FROM rectification, generate_series(1, 999) AS n"
    )
    await raw(
        "INSERT INTO rectification_unit (id, rectification, unit, role, status) SELECT gen_random_uuid(), it.id, $1, "
        "'responsible', 'issued' FROM rectification AS it WHERE finding IS NULL",
        it.responsible,
    )
    _, page = await signed_in(browsers, it.handler, "/items?tab=all")
    await expect(page.locator(".item-line").first).to_be_visible()
    last = page.locator(".virtual li[aria-posinset='1000']")
    work = await Work.of(page)
    spent = [await work.spent()]

    async def scrolled() -> int:
        await page.evaluate("() => window.scrollBy(0, 2400)")
        await page.wait_for_timeout(30)
        spent.append(await work.spent())
        return await last.count()

    await eventually(scrolled)
    await expect(last).to_be_visible()
    assert await page.locator(".virtual li").count() < 40
    longest = max(after - before for before, after in pairwise(spent))
    where = await page.evaluate("() => window.scrollY")
    await last.locator("a").click()
    await expect(page.locator(".item .facts")).to_be_visible()
    await page.go_back()
    await expect(last).to_be_visible()
    # Where it was left.
    await eventually(lambda: page.evaluate("() => window.scrollY"), lambda at: abs(at - where) < 300)
    record_property("most work for a step while a thousand items scroll", f"{longest * 1000:.0f} ms")
    assert longest < 0.5  # far more than it takes


async def test_an_item_is_reached_and_handed_on_by_keyboard_alone(browsers):
    it = await make.cast()
    await make.rectification(it)
    _, page = await signed_in(browsers, it.handler, "/items?tab=all")
    await page.locator(".item-line").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="签收", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.locator("[data-field=responsible_person] input").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("赵明")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("已签收")).to_be_visible()


async def test_feedback_is_given_from_any_screen_and_answered(browsers):
    it = await make.cast()
    phone, page = await signed_in(browsers, it.handler, "/items")
    await page.get_by_role("button", name="更多").click()
    await page.get_by_role("link", name="投诉建议").click()
    await expect(page.get_by_text("关于页面：整改")).to_be_visible()
    await page.get_by_label("请写明情况").fill("同样的内容要填两遍。")
    await page.get_by_text("投诉", exact=True).click()
    await page.get_by_role("button", name="提交", exact=True).click()
    await expect(page.locator(".card", has_text="同样的内容要填两遍。")).to_contain_text("待答复")
    [given] = await raw("SELECT * FROM feedback")
    assert (given["kind"], given["page"]) == ("complaint", "/items") and re.fullmatch(r"\w{10}", given["app_version"])

    _, office = await signed_in(browsers, it.staff, "/feedback")
    await office.locator(".card", has_text="同样的内容要填两遍。").click()
    await office.get_by_label("答复内容").fill("下个版本合并。")
    await office.get_by_role("button", name="答复", exact=True).click()
    await expect(office.get_by_text("下个版本合并。")).to_be_visible()
    await told(it.handler)
    await phone.go("/inbox")
    await expect(page.locator(".notice-line", has_text="您的投诉建议有了答复")).to_be_visible()


async def test_a_leader_who_only_reads_sees_numbers_and_no_button(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    viewer = await make.person("市长", Role.leader_viewer, at=await make.unit("市扶贫办", area=make.FUSHUN))
    _, page = await signed_in(browsers, viewer, "/lead")
    await expect(page.locator(".five a").first).to_contain_text("1未销号")
    await page.goto(page.url.split("#")[0] + f"#/items/{id}")
    await expect(page.locator(".facts")).to_be_visible()
    await expect(page.locator(".action")).to_have_count(0)


async def test_a_department_files_its_monthly_check_from_the_cell(browsers):
    town = await monthly_make.fushun(**monthly_make.IN_FORCE)
    await jobs.start_periods()
    month = f"{clock.today():%Y-%m}"
    _, page = await signed_in(browsers, town.reviewer, f"/months/{month}")
    await page.locator("td button").first.click()
    await page.get_by_role("button", name="填报检查记录").click()
    await page.fill("[name=found]", "水表未安装到位。")
    await page.fill("[name=found_count]", "2")
    await page.fill("[name=solved_count]", "3")
    await submit_record(page)
    await expect(page.get_by_role("alert")).to_have_text("当场解决的不能多于发现的。")
    await page.fill("[name=solved_count]", "1")
    await submit_record(page)
    await expect(page.get_by_text("检查记录已送达。")).to_be_visible()
    [filed] = await raw("SELECT * FROM monthly_record")
    assert (filed["found"], filed["found_count"], filed["solved_count"]) == ("水表未安装到位。", 2, 1)
    await expect(page.locator("td button").first).to_have_attribute("aria-label", re.compile("完成，发现问题 2 个"))


async def submit_record(page: Page) -> None:
    await page.locator(".record .button.primary").click()


async def test_a_push_is_shown_and_leads_to_its_item(whole_browsers):
    it = await make.cast()
    id = await make.rectification(it)
    phone = await whole_browsers.phone(rights=("geolocation", "notifications"))
    page = await phone.sign_in(it.handler, "/inbox")
    devtools, found = await phone.context.new_cdp_session(page), asyncio.Queue[str]()
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: [found.put_nowait(one["registrationId"]) for one in told["registrations"]],
    )
    await devtools.send("ServiceWorker.enable")
    told = json.dumps({"title": "新交办整改事项", "body": "ZG-1", "url": f"/phone/#/items/{id}"}, ensure_ascii=False)
    sent = {"origin": phone.address, "registrationId": await asyncio.wait_for(found.get(), PATIENCE), "data": told}
    await devtools.send("ServiceWorker.deliverPushMessage", sent)
    shown = """async () => {
        const worker = await navigator.serviceWorker.ready
        for (let n = 0; n < 50; n++) {
            const [one] = await worker.getNotifications()
            if (one) return [one.title, one.body, one.data]
            await new Promise((done) => setTimeout(done, 100))
        }
    }"""
    assert await page.evaluate(shown) == ["新交办整改事项", "ZG-1", f"/phone/#/items/{id}"]
    await page.evaluate(  # what the worker tells the page when it is tapped: nobody can tap in a headless browser
        "(url) => navigator.serviceWorker.dispatchEvent(new MessageEvent('message', { data: { open: url } }))",
        f"/phone/#/items/{id}",
    )
    await expect(page.locator(".facts")).to_have_text("饮水管网冻裂，三户无水。")
