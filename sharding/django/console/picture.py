"""The picture: a drawing for each node, all to one scale, so that the tallest holds the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sharding.django.console.boxes import Box, fill, weights
from sharding.django.console.figures import HEAT_LEVELS, Block, Column, heat
from sharding.django.console.moves import Move

WIDTH, HEIGHT = 240, 320
GAP = 2.0
# A block smaller than this has no room for its number, or for its bytes below it.
NUMBER_WIDTH, NUMBER_HEIGHT, BYTES_HEIGHT = 46, 15, 32


@dataclass(frozen=True, kw_only=True)
class DrawnBlock:
    """A block with its place in the drawing."""

    block: Block
    box: Box
    heat: int

    @property
    def middle(self) -> tuple[float, float]:
        """Where its number stands."""
        lower = 7 if self.has_bytes else 0
        return _round(self.box.x + self.box.width / 2), _round(
            self.box.y + self.box.height / 2 - lower
        )

    @property
    def below(self) -> float:
        """Where its bytes stand."""
        return _round(self.box.y + self.box.height / 2 + 9)

    @property
    def has_number(self) -> bool:
        """Whether there is room for its number."""
        return self.box.width >= NUMBER_WIDTH and self.box.height >= NUMBER_HEIGHT

    @property
    def has_bytes(self) -> bool:
        """Whether there is room for a second line."""
        return self.has_number and self.box.height >= BYTES_HEIGHT


@dataclass(frozen=True, kw_only=True)
class Ghost:
    """A block that is on its way to this column, filled as far as it has come."""

    move: Move
    box: Box

    @property
    def filled(self) -> Box:
        """The part of it that has been copied."""
        x, y, width, height = self.box
        arrived = _round(height * self.move.percent / 100)
        return Box(x, _round(y + height - arrived), width, arrived)

    @property
    def middle(self) -> tuple[float, float]:
        """Where its number stands."""
        return _round(self.box.x + self.box.width / 2), _round(self.box.y + self.box.height / 2)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One node's column."""

    column: Column
    blocks: tuple[DrawnBlock, ...]
    ghosts: tuple[Ghost, ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """A colour, and the rates that it stands for."""

    heat: int
    text: str


def draw(columns: Sequence[Column], top: float) -> list[Drawing]:
    """Return the drawings of all columns, to one scale.

    Args:
        top: the rate of the deepest colour.
    """
    known = [block.size for c in columns for block in c.blocks if block.size is not None]
    # Blocks of a node that does not answer are drawn as large as the others are on average.
    usual = sum(known) // len(known) if known else 1
    sizes = [weights([_size(block, usual) for block in c.blocks]) for c in columns]
    scale = _scale(columns, sizes)
    return [_drawing(c, held, scale, top) for c, held in zip(columns, sizes, strict=True)]


def legend(top: float) -> list[LegendEntry]:
    """Return what the colours mean."""
    steps = [top * level / HEAT_LEVELS for level in range(HEAT_LEVELS + 1)]
    digits = 0 if top >= HEAT_LEVELS else 1
    entries = [LegendEntry(heat=0, text="none")]
    for level in range(1, HEAT_LEVELS + 1):
        text = f"to {steps[level]:,.{digits}f}"
        entries.append(LegendEntry(heat=level, text=text))
    return entries


def _scale(columns: Sequence[Column], sizes: Sequence[list[float]]) -> float:
    """Return the height of a unit of weight; the heaviest column, with what arrives, fits."""
    arriving = [sum(_ghost_weight(move) for move in _running(column)) for column in columns]
    totals = [sum(held) + more for held, more in zip(sizes, arriving, strict=True)]
    return HEIGHT / max([1.0, *totals])


def _drawing(column: Column, sizes: list[float], scale: float, top: float) -> Drawing:
    height = sum(sizes) * scale
    boxes = fill(sizes, width=WIDTH, height=height, bottom=HEIGHT)
    drawn = [
        DrawnBlock(block=block, box=_inner(box), heat=heat(block.rate, top))
        for block, box in zip(column.blocks, boxes, strict=True)
    ]
    ghosts, ground = [], HEIGHT - height
    for move in _running(column):
        tall = max(_ghost_weight(move) * scale, NUMBER_HEIGHT + 2 * GAP)
        ground = max(0.0, ground - tall)
        ghosts.append(Ghost(move=move, box=_inner(Box(0, ground, WIDTH, tall))))
    return Drawing(column=column, blocks=tuple(drawn), ghosts=tuple(ghosts))


def _running(column: Column) -> list[Move]:
    return [move for move in column.arriving if move.is_running and move.source != move.target]


def _size(block: Block, usual: int) -> int:
    return usual if block.size is None else block.size


def _ghost_weight(move: Move) -> float:
    return float(max(move.size, 1))


def _inner(box: Box) -> Box:
    """Return the box without the gap around it."""
    return Box(
        _round(box.x + GAP / 2),
        _round(box.y + GAP / 2),
        _round(max(box.width - GAP, 1)),
        _round(max(box.height - GAP, 1)),
    )


def _round(value: float) -> float:
    return round(value, 1)
