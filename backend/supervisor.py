"""Children kept alive: start, restart, stop in order, no orphans. Knows nothing of what they do."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

FIRST_DELAY, LONGEST_DELAY, CALM = 0.2, 5.0, 30.0  # seconds; after CALM seconds alive the delay starts over
STOP_WITHIN = 9.0  # seconds for all children together, then they are killed
LOG_CAP = 10_000_000  # bytes; a longer log becomes NAME.1 when its child is started by a new supervisor
MARK = "DUBAN_CHILD_OF"  # in the environment of every child: whose it is, so that a later run finds leftovers

STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # looked up before any fork


class Trouble(Exception):
    """Trouble that was to be expected. The text is the sentence for the person at the keyboard."""


class Taken(Trouble):
    """Another run holds this var."""


@dataclass(frozen=True, slots=True)
class OsUser:
    """An account of this machine."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """How one child is run. `name` is what people read; `log` None means this terminal."""

    name: str
    command: tuple[str, ...]
    log: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)  # added to this process's environment
    user: OsUser | None = None  # None: as who we are
    cwd: Path | None = None
    stop: signal.Signals = signal.SIGTERM
    force: signal.Signals = signal.SIGKILL  # when it does not stop in time
    patience: float = STOP_WITHIN  # seconds it may take to stop
    before: Callable[[], object] | None = None  # clears away what a dead predecessor left
    typed_at: bool = False  # reads from this terminal, and gets its Ctrl-C at the same time as we


@dataclass(slots=True)
class Child:
    """A program that is meant to run, and its latest process."""

    program: Program
    process: "subprocess.Popen[bytes]"
    born: float
    delay: float = FIRST_DELAY
    again_at: float | None = None  # set while it is dead: when to start it again


def say(text: str) -> None:
    """One line on the terminal, at once. A terminal that is gone must not stop what runs."""
    with suppress(OSError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class Supervisor:
    """The children of one run, in the order they were started. For the main thread only."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)
        self.children: list[Child] = []

    def start(self, program: Program) -> Child:
        """Starts a child and keeps it: `watch` restarts it, `stop` ends it. Raises Trouble."""
        if program.log:
            _cap(program.log)
        try:
            child = Child(program, self._launch(program), time.monotonic())
        except OSError as wrong:
            raise Trouble(f"{program.name}无法启动：{wrong}") from wrong
        self.children.append(child)
        return child

    def run(self, program: Program) -> int:
        """Runs a program to its end, the children kept alive meanwhile. Its exit code."""
        process = self._launch(program)
        try:
            return self.watch(process)
        finally:
            if process.poll() is None:
                if not program.typed_at:
                    _signal(process, program.stop)
                if not _ended(process, 5.0):
                    process.kill()

    def await_child(self, child: Child, ready: Callable[[], bool], within: float) -> None:
        """Waits until `ready()`, restarting the child for five seconds. Raises Trouble with its log."""
        began = time.monotonic()
        while not ready():
            waited = time.monotonic() - began
            if (child.again_at is not None and waited > 5) or waited > within:
                ending = f"：{last_words(child.program.log)}" if child.program.log else ""
                raise Trouble(f"{child.program.name}无法启动{ending}")
            self.tend()
            time.sleep(0.02)

    def watch(self, until: "subprocess.Popen[bytes] | None" = None) -> int:
        """Keeps the children alive until `until` has ended, and returns its exit code; else for ever."""
        while until is None or until.poll() is None:
            self.tend()
            time.sleep(0.1)
        return until.returncode

    def tend(self) -> None:
        """One look at every child: notes a death, or starts a dead one whose delay is over."""
        for child in self.children:
            now = time.monotonic()
            if child.again_at is not None:
                if now >= child.again_at:
                    self._again(child, now)
            elif (code := child.process.poll()) is not None:
                self._mourn(child, f"意外停止（{how(code)}）", now)
            elif now - child.born > CALM:
                child.delay = FIRST_DELAY

    def stop(self) -> None:
        """Ends the children in reverse order, within ten seconds, each with its own signal first."""
        deadline = time.monotonic() + STOP_WITHIN
        while self.children:
            child = self.children.pop()
            program, process = child.program, child.process
            _signal(process, program.stop)
            patience = min(program.patience, max(0.2, deadline - time.monotonic()))
            if child.again_at is None and not _ended(process, patience):
                _signal(process, program.force)
                _ended(process, 0.5)
            kill_group(process.pid)
            process.poll()

    def _launch(self, program: Program) -> "subprocess.Popen[bytes]":
        if program.before:
            program.before()
        log = None if program.log is None else open_log(program.log)
        try:
            return subprocess.Popen[bytes](
                program.command,
                stdin=None if program.typed_at else subprocess.DEVNULL,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                cwd=program.cwd,
                env={**os.environ, **program.env, MARK: self.mark},
                start_new_session=not program.typed_at,  # Ctrl-C reaches us alone: we stop them in order
                preexec_fn=partial(die_with_parent, os.getpid(), program.stop),
                **as_user(program.user),
            )
        finally:
            if log is not None:
                os.close(log)

    def _again(self, child: Child, now: float) -> None:
        try:
            child.process = self._launch(child.program)
        except (OSError, Trouble) as wrong:
            self._mourn(child, f"无法启动（{wrong}）", now)
        else:
            child.born, child.again_at = now, None

    def _mourn(self, child: Child, what: str, now: float) -> None:
        kill_group(child.process.pid)
        log = f"，日志 {child.program.log}" if child.program.log else ""
        say(f"{child.program.name}{what}，{child.delay:g} 秒后重新启动{log}")
        child.again_at = now + child.delay
        child.delay = min(LONGEST_DELAY, child.delay * 2)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, SIGTERM and a closed terminal end the work as Ctrl-C does: by KeyboardInterrupt."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # What nohup or a shell's & told us to ignore stays ignored.
    with _handling(interrupt, [name for name in STOPPERS if signal.getsignal(name) is not signal.SIG_IGN]):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, a second Ctrl-C or SIGTERM is ignored: for stopping the children."""
    with _handling(signal.SIG_IGN, STOPPERS):
        yield


@contextmanager
def _handling(handler: Any, names: Sequence[signal.Signals]) -> Iterator[None]:
    old = {name: signal.signal(name, handler) for name in names}
    try:
        yield
    finally:
        for name, earlier in old.items():
            signal.signal(name, earlier)


@contextmanager
def alone(var: Path, note: str) -> Iterator[None]:
    """Holds this var for one run; the kernel lets go when we die. `note` is what a second run is told.

    Raises Trouble when another run holds it.
    """
    try:
        if not var.exists():
            var.mkdir(parents=True)
            var.chmod(0o755)  # whatever our umask: the service user passes through; what is private guards itself
        handle = os.open(var / "up.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as wrong:
        raise Trouble(
            f"无法写入 {var}（{wrong.strerror}）：请换用它的主人运行，或用 DUBAN_VAR 指定另一个目录。"
        ) from wrong
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"{var} 已有一个在运行：{os.pread(handle, 500, 0).decode(errors='replace').strip()}") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{note}（进程 {os.getpid()}）\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def reap(mark: Path) -> None:
    """Ends what a killed run of this var left behind. Linux only; elsewhere the sockets and the port tell."""
    left = _marked(str(mark))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            _kill(pid, number)
        for _ in range(40):
            if not (left := [pid for pid in left if Path(f"/proc/{pid}/exe").exists()]):
                return
            time.sleep(0.1)


def die_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Called in a child: the kernel sends `number` when its parent dies. Only Linux can."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def as_user(user: OsUser | None) -> dict[str, Any]:
    """Keywords for subprocess that run a command as `user`; empty when that is who we are."""
    if user is None or os.geteuid() != 0 or user.uid == 0:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def how(code: int) -> str:
    """An exit code in words."""
    return f"信号 {-code}" if code < 0 else f"退出码 {code}"


def open_log(path: Path) -> int:
    """A file handle that appends; only its owner reads it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def last_words(log: Path) -> str:
    """The end of a log, for a sentence of trouble."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return "；".join(lines[-3:] or ["没有日志"]) + f"（{log}）"


def kill_group(leader: int) -> None:
    """Kills whatever is left of a child's process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _cap(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_CAP:
        log.replace(log.with_name(log.name + ".1"))


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        except OSError:
            continue  # gone, or somebody else's
    return found
