"""Where a key lives: computed as the application does (`shard_map`), and checked on the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from psycopg2.extensions import parse_dsn

from sharding import shard_map
from sharding.cluster import Cluster
from sharding.connection import quoted
from sharding.errors import InvalidInput, InvalidKey, NodeNotAvailable, QueryFailed
from sharding.hashing import hash_key
from sharding.inspection import identifiers, placements
from sharding.inspection.placements import Layout, ShardGroup, Table
from sharding.inspection.spelling import TEXTS, forms

PATIENCE = timedelta(seconds=5)
ON_SERVER = "SELECT get_shard_id_for_distribution_column(%s::regclass, %s::text::{type})"
INSUFFICIENT_PRIVILEGE = "42501"
MAY_NOT_READ = "This role may not read the tables: rows were not counted, nor the place confirmed."
ROWS = "SELECT count(*) FROM {table} WHERE {column} = %s::text::{type}"
# Columns by which a row names a key of another colocation group, e.g. identities.user_id.
POINTERS = """
SELECT a.attname AS column, format_type(a.atttypid, NULL) AS type
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY(%s)
"""
FOLLOW = "SELECT {pointer}::text FROM {table} WHERE {column} = %s::text::{type} LIMIT 10"


@dataclass(frozen=True, kw_only=True)
class ShardOfTable:
    """The shard of one table that holds the key; `rows` is None when it could not be counted."""

    table: str
    shard_id: int
    relation: str
    rows: int | None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a key of one colocation group lives.

    Attributes:
        key: as it is stored, e.g. `email:ana@example.com`.
        hash: by which the shard was found, computed here.
        server_shard_id: what the server says of the first table; the same unless this library errs;
            None when our role may not ask.
        followed_from: what names this key: the key of another group, or a column and its value;
            None when it was asked for itself.
        psql: the command that opens the node.
    """

    key: str
    key_type: str
    colocation_id: int
    hash: int
    shard_group: int
    node: str
    shards: tuple[ShardOfTable, ...]
    server_shard_id: int | None
    agrees: bool
    followed_from: str | None
    psql: str
    missed: str = ""

    @property
    def is_known(self) -> bool:
        """Whether any row has this key."""
        return any(shard.rows for shard in self.shards)


def find(
    cluster: Cluster, key: str, *, prefixes: Sequence[str] = (), table: str | None = None
) -> list[Place]:
    """Return every place of a key: one per colocation group whose keys are of its kind.

    When no row has it as its shard key, rows are looked for whose primary key it is part of, and
    the places of theirs are returned: of an order's id, that of its user.

    Args:
        cluster: where.
        key: a UUID, a whole number, or a text.
        prefixes: what texts may begin with where they are stored; tried with and without.
        table: look only in the colocation group of this table.

    Raises:
        InvalidInput: no group has keys of this kind.
        InvalidKey: the key is none of the type of that table.
    """
    layout = placements.read(cluster, sizes=False)
    groups = layout.distributed()
    if table is not None:
        groups = {layout.table(table).colocation_id: groups[_distributed(layout, table)]}
    candidates = [
        (text, members)
        for members in groups.values()
        for text in forms(key, members[0].key_type or "", prefixes)
    ]
    places = [_place(cluster, layout, text, members) for text, members in candidates]
    if not any(place.is_known for place in places):
        tables = [table for members in groups.values() for table in members]
        found = identifiers.owners(cluster, key, tables, prefixes)
        if found:
            return [_place(cluster, layout, owner.key, groups[owner.colocation_id], owner.named_by)
                    for owner in found]  # fmt: skip
    if not candidates:
        raise _unfit(key, groups.values())
    return _with_followed(cluster, layout, _only_known(places), wide=table is None)


def the_one(places: Sequence[Place], key: str, *, unknown: bool) -> Place:
    """Return the one place that a change of a key's shard group can mean.

    An identity leads on to its user, as in the answer of `where`.

    Args:
        places: of `find`.
        key: as it was typed.
        unknown: admit a key that no row has.

    Raises:
        InvalidInput: there are several, or no row has the key.
    """
    known = [place for place in places if place.is_known]
    if not known and not unknown:
        raise InvalidInput(
            f"No row has the key {key}, so it names no shard group. `shardctl where` shows where it"
            " would be stored; --force takes that one."
        )
    led_to = [place for place in known if place.followed_from]
    meant = led_to or known or list(places)
    if len({place.shard_group for place in meant}) != 1 or len({p.key for p in meant}) != 1:
        listed = "; ".join(f"{p.key} in group {p.shard_group} on {p.node}" for p in meant)
        raise InvalidInput(f"{key} may mean several: {listed}. Say which by --table, or its key.")
    return meant[0]


def _distributed(layout: Layout, name: str) -> int:
    table = layout.table(name)
    if table.kind != "distributed":
        raise InvalidInput(f"{name} is a {table.kind} table: it has no shard keys.")
    return table.colocation_id


def _unfit(key: str, groups: Iterable[tuple[Table, ...]]) -> InvalidInput:
    kinds = sorted({members[0].key_type or "?" for members in groups})
    if not kinds:
        return InvalidInput("The cluster has no distributed table.")
    return InvalidKey(f"{key!r} is no key; keys here are of type {', '.join(kinds)}.")


def _only_known(places: list[Place]) -> list[Place]:
    """Of the forms that a text may have, keep those that exist; the first when none does."""
    kept = []
    for number in dict.fromkeys(place.colocation_id for place in places):
        same = [place for place in places if place.colocation_id == number]
        kept += [place for place in same if place.is_known] or same[:1]
    return kept


def _place(
    cluster: Cluster,
    layout: Layout,
    key: str,
    members: tuple[Table, ...],
    followed_from: str | None = None,
) -> Place:
    first = members[0]
    key_type = first.key_type or ""
    hashed = hash_key(key, key_type)
    computed = shard_map.from_rows(cluster.query(shard_map.SHARDS)).find(first.name, key).id
    group = layout.shard_group_of(computed)
    on_server = _on_server(cluster, first.name, key, key_type)
    return Place(
        key=key,
        key_type=key_type,
        colocation_id=first.colocation_id,
        hash=hashed,
        shard_group=group.id,
        node=group.node,
        shards=tuple(_shards(cluster, group, members, key)),
        server_shard_id=on_server,
        agrees=on_server in {None, computed},
        missed=MAY_NOT_READ if on_server is None else "",
        followed_from=followed_from,
        psql=_psql(cluster, layout, group),
    )


def _on_server(cluster: Cluster, table: str, key: str, key_type: str) -> int | None:
    try:
        return int(cluster.value(ON_SERVER.format(type=key_type), [table, key]))
    except QueryFailed as error:
        if error.sqlstate == INSUFFICIENT_PRIVILEGE:
            return None
        raise


def _shards(
    cluster: Cluster, group: ShardGroup, members: tuple[Table, ...], key: str
) -> Iterator[ShardOfTable]:
    """Count the key's rows in each table; a node that does not answer is not asked again."""
    tables = {table.name: table for table in members}
    answers = True
    for placement in group.placements:
        table, rows = tables[placement.table], None
        if answers:
            rows = _count(cluster, table.name, table.key_column or "", key, table.key_type or "")
            answers = rows is not None
        yield ShardOfTable(
            table=placement.table,
            shard_id=placement.shard_id,
            relation=placement.relation,
            rows=rows,
        )


def _count(cluster: Cluster, table: str, column: str, key: str, key_type: str) -> int | None:
    sql = ROWS.format(table=table, column=quoted(column), type=key_type)
    try:
        with cluster.coordinator.limited(PATIENCE):
            return int(cluster.value(sql, [key]))
    except (QueryFailed, NodeNotAvailable):
        return None


def _with_followed(
    cluster: Cluster, layout: Layout, places: list[Place], *, wide: bool
) -> list[Place]:
    """Add the keys that a found row names: an identity leads to its user."""
    if not wide:
        return places
    result = list(places)
    for place in places:
        for members in layout.distributed().values():
            if place.is_known and members[0].colocation_id != place.colocation_id:
                result += [
                    _place(cluster, layout, key, members, place.key)
                    for key in _named(cluster, layout, place, members)
                ]
    return result


def _named(cluster: Cluster, layout: Layout, place: Place, members: tuple[Table, ...]) -> list[str]:
    """Return the keys of another group that the rows of a text key name."""
    if place.key_type not in TEXTS:
        return []
    wanted = list({table.key_column for table in members})
    found: dict[str, None] = {}
    for shard in place.shards:
        column = layout.table(shard.table).key_column or ""
        for pointer in cluster.query(POINTERS, [shard.table, wanted]):
            if pointer.type == members[0].key_type and pointer.column != column:
                sql = FOLLOW.format(
                    pointer=quoted(pointer.column),
                    table=shard.table,
                    column=quoted(column),
                    type=place.key_type,
                )
                found |= {row[0]: None for row in cluster.query(sql, [place.key]) if row[0]}
    return list(found)


def _psql(cluster: Cluster, layout: Layout, group: ShardGroup) -> str:
    node = next((n for n in layout.nodes if n.group == group.node_group and n.is_primary), None)
    if node is None:
        return ""
    parts = parse_dsn(cluster.dsn_of(node))
    user = f" -U {parts['user']}" if "user" in parts else ""
    host, port = parts.get("host", node.host), parts.get("port", node.port)
    return f"psql -h {host} -p {port}{user} -d {cluster.database}"
