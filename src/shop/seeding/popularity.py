"""A long tail: a few rows get most of the attention, and many get a little."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random


class Popularity:
    """Draws indexes 0 … n-1, the one of rank r in proportion to 1 / r ** steepness.

    Which index has which rank is left to chance.
    """

    def __init__(self, count: int, random: Random, *, steepness: float) -> None:
        self._indexes = list(range(count))
        random.shuffle(self._indexes)
        self._weights = list(accumulate((rank + 1) ** -steepness for rank in range(count)))

    def draw(self, random: Random, count: int) -> Sequence[int]:
        """Return so many indexes; one may come several times."""
        if not self._indexes:
            return []
        return random.choices(self._indexes, cum_weights=self._weights, k=count)
