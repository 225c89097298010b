"""The checks of a trust report: what fits, what is unclear, what contradicts, and what nobody is blamed for."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.columns import uuid7
from backend.evidence.rules import Source, TokenState, Trace
from backend.geo import Position
from backend.roles import Actor, Grant, Role
from backend.trust_reports import checking, rules, wording
from backend.trust_reports.facts import Capture, Facts, Likeness, Reading, RecordKind, Setting, Use
from backend.trust_reports.rules import Check, Hint, Level, Result, Seat, Sight

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TARGET = (41.8001, 124.9002)
METRE = 1 / 111_060  # degrees of latitude, here
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BY = UUID(int=7)
FITS, UNCLEAR, CONTRADICTS = Level.fits, Level.unclear, Level.contradicts


def north(metres: float, accuracy_m: float = 12.0) -> Position:
    return Position(TARGET[0] + metres * METRE, TARGET[1], accuracy_m)


def capture(**said: Any) -> Capture:
    """A photo taken in the page at noon at the target, a minute after a good token, declared five minutes later."""
    told: dict[str, Any] = {
        "id": uuid7(),
        "by": BY,
        "source": Source.camera,
        "captured_at": NOON,
        "position": north(0),
        "not_after": NOON + 5 * MINUTE,
        "token_state": TokenState.good,
        "not_before": NOON - MINUTE,
        "token_received_at": NOON - MINUTE,
        "since_token": MINUTE,
        "counter": 10,
    }
    return Capture(**(told | said))


def setting(**said: Any) -> Setting:
    """A finding at the target, where the team arrived ten minutes before."""
    told: dict[str, Any] = {
        "kind": RecordKind.finding,
        "record": UUID(int=1),
        "matter": UUID(int=1),
        "secret": False,
        "place": "腰站村",
        "link": "/api/x",
        "occasion": UUID(int=2),
        "target": TARGET,
        "radius_m": 500.0,
        "arrivals": ((north(100), NOON - 10 * MINUTE),),
    }
    return Setting(**(told | said))


def afterwards(**said: Any) -> Setting:
    """A hand-in for a fact that was found a week before and shown by photo 99."""
    told: dict[str, Any] = {
        "kind": RecordKind.hand_in,
        "record": UUID(int=3),
        "arrivals": (),
        "occasion": None,
        "found_at": NOON - 7 * DAY,
        "before": frozenset({UUID(int=99)}),
    }
    return setting(**(told | said))


def use(**said: Any) -> Use:
    told: dict[str, Any] = {
        "id": uuid7(),
        "likeness": Likeness.exact,
        "earlier": True,
        "at": NOON - 30 * DAY,
        "by_name": "督查员王",
    }
    return Use(**(told | said))


ELSEWHERE = setting(record=UUID(int=5), matter=UUID(int=5), occasion=UUID(int=6))


def facts(*, reading: Reading | None = None, hangs: Setting | None = None, **said: Any) -> Facts:
    others, uses, beyond = said.pop("others", ()), said.pop("uses", ()), said.pop("beyond", None)
    return Facts(capture(**said), reading, hangs or setting(), tuple(others), tuple(uses), beyond)


def result(check: Check, of: Facts) -> Result | None:
    return checking.CHECKS[check](of)


def level(check: Check, of: Facts) -> Level | None:
    told = result(check, of)
    return told and told.level


def at(metres: float, **said: Any) -> Facts:
    return facts(position=north(metres), **said)


def offset(by: timedelta) -> Facts:
    return facts(token_received_at=NOON - MINUTE + by, captured_at=NOON + by)


def exif(by: timedelta, *, zone_known: bool = True, **said: Any) -> Facts:
    return facts(reading=Reading(exif_at=NOON + by, zone_known=zone_known), **said)


def earlier_photo(ago: timedelta, metres: float, **said: Any) -> Capture:
    told = {"captured_at": NOON - ago, "position": north(metres), "counter": None, "not_after": NOON - ago}
    return capture(**(told | said))


def taken_before(by: timedelta, **said: Any) -> Facts:
    return facts(captured_at=NOON - 7 * DAY - by, hangs=afterwards(), **said)


NO_TOKEN = facts(token_state=None, not_before=None)

SENTENCES: list[tuple[str, Check, Facts, Level | None]] = [
    ("at the target", Check.target_distance, at(0), FITS),
    ("at the edge of the radius and of its accuracy", Check.target_distance, at(511), FITS),
    ("a little beyond", Check.target_distance, at(600), UNCLEAR),
    ("three kilometres away", Check.target_distance, at(3000), CONTRADICTS),
    ("no position is nobody's fault", Check.target_distance, facts(position=None), UNCLEAR),
    ("an accuracy of 50 km says nothing", Check.target_distance, facts(position=north(0, 50_000)), UNCLEAR),
    ("no target, nothing to say", Check.target_distance, facts(hangs=setting(target=None)), None),
    ("near the arrival", Check.arrival_distance, at(200), FITS),
    ("a little far from the arrival", Check.arrival_distance, at(900), UNCLEAR),
    ("too coarse for the arrival", Check.arrival_distance, facts(position=north(0, 2_000)), UNCLEAR),
    ("far from the arrival", Check.arrival_distance, at(3000), CONTRADICTS),
    ("the arrival's own accuracy counts", Check.arrival_distance, at(-420), FITS),
    ("no arrival, nothing to say", Check.arrival_distance, facts(hangs=setting(arrivals=())), None),
    ("twelve metres", Check.accuracy, facts(), FITS),
    ("a coarse fix", Check.accuracy, facts(position=north(0, 101)), UNCLEAR),
    ("one metre, as no phone is", Check.accuracy, facts(position=north(0, 1.0)), UNCLEAR),
    ("no position, no accuracy", Check.accuracy, facts(position=None), None),
    (
        "ten places with the very same accuracy",
        Check.accuracy,
        facts(others=[earlier_photo(n * HOUR, 50 * n) for n in range(10, 0, -1)]),
        UNCLEAR,
    ),
    (
        "nine are few",
        Check.accuracy,
        facts(others=[earlier_photo(n * HOUR, 50 * n) for n in range(9, 0, -1)]),
        FITS,
    ),
    (
        "one fix serves several photos",
        Check.repeated_place,
        facts(others=[earlier_photo(n * MINUTE, 0) for n in range(20, 0, -1)]),
        FITS,
    ),
    (
        "the same seven decimals on two other occasions",
        Check.repeated_place,
        facts(others=[earlier_photo(2 * HOUR, 0), earlier_photo(HOUR, 0)]),
        UNCLEAR,
    ),
    (
        "the same seven decimals day after day",
        Check.repeated_place,
        facts(others=[earlier_photo(n * DAY, 0) for n in range(5, 0, -1)]),
        CONTRADICTS,
    ),
    (
        "a metre aside each day",
        Check.repeated_place,
        facts(others=[earlier_photo(n * DAY, n) for n in range(5, 0, -1)]),
        FITS,
    ),
    ("a drive of an hour", Check.speed, facts(others=[earlier_photo(HOUR, 60_000)]), FITS),
    ("fifty kilometres in five minutes", Check.speed, facts(others=[earlier_photo(5 * MINUTE, 50_000)]), CONTRADICTS),
    ("a fast train", Check.speed, facts(others=[earlier_photo(HOUR, 300_000)]), UNCLEAR),
    ("a village's width at the same second", Check.speed, facts(others=[earlier_photo(timedelta(0), 400)]), FITS),
    ("nothing beside it", Check.speed, facts(), None),
    (
        "a neighbour without a position",
        Check.speed,
        facts(others=[earlier_photo(MINUTE, 0, position=None)]),
        None,
    ),
    ("two minutes fast", Check.clock, offset(2 * MINUTE), FITS),
    ("three minutes slow", Check.clock, offset(-3 * MINUTE), UNCLEAR),
    ("six minutes fast", Check.clock, offset(6 * MINUTE), CONTRADICTS),
    ("six minutes slow", Check.clock, offset(-6 * MINUTE), CONTRADICTS),
    ("no token is nobody's fault", Check.clock, NO_TOKEN, UNCLEAR),
    ("a token that is not ours", Check.clock, facts(token_state=TokenState.unsigned, not_before=None), UNCLEAR),
    (
        "taken an hour after it was declared",
        Check.clock,
        facts(token_state=None, not_before=None, captured_at=NOON + HOUR),
        CONTRADICTS,
    ),
    ("a clock that ran on", Check.clock_jump, facts(), FITS),
    ("set back by an hour before the shutter", Check.clock_jump, facts(captured_at=NOON - HOUR), CONTRADICTS),
    ("set by four minutes", Check.clock_jump, facts(captured_at=NOON + 4 * MINUTE), UNCLEAR),
    ("no token, no jump to see", Check.clock_jump, NO_TOKEN, None),
    ("a narrow bracket", Check.bracket, facts(), FITS),
    ("sent two days later", Check.bracket, facts(not_after=NOON + 2 * DAY), UNCLEAR),
    ("an open bracket", Check.bracket, NO_TOKEN, UNCLEAR),
    ("claimed outside the bracket", Check.bracket, facts(captured_at=NOON - HOUR), CONTRADICTS),
    ("the server's own clock went back", Check.bracket, facts(token_state=TokenState.ahead, not_before=None), UNCLEAR),
    ("the count goes on", Check.counter, facts(others=[earlier_photo(HOUR, 0, counter=9)]), FITS),
    ("the count goes back", Check.counter, facts(others=[earlier_photo(HOUR, 0, counter=10)]), UNCLEAR),
    ("nothing counted before", Check.counter, facts(), None),
    ("no EXIF, as from every web page", Check.exif_time, facts(reading=Reading()), FITS),
    ("EXIF of the same minute", Check.exif_time, exif(MINUTE), FITS),
    ("EXIF of two hours before", Check.exif_time, exif(-2 * HOUR), UNCLEAR),
    ("EXIF of last year", Check.exif_time, exif(-365 * DAY), CONTRADICTS),
    ("EXIF of another zone", Check.exif_time, exif(8 * HOUR, zone_known=False), UNCLEAR),
    ("EXIF and no capture time", Check.exif_time, exif(MINUTE, captured_at=None), UNCLEAR),
    ("not looked at yet", Check.exif_time, facts(), None),
    ("no EXIF place, as on every phone", Check.exif_place, facts(reading=Reading()), FITS),
    ("an EXIF place nearby", Check.exif_place, facts(reading=Reading(place=north(300).point)), FITS),
    ("an EXIF place down the road", Check.exif_place, facts(reading=Reading(place=north(2000).point)), UNCLEAR),
    (
        "an EXIF place in the next county",
        Check.exif_place,
        facts(reading=Reading(place=north(60_000).point)),
        CONTRADICTS,
    ),
    (
        "an EXIF place and no position, at the target",
        Check.exif_place,
        facts(reading=Reading(place=TARGET), position=None),
        FITS,
    ),
    (
        "an EXIF place and nothing to compare",
        Check.exif_place,
        facts(reading=Reading(place=TARGET), position=None, hangs=setting(target=None)),
        UNCLEAR,
    ),
    ("the camera of the page", Check.source, facts(), FITS),
    ("the gallery", Check.source, facts(source=Source.gallery), UNCLEAR),
    ("not said", Check.source, facts(source=Source.unknown), UNCLEAR),
    ("no trace", Check.edited, facts(reading=Reading(software="HDR+ 1.0")), FITS),
    *((f"trace {trace}", Check.edited, facts(reading=Reading(traces=frozenset({trace}))), UNCLEAR) for trace in Trace),
    ("never seen", Check.seen_before, facts(), FITS),
    ("the same bytes in another county", Check.seen_before, facts(uses=[use(setting=ELSEWHERE)]), CONTRADICTS),
    ("the same bytes out of sight", Check.seen_before, facts(uses=[use()]), CONTRADICTS),
    ("alike, in another county", Check.seen_before, facts(uses=[use(likeness=Likeness.near)]), UNCLEAR),
    ("one photo of two things of one visit", Check.seen_before, facts(uses=[use(setting=setting())]), UNCLEAR),
    (
        "alike, of one visit",
        Check.seen_before,
        facts(uses=[use(setting=setting(), likeness=Likeness.near)]),
        UNCLEAR,
    ),
    ("somebody used it later", Check.seen_before, facts(uses=[use(earlier=False)]), FITS),
    ("its bytes are not here yet", Check.seen_before, facts(arrived=False), None),
    ("the search was not cut", Check.search_cut, facts(), None),
    ("more alike than were compared", Check.search_cut, facts(beyond=500), UNCLEAR),
    ("taken after the finding", Check.after_finding, facts(hangs=afterwards()), FITS),
    ("a minute before, as clocks differ", Check.after_finding, taken_before(MINUTE), FITS),
    ("four minutes before", Check.after_finding, taken_before(4 * MINUTE), UNCLEAR),
    ("a day before", Check.after_finding, taken_before(DAY), CONTRADICTS),
    ("an after-photo whose file is a year old", Check.after_finding, exif(-365 * DAY, hangs=afterwards()), CONTRADICTS),
    ("an after-photo without a time", Check.after_finding, facts(captured_at=None, hangs=afterwards()), UNCLEAR),
    ("a finding has no before", Check.after_finding, facts(), None),
    ("another photo than before", Check.before_as_after, facts(hangs=afterwards()), FITS),
    (
        "the before-photo itself",
        Check.before_as_after,
        facts(hangs=afterwards(), uses=[use(id=UUID(int=99))]),
        CONTRADICTS,
    ),
    (
        "very like the before-photo",
        Check.before_as_after,
        facts(hangs=afterwards(), uses=[use(id=UUID(int=99), likeness=Likeness.near)]),
        UNCLEAR,
    ),
    (
        "the before-photo is not counted a second time",
        Check.seen_before,
        facts(hangs=afterwards(), uses=[use(id=UUID(int=99))]),
        FITS,
    ),
]


@pytest.mark.parametrize(
    ("check", "of", "expected"), [case[1:] for case in SENTENCES], ids=[case[0] for case in SENTENCES]
)
def test_a_check_says(check: Check, of: Facts, expected: Level | None) -> None:
    assert level(check, of) == expected


def test_every_check_and_each_of_its_levels_is_tried() -> None:
    tried = {(check, expected) for _, check, _, expected in SENTENCES if expected}
    never = {(check, CONTRADICTS) for check in (Check.accuracy, Check.counter, Check.source, Check.edited)}
    never |= {(Check.search_cut, level) for level in (FITS, CONTRADICTS)}  # silent where all was compared
    assert {(check, level) for check in Check for level in Level} - tried == never


@pytest.mark.parametrize("english", [False, True])
@pytest.mark.parametrize("of", [case[2] for case in SENTENCES], ids=[case[0] for case in SENTENCES])
def test_every_result_has_a_sentence_without_a_hole_or_a_word_of_guilt(of: Facts, english: bool) -> None:
    for told in checking.results(of):
        sentence = wording.sentence(told, english)
        assert sentence and "{" not in sentence and "None" not in sentence
        assert not any(
            word in sentence for word in ("造假", "作假", "虚假", "伪造", "欺骗", "fake", "fraud", "forged", "cheat")
        )


def test_how_many_photos_lie_between_two_is_not_told() -> None:
    """They may have been taken on a visit that the reader must not know of."""
    told = [
        result(Check.counter, facts(counter=counter, others=[earlier_photo(HOUR, 0, counter=9)]))
        for counter in (10, 40)
    ]
    assert told[0] == told[1]


def test_every_sentence_is_said_by_some_check() -> None:
    said = {told.said for _, _, of, _ in SENTENCES for told in checking.results(of)}
    assert said == wording.SENTENCES.keys()


def test_a_sentence_holds_its_measured_value() -> None:
    told = result(Check.target_distance, at(3000))
    assert told is not None and told.value == pytest.approx(3000, abs=5) and told.unit == "m"
    assert wording.sentence(told, False) == "拍摄位置距目标 3.0 公里，超出 500 米范围（定位精度 12 米）"
    slow = result(Check.clock, offset(-timedelta(minutes=6, seconds=10)))
    assert slow is not None and (slow.value, slow.unit) == (-370.0, "s")
    assert wording.sentence(slow, False) == "手机时间比服务器慢 6 分 10 秒"
    assert wording.sentence(slow, True) == "The phone's clock is 6 min 10 s behind the server's"
    absent = result(Check.exif_time, facts(reading=Reading()))
    assert absent and wording.sentence(absent, False) == "照片里没有拍摄信息，网页拍照通常如此"


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, "0 秒", "0 s"),
        (59.6, "1 分", "1 min"),
        (-3661, "1 小时 1 分", "1 h 1 min"),
        (90_000, "1 天 1 小时", "1 d 1 h"),
    ],
)
def test_spans_are_read_in_their_two_largest_units(seconds: float, chinese: str, english: str) -> None:
    assert (wording.span(seconds, False), wording.span(seconds, True)) == (chinese, english)


def test_missing_facts_contradict_nothing() -> None:
    bare = Facts(Capture(uuid7(), BY, Source.unknown, None, None, NOON))
    assert {told.level for told in checking.results(bare)} == {FITS, UNCLEAR}
    nothing = replace(bare, setting=setting(), reading=Reading())
    assert CONTRADICTS not in {told.level for told in checking.results(nothing)}


def test_an_honest_photo_fits_everywhere() -> None:
    of = facts(reading=Reading(exif_at=NOON, zone_known=True), others=[earlier_photo(HOUR, 900, counter=9)])
    assert {told.check: told.level for told in checking.results(of) if told.level != FITS} == {}


@given(st.floats(-1e6, 1e6), st.floats(0.5, 5_000), st.floats(1, 5_000))
def test_a_distance_fits_exactly_when_radius_and_accuracy_reach_it(
    metres: float, accuracy_m: float, radius_m: float
) -> None:
    place = Position(min(90.0, max(-90.0, TARGET[0] + metres * METRE)), TARGET[1], accuracy_m)
    told = result(Check.target_distance, facts(position=place, hangs=setting(radius_m=radius_m)))
    assert told is not None and told.value is not None
    if accuracy_m > 1000:
        assert told.level == UNCLEAR
    elif abs(told.value - accuracy_m - radius_m) > 0.1:  # the value is rounded
        assert (told.level == FITS) == (told.value < radius_m + accuracy_m)


NAIVE = NOON.replace(tzinfo=None)
MOMENTS = st.datetimes(NAIVE.replace(year=2), NAIVE.replace(year=9998), timezones=st.just(UTC))
SPANS = st.integers(0, 2**53).map(lambda ms: timedelta(milliseconds=ms))
POSITIONS = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180), st.floats(0.001, 100_000))
CAPTURES = st.builds(
    Capture,
    id=st.uuids(),
    by=st.just(BY),
    source=st.sampled_from(Source),
    captured_at=st.none() | MOMENTS,
    position=st.none() | POSITIONS,
    not_after=MOMENTS,
    arrived=st.booleans(),
    photo=st.booleans(),
    token_state=st.none() | st.sampled_from(TokenState),
    not_before=st.none() | MOMENTS,
    token_received_at=st.none() | MOMENTS,
    since_token=st.none() | SPANS,
    counter=st.none() | st.integers(0, 2**53),
)
READINGS = st.builds(
    Reading, st.none() | MOMENTS, st.booleans(), st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))
)


@given(CAPTURES, st.none() | READINGS, st.sampled_from([setting(), afterwards()]), st.lists(CAPTURES, max_size=3))
def test_whatever_a_phone_claims_there_is_a_report(
    of: Capture, reading: Reading | None, hangs: Setting, others: list[Capture]
) -> None:
    placed = sorted((it for it in others if it.captured_at), key=lambda it: it.captured_at or NOON)
    told = checking.results(Facts(of, reading, hangs, tuple(placed)))
    assert all(wording.sentence(it, english, of.photo) for it in told for english in (False, True))
    assert Check.bracket in {it.check for it in told} and set(rules.hints(told)) <= set(Hint)


def test_a_recording_is_not_called_a_photo() -> None:
    told = result(Check.target_distance, facts(position=None))
    assert told and wording.sentence(told, False, photo=False) == "材料没有位置，无法比对距离"
    assert wording.sentence(told, True, photo=False) == "The file has no position; no distance can be measured"


def drifting(seed: int, count: int) -> Iterator[timedelta]:
    """Honest clocks: up to two minutes off, and an answer of the server that took up to two seconds of it."""
    chance = random.Random(seed)
    for _ in range(count):
        yield timedelta(seconds=chance.uniform(-118, 118) + min(2.0, chance.expovariate(4)))


def moved(seed: int, count: int) -> Iterator[timedelta]:
    """Clocks set off by more than five minutes, up to a month, mostly by little."""
    chance = random.Random(seed)
    for _ in range(count):
        by = 300 + 10 ** chance.uniform(0, 6.4) + min(2.0, chance.expovariate(4))
        yield timedelta(seconds=by if chance.random() < 0.5 else -by)


def test_natural_drift_is_flagged_in_one_of_two_hundred_at_most_and_a_moved_clock_nearly_always() -> None:
    honest = [level(Check.clock, offset(by)) for by in drifting(1, 4000)]
    assert sum(it != FITS for it in honest) / len(honest) <= 0.005
    set_before = [level(Check.clock, offset(by)) for by in moved(2, 4000)]
    set_between = [level(Check.clock_jump, facts(captured_at=NOON + by)) for by in moved(3, 4000)]
    for told in (set_before, set_between):
        assert sum(it == CONTRADICTS for it in told) / len(told) >= 0.99


def test_the_worst_level_stands_on_top_and_nothing_fits() -> None:
    assert rules.worst([]) == FITS
    assert rules.worst([FITS, UNCLEAR, FITS]) == UNCLEAR
    assert rules.worst([UNCLEAR, CONTRADICTS, FITS]) == CONTRADICTS


def test_hints_tell_what_to_do_and_nothing_of_what_is_compared() -> None:
    of = facts(
        position=north(9000, 400), source=Source.gallery, uses=[use()], token_received_at=NOON + HOUR,
        reading=Reading(exif_at=NOON - 99 * DAY, zone_known=True),
    )  # fmt: skip
    assert rules.hints(checking.results(of)) == [Hint.coarse, Hint.clock]
    assert rules.hints(checking.results(facts(position=None))) == [Hint.no_position]
    assert rules.hints(checking.results(at(9000))) == []


OFFICE_UNIT, WORK_UNIT, LEAD_UNIT = UUID(int=11), UUID(int=12), UUID(int=13)


def person(role: Role, unit: UUID, *, home: UUID | None = None, number: int = 1) -> Actor:
    return Actor(UUID(int=number), "某人", (Grant(role, unit, "210400000000"),), home=home or unit)


# An inspector's photo (BY, of the office) and a handler's (BY, of WORK_UNIT), in an item of WORK_UNIT.
SIGHTS: list[tuple[str, Actor, UUID, Sight, bool]] = [
    ("the office reads its inspectors", person(Role.supervision_staff, OFFICE_UNIT), OFFICE_UNIT, Sight.whole, False),
    ("the office reads a unit's photos", person(Role.supervision_staff, OFFICE_UNIT), WORK_UNIT, Sight.whole, True),
    ("a team lead reads the team's photos", person(Role.team_lead, OFFICE_UNIT), OFFICE_UNIT, Sight.whole, False),
    ("an inspector reads a unit's photos", person(Role.inspector, OFFICE_UNIT), WORK_UNIT, Sight.whole, True),
    ("an inspector does not judge the own team", person(Role.inspector, OFFICE_UNIT), OFFICE_UNIT, Sight.hints, False),
    ("a lead unit reads both", person(Role.lead_unit_reviewer, LEAD_UNIT), OFFICE_UNIT, Sight.whole, True),
    ("a lead unit reads the unit's too", person(Role.lead_unit_reviewer, LEAD_UNIT), WORK_UNIT, Sight.whole, True),
    ("a leader reads", person(Role.leader_viewer, LEAD_UNIT), WORK_UNIT, Sight.whole, True),
    ("a principal gets hints on the unit's own", person(Role.unit_principal, WORK_UNIT), WORK_UNIT, Sight.hints, False),
    ("a unit learns nothing of the inspectors'", person(Role.unit_handler, WORK_UNIT), OFFICE_UNIT, Sight.none, False),
    (
        "a reviewer whose home is the unit that is looked at",
        person(Role.lead_unit_reviewer, LEAD_UNIT, home=WORK_UNIT), WORK_UNIT, Sight.hints, False,
    ),
    ("who sent it gets hints", person(Role.team_lead, OFFICE_UNIT, number=7), OFFICE_UNIT, Sight.hints, False),
    ("another unit's handler", person(Role.unit_handler, LEAD_UNIT), WORK_UNIT, Sight.none, False),
]  # fmt: skip


@pytest.mark.parametrize(("actor", "sender", "seen", "may"), [it[1:] for it in SIGHTS], ids=[it[0] for it in SIGHTS])
def test_who_reads_how_much_and_who_explains(actor: Actor, sender: UUID, seen: Sight, may: bool) -> None:
    seat = Seat(actor.has(*rules.ANSWER_FOR), actor.has(*rules.INSPECT), frozenset({sender}), frozenset({WORK_UNIT}))
    assert rules.sight(actor, BY, seat) == seen
    assert (rules.may_explain(actor, BY, seat) is None) == may


def test_a_role_counts_only_where_it_gives_sight() -> None:
    reviewer = person(Role.lead_unit_reviewer, LEAD_UNIT)
    nowhere = Seat(False, False, frozenset({WORK_UNIT}), frozenset({WORK_UNIT}))
    assert rules.sight(reviewer, BY, nowhere) == Sight.none
    assert rules.may_explain(reviewer, BY, nowhere) is not None
