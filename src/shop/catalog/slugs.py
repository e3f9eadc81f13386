"""Slugs that the server makes: told from each other by sign, and by number where need be.

Signs that stand for a word keep it: C++ and C# become ``c-plus-plus`` and ``c-sharp``, a present's
picture ``wrapped-present``. What is still the same is counted: ``t-shirt``, ``t-shirt-2``.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from unicodedata import category, name, normalize

from django.utils.text import slugify

from shop.catalog.models import Product

MAX_SLUG = 255  # characters
NAMELESS = "product"

SPOKEN = {"+": "plus", "#": "sharp", "&": "and", "@": "at", "%": "percent", "\u2044": ""}
NAMED = frozenset({"So", "Sm", "Sc"})  # Unicode's kinds of signs whose name is a word
MINUS = re.compile(r"(?<![\w.])[-\u2212](?=[\d.])")  # before a number; between words a hyphen


def slug_of(*texts: str) -> str:
    """Return e.g. ``linen-shirt-m-sky-blue``; never empty, at most MAX_SLUG characters."""
    words = "".join(_spoken(sign) for text in texts for sign in f"{_with_minus(text)} ")
    return slugify(words, allow_unicode=True)[:MAX_SLUG].strip("-_") or NAMELESS


def free_slugs(bases: Sequence[str]) -> list[str]:
    """Return a slug for each of these that no product, and none of the others, has."""
    given: dict[int, str] = {}
    for numbers in _windows():
        tried = {
            at: [_numbered(base, number) for number in numbers]
            for at, base in enumerate(bases)
            if at not in given
        }
        if not tried:
            break
        taken = _taken(slug for slugs in tried.values() for slug in slugs) | set(given.values())
        for at, slugs in tried.items():
            if free := next((slug for slug in slugs if slug not in taken), None):
                given[at] = free
                taken.add(free)
    return [given[at] for at in range(len(bases))]


def _windows() -> Iterator[range]:
    """Yield 1, then 2 to 9, 10 to 99 …: few queries, however many products share a name."""
    yield range(1, 2)
    for power in count(1):
        yield range(max(2, 10 ** (power - 1)), 10**power)


def _taken(slugs: Iterator[str]) -> set[str]:
    found = Product.objects.filter(slug__in=list(slugs))
    return set(found.values_list("slug", flat=True))


def _numbered(base: str, number: int) -> str:
    if number == 1:
        return base
    suffix = f"-{number}"
    return base[: MAX_SLUG - len(suffix)] + suffix


def _with_minus(text: str) -> str:
    return MINUS.sub(" minus ", normalize("NFKC", text))


def _spoken(sign: str) -> str:
    """Return what a character stands for in a slug."""
    if sign in SPOKEN:
        return f" {SPOKEN[sign]} "
    if category(sign) in NAMED:
        return f" {name(sign, '').lower().removesuffix(' sign')} "
    return sign if sign.isalnum() or sign in "_'’" else " "
