"""What a run will do, as data: it is previewed, consented to, and only then run elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sharding.cluster import Node
from sharding.inspection.placements import ShardGroup

MOVE = "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, %s::citus.shard_transfer_mode)"


class Mode(StrEnum):
    """How Citus copies."""

    LOGICAL = "force_logical"  # by logical replication: writes wait only while switching over
    BLOCKING = "block_writes"  # writes to the shard group wait for the whole copy


@dataclass(frozen=True, kw_only=True)
class Step:
    """One long call of Citus on one shard group.

    Attributes:
        kind: move, split, isolate, or reference tables.
        shard: the shard that stands for its group in the call; 0 for reference tables.
        tables: the colocated tables whose shards go along.
        bytes: of the whole group with its indexes.
        keyless: the new shards are decoded before they have their keys (`identity`).
    """

    kind: str
    shard: int
    tables: tuple[str, ...]
    bytes: int
    source: Node
    target: Node
    sql: str
    parameters: tuple[object, ...]
    keyless: bool = False

    @property
    def summary(self) -> str:
        """A clause that names it."""
        if not self.shard:
            return f"{self.kind} to {self.target.name}"
        if self.kind == "move":
            return f"shard group {self.shard} from {self.source.name} to {self.target.name}"
        return f"{self.kind} of shard group {self.shard} on {self.source.name}"


def move(group: ShardGroup, *, source: Node, target: Node, mode: Mode = Mode.LOGICAL) -> Step:
    """Return the step that moves a shard group."""
    return Step(
        kind="move",
        shard=group.id,
        tables=tuple(placement.table for placement in group.placements),
        bytes=group.bytes or 0,
        source=source,
        target=target,
        sql=MOVE,
        parameters=(
            group.id, source.host, source.port, target.host, target.port, mode.value,
        ),
    )  # fmt: skip
