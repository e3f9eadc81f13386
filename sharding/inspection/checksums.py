"""Row counts and checksums of every shard, to show that no row was lost or doubled.

The checksum of a table is the sum of a 64-bit hash of each row's text: it depends neither on the
order of rows nor on how they are cut into shards, so the sum over the shards stays the same when
shards move or are split. It is computed where the rows are; only sums travel.

Each shard is read in a snapshot of its own. Rows that are written meanwhile, or between two
snapshots, change the sums; with `block_writes` nothing can be.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sharding.cluster import Cluster, split_answers
from sharding.connection import Session
from sharding.errors import Blocked, InvalidInput, NodeNotAvailable, QueryFailed
from sharding.inspection.placements import Layout, Placement

VERSION = 1
LOCK_WAIT = timedelta(seconds=30)
# Half of deadlock_timeout, and a quarter of what Citus waits before it looks for deadlocks.
GIVE_WAY = timedelta(milliseconds=500)
PAUSE = timedelta(milliseconds=250)
IN_THE_WAY = {"55P03", "40P01"}  # lock not available, deadlock
# The text of a value must not depend on who asks.
SETTINGS = {
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
}
SUM = """
SELECT count(*) AS rows, coalesce(sum(hashtextextended(shardctl_row::text, 0)::numeric), 0) AS sum
  FROM {relation} AS shardctl_row
"""


@dataclass(frozen=True, kw_only=True)
class ShardSum:
    """Rows and checksum of one placement; the checksum as text, for it is longer than 64 bits."""

    table: str
    shard_id: int
    node: str
    rows: int
    checksum: str


@dataclass(frozen=True, kw_only=True)
class TableSum:
    """Rows and checksum of a whole table."""

    table: str
    rows: int
    checksum: str


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The sums of a cluster at one time.

    Attributes:
        tables: one placement of each shard counted.
        differing: shards whose placements do not hold the same rows: reference tables, mostly.
        writes_blocked: whether the sums are of one moment.
        missing: placements without a table, and nodes that did not answer, and why.
        chosen: the only tables that were counted; () when all were.
    """

    taken_at: datetime
    database: str
    writes_blocked: bool
    tables: tuple[TableSum, ...]
    shards: tuple[ShardSum, ...]
    differing: tuple[tuple[ShardSum, ...], ...] = ()
    missing: tuple[str, ...] = field(default=())
    chosen: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A table that is not as it was."""

    table: str
    before: TableSum | None
    after: TableSum | None

    @property
    def sentence(self) -> str:
        """What happened to the table."""
        if self.before is None or self.after is None:
            return f"{self.table} {'is new' if self.before is None else 'is gone'}."
        if self.before.rows != self.after.rows:
            change = self.after.rows - self.before.rows
            now = f"{self.after.rows:,} ({change:+,})"
            return f"{self.table} had {self.before.rows:,} rows and has {now}."
        return f"{self.table} has as many rows as before ({self.after.rows:,}), but not the same."


def compute(
    cluster: Cluster, layout: Layout, *, tables: Iterable[str] = (), block_writes: bool = False
) -> Sums:
    """Read every row once, on all nodes at the same time.

    Args:
        cluster: where; not read-only when writes are to be blocked.
        layout: the placements.
        tables: only these; none: all.
        block_writes: lock the tables against writes meanwhile, after waiting up to 30 s for it.
    """
    tables = set(tables)
    wanted = tables or {t.name for t in layout.tables if t.kind in {"distributed", "reference"}}
    placements = [p for p in layout.placements if p.table in wanted]
    with _blocked(cluster, sorted(wanted)) if block_writes else contextlib.nullcontext():
        taken_at = datetime.now(UTC)
        shards, missing = _of_nodes(cluster, layout, placements)
    by_id: dict[int, list[ShardSum]] = {}
    for shard in shards:
        by_id.setdefault(shard.shard_id, []).append(shard)
    return Sums(
        taken_at=taken_at,
        database=cluster.database,
        writes_blocked=block_writes,
        tables=tuple(_table_sum(name, by_id.values()) for name in sorted(wanted)),
        shards=tuple(shards),
        differing=tuple(
            tuple(same) for same in by_id.values() if len({(s.rows, s.checksum) for s in same}) > 1
        ),
        missing=tuple(missing),
        chosen=tuple(sorted(tables)),
    )


def compare(before: Sums, after: Sums) -> list[Difference]:
    """Return the tables that differ, of those that both have looked at."""
    old = {table.table: table for table in before.tables if _looked_at(after, table.table)}
    new = {table.table: table for table in after.tables if _looked_at(before, table.table)}
    return [
        Difference(table=name, before=old.get(name), after=new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _looked_at(sums: Sums, table: str) -> bool:
    return not sums.chosen or table in sums.chosen


def require_writable(path: Path) -> None:
    """Refuse before every row is read; InvalidInput when nothing can be written there."""
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error


def save(sums: Sums, path: Path) -> None:
    """Write sums to a file."""
    body = {"version": VERSION, **asdict(sums), "taken_at": sums.taken_at.isoformat()}
    try:
        path.write_text(json.dumps(body, indent=1) + "\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error


def load(path: Path) -> Sums:
    """Read sums from a file; InvalidInput when it is not there or holds something else."""
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        if body.pop("version") != VERSION:
            raise InvalidInput(f"{path} was saved by another version of shardctl.")
        return Sums(
            taken_at=datetime.fromisoformat(body["taken_at"]),
            database=body["database"],
            writes_blocked=body["writes_blocked"],
            tables=tuple(TableSum(**table) for table in body["tables"]),
            shards=tuple(ShardSum(**shard) for shard in body["shards"]),
            chosen=tuple(body.get("chosen", ())),
        )
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{path} holds no checksums of `shardctl verify --save`.") from error


@contextlib.contextmanager
def _blocked(cluster: Cluster, tables: list[str]) -> Iterator[None]:
    """Hold a SHARE lock, which Citus takes on every node: readers go on, writers wait.

    Writers take their tables in orders of their own. So we give way long before anybody looks for
    deadlocks, let them end, and try again: it is never a writer that is cancelled.

    Raises:
        Blocked: there was no moment at which nobody wrote.
    """
    session = cluster.coordinator
    deadline = time.monotonic() + LOCK_WAIT.total_seconds()
    while not _locks(session, tables):
        if time.monotonic() > deadline:
            raise Blocked(
                f"Writers held the tables for {LOCK_WAIT.total_seconds():.0f} s; nothing was"
                " counted. Try again, or when fewer write; `shardctl locks` shows who waits."
            )
        time.sleep(PAUSE.total_seconds())
    try:
        yield
    finally:
        session.execute("ROLLBACK")


def _locks(session: Session, tables: list[str]) -> bool:
    session.execute("BEGIN")
    try:
        # SET LOCAL does not travel by itself.
        session.execute("SET LOCAL citus.propagate_set_commands TO 'local'")
        session.execute(f"SET LOCAL lock_timeout TO {int(GIVE_WAY.total_seconds() * 1000)}")
        session.execute(f"LOCK TABLE {', '.join(sorted(tables))} IN SHARE MODE")
    except QueryFailed as error:
        session.execute("ROLLBACK")
        if error.sqlstate not in IN_THE_WAY:
            raise
        return False
    return True


def _of_nodes(
    cluster: Cluster, layout: Layout, placements: list[Placement]
) -> tuple[list[ShardSum], list[str]]:
    mine: dict[str, list[Placement]] = {}
    for placement in placements:
        mine.setdefault(placement.node, []).append(placement)
    nodes = [n for n in layout.nodes if n.is_primary and n.name in mine]
    answers = cluster.on_each(nodes, lambda s: _of_node(s, mine[s.name]), seconds=None)
    told, silent = split_answers(answers)
    found = [shard for sums, _ in told.values() for shard in sums]
    missing = [sentence for _, sentences in told.values() for sentence in sentences]
    return found, missing + [str(error) for error in silent.values()]


def _of_node(session: Session, placements: list[Placement]) -> tuple[list[ShardSum], list[str]]:
    for name, value in SETTINGS.items():
        session.set(name, value)
    found, missing = [], []
    for placement in placements:
        if session.value("SELECT to_regclass(%s)", [placement.relation]) is None:
            missing.append(f"{session.name} has no table {placement.relation}.")
            continue
        found.append(of_shard(session, placement))
    return found, missing


def of_shard(session: Session, placement: Placement) -> ShardSum:
    """Sum up one placement; the session has the `SETTINGS`."""
    row = session.row(SUM.format(relation=placement.relation))
    if row is None:
        raise NodeNotAvailable(f"{session.name} returns no sum of {placement.relation}.")
    return ShardSum(
        table=placement.table,
        shard_id=placement.shard_id,
        node=session.name,
        rows=row.rows,
        checksum=str(row.sum),
    )


def _table_sum(name: str, shards: Iterable[list[ShardSum]]) -> TableSum:
    firsts = [same[0] for same in shards if same[0].table == name]
    return TableSum(
        table=name,
        rows=sum(shard.rows for shard in firsts),
        checksum=str(sum(int(shard.checksum) for shard in firsts)),
    )
