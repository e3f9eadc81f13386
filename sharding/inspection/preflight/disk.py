"""Is there room for a second copy of the largest shard group, and for the WAL meanwhile?

Citus refuses a move that would leave less than `citus.desired_percent_disk_available_after_move`
(10 %) free on the target. It does not count WAL (citus#7125): what the target writes while it
copies and builds indexes, and what the slot holds back on the source until the copy is done. The
default headroom is twice the shard group plus max_wal_size.
"""

from __future__ import annotations

from sharding.figures import bytes_
from sharding.inspection.preflight.building import Check, Findings, error, warning
from sharding.inspection.preflight.facts import Facts

PERCENT = "citus.desired_percent_disk_available_after_move"


def room(facts: Facts) -> Findings:
    """The largest shard group and its WAL against the free space of each node."""
    biggest = facts.biggest.bytes if facts.biggest else None
    if biggest is None:
        return
    for state in facts.movers:
        if state.facts is None or state.capacity is None:
            continue
        name, free, total = state.node.name, state.facts.disk_free, state.facts.disk_total
        percent = float(state.capacity.settings[PERCENT])
        headroom = facts.wal_headroom
        if headroom is None:
            headroom = 2 * biggest + state.capacity.bytes["max_wal_size"]
        if free - biggest < total * percent / 100:
            yield error(
                "disk-space",
                f"{name} has {bytes_(free)} of {bytes_(total)} free; with the largest shard group"
                f" ({bytes_(biggest)}) less than {percent:g} % would be left, and Citus refuses.",
                remedy=f"Free or add space, or lower {PERCENT}.",
                node=name,
            )
        elif free < biggest + headroom:
            yield warning(
                "wal-headroom",
                f"{name} has {bytes_(free)} free; the largest shard group takes"
                f" {bytes_(biggest)}, and WAL up to {bytes_(headroom)} until it is copied.",
                remedy="Free or add space, split the shard group first, or move when few write.",
                node=name,
            )


CHECKS: tuple[Check, ...] = (room,)
