"""No query on a distributed table fans out by accident.

Invariant: every distributed table of a query is pinned to one shard key, either by a predicate
(``user_id = x``, ``(user_id, id) = (x, y)``) or by a join on the distribution column with a table
that is pinned. Anything wider has to say ``.cross_shard()``.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.db.models.expressions import Col, ColPairs, Value
from django.db.models.fields.related_lookups import get_normalized_value
from django.db.models.fields.tuple_lookups import Tuple
from django.db.models.lookups import Exact, In
from django.db.models.sql import Query
from django.db.models.sql.datastructures import Join
from django.db.models.sql.where import AND, WhereNode

from sharding.django.placement import Distributed, column_of, placement_of
from sharding.errors import UnscopedQuery


@cache
def _distribution_columns() -> dict[str, str]:
    """Map each distributed table to its distribution column."""
    columns = {}
    for model in apps.get_models():
        placement = placement_of(model)
        if isinstance(placement, Distributed):
            columns[model._meta.db_table] = column_of(model, placement.by)
    return columns


def require_shard_key(query: Query) -> None:
    """Raise UnscopedQuery if a distributed table of this query is pinned to no key."""
    if getattr(query, "cross_shard", False) or query.combinator or query.is_empty():
        return
    columns = _distribution_columns()
    used = {
        alias: columns[table.table_name]
        for alias, table in query.alias_map.items()
        if query.alias_refcount.get(alias) and table.table_name in columns
    }
    if not used:
        return
    pinned = _reach(query, set(_pinned_by(query.where, used)), used)
    for alias in used.keys() - pinned:
        table = query.alias_map[alias].table_name
        raise UnscopedQuery(
            f"A query on {table} names no {used[alias]} and would ask every shard. "
            "Start it with for_user() or for_product(), or say cross_shard()."
        )


def _reach(query: Query, pinned: set[str], used: dict[str, str]) -> set[str]:
    """Add the tables that a join on the distribution columns pins, until nothing changes."""
    links = [
        (join.parent_alias, alias)
        for alias, join in query.alias_map.items()
        if alias in used
        and isinstance(join, Join)
        and join.parent_alias in used
        and (used[join.parent_alias], used[alias]) in join.join_cols
    ]
    for _ in links:
        for one, other in links:
            if one in pinned or other in pinned:
                pinned |= {one, other}
    return pinned


def _pinned_by(where: WhereNode, used: dict[str, str]) -> Iterator[str]:
    """Yield the aliases whose distribution column the predicate holds to one value."""
    if where.negated or (where.connector != AND and len(where.children) > 1):
        return
    for child in where.children:
        if isinstance(child, WhereNode):
            yield from _pinned_by(child, used)
        elif isinstance(child, Exact | In):
            for position, column in enumerate(_columns(child.lhs)):
                if used.get(column.alias) != column.target.column:
                    continue
                if _is_one_value(child, position, used):
                    yield column.alias


def _columns(expression: Any) -> Iterable[Col]:
    if isinstance(expression, Col):
        return [expression]
    if isinstance(expression, ColPairs):
        return list(expression.get_cols())
    if isinstance(expression, Tuple):
        return [part for part in expression if isinstance(part, Col)]
    return []


def _is_one_value(lookup: Any, position: int, used: dict[str, str]) -> bool:
    """Tell whether the right-hand side leaves one value at most for the column here."""
    if isinstance(lookup.rhs, Query):
        return False
    if isinstance(lookup, In):
        rows = lookup.rhs if isinstance(lookup.rhs, list | tuple | set | frozenset) else None
        return rows is not None and len({_part(lookup.lhs, row, position) for row in rows}) <= 1
    return _is_value(_part(lookup.lhs, lookup.rhs, position), used)


def _is_value(value: Any, used: dict[str, str]) -> bool:
    """Tell a value from an expression over rows.

    In a subquery, the shard key of a row of the query around it counts as a value: that query is
    checked itself.
    """
    if isinstance(value, Col):
        columns = _distribution_columns()
        outer = value.target.model._meta.db_table
        return value.alias not in used and columns.get(outer) == value.target.column
    return isinstance(value, Value) or not hasattr(value, "resolve_expression")


def _part(lhs: Any, rhs: Any, position: int) -> Any:
    """Return what is compared with the column at this position of the left-hand side."""
    if isinstance(lhs, Col):
        return rhs
    if isinstance(rhs, Model):
        return get_normalized_value(rhs, lhs)[position]
    return rhs[position] if isinstance(rhs, list | tuple) else rhs
