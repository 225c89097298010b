"""The whole loop, once, through a real web process and a real worker: the blocks of docs/walk.md as they stand."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.db import raw
from backend.people import passwords
from backend.settings import ROOT
from tests import make
from tests.journeys.conftest import free_port, serves
from tests.waiting import PATIENCE, last_lines, until


@contextmanager
def doors(port: int, folder: Path) -> Iterator[None]:
    """Web and worker on this test's database, as `./duban up` starts them. Ended by their own handles."""
    env = {**os.environ, "DUBAN_PORT": str(port)}
    logs = {name: (folder / f"{name}.log").open("w+") for name in ("worker", "web")}
    running = [
        subprocess.Popen([sys.executable, "-m", "backend", name], cwd=ROOT, env=env, stdout=log, stderr=log)
        for name, log in logs.items()
    ]
    try:
        until(
            lambda: [serves(port, "/readyz"), *(process.poll() for process in running)],
            lambda seen: seen == [True, None, None],
            more=lambda: last_lines(Path(logs["web"].name)),
        )
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(PATIENCE)
        for log in logs.values():
            log.close()


async def logins(it: make.Cast) -> str:
    """The small cast in the form of var/demo-logins.json; one password for all, hashed once."""
    await raw("UPDATE person SET password_hash = $1", await passwords.hashed(make.PASSWORD))
    people = {
        "inspector": [it.inspector],
        "team_lead": [it.lead],
        "unit_handler": [it.handler, it.stranger],
        "lead_unit_reviewer": [it.reviewer],
        "supervision_leader": [it.boss],
    }
    rows = [
        {"role": role, "person": who.name, "username": await make.username(who), "password": make.PASSWORD}
        for role, everyone in people.items()
        for who in everyone
    ]
    return json.dumps(rows)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk needs curl")
async def test_the_walk_in_the_docs_leads_to_a_closed_item(fresh: None, tmp_path: Path) -> None:
    told = await logins(await make.cast())
    walk = "\n".join(re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/walk.md").read_text(), re.M | re.S))
    port = free_port()
    env = {**os.environ, "DUBAN_URL": f"http://127.0.0.1:{port}", "DUBAN_LOGINS": str(tmp_path / "logins.json")}
    # A hundred times `python3`: ours, and not a script that looks for one each time.
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def walked() -> subprocess.CompletedProcess[str]:
        (tmp_path / "logins.json").write_text(told)
        command = ["bash", "-euo", "pipefail", "-c", walk]
        with doors(port, tmp_path):
            # Some hundred short programs: seconds on an idle machine, minutes where eight others run.
            return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=600)

    done = await asyncio.to_thread(walked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"ZG-210422-\d{8}-0001 is closed; a stranger gets 404", done.stdout.splitlines()[-1])
    assert "0 of 3 photos arrived" in done.stdout
    assert "回执真实" in done.stdout and "就是已存妥的那一个文件" in done.stdout
