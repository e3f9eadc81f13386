"""Reads the product CSV that Shopify exports. No database is involved.

One row is one variant, or only a further picture. Rows of one product share their handle; the
first of them carries title, description and category. Both dialects are understood: the one that
shops have exported for years (Handle, Body (HTML), Variant Price …) and the one of Shopify's
templates since 2024 (URL handle, Description, Price …).

https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from shop.catalog.entry import Entry, Path
from shop.catalog.html_text import plain_text
from shop.catalog.shopify_cells import (
    Bad,
    category_of,
    check_text,
    name_of,
    price_of,
    quantity_of,
    slug_of,
)

# Our name for each column, and Shopify's: the older dialect, the newer one. Case is ignored.
COLUMNS = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "price": ("Variant Price", "Price"),
    "body": ("Body (HTML)", "Description"),
    "category": ("Product Category",),
    "type": ("Type",),
    "option1": ("Option1 Value",),
    "option2": ("Option2 Value",),
    "option3": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
}
REQUIRED = ("handle", "title", "price")
DEFAULT_TITLE = "Default Title"  # the one option value of a product without variants

Cells = dict[str, str]


class NotShopify(ValueError):
    """The file as a whole is no product export; the text says why."""


class Variant(NamedTuple):
    """A product to be, and its units; None where Shopify does not track them."""

    line: int
    entry: Entry
    quantity: int | None


class BadRow(NamedTuple):
    """A row that cannot be loaded: the line on which it begins, and the reason."""

    line: int
    reason: str


class Hidden(NamedTuple):
    """A variant that its shop does not show: a draft, archived, or unpublished."""

    line: int


class _Head(NamedTuple):
    """What a product's first row says of all its variants."""

    title: str
    description: str
    category: Path
    hidden: bool


def read(lines: Iterable[str]) -> Iterator[Variant | BadRow | Hidden]:
    """Yield what each row stands for; rows that are only pictures, or empty, yield nothing.

    Args:
        lines: a text file opened with ``newline=""``, ``encoding="utf-8-sig"`` and
            ``errors="surrogateescape"``, so that a byte out of place costs one row.

    Raises:
        NotShopify: empty, no CSV, or without the columns that are needed.
    """
    records = _records(lines)
    names = _header(records)
    export = _Export()
    for line, record in records:
        try:
            if isinstance(record, csv.Error):
                raise Bad(_sentence(record))
            if len(record) != len(names):
                raise Bad(f"{len(record)} columns instead of {len(names)}")
            check_text("".join(record))
            found = export.row(line, _cells(names, record))
        except Bad as bad:
            yield BadRow(line, str(bad))
        else:
            if found:
                yield found


class _Export:
    """Remembers the products whose first row was seen, and the slugs that are given away."""

    def __init__(self) -> None:
        self._heads: dict[str, _Head] = {}
        self._slugs: dict[str, int] = {}

    def row(self, line: int, cells: Cells) -> Variant | Hidden | None:
        handle = cells["handle"]
        if not handle:
            raise Bad("the handle is missing")
        first = handle not in self._heads
        if first:
            self._heads[handle] = _head(cells)
        head = self._heads[handle]
        if not first and not any(cells[name] for name in ("option1", "sku", "price", "quantity")):
            return None
        return Hidden(line) if head.hidden else self._variant(line, head, cells)

    def _variant(self, line: int, head: _Head, cells: Cells) -> Variant:
        options = [cells[name] for name in ("option1", "option2", "option3") if cells[name]]
        if options == [DEFAULT_TITLE]:
            options = []
        slug = slug_of(cells["handle"], options)
        if slug in self._slugs:
            raise Bad(f"line {self._slugs[slug]} has this variant already ({slug})")
        variant = Variant(
            line,
            Entry(
                slug=slug,
                name=name_of(head.title, options),
                description=head.description,
                price=price_of(cells["price"]),
                category=head.category,
            ),
            quantity_of(cells["quantity"]),
        )
        self._slugs[slug] = line
        return variant


def _head(cells: Cells) -> _Head:
    if not cells["title"]:
        raise Bad(f"the title is missing, and no row above gives {cells['handle']!r} one")
    return _Head(
        title=cells["title"],
        description=plain_text(cells["body"]),
        category=category_of(cells["category"], cells["type"]),
        hidden=cells["published"].lower() == "false"
        or cells["status"].lower() not in ("", "active"),
    )


def _records(lines: Iterable[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record, or why it is none, with the line on which it begins."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            if any(cell.strip() for cell in record):
                yield line, record


def _header(records: Iterator[tuple[int, list[str] | csv.Error]]) -> list[str]:
    """Return our name of each column, or "" for those that do not matter here."""
    _, titles = next(records, (0, []))
    if isinstance(titles, csv.Error):
        raise NotShopify(f"it is no CSV file: {_sentence(titles)}")
    if not titles:
        raise NotShopify("it is empty")
    ours = {title.lower(): name for name, titles in COLUMNS.items() for title in titles}
    names = [ours.get(title.strip().lower(), "") for title in titles]
    if missing := [" or ".join(COLUMNS[name]) for name in REQUIRED if name not in names]:
        raise NotShopify(f"its first line names no column {', no '.join(missing)}")
    return names


def _cells(names: Sequence[str], record: Sequence[str]) -> Cells:
    cells = dict.fromkeys(COLUMNS, "")
    for name, text in zip(names, record, strict=True):
        if name and not cells[name]:
            cells[name] = text.strip()
    return cells


def _sentence(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quote that is opened here is never closed; nothing behind it could be read"
    return str(error)
