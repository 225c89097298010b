"""Door: `./duban screens`: pictures of every phone screen at 390 × 844, from the demo story, into docs/screens."""

import io
import json
import os
import shutil
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from backend import checks, embedded, screen_build, up
from backend.settings import ROOT, Settings
from backend.supervisor import Supervisor, Trouble, alone, interruptible, reap, say, undisturbed

FOLDER = ROOT / "docs/screens"
COLOURS = 96  # a screen has few; more only makes the files larger
AWAY = {"latitude": 0.012, "longitude": 0.004}  # degrees from the target: 1.4 km, outside its radius


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture. `path` names things of the demo in braces; `press` is done first, `after` when it is taken.

    Pressed are buttons by their words, or what a selector means (`.…`, `[…`); a pair fills in a field.
    """

    name: str
    title: str
    person: str
    path: str
    press: tuple[str | tuple[str, str], ...] = ()
    look: str = "light"  # or dark, or large: letters at 200 %
    after: tuple[str | tuple[str, str], ...] = ()
    signal: bool = True


SHOTS = (
    Shot("sign-in", "登录", "", "/sign-in"),
    Shot("today-inspector", "今日：督查员", "wang.inspector", "/today"),
    Shot("today-unit", "今日：责任单位", "zhao.handler", "/today"),
    Shot("today-unit-dark", "今日：深色", "zhao.handler", "/today", look="dark"),
    Shot("today-unit-large", "今日：字号 200%", "zhao.handler", "/today", look="large"),
    Shot("visit", "检查：未到达", "wang.inspector", "/visits/{visit}"),
    Shot("visit-dark", "检查：深色", "wang.inspector", "/visits/{visit}", look="dark"),
    Shot("arrival-outside", "到达记录：在范围以外", "wang.inspector", "/visits/{visit}", ("到达记录",)),
    Shot("visit-arrived", "检查：已到达", "liu.lead", "/visits/{arrived}"),
    Shot("visit-large", "检查：字号 200%", "liu.lead", "/visits/{arrived}", look="large"),
    Shot("checklist", "检查表：作答", "wang.inspector", "/visits/{visit}/checklists/{checklist}?q=S3"),
    Shot("checklist-overview", "检查表：全部问题", "wang.inspector", "/visits/{arrived}/checklists/{begun}?q="),
    Shot(
        "checklist-failing",
        "检查表：不符合",
        "wang.inspector",
        "/visits/{visit}/checklists/{checklist}?q=S1",
        ("不符合",),
    ),
    Shot(
        "checklist-large",
        "检查表：字号 200%",
        "liu.lead",
        "/visits/{visit}/checklists/{checklist}?q=S3",
        look="large",
    ),
    Shot("finding", "登记问题", "wang.inspector", "/visits/{arrived}/findings/new"),
    Shot(
        "finding-form",
        "登记问题：没有信号",
        "wang.inspector",
        "/visits/{arrived}/findings/new",
        (
            ".shutter",
            ".camera .thumb img",
            ".done",
            "饮水安全",
            ("[name=facts]", "饮水管网冻裂，三户无水。"),
            "采用",
            "选择农户",
            "[data-household] .line",
        ),
        after=("[data-hand]",),
        signal=False,
    ),
    Shot(
        "finding-household",
        "登记问题：选择农户",
        "wang.inspector",
        "/visits/{arrived}/findings/new",
        (".camera header .over", "选择农户"),
        signal=False,
    ),
    Shot("queue-waiting", "待传：等信号", "wang.inspector", "/queue", signal=False),
    Shot("queue", "待传：已送达", "wang.inspector", "/queue", ("[data-sent]",)),
    Shot("items", "整改", "zhao.handler", "/items"),
    Shot("item", "整改事项", "zhao.handler", "/items/{item}"),
    Shot("item-dark", "整改事项：深色", "zhao.handler", "/items/{item}", look="dark"),
    Shot("item-large", "整改事项：字号 200%", "zhao.handler", "/items/{item}", look="large"),
    Shot("hand-in", "申请销号", "zhao.handler", "/items/{item}/hand-in"),
    Shot("inbox", "消息", "zhao.handler", "/inbox"),
    Shot("notices", "提醒设置", "zhao.handler", "/me/notices"),
    Shot("me", "我的", "zhao.handler", "/me"),
    Shot("sessions", "登录的设备", "zhao.handler", "/me/sessions"),
    Shot("feedback", "投诉建议", "zhao.handler", "/feedback"),
    Shot("lead", "领导", "chen.viewer", "/lead"),
    Shot("lead-dark", "督查办负责人：总览", "wu.leader", "/lead", look="dark"),
    Shot("months", "每月检查", "chen.viewer", "/months"),
    Shot("item-household", "整改事项：查看农户完整信息", "wu.leader", "/items/{about}", ("查看完整信息",)),
    Shot("decisions", "主任：待我处理", "wu.leader", "/items"),
    Shot("signed-paper", "复核销号：案卷在上", "wu.leader", "/items/{decided}/closure", (".in-view .desk",)),
    Shot("paper", "一案一档", "wu.leader", "/items/{decided}", ("查看一案一档", ".paper-sheet [aria-label=放大]")),
)


def run(settings: Settings, only: list[str]) -> int:
    """Takes them all anew, or those whose names begin like one of `only`. Raises Trouble."""
    wanted = [shot for shot in SHOTS if not only or shot.name.startswith(tuple(only))]
    checks.find_chromium()
    browser = next((path for name in checks.CHROMIUM if (path := shutil.which(name))), os.environ.get("DUBAN_CHROMIUM"))
    if browser is None:
        raise Trouble("没有 Chromium，拍不了屏幕。")
    screen_build.ensure()
    with story(settings) as (address, logins):
        if not only:
            shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(exist_ok=True)
        take(address, logins, browser, wanted)
    (FOLDER / "README.md").write_text(listing())
    say(f"已拍 {len(wanted)} 张，在 {FOLDER.relative_to(ROOT)}。")
    return 0


def listing() -> str:
    """The page that shows them, three in a row."""
    rows = [SHOTS[start : start + 3] for start in range(0, len(SHOTS), 3)]
    lines = ["# Screens of the phone app", "", "Taken from the demo story by `./duban screens`, at 390 × 844.", ""]
    for row in rows:
        lines += ["| " + " | ".join(shot.title for shot in row) + " |", "|" + "---|" * len(row)]
        lines += ["| " + " | ".join(f"![{shot.title}]({shot.name}.png)" for shot in row) + " |", ""]
    return "\n".join(lines)


@contextmanager
def story(settings: Settings) -> Iterator[tuple[str, dict[str, str]]]:
    """A Duban of its own with the demo story: its address and the passwords."""
    own = replace(up.elsewhere(settings, "screens"), port=_free_port())
    os.environ["DUBAN_PORT"] = str(own.port)
    shutil.rmtree(own.var, ignore_errors=True)
    supervisor = Supervisor(own.var)
    with interruptible(), alone(own.var, "拍屏幕"):
        try:
            reap(own.var)
            embedded.start_services(own, supervisor)
            if supervisor.run(up.ourselves(own, "prepare", "--demo")):
                raise Trouble("演示数据没有装好，原因见上。")
            up.start_doors(own, supervisor)
            yield (
                up.address(own),
                {row["username"]: row["password"] for row in up.demo_logins(own.var / "demo-logins.json")},
            )
        finally:
            with undisturbed():
                supervisor.stop()


def take(address: str, logins: dict[str, str], browser: str, wanted: list[Shot]) -> None:
    from playwright.sync_api import sync_playwright  # of the development lock

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream"], env={**os.environ, "FONTCONFIG_FILE": fonts()},
        )  # fmt: skip
        for person in dict.fromkeys(shot.person for shot in wanted):
            things = _things(address, person, logins[person]) if person else {}
            for look in ("light", "dark", "large"):
                shots = [shot for shot in wanted if (shot.person, shot.look) == (person, look)]
                if shots:
                    _take(chromium, address, shots, things, logins.get(person, ""))
        chromium.close()


def _take(chromium: Any, address: str, shots: list[Shot], things: dict[str, Any], password: str) -> None:
    """All pictures of one person in one look, on one phone."""
    place = {name: things["target"][name] + AWAY[name] for name in AWAY} if things.get("target") else None
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="zh-CN",
        timezone_id="Asia/Shanghai", color_scheme="dark" if shots[0].look == "dark" else "light",
        permissions=["geolocation", "camera"], geolocation=place and {**place, "accuracy": 14},
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{address}/phone/")
    if shots[0].person:
        page.fill("[name=username]", shots[0].person)
        page.fill("[name=password]", password)
        page.click("button.primary")
        page.wait_for_url(lambda url: "/sign-in" not in url)
    signal = True
    for shot in shots:
        path = shot.path.format(**things)
        page.goto(f"{address}/phone/#{path}")
        page.wait_for_load_state("networkidle")
        if signal != shot.signal:
            context.set_offline(not shot.signal)
            signal = shot.signal
        _press(page, shot.press)
        if shot.look == "large":
            page.evaluate("document.documentElement.style.fontSize = '32px'")
        page.wait_for_timeout(700)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{shot.name}.png", optimize=True)
        say(f"  {shot.name}.png")
        _press(page, shot.after)
    context.close()


def _press(page: Any, steps: tuple[str | tuple[str, str], ...]) -> None:
    for step in steps:
        if isinstance(step, tuple):
            page.fill(*step)
        elif step[0] in ".[":
            page.locator(step).first.click()
        else:
            page.get_by_role("button", name=step).first.click()


def _things(address: str, person: str, password: str) -> dict[str, Any]:
    """What the braces in the paths stand for: what this person has before them in the demo."""
    token = _ask(address, "/api/sessions", {"username": person, "password": password})["token"]
    today = _ask(address, "/api/phone/today", token=token)
    visits = [one["visit"] for one in today["assignments"]]
    asked = {one["visit"]["id"]: one["checklists"] for one in today["assignments"]}
    waiting = next((visit for visit in visits if not visit["arrivals"]), None)
    arrived = next((visit for visit in visits if visit["arrivals"]), None)
    items = today["rectifications"]["items"]
    rows = _ask(address, "/api/rectifications?limit=100", token=token)["items"]
    decisions = _ask(address, "/api/decisions", token=token)["items"]
    return {
        "visit": waiting and waiting["id"],
        "arrived": arrived and arrived["id"],
        "checklist": waiting and asked[waiting["id"]][-1]["version"],
        "begun": arrived and asked[arrived["id"]][0]["version"],
        "target": waiting and {"latitude": waiting["lat"], "longitude": waiting["lng"]},
        "item": items[0]["id"] if items else None,
        "decided": next((one["item"]["id"] for one in decisions if "close_out" in one["verbs"]), None),
        "about": next((row["id"] for row in rows if row["household"]), None),
    }


def _ask(address: str, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address + path, data, headers), timeout=20) as answer:
        return json.load(answer)


def fonts() -> str:
    """A font configuration with the Chinese letters that come with us: a bare machine has none, and draws boxes."""
    import pylopdf_fonts_zh_cn

    folder = Path(tempfile.mkdtemp(prefix="duban-fonts-"))
    letters = pylopdf_fonts_zh_cn.sans_path().parent
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts</dir><dir>{letters}</dir><cachedir>{folder}/cache</cachedir>"
        "<alias><family>sans-serif</family><prefer><family>Noto Sans SC</family></prefer></alias></fontconfig>"
    )
    return str(folder / "fonts.conf")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
