"""Which node holds a key: the shards of a Citus cluster by the ranges of hashes they cover.

Invariant: the ranges of a table are sorted, do not overlap and cover every 32-bit hash. They need
not be equal: a split, or a tenant isolated to a shard of their own, makes uneven ones, so a range
is found by bisection and never computed.

A map is immutable and says what was true when it was read. Acting on an old one costs a detour,
never a wrong answer: every node forwards what it does not hold itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from sharding.errors import CitusMissing, IncompleteShardMap, UnknownTable
from sharding.hashing import hash_key

LOWEST, HIGHEST = -(2**31), 2**31 - 1

HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"

# One statement, and so one state of the catalogue. A shard with several placements (a replication
# factor above one) is known by the oldest: all of them hold the same rows.
SHARDS = """
SELECT partition.logicalrelid::text, partition.colocationid,
    column_to_column_name(partition.logicalrelid, partition.partkey),
    format_type(colocation.distributioncolumntype, NULL),
    shard.shardid, shard.shardminvalue::int, shard.shardmaxvalue::int,
    node.groupid, node.nodename, node.nodeport, node.isactive AND node.metadatasynced
FROM pg_dist_partition partition
JOIN pg_dist_colocation colocation USING (colocationid)
JOIN pg_dist_shard shard USING (logicalrelid)
JOIN LATERAL (
    SELECT groupid FROM pg_dist_placement WHERE shardid = shard.shardid
    ORDER BY placementid LIMIT 1
) placement ON true
JOIN pg_dist_node node ON node.groupid = placement.groupid AND node.noderole = 'primary'
WHERE partition.partmethod = 'h'
ORDER BY partition.colocationid, 1, shard.shardminvalue::int
"""


class Cursor(Protocol):
    """What a map is read with: a cursor of psycopg2 or of Django."""

    def execute(self, query: str, /) -> object: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...


class Node(NamedTuple):
    """A server of the cluster, as pg_dist_node names it.

    Attributes:
        answers: it is active and knows the metadata, so it can be asked for any row.
    """

    group_id: int
    host: str
    port: int
    answers: bool = True


class Shard(NamedTuple):
    """A shard of one table: the hashes that it covers, both ends included, and who holds it."""

    id: int
    lowest: int
    highest: int
    node: Node


@dataclass(frozen=True)
class Table:
    """A distributed table with its shards, sorted by their hashes."""

    name: str
    colocation_id: int
    key_column: str
    key_type: str
    shards: tuple[Shard, ...]
    _bounds: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edges = [LOWEST - 1, *(shard.highest for shard in self.shards)]
        if [shard.lowest - 1 for shard in self.shards] != edges[:-1] or edges[-1] != HIGHEST:
            raise IncompleteShardMap(f"The shards of {self.name} do not cover every hash once.")
        object.__setattr__(self, "_bounds", tuple(shard.lowest for shard in self.shards))

    def find(self, key: object) -> Shard:
        """Return the shard of a key; InvalidKey or UnsupportedKeyType if it cannot be hashed."""
        return self.shard_of_hash(hash_key(key, self.key_type))

    def shard_of_hash(self, hashed: int) -> Shard:
        """Return the shard that covers a hash."""
        return self.shards[bisect_right(self._bounds, hashed) - 1]


class ShardMap:
    """The distributed tables of a cluster, by name and by colocation group."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: Mapping[str, Table] = MappingProxyType({t.name: t for t in tables})
        groups: dict[int, list[Table]] = {}
        for table in self.tables.values():
            groups.setdefault(table.colocation_id, []).append(table)
        self.groups: Mapping[int, tuple[Table, ...]] = MappingProxyType(
            {number: tuple(members) for number, members in groups.items()}
        )

    def table(self, name: str | int) -> Table:
        """Return a table by its name, or the first table of a colocation group by its number."""
        try:
            return self.groups[name][0] if isinstance(name, int) else self.tables[name]
        except KeyError:
            what = f"colocation group {name}" if isinstance(name, int) else f"table {name}"
            raise UnknownTable(f"The cluster has no distributed {what}.") from None

    def find(self, table: str | int, key: object) -> Shard:
        """Return the shard that holds a key.

        Args:
            table: a table's name as regclass writes it, or the number of a colocation group.
            key: the value of the distribution column.

        Raises:
            UnknownTable: there is no such distributed table or group.
            InvalidKey: the key is no value of the distribution column's type.
            UnsupportedKeyType: that type cannot be hashed here.
        """
        return self.table(table).find(key)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that hold shards, by group."""
        held = {shard.node for table in self.tables.values() for shard in table.shards}
        return tuple(sorted(held))


def load(cursor: Cursor) -> ShardMap:
    """Read the map from any node of a cluster.

    Raises:
        CitusMissing: the database has no such extension.
        IncompleteShardMap: a table's shards do not cover every hash.
    """
    cursor.execute(HAS_CITUS)
    if not cursor.fetchone()[0]:
        raise CitusMissing("The Citus extension is not installed in this database.")
    cursor.execute(SHARDS)
    return from_rows(cursor.fetchall())


def from_rows(rows: Sequence[Sequence[Any]]) -> ShardMap:
    """Return the map that the rows of `SHARDS` describe."""
    tables = []
    for about, of_one in groupby(rows, key=itemgetter(slice(4))):
        name, colocation_id, column, key_type = about
        shards = tuple(Shard(row[4], row[5], row[6], Node(*row[7:])) for row in of_one)
        tables.append(Table(name, colocation_id, column, key_type, shards))
    return ShardMap(tables)
