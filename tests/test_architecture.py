"""Guard rails: sizes, names, sight, links, words and pages. What import-linter holds stands in pyproject.toml."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.conf.apps import Finder

from backend import docs_pages, migrate
from backend.__main__ import COMMANDS
from backend.app import CONTROLLERS
from backend.evidence.api import EvidenceController
from backend.settings import ROOT

PACKAGES = ("backend", "inspections", "tasks", "notifications")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

LONGEST_FILE, LONGEST_FUNCTION, MOST_POSITIONAL = 400, 40, 5
BANNED_FILES = {"utils", "helpers", "common", "core", "base", "manager", "service", "misc"}
# From the third column of docs/glossary.md: those that can only mean the thing we call otherwise.
BANNED_WORDS = set(
    "ticket tenant org dept defect attendance watchlist assignee punishment score ranking todo "
    "manager repository dto helper helpers utils misc".split()
)
# Time that the phone claims. Every other moment is the server's and no request may name it (trust.md G7).
CLAIMED_TIMES = {"phone_at", "found_at", "captured_at", "token_received_at", "finished_at"}


@cache
def sources() -> tuple[Path, ...]:
    """The product's own files: no tests, no migrations."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path for path in found if "piccolo_migrations" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def place(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def everything(kind: type) -> Iterator[type]:
    """Every subclass of ours, once all modules are loaded."""
    for path in sources():
        if path.name != "__main__.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    waiting = [kind]
    while waiting:
        children = waiting.pop().__subclasses__()
        waiting += children
        yield from (child for child in children if child.__module__.split(".")[0] in PACKAGES)


# ── sizes and names ──────────────────────────────────────────────────────────────────────────────────────────────


def test_no_file_is_longer_than_400_lines() -> None:
    assert [place(p) for p in sources() if len(p.read_text().splitlines()) > LONGEST_FILE] == []


def test_no_function_is_longer_than_40_lines() -> None:
    long = [(p, f) for p in sources() for f in functions(p) if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION]
    assert [place(p, f) for p, f in long] == []


def test_no_function_takes_more_than_five_positional_parameters() -> None:
    """litestar passes the parameters of a controller by name."""
    wide = [
        (p, f)
        for p in sources()
        for f in functions(p)
        if p.name != "api.py" and len([a for a in f.args.args if a.arg != "self"]) > MOST_POSITIONAL
    ]
    assert [place(p, f) for p, f in wide] == []


def test_every_file_starts_with_its_docstring() -> None:
    assert [place(p) for p in sources() if p.read_text().strip() and not ast.get_docstring(tree(p))] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [place(p) for p in sources() if BANNED_FILES & {p.stem, *p.relative_to(ROOT).parent.parts}] == []


def test_code_speaks_the_words_of_the_glossary() -> None:
    stray = [
        (place(path, node), name)
        for path in sources()
        for node, name in _names(tree(path))
        if BANNED_WORDS & set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))
    ]
    assert stray == []


def _names(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node, name


# ── time, sight, rows ────────────────────────────────────────────────────────────────────────────────────────────


def test_only_clock_reads_the_clock() -> None:
    reads = re.compile(r"datetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.(time|localtime|gmtime)\(")
    assert [place(p) for p in sources() if p.name != "clock.py" and reads.search(p.read_text())] == []


# Where an actor's units or areas meet a query outside of visible_to(), and why that decides nothing about sight.
NARROWER = {
    ("tasks/decisions/queries.py", "_open_procedures"): "where to look; each line is asked visible_to() again",
    ("tasks/rectifications/listing.py", "waiting_for"): "what my own unit must do, out of what it sees",
    ("tasks/rectifications/listing.py", "sight"): "where to read from; each line is asked visible_to() again",
    ("notifications/summaries/queries.py", "_reach"): "the whole or columns of a month that visible_to() let through",
    ("notifications/feeds/queries.py", "_months"): "what my own unit owes, out of what its own line shows",
    ("backend/people/queries.py", "listed"): "the office's list of people, refused to other roles first",
}


def test_only_visible_to_asks_where_an_actor_belongs() -> None:
    """In a file that reads rows; rules ask for roles, which is another question."""
    stray = [
        (str(path.relative_to(ROOT)), function.name)
        for path in sources()
        if "queries" in path.name or path.name in ("listing.py", "timeline.py", "commands.py", "api.py")
        for function in functions(path)
        if function.name != "visible_to" and any(map(_asks_where, ast.walk(function)))
    ]
    assert set(stray) - NARROWER.keys() == set()


def _asks_where(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="actor"), attr="units" | "areas")):
            return True
        case _:
            return False


COUNTERS = {"outbox.attempts", "evidence.tries", "incident.quiet_looks"} | {
    f"rectification.{name}" for name in ("returned", "reopened", "extended")
}


def test_every_link_restricts_and_every_column_is_spelled_out() -> None:
    """Piccolo's defaults cascade and fill in now(), zero and empty text (docs/decisions/0006)."""
    loose: list[str] = []
    tables = Finder().get_table_classes()
    for table in tables:
        for column in table._meta.columns:
            named = f"{table._meta.tablename}.{column._meta.name}"
            link = getattr(column, "_foreign_key_meta", None)
            if link and (link.on_delete, link.on_update) != (OnDelete.restrict, OnUpdate.restrict):
                loose.append(f"{named} does not restrict")
            default = column._meta.params.get("default")
            if default is not None and default is not False and named not in COUNTERS:
                loose.append(f"{named} is filled in when nothing is given: {default!r}")
    assert tables and loose == []


def test_no_request_can_name_a_time_of_the_server() -> None:
    inputs = [struct for struct in everything(msgspec.Struct) if struct.__struct_config__.forbid_unknown_fields]
    named: list[Any] = [
        (struct.__name__, field)
        for struct in inputs
        for field in struct.__struct_fields__
        if (field == "at" or field.endswith("_at")) and field not in CLAIMED_TIMES
    ]
    assert inputs and named == []


def test_every_request_refuses_unknown_fields() -> None:
    open_to_anything = [
        struct.__name__
        for struct in everything(msgspec.Struct)
        if struct.__name__.endswith("In") and not struct.__struct_config__.forbid_unknown_fields
    ]
    assert open_to_anything == []


def test_no_two_migrations_of_an_app_have_the_same_id() -> None:
    """The later one would count as run already."""
    for app in PACKAGES:
        ids = migrate._ids(app)
        assert len(ids) == len(set(ids)) > 0, app


# ── imports and dependencies ─────────────────────────────────────────────────────────────────────────────────────


def test_every_module_has_its_layer() -> None:
    """A layers contract says nothing about a module it does not name."""
    named = "\n".join(line for line in PROJECT["tool"]["importlinter"]["contracts"][0]["layers"])
    layers = set(re.findall(r"[\w.]+", named))
    modules = {p.relative_to(ROOT).parts[:2] for p in sources() if p.relative_to(ROOT).parts[0] == "backend"}
    dotted = {".".join(parts).removesuffix(".py") for parts in modules} - {"backend.__init__"}
    assert dotted - layers == set()


def test_every_concept_is_held_to_the_order_inside() -> None:
    concepts = {".".join(p.parent.relative_to(ROOT).parts) for p in sources() if p.stem in ("queries", "commands")}
    held = next(c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["name"].startswith("Inside a concept"))
    assert concepts - set(held["containers"]) == set()


def test_every_direct_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    groups = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    silent = [it for group in groups for it in group if not re.search(re.escape(f'"{it}"') + r",\s+# \w", text)]
    assert silent == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_name_no_package_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text and not re.search(r"https?://|--(extra-)?index|--find-links", text)


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", docs_pages.PAGES)
def test_the_printed_pages_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == docs_pages.PAGES[name](), "run ./duban docs"


def test_the_glossary_has_every_member_of_every_enum() -> None:
    text = (ROOT / "docs/glossary.md").read_text()
    sections = {name: body for name, body in re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text, re.M | re.S)}
    told = {name: set(re.findall(r"^\| `([^`]+)` \|", body, re.M)) for name, body in sections.items()}
    enums: list[Any] = [enum for enum in everything(StrEnum) if not enum.__module__.startswith("backend.demo")]
    real = {f"{enum.__module__}.{enum.__name__}": {str(member) for member in enum} for enum in enums}
    assert told == real


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").rglob("*.md")]


def test_every_link_between_pages_leads_somewhere() -> None:
    dead = [
        (str(page.relative_to(ROOT)), target)
        for page in pages()
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_command_in_the_pages_exists() -> None:
    said = {word for page in pages() for word in re.findall(r"\./duban ([a-z]+(?:-[a-z]+)*)", page.read_text())}
    assert said - COMMANDS.keys() == set()


def test_every_decision_named_in_the_code_is_written_down() -> None:
    texts = [path.read_text() for path in (*sources(), *(ROOT / "tests").rglob("*.py"), ROOT / "pyproject.toml")]
    named = {number for text in texts for number in re.findall(r"docs/decisions/(\d{4})", text)}
    assert named <= {path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")}


@pytest.mark.parametrize("page", ["README.md", ".env.example"])
def test_every_setting_is_told(page: str) -> None:
    texts = [(ROOT / "backend" / name).read_text() for name in ("settings.py", "outgoing.py")]
    read = set(re.findall(r'"(DUBAN_[A-Z0-9_]+)"', "".join(texts)))
    assert read - set(re.findall(r"DUBAN_[A-Z0-9_]+", (ROOT / page).read_text())) == set()


def test_every_route_has_a_summary_and_a_tag() -> None:
    """Asked of the handlers: in the OpenAPI document litestar makes a summary up from the function's name."""
    handlers = [
        (controller, handler)
        for controller in (*CONTROLLERS, EvidenceController)
        for handler in vars(controller).values()
        if isinstance(handler, HTTPRouteHandler)
    ]
    bare = [f"{controller.__name__}.{handler.name or handler.fn.__name__}" for controller, handler in handlers
            if not handler.summary or not controller.tags]  # fmt: skip
    assert handlers and bare == []
