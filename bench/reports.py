"""Trust reports among many photos: of one file, and of a finding with thirty, over HTTP; and the database's part."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from backend import settings, up
from bench import _filing_scene as servers
from bench import _reuse_scene as scene


def main(argv: list[str]) -> int:
    """Prints the figures. The database is removed."""
    parser = argparse.ArgumentParser(prog="./duban bench reports", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="photos that there are beside (default 100,000)")
    parser.add_argument("--requests", type=int, default=100, help="of each kind (default 100)")
    wanted = parser.parse_args(argv)
    with _services(), scene.database(f"duban_bench_reports_{os.getpid()}", keep=False):
        print(f"{asyncio.run(servers.durability())}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        from bench import _reports_scene  # connects to what the settings name when it is imported

        return asyncio.run(_reports_scene.run(wanted.files, wanted.requests))


@contextmanager
def _services() -> Iterator[None]:
    """The database server and queue of the settings, or ones of our own under var/bench-reports."""
    given = settings.load()
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(given.var / "bench-reports")
    with up.services(settings.load()):
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
