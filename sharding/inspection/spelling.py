"""How what somebody types may be stored in a column of some type."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize
from uuid import UUID

INTEGERS = ("bigint", "integer", "smallint")
TEXTS = ("text", "character varying")


def forms(key: str, key_type: str, prefixes: Sequence[str]) -> list[str]:
    """Return how the key may be stored in a column of this type; [] when it cannot.

    Args:
        key: as it was typed.
        key_type: as `format_type` writes it.
        prefixes: what texts may begin with where they are stored; tried with and without.
    """
    if key_type == "uuid":
        return [str(UUID(key))] if _is_uuid(key) else []
    if key_type in INTEGERS:
        return [str(int(key))] if _is_int(key) else []
    if key_type not in TEXTS or _is_uuid(key) or _is_int(key):
        return []
    found = [key, *(prefix + key for prefix in prefixes)]
    # As names are made comparable: whatever their case, and however they were typed in.
    found += [normalize("NFKC", form).casefold() for form in found]
    return list(dict.fromkeys(found))


def _is_uuid(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _is_int(key: str) -> bool:
    return key.removeprefix("-").isascii() and key.removeprefix("-").isdigit()
