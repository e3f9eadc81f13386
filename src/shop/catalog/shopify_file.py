"""The lines of a Shopify export: its separator, its encoding, and which column is which."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

UTF_8 = "utf-8-sig"
MAX_CELL = 16 * 1024 * 1024  # characters; descriptions may hold whole pictures
csv.field_size_limit(MAX_CELL)

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
    "tracker": ("Variant Inventory Tracker", "Inventory tracker"),
    "policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "gift_card": ("Gift Card",),
}
OURS = {title.lower(): name for name, titles in COLUMNS.items() for title in titles}
REQUIRED = ("handle", "title", "price")
LOOKED_AT = frozenset({"sku"})  # tells a variant from a picture, and is not loaded

SEPARATORS = {
    ",": ("commas", "','"),
    ";": ("semicolons", "';'"),
    "\t": ("tabs", "tab"),
    "|": ("bars", "'|'"),
}
# What the beginning of a file gives away that is no UTF-8, as bytes out of place are read.
BEGINNINGS = (
    (("\udcff\udcfe", "\udcfe\udcff"), "it is UTF-16: --encoding utf-16 reads it"),
    (("PK\x03\x04",), "it is a workbook, not a CSV file: save it as “CSV UTF-8”"),
)


class NotShopify(ValueError):
    """The file as a whole is no product export; the text says why."""


class Header(NamedTuple):
    """The columns: our name of each, "" for those that are not loaded; and as the file has them."""

    names: list[str]
    titles: list[str]


@contextmanager
def opened(path: Path, encoding: str = UTF_8) -> Iterator[TextIO]:
    """Open an export; a byte that is out of place costs one row, not the file.

    Raises:
        OSError: it cannot be read.
        LookupError: there is no such encoding.
    """
    with path.open("rb") as file:
        yield text_of(file, encoding)


def text_of(file: BinaryIO, encoding: str = UTF_8) -> TextIO:
    """Return the text of an export; as `opened` does.

    Raises:
        LookupError: there is no such encoding.
    """
    errors = "strict" if encoding.lower().startswith("utf-16") else "surrogateescape"
    return TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def table(
    lines: Iterable[str], delimiter: str
) -> tuple[Header, Iterator[tuple[int, list[str] | csv.Error]]]:
    """Return the columns, and each record, or why it is none, with the line on which it begins.

    Raises:
        NotShopify: empty, no CSV, in another encoding, separated by something else, or without the
            columns that are needed.
    """
    rest = iter(lines)
    first, skipped = next(rest, ""), 0
    for beginnings, reason in BEGINNINGS:
        if first.startswith(beginnings):
            raise NotShopify(reason)
    if said := re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE):  # Excel's own way to say it
        delimiter, first, skipped = said[1], next(rest, ""), 1
    records = _records(chain([first], rest) if first else rest, delimiter, skipped)
    return _header(records, first, delimiter), records


def _records(
    lines: Iterable[str], delimiter: str, skipped: int
) -> Iterator[tuple[int, list[str] | csv.Error]]:
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    while True:
        line = reader.line_num + 1 + skipped
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            if any(cell.strip() for cell in record):
                yield line, record


def _header(
    records: Iterator[tuple[int, list[str] | csv.Error]], first: str, delimiter: str
) -> Header:
    _, titles = next(records, (0, []))
    if isinstance(titles, csv.Error):
        raise NotShopify(f"it is no CSV file: {sentence(titles)}")
    if not titles:
        raise NotShopify("it is empty")
    if missing := _missing(titles):
        for other, (name, option) in SEPARATORS.items():
            if other != delimiter and not _missing(first.strip().split(other)):
                raise NotShopify(
                    f"its columns are separated by {name}: --delimiter {option} reads it"
                )
        columns = [" or ".join(COLUMNS[name]) for name in missing]
        raise NotShopify(f"its first line names no column {', no '.join(columns)}")
    return Header(_names(titles), [title.strip() for title in titles])


def _names(titles: Iterable[str]) -> list[str]:
    return [OURS.get(title.strip().strip('"').lower(), "") for title in titles]


def _missing(titles: Sequence[str]) -> list[str]:
    return [name for name in REQUIRED if name not in _names(titles)]


def sentence(error: csv.Error) -> str:
    """Return what is wrong with a record."""
    if "unexpected end" in str(error):
        return "a quote that is opened here is never closed; nothing behind it could be read"
    return str(error)
