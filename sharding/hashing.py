"""Hash a key as PostgreSQL does, to know its shard without asking a server.

Invariant: for every key, the hash here equals the one that the server computes with the default
hash operator class of the distribution column's type (`hashint8`, `uuid_hash`, `hashtext`). A test
compares 100,000 keys of each type with a server.

The algorithm is Bob Jenkins' lookup3 of 2006 (http://burtleburtle.net/bob/c/lookup3.c, public
domain) with the seed and the treatment of the last bytes of PostgreSQL's
``src/common/hashfn.c``. Words are read in the byte order of the server; this module knows
little-endian ones (x86-64, ARM). Text is hashed as its UTF-8 bytes, which holds for databases
encoded so and for deterministic collations.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from sharding.errors import InvalidKey, UnsupportedKeyType

_MASK = 0xFFFFFFFF
_SIGN = 0x80000000
_SEED = 0x9E3779B9 + 3923095
_EIGHT = struct.Struct("<2I").unpack_from
_TWELVE = struct.Struct("<3I").unpack_from
_SIXTEEN = struct.Struct("<4I").unpack

Key = UUID | int | str


def hash_uuid(key: UUID) -> int:
    """Return the hash of a uuid as a signed 32-bit number, like `uuid_hash`."""
    first, second, third, last = _SIXTEEN(key.bytes)
    a, b, c = _mix(
        (_SEED + 16 + first) & _MASK, (_SEED + 16 + second) & _MASK, (_SEED + 16 + third) & _MASK
    )
    return _final((a + last) & _MASK, b, c)


def hash_int(key: int) -> int:
    """Return the hash of an integer of 16, 32 or 64 bits, like `hashint8`.

    The high half is folded in so that equal numbers of different widths have equal hashes.
    """
    if not -0x8000000000000000 <= key <= 0x7FFFFFFFFFFFFFFF:
        raise InvalidKey(f"{key} does not fit into a bigint.")
    high = key >> 32
    low = (key ^ (high if key >= 0 else ~high)) & _MASK
    start = (_SEED + 4) & _MASK
    return _final((start + low) & _MASK, start, start)


def hash_text(key: str) -> int:
    """Return the hash of a text, like `hashtext`."""
    return hash_bytes(key.encode())


def hash_bytes(key: bytes) -> int:
    """Return the hash of any bytes, like `hash_bytes` of hashfn.c."""
    a = b = c = (_SEED + len(key)) & _MASK
    tail = len(key) - len(key) % 12
    for start in range(0, tail, 12):
        first, second, third = _TWELVE(key, start)
        a, b, c = _mix((a + first) & _MASK, (b + second) & _MASK, (c + third) & _MASK)
    first, second = _EIGHT(key[tail : tail + 8].ljust(8, b"\0"))
    # The lowest byte of the third word is the length's, which is in the seed already.
    third = int.from_bytes(key[tail + 8 :], "little") << 8
    return _final((a + first) & _MASK, (b + second) & _MASK, (c + third) & _MASK)


def hash_key(key: object, key_type: str) -> int:
    """Return the hash of a key of the type that a distribution column has.

    Args:
        key: a value of that type, or the text that PostgreSQL would read as one.
        key_type: the type's name as `format_type` writes it: uuid, bigint, text…

    Raises:
        UnsupportedKeyType: this module cannot hash that type.
        InvalidKey: the key is no value of that type.
    """
    try:
        read, hash_it = _TYPES[key_type]
    except KeyError:
        known = ", ".join(sorted(_TYPES))
        raise UnsupportedKeyType(
            f"Keys of type {key_type} cannot be hashed, only {known}."
        ) from None
    return hash_it(read(key))


def _uuid(key: object) -> UUID:
    if isinstance(key, UUID):
        return key
    if isinstance(key, str):
        try:
            return UUID(key)
        except ValueError:
            pass
    raise InvalidKey(f"{key!r} is no UUID.")


def _int(key: object) -> int:
    if isinstance(key, int):
        return int(key)
    if isinstance(key, str):
        try:
            return int(key)
        except ValueError:
            pass
    raise InvalidKey(f"{key!r} is no whole number.")


def _text(key: object) -> str:
    if isinstance(key, str):
        return key
    raise InvalidKey(f"{key!r} is no text.")


_TYPES: Mapping[str, tuple[Callable[[object], object], Callable[..., int]]] = MappingProxyType(
    {
        "uuid": (_uuid, hash_uuid),
        "bigint": (_int, hash_int),
        "integer": (_int, hash_int),
        "smallint": (_int, hash_int),
        "text": (_text, hash_text),
        "character varying": (_text, hash_text),
    }
)


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    """Stir twelve bytes in (`mix` of lookup3). Written out: a loop costs three times as much."""
    a = (a - c) & _MASK ^ (c << 4 & _MASK | c >> 28)
    c = (c + b) & _MASK
    b = (b - a) & _MASK ^ (a << 6 & _MASK | a >> 26)
    a = (a + c) & _MASK
    c = (c - b) & _MASK ^ (b << 8 & _MASK | b >> 24)
    b = (b + a) & _MASK
    a = (a - c) & _MASK ^ (c << 16 & _MASK | c >> 16)
    c = (c + b) & _MASK
    b = (b - a) & _MASK ^ (a << 19 & _MASK | a >> 13)
    a = (a + c) & _MASK
    c = (c - b) & _MASK ^ (b << 4 & _MASK | b >> 28)
    return a, (b + a) & _MASK, c


def _final(a: int, b: int, c: int) -> int:
    """Stir the last bytes in (`final` of lookup3); return the result with its sign."""
    c = ((c ^ b) - (b << 14 | b >> 18)) & _MASK
    a = ((a ^ c) - (c << 11 | c >> 21)) & _MASK
    b = ((b ^ a) - (a << 25 | a >> 7)) & _MASK
    c = ((c ^ b) - (b << 16 | b >> 16)) & _MASK
    a = ((a ^ c) - (c << 4 | c >> 28)) & _MASK
    b = ((b ^ a) - (a << 14 | a >> 18)) & _MASK
    c = ((c ^ b) - (b << 24 | b >> 8)) & _MASK
    return c - ((c & _SIGN) << 1)
