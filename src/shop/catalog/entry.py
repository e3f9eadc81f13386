"""A product as it shall be, before it is known whether it exists. No database is involved."""

from dataclasses import dataclass
from decimal import Decimal

Path = tuple[str, ...]  # names of categories, from the root down


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the catalog shall say of a product; the slug says which one it is."""

    slug: str
    name: str
    description: str
    price: Decimal
    category: Path
