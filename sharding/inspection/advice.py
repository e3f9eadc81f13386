"""What a Citus database's own traffic says should be changed: fan-out, two phases, hot keys.

It needs nothing of the application: statements come from pg_stat_statements, their plans from
Citus, keys from citus_stat_tenants. What an application says of itself in SQL comments
(sqlcommenter, Marginalia) is used to tell which transaction a statement belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sharding.cluster import Cluster
from sharding.inspection import placements, skew, statements
from sharding.inspection.placements import Layout
from sharding.inspection.skew import Tenant
from sharding.inspection.statements import Judgement, Statement

# A key that makes more than this share of its node's work hinders the node's other keys.
HOT = 0.2
# Fewer queries say nothing of a key.
LEAST_QUERIES = 100


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing to change, and what it costs now.

    Attributes:
        code: `fan-out`, `intermediate-results`, `repartition-join`, `reference-write`,
            `two-phase` or `hot-key`.
        subject: the statement, the transaction's tag, or the key.
        calls, seconds: how often, and for how long the servers worked at it.
        share: of the seconds of all statements that were seen; of a key, of its node's.
    """

    code: str
    subject: str
    message: str
    remedy: str
    calls: int
    seconds: float
    share: float
    tag: str = ""


@dataclass(frozen=True, kw_only=True)
class Advised:
    """The advice, the costliest first.

    Attributes:
        statements: how many were looked at, `refused` of them could not be planned.
        untracked: nodes that do not count keys.
    """

    advice: tuple[Advice, ...]
    statements: int
    refused: int
    untracked: tuple[str, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


def inspect(cluster: Cluster, *, most: int = 200) -> Advised:
    """Return what should be changed.

    Args:
        cluster: where.
        most: how many of the costliest statements are planned.

    Raises:
        QueryFailed: pg_stat_statements is installed nowhere.
    """
    layout = placements.read(cluster)
    listed, silent = statements.seen(cluster, layout)
    looked_at = listed[:most]
    with cluster.coordinator.muted():
        judged = [(each, statements.judge(cluster.coordinator, each)) for each in looked_at]
    total = sum(statement.seconds for statement in listed) or 1.0
    tenants, untracked = skew.tenants(cluster, layout)
    found = [
        *(advice for each, how in judged for advice in of_statement(each, how, layout, total)),
        *of_transactions(looked_at, layout, total),
        *of_keys(tenants),
    ]
    found.sort(key=lambda advice: -advice.seconds)
    return Advised(
        advice=tuple(found),
        statements=len(looked_at),
        refused=sum(bool(how.refusal) for _, how in judged),
        untracked=tuple(untracked),
        silent=silent,
    )


def of_statement(
    statement: Statement, how: Judgement, layout: Layout, total: float
) -> Iterable[Advice]:
    """Yield what a statement's plan says of it."""

    def advice(code: str, message: str, remedy: str) -> Advice:
        return Advice(
            code=code,
            subject=statement.text,
            message=message,
            remedy=remedy,
            calls=statement.calls,
            seconds=statement.seconds,
            share=statement.seconds / total,
            tag=statement.tag,
        )

    if how.repartitions:
        yield advice(
            "repartition-join",
            "Rows are sent between the nodes to be joined.",
            "Distribute the tables by the column they are joined by, colocated; or make the"
            " smaller one a reference table.",
        )
    elif how.subplans:
        yield advice(
            "intermediate-results",
            f"{how.subplans} partial results are gathered and sent to the nodes first.",
            "Give each subquery the shard key, joined with that of the outer query.",
        )
    elif how.tasks > 1:
        keys = ", ".join(sorted(_keys(statement, layout))) or "the shard key"
        writes = " and commits in two phases" if statement.writes else ""
        yield advice(
            "fan-out",
            f"It asks {how.tasks} shards at once{writes}.",
            f"Compare {keys} with a value. If it is a report, ask it rarely, or keep its result.",
        )
    if statement.replaces and statement.writes and statement.writes.kind == "reference":
        yield advice(
            "reference-write",
            f"{statement.writes.name} is on every node: this locks all of it, and commits on all.",
            "Keep what changes often in a distributed table beside it, or write it in batches.",
        )


def of_transactions(listed: Iterable[Statement], layout: Layout, total: float) -> Iterable[Advice]:
    """Yield the tagged transactions that write to several colocation groups."""
    by_tag: dict[str, list[Statement]] = {}
    for statement in listed:
        if statement.tag and statement.writes and statement.writes.kind == "distributed":
            by_tag.setdefault(statement.tag, []).append(statement)
    for tag, writes in by_tag.items():
        tables = {w.writes.colocation_id: w.writes.name for w in writes if w.writes}
        if len(tables) < 2:
            continue
        seconds = sum(statement.seconds for statement in writes)
        yield Advice(
            code="two-phase",
            subject=tag,
            message=f"It writes to {len(tables)} colocation groups ({', '.join(tables.values())}),"
            " so most of its transactions commit in two phases over several nodes.",
            remedy="Write the second group later, by an outbox of the first; or keep a part of"
            " it with the first key.",
            calls=max(statement.calls for statement in writes),
            seconds=seconds,
            share=seconds / total,
            tag=tag,
        )


def of_keys(tenants: Iterable[Tenant]) -> Iterable[Advice]:
    """Yield the keys that make more than `HOT` of their node's work."""
    listed = list(tenants)
    for tenant in listed:
        node = sum(other.cpu_seconds for other in listed if other.node == tenant.node)
        share = tenant.cpu_seconds / node if node else 0.0
        if share <= HOT or tenant.queries < LEAST_QUERIES:
            continue
        yield Advice(
            code="hot-key",
            subject=tenant.key,
            message=f"It makes {share:.0%} of the counted work of {tenant.node}.",
            remedy=f"shardctl isolate {tenant.key}, then `move` its shard to a node of its own.",
            calls=tenant.queries,
            seconds=tenant.cpu_seconds,
            share=share,
        )


def _keys(statement: Statement, layout: Layout) -> set[str]:
    """Return the shard keys of the distributed tables that a statement names."""
    words = set(statement.text.replace('"', " ").replace(".", " ").replace(",", " ").split())
    return {
        f"{table.name}.{table.key_column}"
        for table in layout.tables
        if table.kind == "distributed" and table.name in words and table.key_column
    }
