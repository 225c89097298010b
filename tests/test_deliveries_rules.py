"""How a chain goes on: every outcome, in the middle of a chain and at its end. No database."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.deliveries import circuits, rules
from notifications.deliveries.rules import ChannelKind as K
from notifications.deliveries.rules import DeliveryState as S
from notifications.deliveries.rules import Outcome as O
from notifications.deliveries.rules import Standing, onward
from notifications.deliveries.sending import told

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
CHAIN = (K.web_push, K.mail)


def at(channel: K, tries: int = 0, age: timedelta = timedelta(0)) -> Standing:
    return Standing(CHAIN, channel, tries, NOW - age)


@pytest.mark.parametrize("outcome", [O.sent, O.recorded, O.shared])
def test_one_that_arrived_is_enough(outcome):
    for others in ([], [O.failed, O.refused]):
        assert onward(at(K.web_push), [outcome, *others], NOW).state is S.sent


@pytest.mark.parametrize("outcome", [O.refused, O.unknown_address, O.no_address, O.down])
def test_what_will_not_work_gives_way_at_once(outcome):
    then = onward(at(K.web_push), [outcome], NOW)
    assert (then.state, then.channel, then.tries, then.at) == (S.waiting, K.mail, 0, NOW)


@pytest.mark.parametrize("outcome", [O.refused, O.unknown_address, O.no_address])
def test_at_the_end_of_the_chain_it_is_given_up(outcome):
    assert onward(at(K.mail), [outcome], NOW).state is S.gave_up


@pytest.mark.parametrize("outcome", sorted(rules.LATER))
def test_what_may_work_later_is_tried_three_times_before_the_next_channel_and_seven_times_on_the_last(outcome):
    seen, standing = [], at(K.web_push)
    while (then := onward(standing, [outcome], NOW)).state is S.waiting:
        seen.append((then.channel, then.at - NOW if then.at else None))
        standing = Standing(CHAIN, then.channel, then.tries, NOW)
    waits = [timedelta(seconds=s) for s in (15, 60, 0, 15, 60, 300, 900, 3600, 10800)]
    assert seen == list(zip([K.web_push] * 2 + [K.mail] * 7, waits, strict=True)) and then.state is S.gave_up


def test_jitter_spreads_what_failed_together():
    moments = {onward(at(K.mail), [O.failed], NOW, luck=luck).at for luck in (0.0, 0.5, 1.0)}
    assert moments == {NOW + timedelta(seconds=s) for s in (15, 16.875, 18.75)}


def test_a_provider_that_asks_for_time_gets_it_unless_another_channel_is_sooner():
    soon, late = NOW + timedelta(seconds=40), NOW + timedelta(minutes=10)
    assert onward(at(K.web_push), [O.limited], NOW, not_before=soon).at == soon
    assert onward(at(K.web_push), [O.limited], NOW, not_before=late).channel is K.mail
    assert onward(at(K.mail), [O.limited], NOW, not_before=late).at == late


def test_on_the_last_channel_an_ill_provider_is_waited_for_and_that_is_no_try():
    until = NOW + timedelta(seconds=30)
    then = onward(at(K.mail, tries=2), [O.down], NOW, not_before=until)
    assert (then.state, then.channel, then.tries, then.at) == (S.waiting, K.mail, 2, until)


def test_a_day_is_the_end_of_it():
    old = timedelta(hours=24, seconds=1)
    for channel in CHAIN:
        for outcome in (O.failed, O.down, O.refused):
            assert onward(at(channel, age=old), [outcome], NOW).state is S.gave_up
    assert onward(at(K.mail, age=old), [O.sent], NOW).state is S.sent


def test_a_provider_rests_after_three_failures_and_one_attempt_looks_after_it():
    circuits.forget()
    for _ in range(2):
        circuits.noted("mail", True, NOW)
    assert circuits.rests_until("mail", NOW) is None
    circuits.noted("mail", True, NOW)
    back = NOW + circuits.FIRST_PAUSE
    assert circuits.rests_until("mail", NOW) == back and circuits.rests_until("sms", NOW) is None
    assert circuits.rests_until("mail", back) is None  # this one looks
    assert circuits.rests_until("mail", back) is not None  # the others wait for it
    circuits.noted("mail", True, back)
    assert circuits.rests_until("mail", back) == back + 2 * circuits.FIRST_PAUSE
    circuits.noted("mail", False, back)
    assert circuits.rests_until("mail", back) is None
    circuits.forget()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 5.1.1 <li.hua@example.gov.cn>: no such user", "550 5.1.1 … no such user"),
        ("bad key=2f9b-11 in https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=2f9b-11", "bad … in …"),
        ("number 13904130077 is\r\nblocked\x00", "number … is blocked"),
        ("token 693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa", "token …"),
        ("x " * 500, ("x " * 80)),
    ],
)
def test_a_provider_s_word_is_kept_short_and_without_addresses(said, kept):
    assert told(said) == kept
    assert told(f"hello {kept[:3]}secret", hide=("secret",)).endswith("…")
