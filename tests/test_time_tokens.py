"""Server-time tokens and the bracket they open: true for any phone clock, and never a reason to refuse a photo."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import clock, signing, time_tokens
from backend.db import raw
from backend.evidence.rules import TOKEN_LASTS, TokenState, bracket, token_state
from backend.roles import Actor
from backend.time_tokens import TimeToken
from tests import calls, make
from tests.conftest import NOON

WANG, LIU = Actor(UUID(int=1), "王"), Actor(UUID(int=2), "刘")


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def token_of(client, actor: Actor) -> dict[str, Any]:
    return (await client.get("/api/time", headers=await make.signed_in(actor))).json()


async def filed(client, it, **capture: Any) -> dict[str, Any]:
    """A finding with one photo and this capture record, as the answer shows the photo."""
    call = await calls.file_finding(it)
    call.body["evidence"][0]["capture"] = capture
    said = await call.made(client)
    assert said.status_code == 201, said.text
    return said.json()["evidence"][0]


async def test_the_time_is_given_to_who_is_signed_in_and_read_back(client, it):
    assert (await client.get("/api/time")).status_code == 401
    given = await token_of(client, it.inspector)
    found = time_tokens.read(given["token"], signing.public_keys())
    assert found == TimeToken(NOON, it.inspector.person) and given["at"] == "2026-11-24T04:00:00Z"
    assert (await token_of(client, it.inspector))["token"] != given["token"]


async def test_the_document_of_the_day_brings_a_token(client, it):
    today = (await client.get("/api/phone/today", headers=await make.signed_in(it.inspector))).json()
    assert time_tokens.read(today["time"]["token"], signing.public_keys()) == TimeToken(NOON, it.inspector.person)


async def test_a_capture_record_is_kept_whole_and_its_bracket_shown(client, it, noon):
    given = await token_of(client, it.inspector)
    position = {"lat": 41.8, "lng": 124.9, "accuracy_m": 9.5, "datum": "gcj02"}
    moving = {"altitude_m": 312.5, "heading_deg": 271.0, "speed_mps": 0.4}
    call = await calls.file_finding(it)
    capture = {
        "token": given["token"], "token_received_at": "2026-11-24T11:41:00+08:00", "since_token_ms": 1_020_000,
        "counter": 3_000_000_017,
    }  # fmt: skip
    call.body["evidence"][0] |= {"capture": capture, "position": position | moving}
    with clock.frozen(noon + timedelta(minutes=20)):
        shown = (await call.made(client)).json()["evidence"][0]
        assert (await call.made(client)).status_code == 201
    assert (shown["token_state"], shown["width_s"]) == ("good", 1200.0)
    assert (shown["not_before"], shown["not_after"]) == ("2026-11-24T04:00:00Z", "2026-11-24T04:20:00Z")
    row = (await raw("SELECT * FROM evidence"))[0]
    kept = {name: row[name] for name in (*capture, *moving)} | {"token_received_at": capture["token_received_at"]}
    assert kept == capture | moving and row["token_received_at"] == noon - timedelta(minutes=19)
    assert (row["reported_lat"], row["datum"], row["token_at"]) == (41.8, "gcj02", noon)
    assert abs(row["lat"] - row["reported_lat"]) > 1e-4


@pytest.mark.parametrize("field", ["token", "token_received_at", "since_token_ms", "counter", "altitude_m"])
async def test_the_same_file_with_another_capture_record_is_a_conflict(client, it, field):
    given = await token_of(client, it.inspector)
    call = await calls.file_finding(it)
    line = call.body["evidence"][0]
    line["capture"] = {
        "token": given["token"], "token_received_at": "2026-11-24T11:41:00+08:00", "since_token_ms": 5, "counter": 1,
    }  # fmt: skip
    line["position"]["altitude_m"] = 300.0
    assert (await call.made(client)).status_code == 201
    others = {"token": "x", "token_received_at": None, "since_token_ms": None, "counter": 2, "altitude_m": None}
    line["position" if field == "altitude_m" else "capture"][field] = others[field]
    assert make.problem(await call.made(client))["code"] == "conflict"


async def test_a_token_of_somebody_else_is_kept_as_that(client, it):
    shown = await filed(client, it, token=(await token_of(client, it.lead))["token"])
    assert (shown["token_state"], shown["not_before"], shown["width_s"]) == ("foreign", None, None)


@pytest.mark.parametrize("forged", ["", "今天", "duban time v1\n", "{changed}", "{receipt}"])
async def test_a_forged_token_is_kept_as_that(client, it, forged):
    token = (await token_of(client, it.inspector))["token"]
    receipt = signing.signed("duban receipt v1\n")
    forged = forged.format(changed=token.replace("2026-11-24", "2026-11-23"), receipt=receipt)
    shown = await filed(client, it, token=forged)
    assert (shown["token_state"], shown["not_before"]) == ("unsigned", None)
    assert (await raw("SELECT token FROM evidence"))[0]["token"] == forged


async def test_an_old_token_is_kept_as_that(client, it, noon):
    token = (await token_of(client, it.inspector))["token"]
    with clock.frozen(noon + timedelta(days=4)):
        assert (await filed(client, it, token=token))["token_state"] == "good"
    with clock.frozen(noon + TOKEN_LASTS + timedelta(seconds=1)):
        shown = await filed(client, it, token=token)
    assert (shown["token_state"], shown["not_before"]) == ("expired", None)


async def test_without_a_token_only_the_upper_bound_is_known(client, it, noon):
    shown = await filed(client, it, counter=1)
    assert (shown["token_state"], shown["not_before"], shown["not_after"]) == (None, None, "2026-11-24T04:00:00Z")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", "x" * 1001), ("counter", -1), ("counter", 1.5), ("since_token_ms", 2**53 + 1),
        ("since_token_ms", "5"), ("token_received_at", "2026-11-24T11:41:00"), ("not_before", "2026-11-24T11:41:00Z"),
    ],
)  # fmt: skip
async def test_a_malformed_capture_record_is_explained(client, it, field, value):
    call = await calls.file_finding(it)
    call.body["evidence"][0]["capture"] = {field: value}
    problem = make.problem(await call.made(client))
    assert problem["status"] == 400 and problem["field"].startswith("evidence[0].capture")


async def test_thirty_photos_with_their_tokens_fit_into_one_finding(client, it):
    token = (await token_of(client, it.inspector))["token"]
    call = await calls.file_finding(it)
    call.body["evidence"] = [
        make.manifest_line(make.photo(n)) | {"capture": {"token": token, "counter": n}} for n in range(30)
    ]
    said = await call.made(client)
    assert said.status_code == 201
    assert {file["token_state"] for file in said.json()["evidence"]} == {"good"}


# ── phones with wrong clocks ─────────────────────────────────────────────────────────────────────────────────────

SECONDS = st.floats(0, TOKEN_LASTS.total_seconds() / 4)


@st.composite
def phones(draw: st.DrawFn) -> dict[str, Any]:
    """True moments of one photo, in order, and what the phone's clock says at each: wrong, drifting, set meanwhile."""
    token, shutter, declared, received = (timedelta(seconds=draw(SECONDS)) for _ in range(4))
    given = NOON + token
    times = {"given": given, "shutter": given + shutter}
    times["declared"] = times["shutter"] + declared
    times["received"] = times["declared"] + received
    skew = st.timedeltas(timedelta(days=-400), timedelta(days=400))
    return times | {"captured_at": times["shutter"] + draw(skew), "token_received_at": given + draw(skew)}


def check_bracket(phone: dict[str, Any]) -> None:
    token = time_tokens.read(time_tokens.issue(WANG, phone["given"]).token, signing.public_keys())
    state = token_state(token, WANG.person, phone["declared"])
    made = bracket(state, token.at, phone["declared"], phone["received"])
    assert state == TokenState.good and made.not_before
    assert made.not_before <= phone["shutter"] <= made.not_after and (made.width_s or 0) >= 0


@given(phones())
def test_the_true_moment_lies_in_the_bracket_whatever_the_phones_clock_says(phone):
    check_bracket(phone)


@pytest.mark.long
@given(phones())
@settings(max_examples=10_000, deadline=None)
def test_the_true_moment_lies_in_the_bracket_of_ten_thousand_phones(phone):
    check_bracket(phone)


@given(st.timedeltas(timedelta(days=-60), timedelta(days=60)), st.sampled_from([WANG, LIU]), st.booleans())
def test_a_token_counts_only_for_its_owner_and_for_a_while(age, holder, known):
    token = TimeToken(NOON, holder.person) if known else None
    expected = (
        TokenState.unsigned if not known
        else TokenState.foreign if holder is LIU
        else TokenState.ahead if age < timedelta()
        else TokenState.good if age <= TOKEN_LASTS
        else TokenState.expired
    )  # fmt: skip
    assert token_state(token, WANG.person, NOON + age) == expected


def test_a_clock_set_back_between_declaration_and_arrival_narrows_nothing_wrongly():
    made = bracket(TokenState.good, NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=1))
    assert made.not_after == NOON + timedelta(hours=1) and made.width_s == 3600.0


def test_the_program_has_no_phone():
    with pytest.raises(ValueError):
        time_tokens.issue(Actor(None, "系统"), NOON)


async def test_captures_of_one_phone_may_come_in_any_order(client, it):
    for counter in (9, 3, 9):
        assert (await filed(client, it, counter=counter))["state"] == "declared"
