"""Does something run already, or lie in the way from last time?"""

from __future__ import annotations

from sharding.inspection.leftover_findings import of_leftovers
from sharding.inspection.preflight.building import Check, Findings, error
from sharding.inspection.preflight.facts import Facts


def running(facts: Facts) -> Findings:
    """Citus runs one rebalance at a time."""
    for job in facts.jobs:
        yield error(
            "job-running",
            f"Job {job.id} ({job.description or job.type}) is {job.state}:"
            f" {job.done} of {job.tasks} tasks done.",
            remedy="Wait for it (shardctl jobs), or stop it: shardctl stop.",
        )
    if facts.leftovers.running and not facts.jobs:
        yield error(
            "operation-running",
            "A move, split or copy of shards runs already.",
            remedy="Wait for it: shardctl status shows it.",
        )


def left_behind(facts: Facts) -> Findings:
    """Orphans, slots, prepared transactions and the like."""
    yield from of_leftovers(facts.leftovers)


def disagreeing(facts: Facts) -> Findings:
    """Whoever acts on metadata that another node contradicts may lose the only copy of a shard."""
    yield from facts.disagreements


CHECKS: tuple[Check, ...] = (running, left_behind, disagreeing)
