"""Everything that would make a move of shards fail, stall, or take the traffic with it.

findings = preflight.inspect(cluster, groups=[2])
if errors(findings):
    raise Blocked(…)
"""

from __future__ import annotations

from datetime import timedelta

from sharding.cluster import Cluster
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.preflight import capacity, disk, nodes, state, tables, transactions
from sharding.inspection.preflight.facts import Facts, collect

LONG = timedelta(seconds=30)

CHECKS = (*nodes.CHECKS, *capacity.CHECKS, *tables.CHECKS, *disk.CHECKS, *transactions.CHECKS,
          *state.CHECKS)  # fmt: skip


def inspect(
    cluster: Cluster,
    *,
    groups: list[int] | None = None,
    wal_headroom: int | None = None,
    long: timedelta = LONG,
) -> list[Finding]:
    """Return what is wrong, errors first.

    Args:
        cluster: where. Nothing is changed.
        groups: the colocation groups that are to be moved; None: all.
        wal_headroom: bytes to stay free beside the largest shard group; None: see `disk`.
        long: from which age on a transaction is long.
    """
    return judge(collect(cluster, groups=groups, wal_headroom=wal_headroom, long=long))


def judge(facts: Facts) -> list[Finding]:
    """Return what is wrong with these facts, errors first."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)
