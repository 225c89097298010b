"""The command line: one function per command, each imports what it needs. ./duban lists the commands."""

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

from backend import settings
from backend.settings import ROOT, BadSettings
from backend.supervisor import MARK, Trouble

HELP = {"-h", "--help"}


def up(arguments: list[str]) -> int:
    from backend import up

    return up.up(settings.load(), arguments)


def web(arguments: list[str]) -> int:
    _no_arguments("web", arguments)
    from backend import up, web

    now = settings.load()
    if MARK not in os.environ:  # by hand, not by `up`, which has looked already
        up.must_run(now)
        up.port_is_free(now)
    web.serve(now)
    return 0


def worker(arguments: list[str]) -> int:
    _no_arguments("worker", arguments)
    from backend import up

    if MARK not in os.environ:
        up.must_run(settings.load())
    from backend import worker

    worker.run()
    return 0


def migrate(arguments: list[str]) -> int:
    _no_arguments("migrate", arguments)
    from backend import up

    with up.services(settings.load()):
        _bring_up_to_date()
    return 0


def demo(arguments: list[str]) -> int:
    _no_arguments("demo", arguments)
    from backend import up

    with up.services(settings.load()):
        from backend import demo

        demo.run()
    return 0


def prepare(arguments: list[str]) -> int:
    """What `up` does between database and web, in a process of its own: tables, then the demo story."""
    _bring_up_to_date()
    if "--demo" in arguments:
        from backend import demo

        demo.ensure()
    return 0


def person(arguments: list[str]) -> int:
    from backend import up

    # Asking for help starts no database; otherwise nothing that reads its address is loaded before it runs.
    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from backend.people import cli

        return cli.main(arguments) or 0


def regions(arguments: list[str]) -> int:
    from backend import up

    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from backend.units import region_file

        return region_file.main([_from_caller(word) for word in arguments]) or 0


def evidence(arguments: list[str]) -> int:
    from backend import up

    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from backend.evidence import cli

        return cli.main(arguments)


def keys(arguments: list[str]) -> int:
    from backend import up

    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from backend import keys

        return keys.run(settings.load(), arguments)


def verify_receipt(arguments: list[str]) -> int:
    from backend import receipt_check

    return receipt_check.run([_from_caller(word) for word in arguments])


def verify_summary(arguments: list[str]) -> int:
    from backend import up

    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from notifications.summaries import cli

        return cli.main(arguments)


def redraw(arguments: list[str]) -> int:
    from backend import up

    with nullcontext() if HELP & {*arguments} else up.services(settings.load()):
        from backend import redraw

        return redraw.main(arguments)


def messages(arguments: list[str]) -> int:
    from notifications.deliveries import cli

    return cli.main(arguments)


def doctor(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="duban doctor")
    parser.add_argument("--retry-parked", action="store_true", help="让搁置的事件重新处理")
    wanted = parser.parse_args(arguments)
    from backend import doctor

    if wanted.retry_parked:
        print(f"已让 {doctor.retry_parked()} 个搁置的事件重新处理。")
    return doctor.run(settings.load())


def test(arguments: list[str]) -> int:
    from backend import checks

    return checks.test(settings.load(), arguments)


def check(arguments: list[str]) -> int:
    _no_arguments("check", arguments)
    from backend import checks

    return checks.check(settings.load())


def docs(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="duban docs")
    parser.add_argument("--check", action="store_true", help="只检查是否过时，不改文件")
    wanted = parser.parse_args(arguments)
    from backend import docs_pages

    return docs_pages.run(check=wanted.check) or 0


def screens(arguments: list[str]) -> int:
    """`screens` takes all pictures, `screens finding queue` those whose names begin like that."""
    from backend import pictures

    return pictures.run(settings.load(), arguments)


def bench(arguments: list[str]) -> int:
    """`bench NAME …` runs bench/NAME.py; without a name the list."""
    found = {path.stem: path for path in sorted((ROOT / "bench").glob("*.py")) if path.stem[0] != "_"}
    if not arguments or arguments[0] not in found:
        for name, path in found.items():
            print(f"  {name:16}{path.read_text().splitlines()[0].strip(chr(34))}")
        return 2 if arguments else 0
    return subprocess.run([sys.executable, "-m", f"bench.{arguments[0]}", *arguments[1:]], cwd=ROOT).returncode


def lock(arguments: list[str]) -> int:
    from backend import checks

    return checks.lock(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "up": up,
    "web": web,
    "worker": worker,
    "migrate": migrate,
    "demo": demo,
    "person": person,
    "regions": regions,
    "evidence": evidence,
    "keys": keys,
    "verify-receipt": verify_receipt,
    "verify-summary": verify_summary,
    "redraw": redraw,
    "messages": messages,
    "doctor": doctor,
    "test": test,
    "check": check,
    "docs": docs,
    "screens": screens,
    "bench": bench,
    "lock": lock,
    "prepare": prepare,
}


def main(arguments: list[str]) -> int:
    """Runs a command. Trouble that was to be expected becomes a sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without Chinese must not stop anything
    if not arguments or arguments[0] not in COMMANDS:
        return subprocess.run([str(ROOT / "duban"), *arguments[:1]]).returncode
    from backend.errors import Problem

    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except (Trouble, BadSettings, Problem) as trouble:
        print(f"duban: {trouble}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] in ("backend", "inspections", "tasks", "notifications"):
            raise  # a fault of ours, not of the installation
        print(f"duban: 缺少组件 {missing.name}：请删除 {sys.prefix} 后再运行一次 ./duban。", file=sys.stderr)
        return 1
    except (ConnectionError, TimeoutError, socket.gaierror) as wrong:
        print(f"duban: 连不上数据库或队列（{wrong}）：运行 ./duban doctor 查原因。", file=sys.stderr)
        return 1
    except ZoneInfoNotFoundError:
        print("duban: 本机没有时区数据：请先 apt install tzdata。", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _bring_up_to_date() -> None:
    import asyncpg

    from backend import keys, migrate

    try:
        migrate.run()
        keys.ensure(settings.load())
    except migrate.MigrationFailed as failed:
        raise Trouble(f"数据表升级没有做完：{failed}") from failed
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as wrong:
        raise Trouble(f"数据库不接受我们（{wrong}）：请检查 DUBAN_DATABASE_URL。") from wrong


def _no_arguments(command: str, arguments: list[str]) -> None:
    argparse.ArgumentParser(prog=f"duban {command}").parse_args(arguments)


def _from_caller(word: str) -> str:
    """A file named from where the caller stood: the launcher has changed to the repository."""
    path = Path(os.environ.get("DUBAN_FROM", "."), word)
    return str(path.resolve()) if path.exists() else word


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
