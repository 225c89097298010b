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

from backend import settings, up
from bench import _filing_clients as clients
from bench import _filing_scene as scene
from bench._filing_clients import Phone, Window

SETTLE = 2.0  # seconds in which the phones' processes start
WARM = 3.0
OURS, BARE = "duban", "reference"


@dataclass(slots=True)
class Measured:
    """One server with one size of photo. `took` in seconds over all rounds, `rates` one per round."""

    took: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    peak: int = 0


def main(argv: list[str]) -> int:
    """Prints the figures; leaves nothing behind."""
    wanted = _parser().parse_args(argv)
    given = settings.load()
    given.var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=given.var))
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(folder / "var")  # not the installation's own database
    try:
        with up.services(settings.load()), scene.own_database(folder):
            _run(wanted, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(wanted: argparse.Namespace, folder: Path) -> None:
    from backend import migrate

    migrate.run()
    team = asyncio.run(scene.cast(wanted.clients))
    print(asyncio.run(scene.durability()), f"; {os.cpu_count()} cores; evidence in {folder.parent}", sep="")
    ports = {OURS: scene.free_port(), BARE: scene.free_port()}
    print(f"{wanted.clients} phones, {wanted.seconds} s a round after {WARM:.0f} s, {wanted.rounds} rounds each")
    with ExitStack() as running:
        log = folder / "web.log"
        web = running.enter_context(
            scene.server(
                ["backend", "web"], ports[OURS], log,
                DUBAN_PORT=str(ports[OURS]), DUBAN_WEB_WORKERS=str(wanted.workers),
            )
        )  # fmt: skip
        running.enter_context(
            scene.server(
                ["bench.reference_server", str(ports[BARE]), str(folder / "bare")],
                ports[BARE],
                folder / "bare.log",
            )
        )
        tokens = [(scene.sign_in(ports[OURS], name), visit) for name, visit in team]
        print(f"web at rest: {_mb(scene.memory(web))} MB in {wanted.workers} worker process(es)\n")
        for size in wanted.sizes:
            picture = scene.picture(folder / f"{size}.jpg", size * 2**20 - clients.TAIL)
            phones = {
                name: [Phone(port, token, visit, picture, FORM) for token, visit in tokens]
                for name, port in ports.items()
            }
            _compare(wanted, phones, web, folder)
        if wanted.worker:
            _with_worker(wanted, phones[OURS], web, folder)


FORM = {
    "topic": "0304",
    "facts": "饮水管网冻裂，三户无水。",
    "asks": "修复管网并回访。",
    "found_at": "2026-11-24T11:58:00+08:00",
    "place_note": "村部东侧",
    "position": {"lat": 41.8, "lng": 124.9, "accuracy_m": 12.0},
}


def _compare(wanted: argparse.Namespace, phones: dict[str, list[Phone]], web: int, folder: Path) -> None:
    measured = {OURS: Measured(), BARE: Measured()}
    for _ in range(wanted.rounds):
        for name in (OURS, BARE):
            _measure(measured[name], phones[name], wanted.seconds, web)
            scene.empty(folder / "evidence")
            scene.empty(folder / "bare")
    size = (phones[OURS][0].picture.stat().st_size + clients.TAIL) / 2**20
    for name, it in measured.items():
        _print(name, it, size)
    ratio = median(measured[OURS].rates) / median(measured[BARE].rates)
    print(f"{'':10} ratio {ratio:.2f}; web peak {_mb(measured[OURS].peak)} MB (PSS); no photo preparation running\n")


def _with_worker(wanted: argparse.Namespace, phones: list[Phone], web: int, folder: Path) -> None:
    it = Measured()
    with scene.server(["backend", "worker"], 0, folder / "worker.log"):
        _measure(it, phones, wanted.seconds, web)
    _print("+ worker", it, (phones[0].picture.stat().st_size + clients.TAIL) / 2**20)
    print(f"{'':10} the same while the worker makes display copies\n")


def _measure(it: Measured, phones: list[Phone], seconds: float, web: int) -> None:
    start = time.monotonic() + SETTLE + WARM
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(it, web, done))
    watch.start()
    try:
        took = clients.file_until(phones, Window(start, start + seconds))
    finally:
        done.set()
        watch.join()
    it.took += took
    it.rates.append(len(took) / seconds)


def _watch(it: Measured, web: int, done: threading.Event) -> None:
    while not done.wait(0.5):
        it.peak = max(it.peak, scene.memory(web))


def _print(name: str, it: Measured, size: float) -> None:
    took = sorted(it.took)
    p50, p99 = (took[min(int(len(took) * part), len(took) - 1)] * 1000 for part in (0.50, 0.99))
    rate = median(it.rates)
    rounds = " ".join(f"{one:.1f}" for one in it.rates)
    print(
        f"{name:10} {clients.PHOTOS} × {size:.0f} MB: {rate:6.1f} submissions/s  {rate * clients.PHOTOS * size:6.0f} MB/s  "
        f"p50 {p50:5.0f} ms  p99 {p99:5.0f} ms   rounds {rounds}"
    )


def _mb(count: int) -> str:
    return f"{count / 2**20:.0f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="duban bench filing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 12], help="MB of one photo, at most 12")
    parser.add_argument("--workers", type=int, default=settings.load().web_workers, help="web processes")
    parser.add_argument("--worker", action="store_true", help="once more while display copies are made")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
