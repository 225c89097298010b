"""The draw of the sample: the same for anybody with the seed, at its rate, foreseen by nobody without it."""

from uuid import UUID

import pytest

from tasks.rectifications import sampling

SEED = bytes(range(32)).hex()


@pytest.mark.parametrize(
    ("number", "lot", "drawn"),
    [
        (1, "6b62b8c0c7e8de6d50780d1c2dfb76b5448e4565f1ccd451bd1b0fa94984cd19", False),
        (2, "33fec5fa6fdcd7add9460ea8f6f4fa3d10e41779405c2541b3efe503d1415440", False),
        (10, "2ec36bf71d216060c0940eebc3143903b8191d937ed71c9e587ac1ecc3a1e139", True),
    ],
)
def test_the_draw_is_the_same_for_ever(number: int, lot: str, drawn: bool):
    made = sampling.draw(SEED, UUID(int=number), 20)
    assert (made.lot, made.drawn) == (lot, drawn)


@pytest.mark.parametrize("percent", [5, 20, 50])
def test_of_ten_thousand_items_as_many_are_drawn_as_the_rate_says(percent: int):
    drawn = sum(sampling.draw(SEED, UUID(int=n), percent).drawn for n in range(10_000))
    spread = 4 * (10_000 * percent / 100 * (1 - percent / 100)) ** 0.5  # four standard deviations
    assert abs(drawn - 100 * percent) < spread


def test_nought_draws_nobody_and_a_hundred_everybody():
    assert not any(sampling.draw(SEED, UUID(int=n), 0).drawn for n in range(1000))
    assert all(sampling.draw(SEED, UUID(int=n), 100).drawn for n in range(1000))


def test_who_is_drawn_at_one_rate_is_drawn_at_every_higher_one():
    for n in range(300):
        drawn = [sampling.draw(SEED, UUID(int=n), percent).drawn for percent in range(0, 101, 10)]
        assert drawn == sorted(drawn)


def test_another_secret_draws_others():
    other = bytes(32).hex()
    one, two = [{n for n in range(1000) if sampling.draw(seed, UUID(int=n), 20).drawn} for seed in (SEED, other)]
    assert one != two and 10 < len(one & two) < 80  # as many in both as chance says: some forty
