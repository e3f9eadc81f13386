"""Names that nobody has yet: plain where they can be, numbered where they must be."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count


def unclaimed(
    wanted: Sequence[str], *, mark: str, taken: Callable[[list[str]], set[str]]
) -> list[str]:
    """Return a name for each wanted one, all different and none taken.

    The second ``ana.lopez`` becomes ``ana.lopez-2``; where the database has a name already, a mark
    makes it ``ana.lopez-s7``, then ``ana.lopez-s7-2``.

    Args:
        wanted: names, possibly with repetitions.
        mark: what tells this set of names from the others.
        taken: returns which of the given names are in use.
    """
    used: set[str] = set()
    endings: dict[str, Iterator[int]] = {}
    names = [_next(name, used, endings) for name in wanted]
    unsure = list(range(len(names)))
    while unsure:
        collisions = taken([names[index] for index in unsure])
        used |= collisions
        unsure = [index for index in unsure if names[index] in collisions]
        for index in unsure:
            names[index] = _next(f"{wanted[index]}-{mark}", used, endings)
    return names


def _next(stem: str, used: set[str], endings: dict[str, Iterator[int]]) -> str:
    """Return the stem, or the stem with the first number from 2 on that is free; and use it."""
    name = stem
    while name in used:
        name = f"{stem}-{next(endings.setdefault(stem, count(2)))}"
    used.add(name)
    return name
