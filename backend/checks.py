"""Door: what CI runs: `test`, `check` and `lock`. No check of its own lives here."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend import embedded, up
from backend.settings import ROOT, Settings
from backend.supervisor import (
    Program,
    Supervisor,
    Taken,
    Trouble,
    alone,
    interruptible,
    reap,
    say,
    undisturbed,
)

# In the order of collection, what takes longest first (tests/conftest.py), so that nobody waits at the end.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
LONG = "--long"  # an option of the tests' own: what is marked long, and nothing else
# Files at a time. A test waits a third of its time for the database, more for a browser: three keep two cores busy.
# What is long measures how fast others are served meanwhile.
AT_ONCE = {(): 3, (LONG,): 2}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The same engine without windows, extensions and profiles: a phone of a browser test takes it two fifths of the time.
WINDOWLESS = "chromium-headless-shell"
LOCKS = {"requirements.lock": (), "requirements-dev.lock": ("--group", "dev", "-c", "requirements.lock")}


def test(settings: Settings, arguments: list[str]) -> int:
    """Runs pytest with these arguments beside its own database and queue; without any path, several files at a time.

    Its exit code.
    """
    if arguments == [] or any("tests/browser" in word for word in arguments):
        find_chromium()
        _find_windowless()
    files = AT_ONCE.get(tuple(arguments))
    chosen = ("-n", f"{files}", *BY_FILE, *arguments) if files else arguments
    command = (sys.executable, "-m", "pytest", *chosen)
    if not settings.embedded:
        return subprocess.run(command, cwd=ROOT).returncode
    with interruptible(), _own_var(settings) as (var, supervisor):
        embedded.start_services(up.elsewhere(settings, var.name), supervisor)
        # A run starts some hundred Pythons of ours: compiled once, whatever is said elsewhere of keeping it.
        env = {"DUBAN_VAR": str(var), "PYTHONDONTWRITEBYTECODE": ""}
        pytest = Program(name="pytest", command=command, cwd=ROOT, env=env, typed_at=True)
        return supervisor.run(pytest)


def find_chromium() -> None:
    """The browser of the browser tests, installed where we may; else a sentence, and they say that they did not run."""
    if os.environ.get("DUBAN_CHROMIUM") or any(shutil.which(name) for name in CHROMIUM):
        return
    if _may_install():
        say("正在安装 Chromium（浏览器测试用，约 350 MB）…")
        _apt("update")
        _apt("install", "chromium")
    if not any(shutil.which(name) for name in CHROMIUM):
        say("没有 Chromium，浏览器测试不会运行：请安装，例如 apt install chromium，或用 DUBAN_CHROMIUM 指明。")


def _find_windowless() -> None:
    """Beside it the faster one for most of them; where that cannot be had, the other does all."""
    if not os.environ.get("DUBAN_CHROMIUM") and not shutil.which(WINDOWLESS) and _may_install():
        say("正在安装 Chromium 的无窗口版（浏览器测试用，约 220 MB）…")
        _apt("install", WINDOWLESS)


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt(what: str, *names: str) -> None:
    """A network that is not there is not waited for."""
    words = ["-y", "-qq", "--no-install-recommends", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=1"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", what, *words, *names], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def _own_var(settings: Settings) -> Iterator[tuple[Path, Supervisor]]:
    """A var/ for one test run: var/test, or the next one when somebody else tests at the same time."""
    for name in ("test", *(f"test-{number}" for number in range(2, 10))):
        var = settings.var / name
        try:
            with alone(var, "测试"):
                supervisor = Supervisor(var)
                reap(var)
                try:
                    yield var, supervisor
                finally:
                    with undisturbed():
                        supervisor.stop()
                return
        except Taken:
            continue
    raise Trouble(f"{settings.var} 下已有九个测试在运行。")


def check(settings: Settings) -> int:
    """Everything CI checks, one line each; the output of what failed at the end. 0 when all is well."""
    failed: list[tuple[str, str]] = []
    for name, command in stages():
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        say(f"{'✗' if done.returncode else '✓'} {name}  {time.monotonic() - began:.1f} 秒")
        if done.returncode:
            failed.append((name, done.stdout))
    began = time.monotonic()
    code = test(settings, [])
    say(f"{'✗' if code else '✓'} 测试  {time.monotonic() - began:.1f} 秒")
    for name, output in failed:
        say(f"\n── {name} ──\n{output.rstrip()}")
    bad = [name for name, _ in failed] + (["测试"] if code else [])
    say(f"\n没有通过：{'、'.join(bad)}" if bad else "\n全部通过。")
    return 1 if bad else 0


def stages() -> list[tuple[str, list[str]]]:
    """What is checked before the tests: a name and a command each."""
    python = sys.executable
    found = [
        ("组件", [python, "-m", "pip", "check"]),  # the locks are installed as they are: here a gap would show
        ("格式", [python, "-m", "ruff", "format", "--check", "."]),
        ("写法", [python, "-m", "ruff", "check", "."]),
        ("类型", [python, "-m", "basedpyright"]),
    ]
    if "importlinter" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]:
        script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
        found.append(("导入规则", [python, "-c", script]))
    if importlib.util.find_spec("backend.docs_pages"):
        found.append(("文档", [python, "-m", "backend", "docs", "--check"]))
    found.append(("页面类型", [python, "-m", "backend.screen_build", "types"]))
    return found


def lock(arguments: list[str]) -> int:
    """Remakes both locks from pyproject.toml, keeping what still fits; `--upgrade` takes the newest."""
    uv = Path(sys.executable).with_name("uv")
    command = str(uv) if uv.exists() else shutil.which("uv")
    if command is None:
        raise Trouble("缺少 uv：请运行 ./duban lock，它会先装好开发依赖。")
    for name, more in LOCKS.items():
        say(f"正在锁定 {name} …")
        words = [
            command,
            "pip",
            "compile",
            "pyproject.toml",
            *more,
            "--universal",
            "--python-version",
            "3.11",
        ]
        words += ["--generate-hashes", "--quiet"]
        words += ["--custom-compile-command", "./duban lock", "--output-file", name, *arguments]
        if code := subprocess.run(words, cwd=ROOT).returncode:
            return code
        if "://" in (ROOT / name).read_text():
            raise Trouble(f"{name} 里有网址：每个人用的镜像不同，锁里不能有地址。")
    return 0
