"""Door: `up` and whatever else needs the embedded services for a while. What they are is in embedded.py."""

import argparse
import errno
import http.client
import json
import os
import socket
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend import embedded, outgoing, screen_build
from backend.settings import ROOT, Settings, load
from backend.supervisor import (
    Program,
    Supervisor,
    Trouble,
    alone,
    interruptible,
    reap,
    say,
    undisturbed,
)

WEB_WITHIN = 30.0  # seconds from start to the first answer
PAGES = (("手机端", "/phone/"), ("桌面端", "/desk/"), ("接口说明", "/schema"), ("是否正常", "/healthz"))


def up(settings: Settings, arguments: list[str]) -> int:
    """Starts what is missing, says where to log in, and stays until Ctrl-C or SIGTERM. Raises Trouble."""
    parser = argparse.ArgumentParser(prog="duban up")
    parser.add_argument("--no-demo", action="store_true", help="空库也不装入演示数据")
    wanted = parser.parse_args(arguments)
    began = time.monotonic()
    supervisor = Supervisor(settings.var)
    with interruptible(), alone(settings.var, address(settings)):
        try:
            reap(settings.var)
            port_is_free(settings)
            if settings.embedded:
                say("正在启动数据库和队列 …")
                embedded.start_services(settings, supervisor)
            say("正在检查数据表和演示数据 …")
            # Never into a database that was given to us: an empty one there is somebody's real beginning.
            demo = settings.embedded and not wanted.no_demo
            if supervisor.run(ourselves(settings, "prepare", *(["--demo"] if demo else []))):
                raise Trouble("数据表没有准备好，原因见上。")
            screen_build.try_to_ensure()
            start_doors(settings, supervisor)
            say(welcome(settings, time.monotonic() - began))
            supervisor.watch()
        except KeyboardInterrupt:
            say("正在停止 …")
        finally:
            with undisturbed():
                supervisor.stop()
    say("已停止。")
    return 0


def start_doors(settings: Settings, supervisor: Supervisor) -> None:
    """Worker first, so that no job meets one that is too old; then web, until it answers. Raises Trouble."""
    log = settings.var / "log"
    log.mkdir(mode=0o700, exist_ok=True)
    supervisor.start(ourselves(settings, "worker", name="后台处理", log=log / "worker.log", patience=3.0))
    web = supervisor.start(ourselves(settings, "web", name="网页服务", log=log / "web.log", patience=4.0))
    supervisor.await_child(web, lambda: status(settings, "/healthz") == 200, WEB_WITHIN)


def ourselves(settings: Settings, *words: str, name: str = "duban", **more: Any) -> Program:
    """A program that is one of our own commands, on the same var."""
    command = (sys.executable, "-m", "backend", *words)
    return Program(name=name, command=command, cwd=ROOT, env={"DUBAN_VAR": str(settings.var)}, **more)


@contextmanager
def services(settings: Settings) -> Iterator[None]:
    """Inside, database and queue are there: those given or of a running `up`, else started for this alone.

    Raises Trouble.
    """
    if not settings.embedded or embedded.postgres_answers(settings.var / "pg"):
        yield
        return
    supervisor = Supervisor(settings.var)
    with interruptible(), alone(settings.var, "一个命令"):
        try:
            reap(settings.var)
            embedded.start_services(settings, supervisor)
            yield
        finally:
            with undisturbed():
                supervisor.stop()


def port_is_free(settings: Settings) -> None:
    """Raises Trouble with a sentence when the web address cannot be had."""
    host, port = settings.host, settings.port
    try:
        family, kind, proto, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind(where)
    except OSError as wrong:
        other = f"或用 DUBAN_PORT 换一个，例如 DUBAN_PORT={port + 1 if port > 1023 else 8000}"
        reasons = {
            errno.EADDRINUSE: f"端口 {port} 已被占用：请停掉占用它的程序，{other}",
            errno.EACCES: f"没有权限使用端口 {port}：请换有权限的用户，{other}",
        }
        text = reasons.get(wrong.errno or 0, f"地址 {host}:{port} 不能用（{wrong}）：请检查 DUBAN_HOST 和 DUBAN_PORT")
        raise Trouble(text + "。") from wrong


def address(settings: Settings) -> str:
    """Where a browser on this machine finds us."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}"


def status(settings: Settings, path: str) -> int:
    """The HTTP status of a page of ours, 0 when nobody answers."""
    line = http.client.HTTPConnection(address(settings).removeprefix("http://"), timeout=3.0)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def welcome(settings: Settings, seconds: float) -> str:
    """The last words of the start: where to go and who to be."""
    lines = [f"督办已启动，用了 {seconds:.1f} 秒。按 Ctrl-C 停止。", ""]
    for label, path in PAGES:
        if 0 < status(settings, path) < 400:
            lines.append(f"  {label}  {address(settings)}{path}")
    lines += ["", f"  {outgoing.told(settings.outgoing)}"]
    if logins := demo_logins(settings.var / "demo-logins.json"):
        lines += ["", "  演示账号（仅供试用）：", *(f"  {row}" for row in table(logins))]
    return "\n".join([*lines, ""])


def demo_logins(path: Path) -> list[dict[str, str]]:
    """The logins the demo story wrote down: a list of flat objects, their values as texts."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    rows = found.get("logins", []) if isinstance(found, dict) else found
    return [{str(k): str(v) for k, v in row.items()} for row in rows if isinstance(row, dict)]


def table(rows: list[dict[str, str]]) -> list[str]:
    """Rows in columns that line up on a terminal, where a Chinese sign is two wide."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    widths = [max(_width(row.get(name, "")) for row in rows) for name in names]
    lines: list[str] = []
    for row in rows:
        cells = (row.get(name, "") for name in names)
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    return lines


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def must_run(settings: Settings) -> None:
    """For commands that are of use only beside the embedded services. Raises Trouble."""
    if settings.embedded and not embedded.postgres_answers(settings.var / "pg"):
        raise Trouble("数据库没有运行：请先在另一个窗口运行 ./duban up。")


def elsewhere(settings: Settings, name: str) -> Settings:
    """The same settings on a var/ below this one."""
    return load({**os.environ, "DUBAN_VAR": str(settings.var / name)})
