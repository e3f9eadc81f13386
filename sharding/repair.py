"""Removing what Citus has left behind: the steps are computed first, and can be shown.

Invariant: nothing is removed that a running operation uses or the metadata names. Citus's own
cleanup goes first; what is still there is looked at again right before it is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sharding import quarantine
from sharding.cluster import Cluster, Node
from sharding.connection import literal, quoted
from sharding.errors import Blocked, NodeNotAvailable, QueryFailed
from sharding.inspection import consistency, leftovers, orphans
from sharding.inspection.leftovers import Kind, Leftover, Leftovers

CLEAN_UP = "CALL citus_cleanup_orphaned_resources()"
RECOVER = "SELECT recover_prepared_transactions()"
FORGET = "DELETE FROM pg_dist_cleanup WHERE record_id IN ({ids})"
# Shards and replication are Citus's: the node is told to leave this change to us.
ALONE = (
    "SET citus.enable_ddl_propagation TO off",
    "SET citus.enable_manual_changes_to_shards TO on",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Statements for one node, and why.

    Attributes:
        node: host:port.
        sql: run one after another.
        reason: the sentence of the preview.
        removes: what is gone afterwards; the step is left out when all of it is gone already.
        tables: it removes tables, or lets Citus do so: only while all nodes agree.
    """

    node: str
    sql: tuple[str, ...]
    reason: str
    removes: tuple[Leftover, ...]
    tables: bool = False


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A step that a server refused."""

    step: Step
    message: str


def steps(found: Leftovers, nodes: Iterable[Node]) -> list[Step]:
    """Return how to remove what was found, in the order in which it has to be done.

    Invalid indexes stay: whether to build them again or to drop them is for people to say. So do
    orphaned shards, see `for_orphans`.
    """
    listed = [node for node in nodes if node.is_primary]
    coordinator = next((node.name for node in listed if node.is_coordinator), "")
    return [
        *_by_citus(found, coordinator),
        *_prepared(found, listed),
        *(_drop(left) for kind in _DROPS for left in found.of(kind)),
    ]


def for_orphans(cluster: Cluster, found: Leftovers) -> tuple[list[Step], list[str]]:
    """Return how to quarantine the orphaned shards, and sentences about those that must stay."""
    made, kept = [], []
    for left in found.of(Kind.SHARD):
        if left.is_recorded:
            continue  # Citus's own to remove
        if why := orphans.objection(cluster, left):
            kept.append(f"{left.node}: {left.name} stays, {why}.")
        else:
            made.append(_quarantine(left))
    return made, kept


def run(cluster: Cluster, planned: Iterable[Step]) -> list[Failure]:
    """Run the steps; return those that failed. The others are done all the same.

    Args:
        cluster: not read-only.
        planned: of `steps`.
    """
    nodes = {node.name: node for node in cluster.primaries()}
    failures = []
    for step in planned:
        if not _is_needed(cluster, step):
            continue
        try:
            _require_superfluous(cluster, step)
            with cluster.on(nodes[step.node]) as session:
                for sql in (*ALONE, *step.sql):
                    session.execute(sql)
        except (QueryFailed, NodeNotAvailable, Blocked) as error:
            failures.append(Failure(step=step, message=str(error)))
    return failures


def _require_superfluous(cluster: Cluster, step: Step) -> None:
    """Look once more before a table goes: the preview may be old."""
    if step.tables and (doubts := consistency.doubts(cluster)):
        raise Blocked(f"No table is removed now: {doubts[0].message}")
    for left in step.removes:
        if left.kind is Kind.SHARD and (why := orphans.objection(cluster, left)):
            raise Blocked(f"{left.node}: {left.name} stays, {why}.")


def _is_needed(cluster: Cluster, step: Step) -> bool:
    """Whether anything that the step removes is still a leftover."""
    now = {(left.kind, left.node, left.name) for left in leftovers.inspect(cluster).found}
    return any((left.kind, left.node, left.name) in now for left in step.removes)


def _by_citus(found: Leftovers, coordinator: str) -> list[Step]:
    records = found.of(Kind.RECORD)
    lost = tuple(record for record in records if not record.node)
    known = tuple(record for record in records if record.node)
    made = []
    if known:
        names = ", ".join(record.name for record in known)
        reason = f"Citus removes what it has noted down: {names}."
        made.append(
            Step(node=coordinator, sql=(CLEAN_UP,), reason=reason, removes=known, tables=True)
        )
    if lost:
        ids = ", ".join(str(record.record_id) for record in lost)
        made.append(
            Step(
                node=coordinator,
                sql=(FORGET.format(ids=ids),),
                reason="Citus forgets what lay on nodes that are gone: "
                + ", ".join(record.name for record in lost)
                + ".",
                removes=lost,
            )
        )
    return made


def _prepared(found: Leftovers, nodes: list[Node]) -> list[Step]:
    """Each node ends the two-phase commits that it began itself, so all are asked."""
    stray = tuple(left for left in found.of(Kind.PREPARED) if left.detail.startswith("of Citus"))
    if not stray:
        return []
    reason = f"Commit or roll back {len(stray)} prepared transaction(s), as it was decided."
    return [Step(node=n.name, sql=(RECOVER,), reason=reason, removes=stray) for n in nodes]


def _drop(left: Leftover) -> Step:
    name = quoted(left.name)
    sql = {
        Kind.SUBSCRIPTION: (
            f"ALTER SUBSCRIPTION {name} DISABLE",
            f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)",
            f"DROP SUBSCRIPTION {name}",
        ),
        Kind.SLOT: (f"SELECT pg_drop_replication_slot({literal(left.name)})",),
        Kind.PUBLICATION: (f"DROP PUBLICATION {name}",),
        Kind.ROLE: (f"DROP OWNED BY {name}", f"DROP ROLE {name}"),
    }[left.kind]
    noun = left.kind.value.replace("-", " ")
    return Step(
        node=left.node,
        sql=sql,
        reason=f"Drop the {noun} {left.name} of a move that no longer runs.",
        removes=(left,),
    )


def _quarantine(left: Leftover) -> Step:
    return Step(
        node=left.node,
        sql=quarantine.put(left.name),
        reason=f"Put the table {left.name} aside, a shard {left.detail} with as many rows.",
        removes=(left,),
        tables=True,
    )


# Subscriptions keep slots busy, so they go first; roles own them, so they go last.
_DROPS = (Kind.SUBSCRIPTION, Kind.SLOT, Kind.PUBLICATION, Kind.ROLE)
