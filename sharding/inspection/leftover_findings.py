"""What was left behind, as findings: for preflight, status and verify alike."""

from __future__ import annotations

from collections.abc import Iterator

from sharding.figures import bytes_
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.leftovers import Kind, Leftover, Leftovers

FIX = "shardctl verify --fix"
QUARANTINE = f"{FIX} puts it into quarantine, when the recorded shard has at least as many rows."
_REPLICATION = {
    Kind.SLOT: "replication slot",
    Kind.PUBLICATION: "publication",
    Kind.SUBSCRIPTION: "subscription",
    Kind.ROLE: "subscription role",
}


def of_leftovers(found: Leftovers) -> list[Finding]:
    """Return a finding for each leftover that does not go by itself within seconds."""
    return [
        *records(found),
        *orphans(found),
        *replication(found),
        *prepared(found),
        *indexes(found),
    ]


def records(found: Leftovers) -> Iterator[Finding]:
    """What Citus has noted down to remove, but not removed."""
    for left in found.of(Kind.RECORD):
        if left.waits:
            continue
        if left.node:
            message = (
                f"{left.node}: the {left.detail} {left.name} of an operation that failed is still"
                " to be removed."
            )
            yield _finding("cleanup-record", Severity.WARNING, message, left)
        else:
            message = f"Citus tries for ever to remove {left.name}, a {left.detail} (citus#8236)."
            yield _finding("cleanup-record-of-a-lost-node", Severity.ERROR, message, left)


def orphans(found: Leftovers) -> Iterator[Finding]:
    """A table in the way of a shard that is to come."""
    for left in found.of(Kind.SHARD):
        if not left.is_recorded:
            message = (
                f"{left.node}: {left.name} is a shard {left.detail}; a move to this node would find"
                " the name taken (citus#5329)."
            )
            yield _finding("orphaned-shard", Severity.ERROR, message, left, QUARANTINE)


def replication(found: Leftovers) -> Iterator[Finding]:
    """Slots keep WAL until the disk is full; subscriptions keep workers."""
    for kind, noun in _REPLICATION.items():
        for left in found.of(kind):
            held = f" and keeps {bytes_(left.bytes)} of WAL" if left.bytes is not None else ""
            message = f"{left.node}: the {noun} {left.name} belongs to no move that runs{held}."
            yield _finding(f"stray-{kind.value}", Severity.WARNING, message, left)


def prepared(found: Leftovers) -> Iterator[Finding]:
    """A prepared transaction that nobody ends holds its locks for ever."""
    for left in found.of(Kind.PREPARED):
        message = (
            f"{left.node} holds the prepared transaction {left.name} ({left.detail}): its locks"
            " stay until it is ended."
        )
        remedy = FIX
        if not left.detail.startswith("of Citus"):
            remedy = f"COMMIT PREPARED or ROLLBACK PREPARED '{left.name}'; on that node."
        yield _finding("stray-prepared-transaction", Severity.ERROR, message, left, remedy)


def indexes(found: Leftovers) -> Iterator[Finding]:
    """A move builds the index again, and fails if the rows do not allow it."""
    for left in found.of(Kind.INDEX):
        message = (
            f"{left.node}: {left.name} on {left.detail} is invalid: CREATE INDEX CONCURRENTLY did"
            " not complete."
        )
        remedy = f"REINDEX INDEX CONCURRENTLY {left.name}; on that node, or drop it everywhere."
        yield _finding("invalid-index", Severity.WARNING, message, left, remedy)


def _finding(
    code: str, severity: Severity, message: str, left: Leftover, remedy: str = FIX
) -> Finding:
    return Finding(code=code, severity=severity, message=message, remedy=remedy, node=left.node)
