"""Lines over time become paths, axes and words."""

import re

import pytest

from shop.monitoring import saying
from shop.monitoring.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Say,
    Series,
    drawn,
)

NOON = 1_767_268_800  # 2026-01-01T12:00Z


def chart(*values: float | None, most: float | None = None, least: float = 1.0) -> Chart:
    line = Series(name="all", values=values)
    return drawn([line], start=NOON - 3600, end=NOON, say=saying.count, most=most, least=least)


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_a_line_reaches_from_edge_to_edge_and_keeps_inside() -> None:
    found = places(chart(0, 5, 10).strokes[0].path)
    assert [x for x, _ in found] == [LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT]
    assert found[0][1] == HEIGHT - BOTTOM
    assert all(TOP <= y <= HEIGHT - BOTTOM for _, y in found)


def test_a_line_is_broken_where_nothing_is_known() -> None:
    path = chart(1, 1, None, 1).strokes[0].path
    assert path.count("M") == 2
    assert len(places(path)) == 3


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (10, ["0", "5", "10"]),
        (7, ["0", "2.5", "5", "7.5"]),
        (0.003, ["0", "0", "0", "0"]),
        (1234, ["0", "500", "1,000", "1,500"]),
    ],
)
def test_an_axis_has_few_round_marks_and_ends_above_the_highest(
    most: float, marks: list[str]
) -> None:
    assert [tick.text for tick in chart(0, most).up] == marks


def test_while_all_is_zero_the_axis_has_its_least_top() -> None:
    assert [tick.text for tick in chart(0, 0, least=4).up] == ["0", "2", "4"]


def test_a_share_has_the_whole_axis() -> None:
    assert chart(0.25, 0.3, most=1.0).up[-1].at == TOP


def test_quarters_of_an_hour_are_written_in_utc() -> None:
    assert [tick.text for tick in chart(1).across] == ["11:00", "11:15", "11:30", "11:45", "12:00"]


def test_the_newest_figure_is_said_and_an_old_one_is_not() -> None:
    assert chart(1, 2, 3).strokes[0].last == "3"
    assert chart(1, 2, 3, None, None).strokes[0].last == "3"
    assert chart(1, 2, 3, None, None, None).strokes[0].last == "–"


def test_a_chart_without_any_value_says_so() -> None:
    assert chart(None, None).empty
    assert not chart(0, None).empty


@pytest.mark.parametrize(
    ("say", "value", "text"),
    [
        (saying.seconds, 0, "0 s"),
        (saying.seconds, 0.0123, "12.3 ms"),
        (saying.seconds, 1.5, "1.5 s"),
        (saying.seconds, 600, "10 min"),
        (saying.seconds, 10_000, "2.78 h"),
        (saying.share, 0.999, "99.9 %"),
        (saying.share, 1, "100 %"),
        (saying.rate, 12.34, "12.3/s"),
        (saying.count, 12345, "12,345"),
        (saying.size, 0, "0 B"),
        (saying.size, 1_500_000, "1.43 MB"),
    ],
)
def test_figures_are_written_as_people_read_them(say: Say, value: float, text: str) -> None:
    assert say(value) == text
