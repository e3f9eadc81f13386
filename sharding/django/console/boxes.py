"""Blocks that fill a column: each as large as what it stands for, and always in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# A block that can be seen and clicked, however little it holds: this part of the average.
LEAST = 0.15


class Box(NamedTuple):
    """A rectangle; y grows downwards, as in SVG."""

    x: float
    y: float
    width: float
    height: float


def weights(sizes: Sequence[int]) -> list[float]:
    """Return what the blocks shall weigh: their sizes, and the smallest a little more."""
    average = sum(sizes) / len(sizes) if sizes else 0
    return [max(size, LEAST * average, 1) for size in sizes]


def fill(sizes: Sequence[float], *, width: float, height: float, bottom: float) -> list[Box]:
    """Lay blocks in rows, from the bottom upwards, without changing their order.

    A row takes another block as long as that makes its blocks more square: the "strip treemap" of
    Bederson, Shneiderman and Wattenberg (2002). Neighbours stay neighbours when sizes change.

    Args:
        sizes: what the areas shall be proportional to.
        width: of the column.
        height: of all rows together.
        bottom: where the lowest row stands.
    """
    total = sum(sizes)
    if not total or height <= 0:
        return []
    scale = width * height / total
    found: list[Box] = []
    row: list[float] = []
    for area in (size * scale for size in sizes):
        if row and _stretch([*row, area], width) > _stretch(row, width):
            bottom = _lay(row, width, bottom, found)
            row = []
        row.append(area)
    _lay(row, width, bottom, found)
    return found


def _stretch(areas: list[float], width: float) -> float:
    """Return how far from square the blocks of a row are on average; 1 is square."""
    height = sum(areas) / width
    ratios = (area / height / height for area in areas)
    return sum(max(ratio, 1 / ratio) for ratio in ratios) / len(areas)


def _lay(row: list[float], width: float, bottom: float, found: list[Box]) -> float:
    height = sum(row) / width
    x = 0.0
    for area in row:
        found.append(Box(x, bottom - height, area / height, height))
        x += area / height
    return bottom - height
