"""Figures as people read them."""

from datetime import timedelta

import pytest

from sharding import figures


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 kB"),
        (200 * 1024, "200 kB"),
        (5 * 2**30, "5.0 GB"),
        (2**60, "1024 PB"),
    ],
)
def test_bytes(number: int | None, text: str) -> None:
    assert figures.bytes_(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.25, "250 ms"),
        (3.24, "3.2 s"),
        (42, "42 s"),
        (59.7, "60 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_durations(value: float | timedelta | None, text: str) -> None:
    assert figures.duration(value) == text


def test_a_bar_is_as_long_as_its_share() -> None:
    assert figures.bar(10, 10, width=4) == "████"
    assert figures.bar(5, 10, width=4) == "██"
    assert figures.bar(1, 10_000, width=4) == "▏"
    assert figures.bar(0, 10, width=4) == figures.bar(1, 0, width=4) == ""
