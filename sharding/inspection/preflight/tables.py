"""Can the rows of every table be followed while they are copied?"""

from __future__ import annotations

from sharding.inspection.preflight.building import Check, Findings, error, warning
from sharding.inspection.preflight.facts import Facts, TableIdentity


def replica_identity(facts: Facts) -> Findings:
    """One table without an identity blocks the move of its whole colocation group."""
    for table in facts.identities:
        if not has_identity(table):
            yield error(
                "replica-identity",
                f"{table.name} has no primary key and no other replica identity, so shards of its"
                " group move only while writes are blocked.",
                remedy=f"Give it a primary key, or ALTER TABLE {table.name} REPLICA IDENTITY FULL;",
            )


def unlogged(facts: Facts) -> Findings:
    """Logical replication does not see unlogged tables: rows written meanwhile would be lost."""
    for table in facts.identities:
        if table.is_unlogged:
            yield error(
                "unlogged-table",
                f"{table.name} is unlogged: what is written to it during a move is not copied.",
                remedy=f"ALTER TABLE {table.name} SET LOGGED; or move with writes blocked.",
            )


def missing_references(facts: Facts) -> Findings:
    """Reference tables that a node has not: the first move to it copies them all first."""
    for node, tables in facts.missing_references.items():
        yield warning(
            "reference-tables-missing",
            f"{node} lacks the reference table{'s' if len(tables) > 1 else ''}"
            f" {', '.join(tables)}; the first move to it copies them, with writes to them blocked"
            " (citus#7426).",
            remedy="SELECT replicate_reference_tables('force_logical');",
            node=node,
        )


def has_identity(table: TableIdentity) -> bool:
    """Whether logical replication can follow updates and deletes of the table's rows."""
    return table.identity in {"f", "i"} or (table.identity == "d" and table.has_key)


CHECKS: tuple[Check, ...] = (replica_identity, unlogged, missing_references)
