"""The whole loop, once, through a real web process and a real worker: the blocks of docs/walk.md as they stand."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from backend.db import raw
from backend.people import passwords
from backend.settings import ROOT
from tests import make

WITHIN = 60.0  # seconds a door may take to open on a machine that does other things too


@contextmanager
def doors(url: str, folder: Path) -> Iterator[None]:
    """Web and worker on this test's database, as `./duban up` starts them. Ended by their own handles."""
    env = {**os.environ, "DUBAN_PORT": url.rpartition(":")[2]}
    logs = {name: (folder / f"{name}.log").open("w+") for name in ("worker", "web")}
    running = [
        subprocess.Popen([sys.executable, "-m", "backend", name], cwd=ROOT, env=env, stdout=log, stderr=log)
        for name, log in logs.items()
    ]
    try:
        _await_answer(url, running, logs["web"].name)
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)
        for log in logs.values():
            log.close()


def _await_answer(url: str, running: list[subprocess.Popen[bytes]], log: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < WITHIN and not any(process.poll() for process in running):
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the server did not answer:\n{Path(log).read_text()}")


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


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
    url = f"http://127.0.0.1:{free_port()}"
    env = {**os.environ, "DUBAN_URL": url, "DUBAN_LOGINS": str(tmp_path / "logins.json")}

    def walked() -> subprocess.CompletedProcess[str]:
        (tmp_path / "logins.json").write_text(told)
        command = ["bash", "-euo", "pipefail", "-c", walk]
        with doors(url, tmp_path):
            # Some hundred short programs: seconds on an idle machine, minutes where eight others run.
            return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240)

    done = await asyncio.to_thread(walked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"ZG-210422-\d{8}-0001 is closed; a stranger gets 404", done.stdout.splitlines()[-1])
    assert "0 of 3 photos arrived" in done.stdout
    assert "回执真实" in done.stdout and "就是已存妥的那一个文件" in done.stdout
