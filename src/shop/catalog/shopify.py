"""Reads the product CSV that Shopify exports. No database is involved.

One row is one variant, or only a further picture. Rows of one product share their handle; one of
them carries title, description and category. Both dialects are understood: the one that shops
have exported for years (Handle, Body (HTML), Variant Price …) and the one of Shopify's templates
since 2024 (URL handle, Description, Price …).

https://help.shopify.com/en/manual/products/import-export/using-csv
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shop.catalog.entry import Entry, Key, Path
from shop.catalog.html_text import plain_text
from shop.catalog.shopify_cells import (
    Bad,
    Warnings,
    category_of,
    check_text,
    description_of,
    identity_of,
    name_of,
    price_of,
    quantity_of,
    status_of,
    tracking_of,
)
from shop.catalog.shopify_file import COLUMNS, LOOKED_AT, Header, sentence, table

VARIANT = ("option1", "sku", "price", "quantity")  # without any of these, a row is a picture

Cells = dict[str, str]


class Variant(NamedTuple):
    """A product to be; its units, None where they are not counted or not told; what to look at."""

    line: int
    entry: Entry
    quantity: int | None
    warnings: tuple[str, ...]


class BadRow(NamedTuple):
    """A row that cannot be loaded: the line on which it begins, and the reason."""

    line: int
    reason: str
    handle: str = ""  # empty: not even that could be read


class _Head(NamedTuple):
    """What a product's first row says of all its variants."""

    title: str
    description: str
    category: Path
    status: str
    warnings: Warnings


class Export:
    """The rows of an export, one after the other; those that are only pictures yield nothing.

    Args:
        lines: a text file as `shopify_file.opened` opens it.
        delimiter: what stands between two cells.
        decimal: what stands before the cents.

    Attributes:
        not_loaded: how many cells of each column held something that has no place here; complete
            when all rows were read.

    Raises:
        NotShopify: it is no such export.
    """

    def __init__(self, lines: Iterable[str], *, delimiter: str = ",", decimal: str = ".") -> None:
        self.not_loaded: Counter[str] = Counter()
        self._header, self._records = table(lines, delimiter)
        self._decimal = decimal
        self._heads: dict[str, _Head] = {}
        self._waiting: dict[str, list[tuple[int, Cells]]] = {}  # above their head, by handle
        self._lines: dict[Key, int] = {}

    def __iter__(self) -> Iterator[Variant | BadRow]:
        for line, record in self._records:
            try:
                if isinstance(record, csv.Error):
                    raise Bad(sentence(record))
                cells = _cells(self._header, record)
            except Bad as bad:
                yield BadRow(line, str(bad))
            else:
                self._count(record)
                yield from self._row(line, cells)
        for handle, rows in self._waiting.items():
            reason = f"the title is missing, and no other row gives {handle!r} one"
            yield from (BadRow(line, reason, handle) for line, _ in rows)

    def _count(self, record: Iterable[str]) -> None:
        for name, title, cell in zip(*self._header, record, strict=True):
            if (not name or name in LOOKED_AT) and cell.strip():
                self.not_loaded[title] += 1

    def _row(self, line: int, cells: Cells) -> Iterator[Variant | BadRow]:
        handle = cells["handle"]
        if not handle:
            yield BadRow(line, "the handle is missing")
        elif handle in self._heads:
            if any(cells[name] for name in VARIANT):
                yield self._variant(line, cells)
        elif not cells["title"]:
            self._waiting.setdefault(handle, []).append((line, cells))
        else:
            yield from self._first(line, cells)

    def _first(self, line: int, cells: Cells) -> Iterator[Variant | BadRow]:
        """Read the row that names a product, and those above it that belong to it."""
        handle = cells["handle"]
        try:
            self._heads[handle] = _head(cells)
        except Bad as bad:
            yield BadRow(line, str(bad), handle)
            return
        yield self._variant(line, cells)
        for above, waiting in self._waiting.pop(handle, []):
            yield from self._row(above, waiting)

    def _variant(self, line: int, cells: Cells) -> Variant | BadRow:
        head = self._heads[cells["handle"]]
        try:
            handle, options = key = identity_of(
                cells["handle"], [cells["option1"], cells["option2"], cells["option3"]]
            )
            if key in self._lines:
                raise Bad(f"line {self._lines[key]} has this variant already")
            warnings = Warnings(head.warnings)
            entry = Entry(
                handle=handle,
                options=options,
                name=name_of(head.title, options, warnings),
                description=head.description,
                price=price_of(cells["price"], self._decimal),
                category=head.category,
                status=head.status,
                track_inventory=self._tracking(cells),
            )
            quantity = quantity_of(cells["quantity"], warnings)
        except Bad as bad:
            return BadRow(line, str(bad), cells["handle"])
        self._lines[key] = line
        counted = entry.track_inventory is not False
        return Variant(line, entry, quantity if counted else None, tuple(warnings))

    def _tracking(self, cells: Cells) -> bool | None:
        tracker = cells["tracker"] if "tracker" in self._header.names else None
        return tracking_of(tracker, cells["policy"])


def _head(cells: Cells) -> _Head:
    warnings = Warnings()
    return _Head(
        title=cells["title"],
        description=description_of(plain_text(cells["body"]), warnings),
        category=category_of(cells["category"], cells["type"]),
        status=status_of(
            cells["status"], cells["published"], gift_card=cells["gift_card"], warnings=warnings
        ),
        warnings=warnings,
    )


def _cells(header: Header, record: list[str]) -> Cells:
    if len(record) != len(header.names):
        raise Bad(f"{len(record)} columns instead of {len(header.names)}")
    check_text("".join(record))
    cells = dict.fromkeys(COLUMNS, "")
    for name, text in zip(header.names, record, strict=True):
        if name and not cells[name]:
            cells[name] = text.strip()
    return cells
