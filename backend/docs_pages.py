"""Door: what is printed from the code: the pages of states, events and problem codes, and the types of the screens."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from backend import docs_problems, docs_states, outbox, screen_build
from backend.app import app
from backend.events import VERBS
from backend.settings import ROOT
from backend.supervisor import say
from backend.worker import REACTIONS
from notifications.inbox.rules import HEARS
from notifications.inbox.wording import TITLES
from tasks.rectifications.told import SENTENCES

NOTE = "<!-- Printed by `./duban docs`. Change the code, not this file. -->"


INTRODUCTION = """\
An event is written once, in the transaction that changes the rows, and never changed. `subject` is
the id of the thing that the first word names. The list is closed: `events.record()` refuses a verb
that is not in it.

Who an audience is, is asked when the event is handled: live accounts with a live role, around the
kind of thing that stands under *About*; and the deputies of those who are away. The person who did
it is not told. A notice exists once per event and person, however often the event is handled.
"""


def events_page() -> str:
    """Every verb, what it says on a timeline, what it causes, and who is told."""
    head = row("Verb", "What happened", "时间线", "Causes", "About", "Told to", "Urgency", "通知")
    lines = ["# Events", "", NOTE, "", INTRODUCTION, head, "|" + "---|" * 8]
    return "\n".join([*lines, *(_event(verb, sentence) for verb, sentence in VERBS.items()), ""])


def _event(verb: str, sentence: str) -> str:
    causes = [f"`{outbox.name(reaction)}`" for reaction in REACTIONS.get(verb, ())]
    hearing, title = HEARS.get(verb), TITLES.get(verb)
    about = f"`{hearing.about}`" if hearing else ""
    told = ", ".join(f"`{audience}`" for audience in hearing.audience) if hearing else ""
    urgency = f"`{hearing.urgency}`" if hearing else ""
    notice = title[0] if title else ""
    return row(f"`{verb}`", sentence, SENTENCES.get(verb, ""), ", ".join(causes), about, told, urgency, notice)


def row(*cells: str) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


TYPES = "web/shared/api.d.ts"
PAGES: dict[str, Callable[[], str]] = {
    "docs/states.md": lambda: docs_states.page(NOTE),
    "docs/events.md": events_page,
    "docs/problems.md": lambda: docs_problems.page(NOTE),
}


def run(check: bool) -> int:
    """Writes the pages; with `check` only compares, and says which are stale. 1 when one is, else 0."""
    stale = {name: text for name, text in [*printed(), (TYPES, types())] if _kept(ROOT / name) != text}
    for name, text in stale.items():
        if check:
            say(f"{name} 与代码不符，请运行 ./duban docs。")
        else:
            (ROOT / name).write_text(text)
            say(f"已更新 {name}")
    return 1 if check and stale else 0


def types() -> str:
    """What the screens are typed against: the OpenAPI document in TypeScript. Raises Trouble without Node."""
    with screen_build.one_at_a_time():
        screen_build.install()
        document = msgspec.json.encode(_bare(app.openapi_schema.to_schema()), order="deterministic")
        return screen_build.run("openapi-typescript", "--alphabetize", stdin=document).decode()


def _bare(node: Any) -> Any:
    """Without the examples that litestar makes up: their times are of the moment of printing."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key not in ("example", "examples")}
    return [_bare(value) for value in node] if isinstance(node, list) else node


def printed() -> Iterable[tuple[str, str]]:
    """Each page's path in the repository and the text it should have."""
    return ((name, make()) for name, make in PAGES.items())


def _kept(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
