"""A sample as the pages show it: columns of blocks, the moves between them, and what stands out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sharding.cluster import Node
from sharding.django.console.moves import Move
from sharding.django.console.sampling import Reading, Relation, Sample, Tenant
from sharding.django.console.traffic import Counts, Rate, Traffic
from sharding.errors import InvalidInput
from sharding.inspection.estimates import total
from sharding.shard_map import Table

HEAT_LEVELS = 6
QUIET = 12.0  # per second: the scale of a cluster at rest, where periodic tasks alone are at work
MOST_KEYS = 10
SHOWN_TYPES = {"uuid", "bigint", "integer"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One table's shard within a group of shards."""

    shard: int
    table: str
    relation: Relation | None

    @property
    def name(self) -> str:
        """What the table of the shard is called on its node."""
        return f"{self.table}_{self.shard}"


@dataclass(frozen=True, kw_only=True)
class Block:
    """The shards of all tables of a colocation group over one range of hashes: they move together.

    Attributes:
        id: the lowest of their shard ids, by which the group is called.
        size: bytes; None where the node has not said.
    """

    id: int
    lowest: int
    highest: int
    node: str
    parts: tuple[Part, ...]
    rate: Rate | None
    move: Move | None

    @cached_property
    def size(self) -> int | None:
        """Bytes of tables and indexes together."""
        known = [part.relation.size for part in self.parts if part.relation]
        return sum(known) if known else None

    @cached_property
    def rows(self) -> int | None:
        """About how many rows there are; None where nobody knows."""
        return total([part.relation.rows if part.relation else None for part in self.parts])

    @property
    def is_moving(self) -> bool:
        """Whether it is on its way to another node."""
        return bool(self.move and self.move.is_running)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A node with the blocks that it holds."""

    node: Node
    blocks: tuple[Block, ...]
    arriving: tuple[Move, ...]
    reading: Reading | None
    trouble: str
    is_slow: bool
    reference_bytes: int

    @property
    def size(self) -> int:
        """Bytes of the blocks."""
        return sum(block.size or 0 for block in self.blocks)

    @property
    def rate(self) -> Rate:
        """What is done on all of its blocks, per second."""
        known = [block.rate for block in self.blocks if block.rate]
        return Rate(sum(r.reads for r in known), sum(r.writes for r in known))


@dataclass(frozen=True, kw_only=True)
class Group:
    """A colocation group."""

    id: int
    name: str
    key: str
    tables: int


@dataclass(frozen=True, kw_only=True)
class HeavyKey:
    """A key that many queries are about, and the block that holds it."""

    key: str
    block: int
    last_minute: int
    this_minute: int
    share: float
    cpu_seconds: float


def groups(sample: Sample) -> list[Group]:
    """Return the colocation groups, each called by the table that was distributed first."""
    found = []
    for number, tables in sorted(sample.shards.groups.items()):
        first = _first(tables)
        key = f"{first.key_column} {first.key_type}"
        found.append(Group(id=number, name=first.name, key=key, tables=len(tables)))
    return found


def blocks(sample: Sample, group: int, traffic: Traffic) -> list[Block]:
    """Return the blocks of a colocation group in the order of their hashes."""
    tables = sorted(sample.shards.groups[group], key=lambda table: table.shards[0].id)
    moves = {shard: move for move in sample.moves for shard in move.shards}
    found = []
    for shards in zip(*(table.shards for table in tables), strict=True):
        node = f"{shards[0].node.host}:{shards[0].node.port}"
        known = relations(sample, node)
        number = min(shard.id for shard in shards)
        found.append(
            Block(
                id=number,
                lowest=shards[0].lowest,
                highest=shards[0].highest,
                node=node,
                parts=tuple(
                    Part(shard=shard.id, table=table.name, relation=known.get(shard.id))
                    for shard, table in zip(shards, tables, strict=True)
                ),
                rate=traffic.rates.get(place(node, group, shards[0].lowest)),
                move=next((moves[s.id] for s in shards if s.id in moves), None),
            )
        )
    return found


def counts(sample: Sample) -> Counts:
    """Return what was read and written in each block since its node began to count."""
    found = {}
    for group in sample.shards.groups:
        for block in blocks(sample, group, Traffic(0, {})):
            known = [part.relation for part in block.parts if part.relation]
            if known:
                where = place(block.node, group, block.lowest)
                found[where] = (sum(r.reads for r in known), sum(r.writes for r in known))
    return found


def place(node: str, group: int, lowest: int) -> str:
    """Return the key of a block's counts: a block that moved begins anew."""
    return f"{node} {group} {lowest}"


def columns(sample: Sample, found: Iterable[Block]) -> list[Column]:
    """Return the nodes that hold blocks or could; the coordinator only if it does."""
    by_node: dict[str, list[Block]] = {}
    for block in found:
        by_node.setdefault(block.node, []).append(block)
    wanted = {shard for held in by_node.values() for b in held for shard in _shards(b)}
    return [
        _column(sample, node, by_node.get(node.name, []), wanted)
        for node in sample.nodes
        if node.name in by_node or not node.is_coordinator
    ]


def _column(sample: Sample, node: Node, held: list[Block], wanted: set[int]) -> Column:
    answer = sample.readings.get(node.name, "It was not asked.")
    known = relations(sample, node.name)
    return Column(
        node=node,
        blocks=tuple(held),
        arriving=tuple(m for m in sample.moves if m.target == node.name and m.shards & wanted),
        reading=None if isinstance(answer, str) else answer,
        trouble=answer if isinstance(answer, str) else "",
        is_slow=node.name in sample.slow,
        reference_bytes=sum(r.size for s, r in known.items() if s in sample.references),
    )


def hottest(found: Iterable[Block]) -> float:
    """Return the rate that the deepest colour stands for."""
    return max([QUIET, *(block.rate.total for block in found if block.rate)])


def heat(rate: Rate | None, top: float) -> int:
    """Return 0 for nothing at all, to HEAT_LEVELS for the busiest."""
    if not rate or not rate.total:
        return 0
    return min(HEAT_LEVELS, 1 + int(HEAT_LEVELS * rate.total / top))


def keys_are_shown(sample: Sample, group: int) -> bool:
    """Tell whether the keys of a group are ids: a text may be somebody's name or address."""
    return sample.shards.groups[group][0].key_type in SHOWN_TYPES


def heavy_keys(sample: Sample, group: int, found: list[Block]) -> list[HeavyKey]:
    """Return the keys that most queries were about, in this minute and the last."""
    if not keys_are_shown(sample, group):
        return []
    table = sample.shards.groups[group][0]
    seen = [tenant for tenant in _tenants(sample) if tenant.colocation_id == group]
    total = sum(tenant.last_minute + tenant.this_minute for tenant in seen)
    busy = sorted(seen, key=lambda t: t.last_minute + t.this_minute, reverse=True)
    by_range = {block.lowest: block.id for block in found}
    keys = []
    for tenant in busy[:MOST_KEYS]:
        count = tenant.last_minute + tenant.this_minute
        try:
            shard = table.find(UUID(tenant.key) if table.key_type == "uuid" else int(tenant.key))
        except (InvalidInput, ValueError):
            continue
        if count:
            keys.append(
                HeavyKey(
                    key=tenant.key,
                    block=by_range[shard.lowest],
                    last_minute=tenant.last_minute,
                    this_minute=tenant.this_minute,
                    share=100 * count / total,
                    cpu_seconds=tenant.cpu_seconds,
                )
            )
    return keys


def _tenants(sample: Sample) -> Iterator[Tenant]:
    for reading in sample.readings.values():
        if not isinstance(reading, str):
            yield from reading.tenants


def relations(sample: Sample, node: str) -> Mapping[int, Relation]:
    """Return what a node has said of its shards; nothing when it has not answered."""
    answer = sample.readings.get(node, "")
    return {} if isinstance(answer, str) else answer.relations


def _first(tables: Iterable[Table]) -> Table:
    return min(tables, key=lambda table: table.shards[0].id)


def _shards(block: Block) -> set[int]:
    return {part.shard for part in block.parts}
