"""The library's hash and map are the server's, for 100,000 keys of each type."""

import io
import random
import string
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from sharding import shard_map
from sharding.hashing import hash_key
from sharding.ids import new_id

pytestmark = pytest.mark.django_db

KEYS = 100_000
# As COPY reads text.
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
ALPHABETS = (
    string.printable,
    "äöüßñçéàø",
    "漢字かな交じり文",
    "🦊🐙🌍💶",
    "a\u0301\u200d\ufeff\x7f",
)


def uuids() -> Iterator[UUID]:
    yield from (UUID(int=0), UUID(int=2**128 - 1))
    yield from (UUID(int=1 << bit) for bit in range(128))
    while True:
        yield new_id()
        yield uuid4()


def bigints() -> Iterator[int]:
    for bit in range(64):
        for near in (-1, 0, 1):
            yield from (n for n in ((1 << bit) + near, -(1 << bit) + near) if -(2**63) <= n < 2**63)
    while True:
        yield random.randrange(-(2**63), 2**63)
        yield random.randrange(-(2**31), 2**31)
        yield random.randrange(100_000)


def integers() -> Iterator[int]:
    yield from (-(2**31), -1, 0, 1, 2**31 - 1)
    while True:
        yield random.randrange(-(2**31), 2**31)


def texts() -> Iterator[str]:
    yield ""
    for length in range(1, 50):  # around each multiple of 12 bytes
        yield from ("a" * length, "é" * length, "漢" * length, "🦊" * length)
    while True:
        yield f"email:user{random.randrange(10**9)}@example.com"
        alphabet = random.choice(ALPHABETS)
        yield "".join(random.choices(alphabet, k=random.randrange(60)))


CASES = pytest.mark.parametrize(
    ("key_type", "function", "keys"),
    [
        ("uuid", "uuid_hash", uuids),
        ("bigint", "hashint8", bigints),
        ("integer", "hashint4", integers),
        ("text", "hashtext", texts),
    ],
)


def some(keys: Callable[[], Iterator[Any]], count: int) -> list[Any]:
    return [key for key, _ in zip(keys(), range(count), strict=False)]


def answers(cursor: Any, keys: list[Any], key_type: str, expression: str) -> list[int]:
    """What the server says of each key."""
    cursor.execute(f"CREATE TEMP TABLE asked (n int, key {key_type}) ON COMMIT DROP")
    cells = (str(key).translate(ESCAPES) for key in keys)
    lines = "".join(f"{n}\t{cell}\n" for n, cell in enumerate(cells))
    cursor.copy_expert("COPY asked FROM STDIN", io.StringIO(lines, newline="\n"))
    cursor.execute(f"SELECT {expression} FROM asked ORDER BY n")
    found = [row[0] for row in cursor.fetchall()]
    cursor.execute("DROP TABLE asked")
    return found


@CASES
def test_keys_are_hashed_as_the_server_does(
    key_type: str, function: str, keys: Callable[[], Iterator[Any]]
) -> None:
    chosen = some(keys, KEYS)
    with connection.cursor() as cursor:
        theirs = answers(cursor, chosen, key_type, f"{function}(key)")
    ours = [hash_key(key, key_type) for key in chosen]
    different = [pair for pair in zip(chosen, ours, theirs, strict=True) if pair[1] != pair[2]]
    assert different == []


@pytest.mark.parametrize(
    ("table", "key_type", "keys"),
    [
        ("orders_order", "uuid", uuids),
        ("accounts_user", "uuid", uuids),
        ("inventory_stock", "bigint", bigints),
        ("accounts_identity", "text", texts),
    ],
)
def test_keys_are_found_in_the_shards_where_citus_finds_them(
    table: str, key_type: str, keys: Callable[[], Iterator[Any]]
) -> None:
    chosen = some(keys, 2_000)
    asked = f"get_shard_id_for_distribution_column('{table}', key)"
    with connection.cursor() as cursor:
        found = shard_map.load(cursor)
        theirs = answers(cursor, chosen, key_type, asked)
    assert [found.find(table, key).id for key in chosen] == theirs
    assert len(set(theirs)) == len(found.table(table).shards)


def test_every_distributed_table_is_in_the_map_and_nothing_else() -> None:
    with connection.cursor() as cursor:
        found = shard_map.load(cursor)
        cursor.execute(
            "SELECT table_name::text, colocation_id, distribution_column, shard_count"
            " FROM citus_tables WHERE citus_table_type = 'distributed'"
        )
        tables = {row[0]: row[1:] for row in cursor.fetchall()}
    assert tables == {
        table.name: (table.colocation_id, table.key_column, len(table.shards))
        for table in found.tables.values()
    }
