"""Lines over time as SVG, made on the server: no script draws them, no style stands in them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

WIDTH, HEIGHT = 480, 170
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 10, 24  # room for what is written at the axes
MOST_LINES = 5  # that can be told apart
NICE = (1, 2, 2.5, 5, 10)

Say = Callable[[float], str]


@dataclass(frozen=True, kw_only=True)
class Series:
    """A named line; None where nothing is known."""

    name: str
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        """The newest value that is known, unless it is old: two steps at most."""
        return next((value for value in reversed(self.values[-3:]) if value is not None), None)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark at an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A drawn line: its number (and colour), what it is, its path, what it says last."""

    number: int
    name: str
    path: str
    last: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All that the template draws."""

    strokes: Sequence[Stroke]
    across: Sequence[Tick]
    up: Sequence[Tick]
    empty: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    label: str = field(default="")


def drawn(
    series: Sequence[Series],
    *,
    start: float,
    end: float,
    say: Say,
    most: float | None,
    least: float,
) -> Chart:
    """Return the chart of these lines, from `start` to `end` in seconds since 1970.

    Args:
        say: writes a value with its unit.
        most: the top of the axis, where it is given by what is drawn (1 for a share).
        least: the top of the axis while all values are 0.
    """
    shown = series[:MOST_LINES]
    known = [value for one in shown for value in one.values if value is not None]
    top, step = _axis(most or max(known, default=0.0) or least)
    strokes = [
        Stroke(
            number=number,
            name=one.name,
            path=_path(one.values, top),
            last="–" if one.last is None else say(one.last),
        )
        for number, one in enumerate(shown, start=1)
    ]
    return Chart(
        strokes=strokes,
        across=list(_hours(start, end)),
        up=[Tick(at=_y(value, top), text=say(value)) for value in _steps(top, step)],
        empty=not known,
        label=", ".join(f"{one.name} {one.last}" for one in strokes),
    )


def _axis(most: float) -> tuple[float, float]:
    """Return the top of an axis and the distance of its marks: three or four round numbers."""
    rough = most / 3
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * nice for nice in NICE if size * nice >= rough * 0.999)
    return step * math.ceil(most / step * 0.999), step


def _steps(top: float, step: float) -> list[float]:
    return [step * number for number in range(round(top / step) + 1)]


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - min(value / top, 1.0) * (HEIGHT - TOP - BOTTOM), 1)


def _path(values: Sequence[float | None], top: float) -> str:
    """Return the path; it is broken where nothing is known, and a lonely value is a dot."""
    pieces, pen_is_up = [], True
    distance = (WIDTH - LEFT - RIGHT) / max(len(values) - 1, 1)
    for number, value in enumerate(values):
        if value is None:
            pen_is_up = True
            continue
        x, y = round(LEFT + number * distance, 1), _y(value, top)
        pieces.append(f"M{x} {y}h0.1" if pen_is_up else f"L{x} {y}")
        pen_is_up = False
    return "".join(pieces)


def _hours(start: float, end: float) -> list[Tick]:
    """Return a mark at each quarter of an hour, in UTC as the log has it."""
    quarter = 900
    width = WIDTH - LEFT - RIGHT
    first = math.ceil(start / quarter) * quarter
    return [
        Tick(
            at=round(LEFT + (moment - start) / (end - start) * width, 1),
            text=f"{datetime.fromtimestamp(moment, UTC):%H:%M}",
        )
        for moment in range(first, int(end) + 1, quarter)
    ]
