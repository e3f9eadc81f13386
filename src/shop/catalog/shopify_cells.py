"""Turns the cells of a Shopify row into values, or says what is wrong with them."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from shop.catalog.entry import MAX_DESCRIPTION, Key, Path

UNCATEGORISED = "Uncategorised"
DEFAULT_TITLE = "Default Title"  # the one option value of a product without variants

# As the columns of the catalog have it; a test compares.
MAX_NAME = 255
MAX_HANDLE = 255
MAX_OPTION = 255
MAX_CATEGORY = 200
MAX_PRICE = Decimal("9999999999.99")
MAX_QUANTITY = 1_000_000_000
MAX_KEY = 2000  # bytes of handle and options together: what an index can hold

STATUSES = {"": "active", "active": "active", "draft": "draft", "archived": "archived"}
HIDDEN = "unlisted"  # for sale to who knows the link: there is no such thing here
YES = frozenset({"true", "yes", "continue"})

Warnings: TypeAlias = list[str]  # what was loaded otherwise than it says


class Bad(ValueError):
    """A row cannot be loaded; the text is the reason."""


def check_text(text: str) -> None:
    """Raise Bad for what no text column can hold."""
    if "\0" in text:
        raise Bad("it holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Bad(
            "it is not text in this encoding; --encoding names another one, e.g. cp1252"
        ) from None


def identity_of(handle: str, values: Sequence[str]) -> Key:
    """Return the handle and the values of its options, without those that say nothing."""
    options = [_at_most(MAX_OPTION, value, "option") for value in values]
    while options and not options[-1]:
        options.pop()
    if options == [DEFAULT_TITLE]:
        options = []
    if len("".join([handle, *options]).encode()) > MAX_KEY:
        raise Bad(f"handle and options have more than {MAX_KEY} bytes together")
    return _at_most(MAX_HANDLE, handle, "handle"), tuple(options)


def name_of(title: str, options: Sequence[str], warnings: Warnings) -> str:
    """Return e.g. ``Linen shirt – M / Sky Blue``; where that is too long, the title is cut."""
    variant = " / ".join(filter(None, options))
    suffix = f" – {variant}" if variant else ""
    name = title + suffix
    if len(name) > MAX_NAME:
        warnings.append(f"the name has {len(name)} characters and was cut to {MAX_NAME}")
        room = MAX_NAME - len(suffix) - 1
        name = f"{title[:room]}…{suffix}" if room > 0 else f"{name[: MAX_NAME - 1]}…"
    return name


def description_of(text: str, warnings: Warnings) -> str:
    """Return the description, cut where it is longer than a product's may be."""
    if len(text) > MAX_DESCRIPTION:
        warnings.append(
            f"the description has {len(text)} characters and was cut to {MAX_DESCRIPTION}"
        )
    return text[:MAX_DESCRIPTION]


def category_of(category: str, product_type: str) -> Path:
    """Return the category's path, e.g. ``("Apparel", "Shirts")`` for ``Apparel > Shirts``."""
    text = category or product_type
    path = tuple(name for part in text.split(">") if (name := part.strip()))
    return tuple(_at_most(MAX_CATEGORY, name, "category") for name in path or (UNCATEGORISED,))


def status_of(status: str, published: str, *, gift_card: str, warnings: Warnings) -> str:
    """Return whether it is for sale: drafts, unpublished products and gift cards are not."""
    found = "draft" if status.lower() == HIDDEN else STATUSES.get(status.lower())
    if found is None:
        raise Bad(f"the status {_short(status)} is none of active, draft, archived")
    if found == "active" and gift_card.lower() in YES:
        warnings.append("a gift card, and nothing here issues one: loaded as a draft")
        return "draft"
    return "draft" if found == "active" and published.lower() == "false" else found


def tracking_of(tracker: str | None, policy: str) -> bool | None:
    """Return whether units are counted; None where the export does not say.

    Without a tracker Shopify sells it whatever the quantity, and so it does where the policy is to
    continue.

    Args:
        tracker: None if there is no such column.
    """
    if policy.lower() in YES:
        return False
    return None if tracker is None else bool(tracker)


def price_of(text: str, decimal: str = ".") -> Decimal:
    """Return an amount with at most two decimals.

    Args:
        decimal: what stands before them, a point or a comma.
    """
    if not text:
        raise Bad("the price is missing")
    point = rf"\{decimal}"
    if not re.fullmatch(rf"[+-]?(\d+{point}?\d*|{point}\d+)", text, re.ASCII):
        hint = "; --decimal , reads it" if re.fullmatch(r"\d+,\d{1,2}", text, re.ASCII) else ""
        raise Bad(f"the price {_short(text)} is no number{hint}")
    price = Decimal(text.replace(decimal, "."))
    if price < 0:
        raise Bad(f"the price {_short(text)} is negative")
    if price > MAX_PRICE:
        raise Bad(f"the price {_short(text)} has too many digits")
    if price != round(price, 2):
        raise Bad(f"the price {_short(text)} has more than two decimals")
    return round(price, 2)


def quantity_of(text: str, warnings: Warnings) -> int | None:
    """Return units, none below 0; None if the cell is empty."""
    if not text:
        return None
    # Spreadsheets and pandas write 12 as 12.0 where a column has gaps.
    whole = re.fullmatch(r"([+-]?\d{1,4000})(\.0*)?", text, re.ASCII)
    if whole is None:
        raise Bad(f"the quantity {_short(text)} is no whole number")
    quantity = int(whole[1])
    if quantity > MAX_QUANTITY:
        raise Bad(f"the quantity {_short(text)} is above {MAX_QUANTITY}")
    if quantity < 0:
        warnings.append(f"the quantity {_short(text)} is negative: taken for 0")
    return max(0, quantity)


def _at_most(length: int, text: str, what: str) -> str:
    if len(text) > length:
        raise Bad(f"the {what} has {len(text)} characters, more than {length}")
    return text


def _short(text: str) -> str:
    return repr(text if len(text) <= 30 else f"{text[:30]}…")
