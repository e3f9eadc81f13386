"""Ids, moments and amounts as COPY reads them: as text, made as cheaply as Python allows."""

from datetime import UTC, datetime
from random import Random

_LOW_62 = (1 << 62) - 1


def uuid7(moment: int, random: Random) -> str:
    """Return a UUIDv7 (RFC 9562) as 32 hex digits, from a moment in ms and a random source."""
    bits = random.getrandbits(74)
    number = moment << 80 | (0x7000 | bits >> 62) << 64 | 0x8 << 60 | bits & _LOW_62
    return f"{number:032x}"


def uuid7_of(owner: str, moment: int, random: Random) -> str:
    """Return a UUIDv7 that carries its owner's mark, as `sharding.ids.new_id_of` makes them."""
    return f"{moment << 16 | 0x7000 | random.getrandbits(12):016x}{owner[-16:]}"


def dashed(uuid: str) -> str:
    """Return 32 hex digits the way people and JSON write a UUID."""
    return f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"


def stamp(moment: int) -> str:
    """Return a moment, in ms since 1970, as a timestamp with its zone."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


def money(cents: int) -> str:
    """Return an amount with two decimals."""
    return f"{cents // 100}.{cents % 100:02d}"
