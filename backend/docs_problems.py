"""Prints docs/problems.md: the stable error codes, read from the places in the source that raise them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend import errors, problems
from backend.errors import Problem
from backend.evidence import format
from backend.settings import ROOT

FOLDERS = ("backend", "inspections", "tasks", "notifications")
COMMAND_LINE = ("cli.py", "region_file.py", "demo")  # refusals told on the terminal, never over HTTP
KINDS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Problem)}


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """A code with one of its sentences. `sentence` is empty where the rules supply it."""

    status: int
    code: str
    sentence: str


INTRODUCTION = """\
Every refusal is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `code`, `detail`,
and where they say more `field`, `request_id`, `details`. Programs decide by `status` and `code`,
which are stable. `detail` is for the person and may change; `…` stands for a value. A program that
does not know a code goes by the status.
"""


def page(note: str) -> str:
    """The whole page: a line per status and code."""
    head = ["| Status | Code | Sentences |", "|---|---|---|"]
    lines = ["# Problem codes", "", note, "", INTRODUCTION, *head]
    linked: set[str] = set()
    for (status, code), sentences in collected().items():
        told = " / ".join(sorted(sentences - {""})) or "(made on the spot)"
        anchor = "" if code in linked else f'<a id="{code}"></a>'
        linked.add(code)
        lines.append(f"| {status} | {anchor}`{code}` | {told} |")
    return "\n".join([*lines, ""])


def collected() -> dict[tuple[int, str], set[str]]:
    """Status and code → sentences, in the order of the page."""
    found: dict[tuple[int, str], set[str]] = {}
    for it in sorted({*_raised(), *_tables()}):
        found.setdefault((it.status, it.code), set()).add(it.sentence)
    return found


def _tables() -> Iterator[Code]:
    """Codes that stand in tables instead of in a raise."""
    for status, (code, sentence) in problems.GENERIC.items():
        yield Code(status, code, sentence)
    for code, sentence in format.SENTENCES.items():
        yield Code(errors.Incomplete.status, code, sentence)
    for kind in KINDS.values():
        if kind is errors.NotFound:
            yield Code(kind.status, kind.default_code, kind().message)


def _raised() -> Iterator[Code]:
    for path in sources():
        tree = ast.parse(path.read_text())
        names = _constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (kind := KINDS.get(_name(node.func))) and node.args:
                code = _code(node, kind, names)
                if code:
                    yield Code(kind.status, code, _sentence(node.args[0], names))


def sources() -> list[Path]:
    """The files whose refusals travel over HTTP."""
    files = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return [p for p in files if not p.name.startswith(COMMAND_LINE) and "piccolo_migrations" not in p.parts]


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def _code(call: ast.Call, kind: type[Problem], names: dict[str, str]) -> str:
    """The code of a raise; empty when it is computed, as the tables are."""
    given = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "code"), None)
    match given:
        case None:
            return kind.default_code
        case ast.Constant(value=str(code)):
            return code
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.IfExp(body=ast.Constant(value=str(code))):
            return code
        case _:
            return ""


def _sentence(message: ast.expr, names: dict[str, str]) -> str:
    match message:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name, "")
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
        case _:
            return ""


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names of the module that stand for texts."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
