"""Door: the web processes. Which server, with which limits; the app itself is app.py."""

import gc
import os
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops

from backend.settings import Settings
from backend.supervisor import die_with_parent

STOP_WITHIN = 3  # seconds an open request (a long poll, an upload) may hold up the end


def serve(settings: Settings, target: str = "backend.app:app", load: Callable[[str], Any] | None = None) -> None:
    """Serves backend.app until SIGTERM or Ctrl-C; or what `load(target)` gives, which bench/ measures ours against."""
    Granian(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.web_workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        workers_kill_timeout=STOP_WITHIN,
        respawn_failed_workers=settings.web_workers > 1,  # a single one is restarted by whoever started us
    ).serve(target_loader=load or load_app)


def load_app(_target: str) -> Any:
    """The app, in a worker process that will not outlive its server: a lone worker would hold the port."""
    die_with_parent(os.getppid())
    gc.disable()  # what is loaded now stays: looking through it meanwhile would be a sixth of the start
    from backend.app import app

    gc.freeze()  # nor is it looked through at any later collection
    gc.set_threshold(20_000, 10, 10)  # a request makes a few thousand objects, and nearly none in a circle
    gc.enable()
    return app
