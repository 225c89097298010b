"""The month's summary and the running numbers over a million items, against the best single query."""

import argparse
import asyncio
import sys

from bench import _lists_scene as scene
from bench import lists


def main(argv: list[str]) -> int:
    """Prints the figures. The database is that of `bench lists`, and stays."""
    parser = argparse.ArgumentParser(prog="duban bench summary", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--small", action="store_true", help="20,000 items")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100, help="of each reader")
    wanted = parser.parse_args(argv)
    with lists.services(), scene.province(20_000 if wanted.small else wanted.items):
        from bench import _summary_run

        return asyncio.run(_summary_run.run(wanted.rounds, wanted.requests))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
