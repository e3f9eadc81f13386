"""How many rows a table has, without counting them.

Counters of live rows begin anew after a crash or a failover, and then say far too little. What
VACUUM and ANALYZE have written into the catalogue stays: their rows per page, and the pages of now,
are what the planner reckons with. Where they have never looked the counters are taken, and where
these say nothing of a table that has pages, nobody knows.
"""

from __future__ import annotations

# Of pg_class c and pg_stat_user_tables s; NULL where nobody knows.
ROWS = """
CASE WHEN c.reltuples >= 0 AND c.relpages > 0
     THEN (c.reltuples / c.relpages * pg_relation_size(c.oid)
           / current_setting('block_size')::int)::bigint
     WHEN pg_relation_size(c.oid) = 0 THEN 0
     WHEN s.n_live_tup > 0 THEN s.n_live_tup END
"""
UNKNOWN = (
    "Some tables were never analyzed, and the counters of their rows began anew (a crash, a"
    " failover): ANALYZE; on the coordinator tells."
)


def total(parts: list[int | None]) -> int | None:
    """Return the sum; None when a part is not known."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
