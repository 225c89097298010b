"""Filing findings with photos from eight phones, against a bare server that only writes the same bytes."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from backend import settings, up
from bench import _filing_clients as clients
from bench import _filing_scene as scene
from bench._filing_clients import Phone, Window

WARM = 3.0
OURS, BARE, HASHING, SERVED, WORKING = "duban", "reference", "+ sha256", "+ server", "+ worker"


@dataclass(slots=True)
class Measured:
    """One server with one size of photo: seconds per submission over all rounds; one rate and one cost a round.

    `cpu` is the server's processor time for a submission in seconds; `peak` its memory in bytes.
    """

    took: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int


def main(argv: list[str]) -> int:
    """Prints the figures; leaves nothing behind."""
    wanted = _parser().parse_args(argv)
    given = settings.load()
    given.var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=given.var))
    folder.chmod(0o755)  # the database's own user comes in here
    data = folder / "var" / "pg"
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(folder / "var")  # not the installation's own database
    try:
        with up.services(settings.load()), scene.own_database(folder):
            _run(wanted, folder)
    finally:
        if data.is_symlink():  # that user could not: embedded.py has put the data elsewhere
            shutil.rmtree(data.resolve().parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(wanted: argparse.Namespace, folder: Path) -> None:
    from backend import migrate

    migrate.run()
    team = asyncio.run(scene.cast(wanted.clients))
    print(f"{asyncio.run(scene.durability())}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"{wanted.clients} phones, {wanted.rounds} rounds of {wanted.seconds:.0f} s each after {WARM:.0f} s, "
        "taking turns; no display copies are made meanwhile"
    )
    with ExitStack() as running:
        servers = _servers(wanted, folder, running)
        tokens = [(scene.sign_in(servers[OURS].port, name), visit) for name, visit in team]
        rest = scene.memory(servers[OURS].pid)
        print(f"{OURS}: {wanted.workers} web process(es), {_mb(rest)} MB at rest\n")
        for size in wanted.sizes:
            picture = scene.picture(folder / f"{size}.jpg", size * 2**20 - clients.TAIL)
            phones = {
                name: [Phone(it.port, token, visit, picture, FORM) for token, visit in tokens]
                for name, it in servers.items()
            }
            _compare(wanted, phones, servers, folder)
            if wanted.worker and size == wanted.sizes[0]:
                _with_worker(wanted, phones[OURS], servers[OURS], folder)


FORM: dict[str, Any] = {
    "topic": "0304",
    "facts": "饮水管网冻裂，三户无水。",
    "asks": "修复管网并回访。",
    "found_at": "2026-11-24T11:58:00+08:00",
    "place_note": "村部东侧",
    "position": {"lat": 41.8, "lng": 124.9, "accuracy_m": 12.0},
}


def _servers(wanted: argparse.Namespace, folder: Path, running: ExitStack) -> dict[str, Server]:
    port = scene.free_port()
    env = {"DUBAN_PORT": str(port), "DUBAN_WEB_WORKERS": str(wanted.workers)}
    web = running.enter_context(scene.server(["backend", "web"], port, folder / "web.log", **env))
    found = {OURS: Server(port, web)}
    for name, more in ((BARE, []), (HASHING, ["sha256"])):
        port = scene.free_port()
        words = ["bench.reference_server", str(port), str(folder / "bare"), *more]
        found[name] = Server(port, running.enter_context(scene.server(words, port, folder / "bare.log")))
    env["DUBAN_PORT"] = str(port := scene.free_port())
    words = ["bench._reference_app", str(folder / "bare")]
    found[SERVED] = Server(port, running.enter_context(scene.server(words, port, folder / "bare.log", **env)))
    return found


def _compare(
    wanted: argparse.Namespace, phones: dict[str, list[Phone]], servers: dict[str, Server], folder: Path
) -> None:
    measured = {name: Measured() for name in servers}
    for _ in range(wanted.rounds):
        for name, server in servers.items():
            _measure(measured[name], phones[name], wanted.seconds, server)
            scene.empty(folder / "evidence")
            scene.empty(folder / "bare")
    for name, it in measured.items():
        _print(name, it, phones[name][0])
    rate = median(measured[OURS].rates)
    bare, hashing, served = (rate / median(measured[name].rates) for name in (BARE, HASHING, SERVED))
    print(f"{'ratio':10} {bare:.2f} to the reference; {hashing:.2f} with the hash; {served:.2f} in the same web server")
    print(f"{'memory':10} {_mb(measured[OURS].peak)} MB at most in all web processes together (PSS)\n")


def _with_worker(wanted: argparse.Namespace, phones: list[Phone], server: Server, folder: Path) -> None:
    it = Measured()
    with scene.server(["backend", "worker"], 0, folder / "worker.log"):
        _measure(it, phones, wanted.seconds, server)
    scene.empty(folder / "evidence")
    _print(WORKING, it, phones[0])
    print("           one round while the worker makes display copies\n")


def _measure(it: Measured, phones: list[Phone], seconds: float, server: Server) -> None:
    used: list[float] = []
    with clients.ready(phones) as file_until:
        start = time.monotonic() + WARM
        window = Window(start, start + seconds)
        watch = threading.Thread(target=_watch, args=(it, server, window, used))
        watch.start()
        took = file_until(window)
        watch.join()
    it.took += took
    it.rates.append(len(took) / seconds)
    it.cpu.append((used[-1] - used[0]) / max(len(took), 1))


def _watch(it: Measured, server: Server, window: Window, used: list[float]) -> None:
    while (now := time.monotonic()) < window.end:
        it.peak = max(it.peak, scene.memory(server.pid))
        if now >= window.start:
            used.append(scene.cpu_seconds(server.pid))
        time.sleep(max(0.0, min(1.0, (window.start if now < window.start else window.end) - time.monotonic())))
    used.append(scene.cpu_seconds(server.pid))


def _print(name: str, it: Measured, phone: Phone) -> None:
    size = (phone.picture.stat().st_size + clients.TAIL) / 2**20
    took = sorted(it.took) or [float("nan")]
    p50, p99 = (took[int((len(took) - 1) * part)] * 1000 for part in (0.50, 0.99))
    rate = median(it.rates)
    rounds = " ".join(f"{one:.1f}" for one in it.rates)
    print(
        f"{name:10} {clients.PHOTOS} × {size:.0f} MB: {rate:5.1f} submissions/s",
        f"{rate * clients.PHOTOS * size:5.0f} MB/s",
        f"p50 {p50:4.0f} ms",
        f"p99 {p99:4.0f} ms",
        f"server CPU {median(it.cpu) * 1000:3.0f} ms each",
        f"(rounds {rounds})",
        sep="  ",
    )


def _mb(count: int) -> str:
    return f"{count / 2**20:.0f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="duban bench filing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="one round of one server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 12], help="MB of one photo, at most 12")
    parser.add_argument("--workers", type=int, default=settings.load().web_workers, help="web processes")
    parser.add_argument("--worker", action="store_true", help="once more while display copies are made")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
