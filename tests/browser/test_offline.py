"""The phone app from the first load on: without a signal, across an update, and when the sign-in ends."""

import re

from playwright.async_api import expect

from tests import make


async def test_after_the_first_load_it_opens_without_a_signal(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    page = await phone.sign_in(it.inspector)
    await expect(page.locator(".visit")).to_contain_text("腰站村")
    await phone.offline()
    await page.reload()
    await expect(page.locator(".visit")).to_contain_text("腰站村")
    await expect(page.get_by_text("截至", exact=False)).to_be_visible()
    await expect(page.locator(".top [role=status]")).to_have_text(re.compile("无信号"))
    await phone.kill()
    page = await phone.open()
    await expect(page.locator(".visit")).to_contain_text("腰站村")
