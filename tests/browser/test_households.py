"""Households on the phone: picked without a signal, shown masked, read whole only for a reason that is recorded."""

from typing import Any
from uuid import UUID

from playwright.async_api import Page, expect

from backend.columns import uuid7
from backend.db import raw
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Relation
from backend.roles import Actor
from tasks.rectifications import concerning
from tests import make
from tests.browser.chromium import Browsers, Phone
from tests.browser.test_filing import AT_THE_PLACE, arrived, filed, fill, hand, new_form, shoot
from tests.waiting import eventually

HEAD, SPOUSE, PHONE = "佟守义", "佟桂兰", "13904130077"


async def signed_in(browsers: Browsers, person: Actor) -> tuple[Phone, Page]:
    """At the place, with the households copied."""
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    page = await phone.open()
    async with page.expect_response("**/api/phone/households*"):
        await phone.sign_in(person)
    await page.wait_for_load_state("networkidle")
    await page.wait_for_timeout(300)  # of what came last nothing on the page says that it is stored
    return phone, page


async def pick(page: Page, asked: str, found: str) -> None:
    field = page.locator("[data-household]")
    await field.get_by_role("button", name="选择农户").click()
    await field.get_by_role("searchbox").fill(asked)
    await field.locator("dialog .line", has_text=found).click()


async def everything_kept(page: Page) -> str:
    """What lies in the phone's database, as it lies there."""
    return await page.evaluate("""async () => {
        const open = indexedDB.open('duban')
        const db = await new Promise((done) => (open.onsuccess = () => done(open.result)))
        const all = []
        for (const name of db.objectStoreNames) {
            const rows = db.transaction(name).objectStore(name).getAll()
            all.push(...await new Promise((done) => (rows.onsuccess = () => done(rows.result))))
        }
        const text = (it) => it instanceof ArrayBuffer ? new TextDecoder('latin1').decode(it) : it
        return JSON.stringify(all, (_, it) => ArrayBuffer.isView(it) ? new TextDecoder().decode(it) : text(it))
    }""")


async def test_a_household_is_picked_without_a_signal_and_the_item_concerns_it(browsers):
    it: Any = await make.cast()
    household, spouse = await make.household(it, head_name=HEAD, phone=PHONE), uuid7()
    said = {"name": SPOUSE, "relation": Relation.spouse, "id_number": None}
    await households.add_person(household, it.staff, nothing, id=spouse, **said)
    await make.household(it, household_number="0099", head_name="关永福")
    phone, page = await signed_in(browsers, it.inspector)
    await phone.offline()
    await new_form(phone, it, camera=True)
    await shoot(page, 1)
    await fill(page, "户内水管冻裂，断水三天。")
    field = page.locator("[data-household]")
    await expect(field).to_contain_text("不涉及农户")
    await pick(page, "关永福", "户编号 0099")
    await expect(field.locator(".chosen")).to_contain_text("关*福")
    await field.get_by_role("button", name="清除").click()
    await expect(field).to_contain_text("不涉及农户")
    await pick(page, HEAD, "户编号 0012")  # by the whole name, which the phone does not know
    await expect(field.locator(".chosen")).to_contain_text("佟*义")
    await field.get_by_role("button", name="佟*兰 配偶").click()
    await page.locator("[name=danger_to_life]").check()
    await expect(page.locator("[data-saved=true]")).to_contain_text("已存在本机")

    await phone.kill()  # the draft keeps it
    page = await phone.open("/queue")
    await page.locator("[data-draft]").click()
    await expect(page.locator("[data-household] .chosen")).to_contain_text("佟*义")
    await hand(page)
    await phone.go("/queue")
    await phone.online()
    await arrived(page, 1)
    [found] = await filed(it)
    assert (found.household, found.person_concerned) == (household, spouse)
    assert (found.region, found.danger_to_life) == (make.YAOZHAN, True)
    assert await concerned(found.id) == household
    lying = await everything_kept(page)
    assert lying and not [word for word in (HEAD, "佟*义", SPOUSE, "佟*兰", PHONE) if word in lying]


async def test_what_was_picked_and_is_out_of_sight_by_now_is_refused_and_can_be_picked_anew(browsers):
    it: Any = await make.cast()
    household = await make.household(it)
    phone, page = await signed_in(browsers, it.inspector)
    await phone.offline()
    await new_form(phone, it)
    await fill(page, "户内断水。", reason="入户时主人不同意拍照。")
    await pick(page, "0012", "户编号 0012")
    await hand(page)
    await raw("UPDATE household SET prefecture = NULL, county = $2 WHERE id = $1", household, make.QINGYUAN)
    await phone.go("/queue")
    await phone.online()
    await expect(page.get_by_text("没有这一户", exact=False)).to_be_visible()
    assert await filed(it) == []


async def test_the_item_shows_it_masked_and_whole_only_for_a_reason_that_is_recorded(browsers):
    it: Any = await make.cast()
    household = await make.household(it, head_name=HEAD, phone=PHONE)
    item = await make.rectification(it)
    await concerning.concern(item, it.staff, household)
    phone, page = await signed_in(browsers, it.inspector)
    await phone.go(f"/items/{item}")
    shown = page.locator(".item [data-household]")
    await expect(shown).to_contain_text("佟*义")
    await shown.get_by_role("button", name="查看完整信息").click()
    view = shown.get_by_role("button", name="记录并查看")
    await expect(view).to_be_disabled()
    await shown.get_by_label("入户核查").check()
    await shown.locator("[name=view-text]").fill(f"核对{HEAD}家水管")
    await view.click()
    await expect(shown.get_by_role("alert")).to_have_text("事由里不要写姓名、证件号、电话或卡号。")
    assert await views(household) == []
    await shown.locator("[name=view-text]").fill("核对户内水管修复情况")
    await view.click()
    await expect(shown.locator("[data-whole]")).to_contain_text(HEAD)
    await expect(shown.locator("[data-whole]")).to_contain_text(PHONE)
    assert await views(household) == [(it.inspector.person, "visit", "核对户内水管修复情况")]
    await shown.get_by_role("button", name="关闭").click()
    await expect(page.get_by_text(PHONE)).to_have_count(0)
    await shown.get_by_role("link", name="看本户的事项").click()
    await expect(page.get_by_text("只看一户的事项")).to_be_visible()
    await expect(page.locator(".item-line")).to_have_count(1)


async def test_a_unit_reads_it_masked_also_without_a_signal(browsers):
    it: Any = await make.cast()
    household = await make.household(it, head_name=HEAD, phone=PHONE)
    item = await make.rectification(it)
    await concerning.concern(item, it.staff, household)
    phone, page = await signed_in(browsers, it.handler)
    await phone.offline()
    await phone.go(f"/items/{item}")
    shown = page.locator(".item [data-household]")
    await expect(shown).to_contain_text("佟*义")  # never opened before: from the copy
    await expect(shown.get_by_role("button", name="查看完整信息")).to_have_count(0)
    await phone.online()
    await page.reload()
    await expect(shown).to_contain_text("本户事项 1 件")
    await expect(shown.get_by_role("button", name="查看完整信息")).to_have_count(0)


async def views(household: UUID) -> list[tuple[Any, ...]]:
    rows = await raw("SELECT by, reason_code, reason FROM household_view WHERE household = $1", household)
    return [tuple(row) for row in rows]


async def concerned(finding: UUID) -> UUID | None:
    """The household of the finding's item, which the worker makes within seconds."""
    items = await eventually(lambda: raw("SELECT household FROM rectification WHERE finding = $1", finding))
    return items[0]["household"]
