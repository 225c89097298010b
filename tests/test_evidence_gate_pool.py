"""How the gate's fork server and its children live and die: backend/evidence/gate_pool.py, gate_server.py."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from backend.evidence import gate, gate_pool
from backend.evidence.gate import Limits, Prepared, Refused
from backend.settings import ROOT
from tests import hostile_files as hostile
from tests.waiting import eventually

PHOTO = hostile.encoded(hostile.picture(320, 240))
BOMB = hostile.scan_bomb(8_000)  # keeps a child busy for many seconds
SLOW = Limits(cpu=60)

# What a child whose decoder was taken over might do, put in the place of the decoding.
TAKEN_OVER = """
import os, runpy, signal, socket, sys
sys.path.append({root!r})
from backend.evidence import gate_child
def redraw(parts, caption, fonts):
    {body}
gate_child.redraw = redraw
sys.argv[0] = {script!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""

Work = Callable[..., Awaitable[Prepared | Refused]]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Has one photo prepared, each in files of its own."""
    numbers = iter(range(10_000))

    async def prepare(content: bytes = PHOTO, limits: Limits = gate.LIMITS) -> Prepared | Refused:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        (folder / "o").write_bytes(content)
        return await gate.prepare(folder / "o", folder / "d.jpg", folder / "t.jpg", limits=limits)

    return prepare


@pytest.fixture
def taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A gate whose children do what is given instead of decoding."""

    real = str(gate_pool.SCRIPT)

    def by(body: str) -> None:
        script = tmp_path / "server.py"
        script.write_text(TAKEN_OVER.format(root=str(ROOT), body=body, script=real))
        gate_pool.close()
        monkeypatch.setattr(gate_pool, "SCRIPT", script)

    yield by
    gate_pool.close()


def server() -> int:
    pid = gate_pool.server_pid()
    assert pid is not None
    return pid


def children(of: int) -> list[int]:
    """Dead ones that nobody waited for among them."""
    return [int(pid) for task in Path(f"/proc/{of}/task").iterdir() for pid in (task / "children").read_text().split()]


def descriptors(of: int | str) -> int:
    return len(list(Path(f"/proc/{of}/fd").iterdir()))


def maps(of: int) -> str:
    return Path(f"/proc/{of}/maps").read_text()


async def test_photos_share_one_server_which_never_touches_them_itself(work: Work) -> None:
    assert isinstance(await work(), Prepared)
    first = server()
    assert isinstance(await work(b"no photo"), Refused)
    assert isinstance(await work(), Prepared)
    assert server() == first and children(first) == []
    assert "NotoSansSC" in maps(first), "the font is mapped, so that children share it and no position in it"


async def test_hundreds_of_photos_leave_no_process_and_no_descriptor(work: Work) -> None:
    await work()
    before = server(), descriptors(server()), descriptors("self")
    contents = [PHOTO, b"no photo", PHOTO[:900], PHOTO]
    for round in range(50):
        made = [await made for made in [asyncio.ensure_future(work(content)) for content in contents]]
        assert [isinstance(one, Prepared) for one in made] == [True, False, False, True], round
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work(BOMB, SLOW), 0.2)
    assert (server(), descriptors(server()), descriptors("self")) == before
    assert children(server()) == []


async def test_no_more_children_than_allowed_are_at_work_and_two_are(work: Work) -> None:
    await work()
    running = [asyncio.ensure_future(work(BOMB, SLOW)) for _ in range(gate_pool.AT_ONCE + 2)]
    await eventually(lambda: len(children(server())), lambda n: n == gate_pool.AT_ONCE >= 2)
    await asyncio.sleep(0.2)
    assert len(children(server())) == gate_pool.AT_ONCE
    for one in running:
        one.cancel()
    await asyncio.wait(running)
    assert children(server()) == []


async def test_a_killed_child_may_be_tried_again_and_harms_no_other(work: Work) -> None:
    await work()
    doomed = asyncio.ensure_future(work(BOMB, SLOW))
    await eventually(lambda: children(server()))
    (child,) = children(server())
    beside = asyncio.ensure_future(work(hostile.photo(1200, 900)))
    os.kill(child, signal.SIGKILL)
    made = await doomed
    assert isinstance(made, Refused) and made.try_again
    assert isinstance(await beside, Prepared)


async def test_a_killed_server_is_replaced_and_its_photos_may_be_tried_again(work: Work) -> None:
    await work()
    first = server()
    flying = [asyncio.ensure_future(work(BOMB, SLOW)) for _ in range(2)]
    await eventually(lambda: len(children(first)), lambda n: n == 2)
    orphans = children(first)
    os.kill(first, signal.SIGKILL)
    for made in [await one for one in flying]:
        assert isinstance(made, Refused) and made.try_again
    assert isinstance(await work(), Prepared) and server() != first
    await eventually(lambda: not any(map(running, orphans)))


SLOW_TO_FORK = """
import os, runpy, sys, time
fork = os.fork
def slow():
    child = fork()
    time.sleep(0.3 if child else 0)
    return child
os.fork = slow
sys.argv[0] = {script!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


async def test_who_hangs_up_on_a_child_that_is_over_already_harms_no_other(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script := tmp_path / "slow.py").write_text(SLOW_TO_FORK.format(script=str(gate_pool.SCRIPT)))
    gate_pool.close()
    monkeypatch.setattr(gate_pool, "SCRIPT", script)
    doomed = asyncio.ensure_future(work(BOMB, SLOW))
    await eventually(lambda: gate_pool.server_pid() and children(server()))
    first, (child,) = server(), children(server())
    await asyncio.sleep(0.4)
    beside = asyncio.ensure_future(work(BOMB, SLOW))
    await eventually(lambda: len(children(first)), lambda n: n == 2)
    os.kill(child, signal.SIGKILL)  # both while the server is busy with the next photo
    doomed.cancel()
    await asyncio.wait([doomed])
    assert isinstance(await work(), Prepared)
    assert gate_pool.server_pid() == first and len(children(first)) == 1 and not beside.done()
    beside.cancel()
    await asyncio.wait([beside])
    gate_pool.close()


async def test_a_server_that_died_while_idle_costs_no_photo_a_try(work: Work) -> None:
    await work()
    first = server()
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: not running(first))
    assert isinstance(await work(), Prepared) and server() != first
    assert first not in children(os.getpid())


async def test_a_server_that_stands_still_is_replaced(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    await work()
    first = server()
    monkeypatch.setattr(gate_pool, "END_WITHIN", 0.1)
    os.kill(first, signal.SIGSTOP)
    made = await work(PHOTO, Limits(wall=0.2))
    assert isinstance(made, Refused) and made.try_again
    assert isinstance(await work(), Prepared) and server() != first


STARTER = """
import asyncio, sys
from pathlib import Path
from backend.evidence import gate, gate_pool
async def main():
    folder = Path(sys.argv[1])
    work = asyncio.ensure_future(
        gate.prepare(folder / "o", folder / "d", folder / "t", limits=gate.Limits(cpu=60)))
    while gate_pool.server_pid() is None:
        await asyncio.sleep(0.01)
    print(gate_pool.server_pid(), flush=True)
    await work
asyncio.run(main())
"""


def started(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def test_the_server_ends_with_who_started_it(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(BOMB)
    starter = started(STARTER, str(tmp_path))
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    await eventually(lambda: children(pid))
    (child,) = children(pid)
    starter.kill()
    starter.wait()
    await eventually(lambda: not running(child) and not running(pid))


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_hanging_child_is_killed_after_its_time(work: Work, taken_over: Callable[[str], None]) -> None:
    taken_over("signal.pause()")
    began = time.monotonic()
    made = await work(PHOTO, Limits(wall=1.0))
    assert isinstance(made, Refused) and made.try_again and time.monotonic() - began < 20
    assert children(server()) == []


async def test_an_endless_loop_is_stopped_by_its_processor_time(work: Work, taken_over: Callable[[str], None]) -> None:
    taken_over("while True: pass")
    made = await work(PHOTO, Limits(cpu=1))
    assert isinstance(made, Refused) and not made.try_again and 0.5 < made.cost.cpu < 3, made


async def test_a_child_gets_no_more_memory_than_allowed(work: Work, taken_over: Callable[[str], None]) -> None:
    taken_over("return [bytes([1]) * 2**20 for _ in range(2000)]")
    made = await work(PHOTO)
    assert isinstance(made, Refused) and not made.try_again and made.cost.memory < 700 * 2**20


async def test_a_crash_costs_the_server_too_so_that_nobody_learns_its_layout(
    work: Work, taken_over: Callable[[str], None]
) -> None:
    taken_over("os.kill(os.getpid(), signal.SIGSEGV)")
    made = await work()
    assert isinstance(made, Refused) and made.code == "evidence.undecodable" and not made.try_again
    assert gate_pool.server_pid() is None


ATTEMPTS = {
    "a file": "os.open('/etc/passwd', os.O_RDONLY)",
    "a socket": "socket.socket()",
    "a process": "os.fork()",
    "its parent's life": "os.kill(os.getppid(), signal.SIGTERM)",
    "the limits back": "__import__('resource').setrlimit(__import__('resource').RLIMIT_NOFILE, (9, 9))",
}


@pytest.mark.parametrize("what", ATTEMPTS)
async def test_what_a_child_must_not_have_it_does_not_get(
    work: Work, taken_over: Callable[[str], None], what: str
) -> None:
    if os.geteuid() != 0 and what == "its parent's life":
        return  # without root, child and server are one account's
    taken_over(
        f"""

    try:
        {ATTEMPTS[what]}
    except (OSError, ValueError):
        raise gate_child.Refused("evidence.too_many_scans")  # a code that says: refused
    """
    )
    made = await work()
    assert isinstance(made, Refused) and made.code == "evidence.too_many_scans"


async def test_a_child_holds_nothing_of_another_photo(work: Work, taken_over: Callable[[str], None]) -> None:
    taken_over(
        """
    def open_(at):
        try:
            return bool(os.fstat(at))
        except OSError:
            return False
    if os.fstat(parts[0]).st_size > 100_000:
        signal.pause()
    held = [at for at in range(1000) if open_(at)]
    return {"refused": f"evidence.too_many_scans" if len(held) == 3 + 3 + 1 else str(held)}
    """
    )
    await work()
    beside = asyncio.ensure_future(work(hostile.photo(1200, 900)))
    await eventually(lambda: children(server()))
    made = await work()
    assert isinstance(made, Refused) and made.code == "evidence.too_many_scans"
    beside.cancel()
    await asyncio.wait([beside])


async def test_a_child_that_says_too_much_or_nonsense_is_not_listened_to(
    work: Work, taken_over: Callable[[str], None]
) -> None:
    for body in ("return {'size': 'x' * 10**6}", "return []", "return {'size': [64, 48]}", "return 'x' * 10000"):
        taken_over(body)
        made = await work()
        assert isinstance(made, Refused) and made.code == "evidence.undecodable" and not made.try_again, body


async def test_a_child_that_ends_in_mid_line_is_refused_and_harms_no_other(
    work: Work, taken_over: Callable[[str], None]
) -> None:
    taken_over(
        """
    if os.fstat(parts[0]).st_size > 100_000:
        signal.pause()
    for at in range(3, 1000):
        try:
            socket.socket(fileno=at).send(b'{')
        except OSError:
            pass
    os._exit(0)
    """
    )
    beside = asyncio.ensure_future(work(hostile.photo(1200, 900)))
    await eventually(lambda: gate_pool.server_pid() and children(server()))
    first = server()
    made = await work()
    assert isinstance(made, Refused) and not made.try_again
    assert gate_pool.server_pid() == first and not beside.done()
    beside.cancel()
    await asyncio.wait([beside])


def test_the_server_loads_nothing_of_ours_but_its_parts() -> None:
    script = (
        "import sys; sys.path.append(sys.argv[1]); from backend.evidence import gate_server; "
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in "
        "('backend', 'inspections', 'tasks', 'notifications', 'piccolo_conf', 'piccolo', 'asyncpg', 'litestar')))"
    )
    run = subprocess.run([sys.executable, "-I", "-c", script, str(ROOT)], capture_output=True, text=True, check=True)
    parts = "gate_caption gate_child gate_exif gate_server looks".split()
    assert run.stdout.split() == ["backend", "backend.evidence", *(f"backend.evidence.{part}" for part in parts)]


def test_nothing_secret_reaches_the_server() -> None:
    assert not [name for name in gate_pool.ENVIRONMENT if "DUBAN" in name]


def test_the_web_process_loads_no_decoder_and_starts_no_server() -> None:
    script = (
        "import sys; import backend.app; from backend.evidence import api, receiving; "
        "print(len(sys.modules) > 100, *(name for name in sys.modules "
        "if name.startswith('backend.evidence.gate_') or name.endswith('ImagePlugin')))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True"]
