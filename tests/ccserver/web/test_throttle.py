"""The throttle: bursts, refill, keys. The time is an argument."""

from __future__ import annotations

from ccserver.web.throttle import MAX_KEYS, Throttle


def test_burst_is_allowed_and_then_it_says_how_long_to_wait() -> None:
    throttle = Throttle(burst=2, per_s=0.5)
    assert [throttle.take("a", 100.0) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert throttle.take("a", 101.0) == 1.0
    assert throttle.take("a", 102.0) == 0.0


def test_keys_do_not_touch_each_other() -> None:
    throttle = Throttle(burst=1, per_s=1.0)
    assert throttle.take("a", 0.0) == 0.0
    assert throttle.take("b", 0.0) == 0.0
    assert throttle.take("a", 0.0) == 1.0


def test_rest_never_saves_more_than_the_burst() -> None:
    throttle = Throttle(burst=2, per_s=1.0)
    throttle.take("a", 0.0)
    assert [throttle.take("a", 9999.0) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_good_try_does_not_count() -> None:
    throttle = Throttle(burst=1, per_s=0.001)
    for _ in range(5):
        assert throttle.take("a", 0.0) == 0.0
        throttle.give_back("a", 0.0)
    throttle.give_back("unknown", 0.0)
    throttle.give_back("a", 0.0)
    assert throttle.take("a", 0.0) == 0.0
    assert throttle.take("a", 0.0) > 0.0


def test_memory_is_bounded() -> None:
    throttle = Throttle(burst=1, per_s=0.001)
    for key in range(MAX_KEYS + 1):
        throttle.take(str(key), 0.0)
    assert throttle.take("1", 0.0) > 0.0
    assert throttle.take("0", 0.0) == 0.0
