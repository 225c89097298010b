"""Hostile and careless input at every write call of the OpenAPI document: refused, explained, and nothing written."""

import json
import re
import time
from typing import Any
from uuid import UUID

import pytest

from backend import body
from backend.app import app
from backend.db import raw
from backend.errors import BadRequest
from backend.people import passwords
from tasks.rectifications.item import Status
from tests import calls, make
from tests.people_make import QUICK

DOCUMENT = app.openapi_schema.to_schema()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPEN = {
    "POST /api/sessions", "DELETE /api/sessions/current", "GET /healthz", "GET /readyz", "GET /api/receipt-keys",
    "GET /", "GET /phone", "GET /phone/{path}", "HEAD /phone", "HEAD /phone/{path}",
    "GET /metrics", "GET /calendar/{name}",
}  # fmt: skip
CLAIMS = {
    "captured_at",
    "phone_at",
    "found_at",
    "token_received_at",
    "finished_at",
}  # what a phone's clock said, kept beside the server's own time
NOT_THERE = {(404, "not_found"), (405, "method_not_allowed")}
BIG = b'{"facts": "' + b"x" * (30 * 2**20) + b'"}'


def operations() -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def form(name: str) -> dict[str, Any] | None:
    """The schema of a call's JSON body."""
    content = operations()[name].get("requestBody", {}).get("content", {})
    return resolved(content["application/json"]["schema"]) if "application/json" in content else None


def fill(path: str) -> str:
    """A concrete path: ids of nothing, and a day."""
    return re.sub(r"\{\w+\}", str(UUID(int=7)), path.replace("{day}", "2026-12-05"))


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Behind references, and without the null of optional fields."""
    if "$ref" in schema:
        return resolved(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    for choice in schema.get("oneOf", []):
        if choice.get("type") != "null":
            return resolved({**{k: v for k, v in schema.items() if k != "oneOf"}, **choice})
    return schema


WRITES = [name for name in operations() if not name.startswith(("GET ", "HEAD "))]
FORMS = [name for name in WRITES if form(name)]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", QUICK)


def broken(valid: dict[str, Any]) -> dict[str, tuple[bytes, str, str | None]]:
    """Bodies that are wrong as a whole: what is sent, the code, the field that is named."""
    text, first = json.dumps(valid), next(iter(valid))
    deep = b'{"surprise": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return {
        "empty": (b"", "empty_body", None),
        "spaces": (b"  \n", "not_json", None),
        "not JSON": (b"facts=1&id=2", "not_json", None),
        "cut off": (text[:-1].encode(), "not_json", None),
        "more behind it": (text.encode() + b"{}", "not_json", None),
        "an array": (b"[]", "malformed", None),
        "a word": (b'"text"', "malformed", None),
        "null": (b"null", "malformed", None),
        "a number": (b"7", "malformed", None),
        "an unknown field": (json.dumps({**valid, "surprise": 1}).encode(), "unknown_field", "surprise"),
        "a database column": (json.dumps({**valid, "status": "closed"}).encode(), "unknown_field", "status"),
        "a field twice": (f'{text[:-1]}, "{first}": 1}}'.encode(), "duplicate_key", first),
        "100,000 deep": (deep, "too_deep", None),
        "NaN": (b'{"surprise": NaN}', "not_json", None),
        "Infinity": (b'{"surprise": -Infinity}', "not_json", None),
        "a number of 10,000 digits": (b'{"surprise": ' + b"9" * 10_000 + b"}", "not_json", None),
        "not UTF-8": (text[:-1].encode() + ', "surprise": "é"}'.encode("latin-1"), "not_json", None),
        "half a character, raw": (text[:-1].encode() + b', "surprise": "\xed\xa0\x80"}', "not_json", None),
        "UTF-16": (text.encode("utf-16"), "not_json", None),
        "NUL behind it": (text.encode() + b"\0", "not_json", None),
        "NUL in a name": (text[:-1].encode() + rb', "a\u0000b": 1}', "nul_character", None),
        "half a character in a name": (text[:-1].encode() + rb', "a\udfff": 1}', "bad_text", None),
    }


def wrong_values(schema: dict[str, Any]) -> dict[str, str]:
    """JSON texts of values this field cannot take."""
    kind = "string" if "enum" in schema else schema.get("type")
    wrong = {"an object": '{"a": 1}', "a number of 400 digits": "9" * 400, "no number": "1e400"}
    if kind == "string":
        wrong["too long"] = json.dumps("9" * (schema.get("maxLength", 20_000) + 1))
    if kind == "array":
        item = resolved(schema["items"])
        one = make.manifest_line(b"x") if item.get("type") == "object" else str(UUID(int=1))
        wrong |= {"too many": json.dumps([one] * (schema["maxItems"] + 1)), "text": '"x"', "[{}]": "[7]"}
    if kind == "object":
        wrong = {"a list": "[1]", "text": '"x"'} | ({"an empty one": "{}"} if schema.get("required") else {})
    if schema.get("format") == "date-time":
        wrong["no offset"] = '"2026-11-24T12:00:00"'
    return wrong


def wrong_fields(valid: dict[str, Any], schema: dict[str, Any]) -> dict[str, tuple[bytes, str, str | None]]:
    """Bodies in which one part is wrong."""

    def put(field: str, value: str) -> bytes:
        others = ", ".join(f'"{k}": {json.dumps(v)}' for k, v in valid.items() if k != field)
        return f'{{{others}{", " if others else ""}"{field}": {value}}}'.encode()

    wrong: dict[str, tuple[bytes, str, str | None]] = {}
    for field in schema.get("required", []):
        rest = {name: value for name, value in valid.items() if name != field}
        wrong[f"no {field}"] = json.dumps(rest).encode(), "malformed", field
    for field, about in schema["properties"].items():
        for what, value in wrong_values(resolved(about)).items():
            wrong[f"{field}: {what}"] = put(field, value), "malformed", field
        if resolved(about).get("format") == "date-time":
            wrong[f"{field}: year 1 in the east"] = put(field, '"0001-01-01T00:00:00+14:00"'), "bad_time", field
            wrong[f"{field}: year 9999 in the west"] = put(field, '"9999-12-31T23:59:59-14:00"'), "bad_time", field
    first = next(iter(valid))
    wrong["NUL"] = put(first, r'"a\u0000b"'), "nul_character", first
    wrong["half a character"] = put(first, r'"a\ud800b"'), "bad_text", first
    return wrong


def test_every_write_call_stands_in_the_table():
    assert set(WRITES) == set(calls.WRITES), "add the new call to tests/calls.py"


@pytest.mark.parametrize("name", FORMS)
async def test_bad_bodies_are_refused_explained_and_leave_nothing(client, noon, name):
    it = await make.cast()
    call = await calls.WRITES[name](it)
    valid, schema = call.body, form(name)
    assert isinstance(valid, dict) and schema
    before, wrong = await calls.snapshot(), []
    headers = {**call.headers, "Content-Type": "application/json"}
    for what, (sent, code, field) in {**broken(valid), **wrong_fields(valid, schema)}.items():
        answer = await call.made(client, content=sent, headers=headers)
        told = make.problem(answer) if answer.status_code >= 400 else {"code": "accepted"}
        named = (told.get("field") or "").split("[")[0].split(".")[0] or None
        if (answer.status_code, told["code"], named) != (400, code, field):
            wrong.append((what, answer.status_code, told, "wanted", code, field))
    assert not wrong, "\n".join(map(str, wrong))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await call.made(client, content=json.dumps(valid).encode(), headers={**headers, "Content-Type": kind})
        assert (answer.status_code, make.problem(answer)["code"]) == (415, "wrong_content_type"), kind
    answer = await call.made(client, content=BIG, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (413, "too_large")
    assert await calls.snapshot() == before
    answer = await call.made(client)
    assert answer.is_success, answer.text  # the refusals were not for another reason


@pytest.mark.parametrize(
    "text",
    [b"[" * 250_000, b'{"a":' * 40_000, b"[" * 32 + b"]" * 32 + b'"' + b'\\"' * 120_000, b"[]" * 32 + b'"' * 250_001],
    ids=["open lists", "open objects", "quotes in an open string", "quotes"],
)
def test_a_body_is_read_in_time_that_grows_with_its_size(text):
    began = time.process_time()
    with pytest.raises(BadRequest):
        body.parse(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "text", ['{"a": "}]]{{[["}', '{"a": "\\\\"}', '{"a": [[[[]]]], "b": [{"c": "[\\"["}]}', '"\U0001f600"']
)
def test_brackets_in_strings_and_whole_characters_are_no_fault(text):
    padded = f"[{text}, {', '.join(['[]'] * 40)}]"
    assert body.parse(padded.encode()) == json.loads(padded)


def test_forty_lists_side_by_side_pass_and_thirty_three_inside_each_other_do_not():
    assert body.parse(b"[" * 32 + b"]" * 32)
    for deep in (b"[" * 33 + b"]" * 33, b"[[]," * 33 + b"1" + b"]" * 33):
        with pytest.raises(BadRequest) as refusal:
            body.parse(deep)
        assert refusal.value.code == "too_deep"


async def test_bad_ids_in_the_path_are_not_found(client, noon):
    it = await make.cast()
    headers, before = await make.signed_in(it.boss), await calls.snapshot()
    for name in WRITES:
        method, path = name.split()
        for part in re.findall(r"\{\w+\}", path):
            whole = fill(path.replace(part, "HERE"))
            for bad in ("1", "%00", f"{it.visit}0", str(it.visit)[:-1], "..%2f..%2fetc", "' OR 1=1 --", "x" * 4000):
                answer = await client.request(method, whole.replace("HERE", bad), headers=headers, json={})
                assert (answer.status_code, make.problem(answer)["code"]) in NOT_THERE, (name, bad, answer.text)
    assert await calls.snapshot() == before


async def test_signed_out_every_route_but_the_named_ones_answers_401(client):
    for name in operations():
        method, path = name.split()
        answer = await client.request(method, fill(path), json={"surprise": 1})
        if name in OPEN:
            assert answer.status_code != 401, name
        else:
            assert answer.status_code == 401, (name, answer.text)
            assert method == "HEAD" or make.problem(answer)["code"] == "sign_in_needed"
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_no_route_is_missing_in_the_document():
    documented = {path for path in DOCUMENT["paths"]}
    for route in app.routes:
        if not route.path.startswith("/schema"):
            assert (re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path).rstrip("/") or "/") in documented, route.path


async def test_no_request_may_set_a_server_time(tables):
    rows = await raw(
        "SELECT DISTINCT column_name AS name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'"
    )
    server_times = {row["name"] for row in rows} - CLAIMS - {"urgency"}  # a key of lists; of a reminder, a word
    assert {"received_at", "submitted_at", "closed_at", "due_at"} <= server_times
    asked = {field for name in FORMS for field in fields(form(name) or {})}
    assert asked & CLAIMS == CLAIMS
    assert asked & server_times == set()


def fields(schema: dict[str, Any]) -> set[str]:
    """Names of all members, also of what is nested."""
    schema = resolved(schema)
    found = set(schema.get("properties", {}))
    for member in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        found |= fields(member)
    return found


def test_every_list_has_items_and_next():
    lists = 0
    for name, operation in operations().items():
        if not name.startswith("GET ") or name == "GET /":
            continue
        content = operation["responses"]["200"].get("content", {})
        schema = resolved(content.get("application/json", {}).get("schema", {}))
        assert schema.get("type") != "array", name
        if "items" in schema.get("properties", {}):
            assert "next" in schema["properties"], name
            lists += 1
    assert lists >= 9


@pytest.mark.parametrize(
    "path", [path for path, methods in DOCUMENT["paths"].items() if methods.get("get", {}).get("parameters")]
)
async def test_bad_query_parameters_are_refused(client, noon, path):
    it = await make.cast()
    headers = await make.signed_in(it.staff)
    item = await make.rectification(it, Status.draft) if "{item_id}" in path else None
    address = fill(path.replace("{item_id}", str(item)))
    said = [p for p in DOCUMENT["paths"][path]["get"]["parameters"] if p["in"] == "query"]
    needed = {p["name"]: "2026-12-05" for p in said if p.get("required")}
    for name in (p["name"] for p in said):
        others = "".join(f"&{key}={value}" for key, value in needed.items() if key != name)
        for value in ("%00", "x%00y", "%ff", "%ed%a0%80", "9" * 400, "-1", "1e400", "[]", "x" * 3000):
            answer = await client.get(f"{address}?{name}={value}{others}", headers=headers)
            assert answer.status_code < 500, (name, value, answer.text)
            if answer.status_code >= 400:
                assert make.problem(answer)["field"], answer.text
