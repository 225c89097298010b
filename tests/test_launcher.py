"""./duban and `up` as a person at the keyboard meets them: real processes in a tree of their own."""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pip
import pytest

from backend.__main__ import COMMANDS
from backend.settings import ROOT
from tests.test_embedded import alive, place
from tests.waiting import until

APP = """
async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
    status = 200 if scope["path"] == "/healthz" else 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""
STUBS = {
    "__main__.py": "import os, sys\nprint('ran', sys.argv[1:], os.getcwd(), os.environ['DUBAN_FROM'])\n",
}
DOORS = {
    "app.py": APP,
    "worker.py": "import time\ndef run():\n    while True: time.sleep(1)\n",
    "keys.py": "def ensure(settings): pass\n",
    "migrate.py": "class MigrationFailed(Exception): pass\ndef run(): pass\n",
    "demo.py": "from backend import settings\ndef ensure():\n    (settings.load().var / 'demo-logins.json')"
    """.write_text('[{"姓名": "王敏", "账号": "wang"}, {"姓名": "欧阳建国", "账号": "ouyang"}]')\n""",
}


# A Python whose venvs borrow our pip: the real `-m venv` unpacks one, which takes seconds.
QUICK_PYTHON = f"""#!/bin/sh
[ "$*" = "-m venv .venv" ] || exec {sys.executable} "$@"
{sys.executable} -m venv --without-pip .venv
echo {Path(pip.__file__).parents[1]} >"$(echo .venv/lib/*/site-packages)/pip.pth"
"""


def tree(folder: Path) -> Path:
    """A repository with the real launcher, locks that ask for nothing, and a backend that says it ran."""
    (folder / "backend").mkdir(parents=True)
    shutil.copy(ROOT / "duban", folder)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / name).write_text("# nothing\n")
    for name, text in STUBS.items():
        (folder / "backend" / name).write_text(text)
    (folder / "python").write_text(QUICK_PYTHON)
    (folder / "python").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree(tmp_path_factory.mktemp("督办") / "my repo")


def call(repo: Path, *words: str, cwd: Path | None = None, **env: str) -> "subprocess.CompletedProcess[str]":
    env = {"DUBAN_PYTHON": str(repo / "python"), "PIP_CONFIG_FILE": os.devnull, **env}
    command = [str(repo / "duban"), *words]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, cwd=cwd, timeout=60)


def test_the_first_start_installs_and_the_second_is_quiet(repo: Path, tmp_path: Path) -> None:
    first = call(repo, "up", "a b", cwd=tmp_path)
    assert first.stdout == f"ran ['up', 'a b'] {repo} {tmp_path}\n" and "正在建立" in first.stderr
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    second = call(repo, "up")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert second.stderr == "" and second.returncode == 0
    assert ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime < 2


def test_a_changed_lock_is_installed_once(repo: Path) -> None:
    assert "requirements-dev.lock" in call(repo, "test").stderr
    assert call(repo, "test").stderr == call(repo, "up").stderr == ""
    (repo / "requirements.lock").write_text("# nothing, in other words\n")
    assert "requirements.lock" in call(repo, "up").stderr
    assert call(repo, "up").stderr == ""


def test_a_download_that_fails_is_a_sentence_and_the_next_start_goes_on(repo: Path) -> None:
    (repo / "requirements.lock").write_text("duban-no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    failed = call(repo, "up", PIP_NO_INDEX="1")
    assert failed.returncode == 1 and "下载失败" in failed.stderr and failed.stdout == ""
    (repo / "requirements.lock").write_text("# nothing again\n")
    assert call(repo, "up").stdout.startswith("ran ['up']")


def test_an_install_that_was_killed_is_begun_anew(repo: Path) -> None:
    (repo / ".venv/unfinished").touch()
    (repo / ".venv/lib").rename(repo / ".venv/half")
    again = call(repo, "up")
    assert "没有做完" in again.stderr and again.stdout.startswith("ran") and not (repo / ".venv/half").exists()


def test_two_starts_at_once_install_once(tmp_path: Path) -> None:
    repo = tree(tmp_path / "repo")
    env = {**os.environ, "DUBAN_PYTHON": str(repo / "python"), "PIP_CONFIG_FILE": os.devnull}
    starts = [subprocess.Popen([repo / "duban", "up"], env=env, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    said = [start.communicate(timeout=60) for start in starts]
    assert [out.startswith("ran ['up']") for out, _ in said] == [True, True]
    assert sum("正在建立" in err for _, err in said) == 1


def test_the_lock_of_a_dead_install_is_taken_over(repo: Path) -> None:
    (repo / ".venv/duban-lock").unlink()
    ended = subprocess.Popen(["true"])
    ended.wait()
    (repo / ".venv/making").mkdir()
    (repo / ".venv/making/pid").write_text(f"{ended.pid}\n")
    assert call(repo, "up").stdout.startswith("ran") and not (repo / ".venv/making").exists()


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    repo = tree(tmp_path / "repo")
    poor = tmp_path / "python"
    poor.write_text(f'#!/bin/sh\ncase "$*" in *venv*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    poor.chmod(0o755)
    refused = call(repo, "up", DUBAN_PYTHON=str(poor))
    assert refused.returncode == 1 and "apt install python3-venv" in refused.stderr
    refused = call(repo, "up", DUBAN_PYTHON="/bin/false")
    assert refused.returncode == 1 and "Python 3.11" in refused.stderr


def test_every_command_is_listed_and_others_are_refused(repo: Path) -> None:
    listed = call(repo).stdout
    assert {line.split()[0] for line in listed.splitlines()[2:]} == set(COMMANDS) - {"prepare"}
    let_through = re.findall(r"^    (.+)\) wanted=", (repo / "duban").read_text(), re.M)
    assert {word for line in let_through for word in line.split(" | ")} == set(COMMANDS) - {"prepare"}
    wrong = call(repo, "upp")
    assert wrong.returncode == 2 and "upp" in wrong.stderr and wrong.stdout == ""


@pytest.fixture
def site() -> Iterator[Path]:
    """Our real command line with the smallest app, worker, migrations and demo there can be."""
    with place(0o755) as folder:
        (folder / "backend").mkdir()
        for path in (ROOT / "backend").glob("*.py"):
            shutil.copy(path, folder / "backend")
        for name, text in DOORS.items():
            (folder / "backend" / name).write_text(text)
        yield folder


def start_up(site: Path, port: int, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "backend", "up", *words],
        cwd=site,
        env={k: v for k, v in os.environ.items() if not k.startswith("DUBAN_")} | {"DUBAN_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's & would have it ignored
    )


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    said = ""
    assert process.stdout
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


def processes(site: Path) -> dict[int, str]:
    """Everything alive that belongs to this site: its children by their mark, and its PostgreSQL."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            marked = f"DUBAN_CHILD_OF={site}".encode() in (folder / "environ").read_bytes()
        except OSError:
            continue
        if (marked or str(site) in line) and alive(int(folder.name)):
            found[int(folder.name)] = line
    return found


def serves(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).status == 200
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_up_serves_survives_murder_and_leaves_nothing_running(site: Path) -> None:
    port = free_port()
    first = start_up(site, port)
    said = read_until(first, "欧阳建国")
    assert f"http://127.0.0.1:{port}/healthz" in said and "/phone/" not in said and "王敏      wang" in said
    second = start_up(site, port)
    assert f"http://127.0.0.1:{port}" in second.communicate()[0] and second.returncode == 1
    server = min(pid for pid, line in processes(site).items() if "backend web" in line)
    os.kill(server, signal.SIGKILL)
    assert "网页服务意外停止（信号 9）" in read_until(first, "网页服务")
    until(lambda: serves(port))
    first.kill()
    first.wait()
    third = start_up(site, port)  # at once, while the orphans of the first may still be ending
    read_until(third, "欧阳建国")
    assert serves(port)
    began = time.monotonic()
    third.send_signal(signal.SIGINT)
    assert "已停止" in third.communicate()[0] and third.returncode == 0 and time.monotonic() - began < 30
    until(lambda: processes(site), lambda left: not left)


def test_a_port_in_use_is_told_before_anything_is_made(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start_up(site, port)
        said = process.communicate()[0]
    assert process.returncode == 1 and str(port) in said and "DUBAN_PORT" in said
    assert not (site / "var/pg").exists()
