"""A product as it shall be, before it is known whether it exists. No database is involved."""

from dataclasses import dataclass
from decimal import Decimal

Path = tuple[str, ...]  # names of categories, from the root down
Key = tuple[str, tuple[str, ...]]  # a handle and the values of its options

# Characters of plain text. What is searched has to fit into one tsvector, a megabyte of words.
MAX_DESCRIPTION = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the catalog shall say of a product; handle and options say which one it is.

    `track_inventory` is None where nothing is said of it: it stays as it is.
    """

    handle: str
    options: tuple[str, ...]
    name: str
    description: str
    price: Decimal
    category: Path
    status: str
    track_inventory: bool | None

    @property
    def key(self) -> Key:
        """Return what no two products have in common."""
        return self.handle, self.options
