"""Turns the cells of a Shopify row into values, or says what is wrong with them."""

import re
from collections.abc import Sequence
from decimal import Decimal
from unicodedata import normalize

from django.utils.text import slugify

from shop.catalog.entry import Path

UNCATEGORISED = "Uncategorised"

# As the columns of the catalog have it; a test compares.
MAX_NAME = 255
MAX_SLUG = 255
MAX_CATEGORY = 200
MAX_PRICE = Decimal("9999999999.99")
MAX_QUANTITY = 1_000_000_000


class Bad(ValueError):
    """A row cannot be loaded; the text is the reason."""


def check_text(text: str) -> None:
    """Raise Bad for what no text column can hold."""
    if "\0" in text:
        raise Bad("it holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Bad("it is not UTF-8 text") from None


def slug_of(handle: str, options: Sequence[str]) -> str:
    """Return e.g. ``linen-shirt-m-sky-blue`` for a handle and the values of its options."""
    words = [re.sub(r"\W+", "-", normalize("NFKC", text)) for text in (handle, *options)]
    slug = slugify("-".join(words), allow_unicode=True)
    if not slugify(words[0], allow_unicode=True):
        raise Bad(f"the handle {handle!r} holds neither letters nor digits")
    return _at_most(MAX_SLUG, slug, "handle and options together")


def name_of(title: str, options: Sequence[str]) -> str:
    """Return e.g. ``Linen shirt – M / Sky Blue``."""
    name = f"{title} – {' / '.join(options)}" if options else title
    return _at_most(MAX_NAME, name, "name")


def category_of(category: str, product_type: str) -> Path:
    """Return the category's path, e.g. ``("Apparel", "Shirts")`` for ``Apparel > Shirts``."""
    text = category or product_type
    path = tuple(name for part in text.split(">") if (name := part.strip()))
    return tuple(_at_most(MAX_CATEGORY, name, "category") for name in path or (UNCATEGORISED,))


def price_of(text: str) -> Decimal:
    """Return an amount with at most two decimals."""
    if not text:
        raise Bad("the price is missing")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII):
        raise Bad(f"the price {_short(text)} is no number")
    price = Decimal(text)
    if price < 0:
        raise Bad(f"the price {_short(text)} is negative")
    if price > MAX_PRICE:
        raise Bad(f"the price {_short(text)} has too many digits")
    if price != round(price, 2):
        raise Bad(f"the price {_short(text)} has more than two decimals")
    return round(price, 2)


def quantity_of(text: str) -> int | None:
    """Return units; None if the cell is empty, which means that Shopify does not count them."""
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{1,4000}", text, re.ASCII):
        raise Bad(f"the quantity {_short(text)} is no whole number")
    quantity = int(text)
    if quantity < 0:
        raise Bad(f"the quantity {_short(text)} is negative")
    if quantity > MAX_QUANTITY:
        raise Bad(f"the quantity {_short(text)} is above {MAX_QUANTITY}")
    return quantity


def _at_most(length: int, text: str, what: str) -> str:
    if len(text) > length:
        raise Bad(f"the {what} has {len(text)} characters, more than {length}")
    return text


def _short(text: str) -> str:
    return repr(text if len(text) <= 30 else f"{text[:30]}…")
