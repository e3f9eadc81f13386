"""Reading how Citus would run what Django sends."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from django.db import connection

APPS = "accounts|carts|catalog|core|inventory|orders|payments|reviews|wishlists"
TABLE = re.compile(rf"\b((?:{APPS})_\w+)")
REFERENCE_TABLES = {"catalog_category", "catalog_product"}
FAST_PATH_NOTICE = "Distributed planning for a fast-path router query"


@dataclass(frozen=True)
class Plan:
    """What one statement touches: its tables, how many shards, and whether by the fast path."""

    sql: str
    tables: frozenset[str]
    shards: int
    fast_path: bool

    @property
    def is_distributed(self) -> bool:
        return bool(self.tables - REFERENCE_TABLES)


class Planner:
    """Asks for plans over a connection of its own.

    An EXPLAIN inside a transaction that has written locally would be refused; planning needs the
    metadata alone, and that is committed.
    """

    def __init__(self) -> None:
        self._connection = psycopg2.connect(**connection.get_connection_params())
        self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute("SET client_min_messages TO debug2")

    def plan(self, sql: str, params: Any) -> Plan:
        """Return the plan of one statement."""
        self._connection.notices.clear()
        with self._connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
            lines = [line for (line,) in cursor.fetchall()]
        fast = any(FAST_PATH_NOTICE in notice for notice in self._connection.notices)
        tasks = [int(line.split(":")[1]) for line in lines if "Task Count:" in line]
        tables = frozenset(TABLE.findall(sql))
        return Plan(" ".join(sql.split()), tables, max(tasks, default=0), fast)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def recorded() -> Iterator[list[Plan]]:
    """Collect the plan of every statement on our tables that is sent meanwhile."""
    plans: list[Plan] = []
    planner = Planner()

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if TABLE.search(sql):
            plans.append(planner.plan(sql, params))
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(record):
            yield plans
    finally:
        planner.close()
