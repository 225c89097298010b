"""Lists of a million items over HTTP, signed in, against the best query somebody could write by hand for each."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg

from backend import settings, up
from bench import _filing_scene as servers
from bench import _lists_data as data
from bench import _lists_ideal as ideal
from bench import _lists_plans as plans
from bench import _lists_scene as scene
from bench._lists_scene import PEOPLE, Client, Who

PATH = "/api/rectifications"
COMMON = ("common", "1 in 15")  # words that turn up soon on any list
DEEP = 10_000  # the page that is compared with the first


@dataclass(slots=True)
class Case:
    """One request of one person, and the query it is compared with."""

    label: str
    who: Who
    asked: dict[str, str]
    path: str = PATH
    ideal: tuple[str, list[Any]] | None = None
    took: list[list[float]] = field(default_factory=list)  # seconds, by round
    bare: list[list[float]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode(self.asked, quote_via=quote)}"


def main(argv: list[str]) -> int:
    """Prints the figures. The database stays, for the next run; --drop removes it."""
    wanted = _parser().parse_args(argv)
    items = 20_000 if wanted.small else wanted.items
    with services():
        with scene.province(items):
            return asyncio.run(_run(wanted, items))


@contextmanager
def services() -> Iterator[None]:
    """The database server and queue of the settings, or ones of our own under var/bench-lists."""
    given = settings.load()
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(given.var / "bench-lists")
    with up.services(settings.load()):
        yield


async def _run(wanted: argparse.Namespace, items: int) -> int:
    line = await scene.connected()
    counted = await line.fetchrow("SELECT (SELECT count(*) FROM rectification), (SELECT count(*) FROM event)")
    assert counted is not None
    print(f"{await servers.durability()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"{counted[0]:,} items, {counted[1]:,} events; {wanted.rounds} rounds of {wanted.requests} requests, in turns"
    )
    cases = [case for case in await _cases(line, items) if wanted.only in case.label]
    if wanted.plans:
        return await plans.show(line, [(case.label, case.who, case.asked) for case in cases if case.path == PATH])
    folder = Path(os.environ.get("DUBAN_VAR") or settings.load().var)
    port = servers.free_port()
    env = {"DUBAN_PORT": str(port), "DUBAN_WEB_WORKERS": "1"}
    with servers.server(["backend", "web"], port, folder / "bench-lists.log", **env) as web:
        clients = {who.username: Client(port, who.username) for who in PEOPLE}
        for case in cases:
            for _ in range(15):  # prepared statements and caches, as on any day but the first
                clients[case.who.username].get(case.url)
                await _bare(line, case)
        began = servers.cpu_seconds(web)
        for _ in range(wanted.rounds):
            for case in cases:
                await _measure(line, clients[case.who.username], case, wanted.requests)
        cpu = (servers.cpu_seconds(web) - began) / (wanted.rounds * wanted.requests * len(cases))
    _print(cases)
    print(
        f"\nweb process: {cpu * 1000:.2f} ms of processor time for a request; load {os.getloadavg()[0]:.1f} at the end"
    )
    await line.close()
    return 0


async def _measure(line: asyncpg.Connection, client: Client, case: Case, requests: int) -> None:
    took: list[float] = []
    bare: list[float] = []
    for _ in range(requests):
        began = time.perf_counter()
        client.get(case.url)
        took.append(time.perf_counter() - began)
        if case.ideal:
            bare.append(await _bare(line, case))
    case.took.append(took)
    if bare:
        case.bare.append(bare)


async def _bare(line: asyncpg.Connection, case: Case) -> float:
    if case.ideal is None:
        return 0.0
    began = time.perf_counter()
    await line.fetch(case.ideal[0], *case.ideal[1])
    return time.perf_counter() - began


async def _cases(line: asyncpg.Connection, items: int) -> list[Case]:
    people = {who.username: who for who in PEOPLE}
    named = {"heavy": data.HEAVY_UNIT, "small": people["small"].unit}
    units = {name: await line.fetchval("SELECT id FROM unit WHERE name = $1", unit) for name, unit in named.items()}
    inspector = await line.fetchval("SELECT id FROM person WHERE username = 'inspector'")
    cases: list[Case] = []
    for who in PEOPLE:
        if who.place:
            bare = ideal.of_area(who.place)
        elif who.username in units:
            bare = ideal.of_unit(units[who.username])
        else:
            bare = ideal.of_team(inspector)
        cases.append(Case(f"open, {who.label}", who, {"group": "open"}, ideal=bare))
    county, province, heavy = people["county"], people["province"], people["heavy"]
    cases += [
        Case(f"{tab}, {who.label}", who, asked)
        for who in (county, province, heavy)
        for tab, asked in (
            ("all", {}), ("overdue", {"overdue": "true"}), ("hung", {"group": "hung"}), ("closed", {"group": "closed"}),
            ("newest", {"group": "open", "sort": "newest"}), ("most returned", {"group": "open", "sort": "returned"}),
            ("by number", {"sort": "number"}),
        )
    ]  # fmt: skip
    for page in (2, DEEP):
        if (page - 1) * 50 < items:
            cursor = await ideal.cursor_before(line, (page - 1) * 50)
            cases.append(Case(f"all, page {page:,}, province", province, {"cursor": cursor}))
    cases += [
        Case(f"{who.label}: {narrowed}", who, {"group": "open", **narrowed})
        for who in (county, province)
        for narrowed in (
            {"topic": "0304"}, {"severity": "grave"}, {"returned": "true"}, {"listed": "true"},
            {"unit": str(units["heavy"])}, {"region": county.place, "source": "ledger"},
        )
    ]  # fmt: skip
    cases += [
        Case(f"{kind} {word}, {who.label}, {group}", who, {"q": word, "group": group},
             ideal=ideal.of_text(word, who.place, group, common=kind in COMMON) if who.place else None)
        for who in (county, province, heavy)
        for kind, word in (("common", data.COMMON), ("rare", data.RARE), ("absent", data.ABSENT), ("1 in 15", "危房"))
        for group in ("open", "all")
    ]  # fmt: skip
    tabs = f"{PATH}/counts"
    cases += [Case(f"counts, {who.label}", who, {}, path=tabs) for who in (*PEOPLE[1:4], province, heavy)]
    cases += [Case(f"counts, rare {data.RARE}, province", province, {"q": data.RARE}, path=tabs)]
    return cases


def _print(cases: list[Case]) -> None:
    print(f"\n{'':52}{'p50':>8}{'p99':>8}   {'rounds':22}{'ideal':>7}{'ratio':>7}")
    for case in cases:
        rounds = [median(took) * 1000 for took in case.took]
        everything = sorted(one * 1000 for took in case.took for one in took)
        p99 = everything[int((len(everything) - 1) * 0.99)]
        line = f"{case.label:52}{median(rounds):8.2f}{p99:8.2f}   {' '.join(f'{one:.2f}' for one in rounds):22}"
        if case.bare:
            bare = median(median(one) * 1000 for one in case.bare)
            line += f"{bare:7.2f}{median(rounds) / bare:7.1f}"
        print(line)
    levels = {
        case.label: median(median(took) for took in case.took) for case in cases if case.label[:12] == "open, office"
    }
    if len(levels) > 1:
        worst, best = max(levels.values()), min(levels.values())
        print(f"\nworst level {worst / best:.2f} × the best")
    deep = {case.label: median(median(took) for took in case.took) for case in cases if "province" in case.label}
    first, last = deep.get("all, office, province"), deep.get(f"all, page {DEEP:,}, province")
    if first and last:
        print(f"page {DEEP:,} {last / first:.2f} × page 1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="duban bench lists", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--small", action="store_true", help="20,000 items")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100, help="of each case in a round")
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--plans", action="store_true", help="how the database reads each list, instead of times")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
