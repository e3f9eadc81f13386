"""In what nodes differ that should be alike: settings, roles, grants, extensions, who may log in.

Citus sends DDL, roles and most grants to all nodes; settings, pg_hba.conf, and what was done
while it did not send anything, are each node's own. A difference is found by comparing what all
nodes say of the same thing; that they say the same and are all wrong is preflight's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.inspection import placements
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.placements import Layout

# What a session has set itself, and what a node has for itself alone.
SETTINGS = """
SELECT name, setting || coalesce(' ' || unit, '') AS value FROM pg_settings
 WHERE source NOT IN ('session', 'client', 'override', 'interactive', 'test')
   AND context <> 'internal'
   AND name NOT IN ('cluster_name', 'config_file', 'data_directory', 'external_pid_file',
                    'hba_file', 'ident_file', 'listen_addresses', 'log_directory', 'log_filename',
                    'port', 'primary_conninfo', 'primary_slot_name', 'ssl_cert_file',
                    'ssl_key_file', 'unix_socket_directories', 'citus.local_hostname')
"""
ROLE_SETTINGS = """
SELECT coalesce(r.rolname, 'all roles') || ' in ' || coalesce(d.datname, 'all databases')
       || ': ' || split_part(entry, '=', 1) AS name, split_part(entry, '=', 2) AS value
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) AS entry
 WHERE d.datname IS NULL OR d.datname = current_database()
"""
ROLES = """
SELECT rolname AS name, concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END,
           CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END,
           CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,
           CASE WHEN rolreplication THEN 'replication' END,
           CASE WHEN rolbypassrls THEN 'bypassrls' END,
           'at most ' || nullif(rolconnlimit, -1) || ' connections',
           'until ' || rolvaliduntil,
           'member of ' || (SELECT string_agg(g.rolname, ', ' ORDER BY g.rolname)
                              FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                             WHERE m.member = r.oid)) AS value
  FROM pg_roles r WHERE rolname !~ '^pg_'
"""
EXTENSIONS = "SELECT extname AS name, extversion AS value FROM pg_extension"
GRANTS = """
SELECT name, (SELECT string_agg(entry::text, ' ' ORDER BY entry::text)
                FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) AS entry) AS value
  FROM unnest(%s::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name)
"""
LOGINS = """
SELECT concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','),
                 address, netmask, auth_method) AS name, 'there' AS value
  FROM pg_hba_file_rules WHERE error IS NULL
"""
BROKEN_LOGINS = "SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL"
# A rule that asks for no password, for others than this machine.
OPEN_LOGINS = """
SELECT line_number, address, array_to_string(user_name, ',') AS users FROM pg_hba_file_rules
 WHERE auth_method = 'trust' AND type <> 'local'
   AND address NOT IN ('127.0.0.1', '::1', 'samehost', 'localhost')
"""
NODE_CONNECTIONS = "SELECT current_setting('citus.node_conninfo')"
ABSENT = "not there"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a node says, by kind (`setting`, `role`, `grant` …) and name."""

    facts: Mapping[str, Mapping[str, str]]
    broken_logins: tuple[str, ...] = ()
    open_logins: tuple[str, ...] = ()
    node_connections: str = ""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What was found, and why nodes did not answer."""

    findings: tuple[Finding, ...]
    silent: Mapping[str, str] = field(default_factory=dict)


REMEDIES = {
    "setting": "Set it alike on all nodes (ALTER SYSTEM SET …; SELECT pg_reload_conf();),"
    " or leave it out: --ignore NAME.",
    "role-setting": "ALTER ROLE … SET … on the coordinator, which sends it to all nodes.",
    "role": "ALTER ROLE or CREATE ROLE on the coordinator; on a node that missed it, run it there"
    " after SET citus.enable_ddl_propagation TO off.",
    "extension": "ALTER EXTENSION … UPDATE, or CREATE EXTENSION, on the node that differs.",
    "grant": "GRANT again on the coordinator, which sends it to every node and shard.",
    "login": "Make pg_hba.conf alike on all nodes, and SELECT pg_reload_conf();",
}


def inspect(cluster: Cluster, *, ignore: Iterable[str] = ()) -> Drift:
    """Return in what the nodes differ.

    Args:
        cluster: where.
        ignore: codes, or names of settings, roles and the like, to leave out.
    """
    layout = placements.read(cluster, sizes=False)
    primaries = [node for node in layout.nodes if node.is_primary and node.is_active]
    told, silent = split_answers(cluster.on_each(primaries, _reader(layout)))
    unwanted = set(ignore)
    found = [
        finding
        for name, finding in [*_differences(told), *_of_shards(told, layout), *_doors(told)]
        if not {name, finding.code} & unwanted
    ]
    return Drift(
        findings=tuple(found), silent={node.name: str(error) for node, error in silent.items()}
    )


def _reader(layout: Layout) -> Callable[[Session], Snapshot]:
    tables = [table.name for table in layout.tables]
    shards: dict[str, list[str]] = {}
    for placement in layout.placements:
        shards.setdefault(placement.node, []).append(placement.relation)

    def read(session: Session) -> Snapshot:
        return Snapshot(
            facts={
                "setting": _facts(session, SETTINGS),
                "role-setting": _facts(session, ROLE_SETTINGS),
                "role": _facts(session, ROLES),
                "extension": _facts(session, EXTENSIONS),
                "grant": _facts(session, GRANTS, [tables]),
                "login": _facts(session, LOGINS),
                "shard-grant": _facts(session, GRANTS, [shards.get(session.name, [])]),
            },
            broken_logins=tuple(
                f"line {row.line_number}: {row.error}" for row in session.query(BROKEN_LOGINS)
            ),
            open_logins=tuple(
                f"line {row.line_number}: {row.users} from {row.address or 'anywhere'}"
                for row in session.query(OPEN_LOGINS)
            ),
            node_connections=session.value(NODE_CONNECTIONS),
        )

    return read


def _facts(session: Session, sql: str, parameters: list[object] | None = None) -> dict[str, str]:
    return {row.name: row.value for row in session.query(sql, parameters)}


def _differences(told: Mapping[Node, Snapshot]) -> Iterator[tuple[str, Finding]]:
    for kind, remedy in REMEDIES.items():
        said = {node.name: snapshot.facts[kind] for node, snapshot in told.items()}
        for name in sorted({name for facts in said.values() for name in facts}):
            values = {node: facts.get(name, ABSENT) for node, facts in said.items()}
            if len(set(values.values())) > 1:
                message = f"{kind} {name}: {by_value(values)}"
                yield name, _warning(f"{kind}-differs", message, remedy)


def _of_shards(told: Mapping[Node, Snapshot], layout: Layout) -> Iterator[tuple[str, Finding]]:
    """Compare the rights on each shard with those on its table, as the coordinator has them."""
    tables = {placement.relation: placement.table for placement in layout.placements}
    coordinator = next((s for node, s in told.items() if node.is_coordinator), None)
    granted = coordinator.facts["grant"] if coordinator else {}
    for node, snapshot in told.items():
        for shard, rights in snapshot.facts["shard-grant"].items():
            wanted = granted.get(tables[shard], rights)
            if rights != wanted:
                message = f"{node.name}: the rights on {shard} are {rights}, on its table {wanted}."
                yield shard, _warning("shard-grant-differs", message, REMEDIES["grant"], node.name)


def by_value(values: Mapping[str, str]) -> str:
    """Return `64 MB on a and b; 4 MB on c.`, the most common value first."""
    nodes: dict[str, list[str]] = {}
    for node, value in values.items():
        nodes.setdefault(value or "nothing", []).append(node)
    ordered = sorted(nodes.items(), key=lambda item: -len(item[1]))
    return "; ".join(f"{value} on {' and '.join(names)}" for value, names in ordered) + "."


def _doors(told: Mapping[Node, Snapshot]) -> Iterator[tuple[str, Finding]]:
    for node, snapshot in told.items():
        for code, message, remedy in _doors_of(snapshot, is_local=_is_local(told)):
            yield code, _warning(code, f"{node.name} {message}", remedy, node.name)


def _doors_of(snapshot: Snapshot, *, is_local: bool) -> Iterator[tuple[str, str, str]]:
    for line in snapshot.broken_logins:
        yield (
            "login-broken",
            f"has a pg_hba.conf that cannot be read, {line}.",
            "Mend the line: after a restart nobody could log in.",
        )
    for line in snapshot.open_logins:
        yield (
            "login-without-password",
            f"lets in without a password, by pg_hba.conf, {line}.",
            "Ask for scram-sha-256, or a certificate.",
        )
    if "sslmode=disable" in snapshot.node_connections and not is_local:
        yield (
            "nodes-without-tls",
            f"talks to others without TLS: citus.node_conninfo is '{snapshot.node_connections}'.",
            "ALTER SYSTEM SET citus.node_conninfo TO 'sslmode=require'; or verify-full.",
        )


def _is_local(nodes: Iterable[Node]) -> bool:
    return all(node.host in {"127.0.0.1", "localhost", "::1"} for node in nodes)


def _warning(code: str, message: str, remedy: str, node: str = "") -> Finding:
    return Finding(code=code, severity=Severity.WARNING, message=message, remedy=remedy, node=node)
