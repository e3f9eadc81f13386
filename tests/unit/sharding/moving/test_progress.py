"""The estimate of a run: a fixed time per move and a time per byte, kept apart."""

from datetime import timedelta

from sharding.moving.progress import OVERHEAD_SECONDS, Meter

MB = 2**20


def test_nothing_is_estimated_before_anything_was_copied() -> None:
    assert Meter([MB, MB]).left() is None


def test_a_first_estimate_comes_from_the_running_move() -> None:
    meter = Meter([10 * MB, 10 * MB])
    expected = timedelta(seconds=15 + 2 * OVERHEAD_SECONDS)
    assert meter.left(copied=5 * MB, running=5) == expected


def test_small_moves_are_estimated_by_their_overhead() -> None:
    meter = Meter([MB, 1000, 1000])
    meter.finish(MB, took=3, copying=1)
    left = meter.left()
    assert left is not None
    assert round(left.total_seconds()) == 4
    assert meter.rate == MB


def test_a_move_that_was_not_needed_is_no_longer_counted() -> None:
    meter = Meter([MB, 3 * MB])
    meter.skip()
    assert meter.total == 3 * MB


def test_what_earlier_runs_taught_is_the_first_estimate() -> None:
    meter = Meter([MB, MB], overhead=2.0, rate=MB)
    assert meter.left() == timedelta(seconds=6)


def test_the_rest_shrinks_within_a_move() -> None:
    meter = Meter([MB, MB], overhead=2.0, rate=MB)
    assert meter.left(elapsed=1.5) == timedelta(seconds=4.5)
    assert meter.left(elapsed=60) == timedelta(seconds=4)
