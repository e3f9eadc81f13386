"""Finding a shard among ranges that need not be equal."""

from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest

from sharding.errors import CitusMissing, IncompleteShardMap, InvalidKey, UnknownTable
from sharding.hashing import hash_key
from sharding.shard_map import HIGHEST, LOWEST, Node, ShardMap, Table, from_rows, load

ONE, TWO = Node(1, "10.0.0.1", 5432), Node(2, "10.0.0.2", 5432)
# A tenant of hash 1000 was isolated, and the shard behind it split.
UNEVEN = [(LOWEST, 999, ONE), (1000, 1000, TWO), (1001, 50_000, ONE), (50_001, HIGHEST, TWO)]


def rows(name: str, group: int, key_type: str, first: int, ranges: list = UNEVEN) -> list[tuple]:
    return [
        (name, group, "user_id", key_type, first + n, lowest, highest, *node)
        for n, (lowest, highest, node) in enumerate(ranges)
    ]


def made(*tables: list[tuple]) -> ShardMap:
    return from_rows([row for table in tables for row in table])


@pytest.mark.parametrize(
    ("hashed", "shard_id"),
    [(LOWEST, 10), (-1, 10), (999, 10), (1000, 11), (1001, 12), (50_000, 12), (50_001, 13),
     (HIGHEST, 13)],
)  # fmt: skip
def test_a_hash_is_found_in_uneven_ranges(hashed: int, shard_id: int) -> None:
    table = made(rows("orders", 1, "uuid", 10)).table("orders")
    shard = table.shard_of_hash(hashed)
    assert shard.id == shard_id
    assert shard.lowest <= hashed <= shard.highest


def test_tables_of_a_group_have_shards_of_their_own_on_the_same_nodes() -> None:
    shard_map = made(rows("carts", 1, "uuid", 10), rows("orders", 1, "uuid", 20))
    for number in range(50):
        key = UUID(int=number)
        cart, order = shard_map.find("carts", key), shard_map.find("orders", key)
        assert (order.id - cart.id, order.node) == (10, cart.node)
        assert shard_map.find(1, key) == cart
        assert cart.lowest <= hash_key(key, "uuid") <= cart.highest
    assert {group: [table.name for table in tables] for group, tables in shard_map.groups.items()}
    assert shard_map.nodes == (ONE, TWO)


def test_what_the_cluster_does_not_have_is_said() -> None:
    shard_map = made(rows("orders", 1, "uuid", 10))
    with pytest.raises(UnknownTable, match="table nothing"):
        shard_map.find("nothing", 1)
    with pytest.raises(UnknownTable, match="colocation group 7"):
        shard_map.find(7, 1)
    with pytest.raises(InvalidKey):
        shard_map.find("orders", "no uuid")


@pytest.mark.parametrize("missing", range(len(UNEVEN)))
def test_ranges_with_a_gap_are_refused(missing: int) -> None:
    with pytest.raises(IncompleteShardMap, match="orders"):
        made(rows("orders", 1, "uuid", 10, UNEVEN[:missing] + UNEVEN[missing + 1 :]))


def test_ranges_that_overlap_are_refused() -> None:
    with pytest.raises(IncompleteShardMap):
        made(rows("orders", 1, "uuid", 10, [(LOWEST, 10, ONE), (10, HIGHEST, TWO)]))


def test_a_map_cannot_be_changed() -> None:
    shard_map = made(rows("orders", 1, "uuid", 10))
    with pytest.raises(TypeError):
        shard_map.tables["orders"] = None  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        shard_map.table("orders").name = "other"  # type: ignore[misc]
    assert isinstance(shard_map.table("orders"), Table)


def test_a_plain_postgresql_has_no_map() -> None:
    class Plain:
        def execute(self, query: str, /) -> None: ...

        def fetchone(self) -> tuple[bool]:
            return (False,)

        def fetchall(self) -> list[tuple]:
            raise AssertionError("pg_dist_shard was asked for")

    with pytest.raises(CitusMissing):
        load(Plain())
