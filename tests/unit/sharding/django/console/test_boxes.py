import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharding.django.console.boxes import Box, fill, weights

SIZES = st.lists(st.floats(1, 1000), min_size=1, max_size=256)


def area(box: Box) -> float:
    return box.width * box.height


def test_areas_are_as_the_sizes() -> None:
    boxes = fill([1, 2, 3, 4], width=100, height=40, bottom=40)
    assert [area(box) for box in boxes] == pytest.approx([400, 800, 1200, 1600])


@given(SIZES)
def test_blocks_fill_the_column_and_stay_inside(sizes: list[float]) -> None:
    boxes = fill(sizes, width=240, height=300, bottom=320)
    assert len(boxes) == len(sizes)
    assert sum(map(area, boxes)) == pytest.approx(240 * 300)
    assert all(box.x > -0.01 and box.x + box.width < 240.01 for box in boxes)
    assert all(box.y > 19.99 and box.y + box.height < 320.01 for box in boxes)


@given(SIZES)
def test_the_order_is_kept_row_by_row_from_the_bottom(sizes: list[float]) -> None:
    boxes = fill(sizes, width=240, height=300, bottom=320)
    places = [(-round(box.y + box.height, 3), round(box.x, 3)) for box in boxes]
    assert places == sorted(places)


def test_equal_blocks_are_about_square() -> None:
    for box in fill([1] * 16, width=240, height=320, bottom=320):
        assert 0.5 < box.width / box.height < 2


def test_nothing_is_laid_where_nothing_is() -> None:
    assert fill([], width=240, height=0, bottom=320) == []


def test_the_smallest_can_still_be_seen() -> None:
    small, large = weights([0, 1000])
    assert small == pytest.approx(75)
    assert large == 1000
    assert weights([0, 0]) == [1, 1]
