"""`./duban messages`: what would have been sent where nothing leaves, and which channels are connected."""

import argparse
import sys

from backend import settings
from backend.outgoing import SPOKEN, told
from notifications.deliveries import recording


def main(arguments: list[str]) -> int:
    """Prints the newest last, as a letter box is read."""
    parser = argparse.ArgumentParser(prog="duban messages")
    parser.add_argument("--last", type=int, default=20, metavar="N", help="只看最近 N 条（默认 20）")
    wanted = parser.parse_args(arguments)
    lines = [told(settings.load().outgoing)]
    for one in reversed(list(recording.recorded(max(1, wanted.last)))):
        lines.append(f"\n{one['at']}  {SPOKEN[one['channel']]}  {one['to']}")
        lines += [f"  {text}" for text in (one["title"], one["line"], one["link"]) if text]
    sys.stdout.write("\n".join([*lines, "" if len(lines) > 1 else "没有记录的消息。", ""]))
    return 0
