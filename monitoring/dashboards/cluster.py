"""The cluster and its shards: nodes, poolers, transactions, routing, statements."""

from monitoring.dashboards.build import Dashboard, Panel, Query, Variable

NODE = 'node=~"$node"'

DASHBOARD = Dashboard(
    uid="shardmart-cluster",
    title="Shardmart: cluster and shards",
    text="Each node by its address, as in pg_dist_node and in shardctl. /shards/ shows the shards.",
    variables=[Variable(name="node", label="Node", query="label_values(sharding_node_up, node)")],
    panels=[
        Panel(
            id=1,
            title="Nodes that answer",
            text="0: down. What its shards hold cannot be had.",
            queries=[Query(f"min by (node) (sharding_node_up{{{NODE}}})", "{{node}}")],
        ),
        Panel(
            id=2,
            title="Bytes per node",
            unit="bytes",
            kind="bargauge",
            text="Uneven: `shardctl skew`, then `shardctl plan`.",
            queries=[Query(f"max by (node) (sharding_node_bytes{{{NODE}}})", "{{node}}")],
        ),
        Panel(
            id=3,
            title="Connections in use",
            unit="percentunit",
            red=0.8,
            queries=[Query(f"max by (node) (node:connections:ratio{{{NODE}}})", "{{node}}")],
        ),
        Panel(
            id=4,
            title="PgBouncer: the longest wait for a connection",
            unit="s",
            red=1,
            text="Above 10 s a request fails. The pool is too small, or statements are too slow.",
            links=[("Which statement", "/d/shardmart-cluster?viewPanel=11")],
            queries=[
                Query(
                    "max by (node) (pgbouncer_pools_client_maxwait_seconds"
                    f'{{database!="pgbouncer",{NODE}}})',
                    "{{node}}",
                )
            ],
        ),
        Panel(
            id=5,
            title="PgBouncer: server connections lent, and clients waiting",
            queries=[
                Query(
                    f"sum by (node) (pgbouncer_pools_server_active_connections{{{NODE}}})",
                    "{{node}} lent",
                ),
                Query(
                    f"sum by (node) (pgbouncer_pools_client_waiting_connections{{{NODE}}})",
                    "{{node}} waiting",
                ),
            ],
        ),
        Panel(
            id=6,
            title="Prepared transactions: the oldest",
            unit="s",
            red=300,
            text="Two-phase commits in flight are milliseconds old. Minutes: one is stuck.",
            queries=[
                Query(
                    f"max by (node) (sharding_oldest_prepared_transaction_seconds{{{NODE}}})",
                    "{{node}}",
                )
            ],
        ),
        Panel(
            id=7,
            title="Replication slots: how far behind",
            unit="bytes",
            red=1073741824,
            text="Shard moves. It grows without end when nobody reads the slot.",
            queries=[
                Query(f"max by (node) (sharding_replication_lag_bytes{{{NODE}}})", "{{node}}")
            ],
        ),
        Panel(
            id=8,
            title="The longest open transaction",
            unit="s",
            red=600,
            queries=[
                Query(f"max by (node) (sharding_longest_transaction_seconds{{{NODE}}})", "{{node}}")
            ],
        ),
        Panel(
            id=9,
            title="Disk in use",
            unit="percentunit",
            red=0.9,
            queries=[
                Query(
                    f"1 - min by (node) (citus_disk_available_bytes{{{NODE}}}"
                    f" / citus_disk_total_bytes{{{NODE}}})",
                    "{{node}}",
                )
            ],
        ),
        Panel(
            id=10,
            title="Database time by node, as the application sees it",
            unit="s",
            text="Seconds of waiting per second. `default` is the coordinator.",
            links=[("Which endpoint", "/d/shardmart-api?viewPanel=9")],
            queries=[
                Query(
                    "sum by (alias) (rate(shardmart_db_query_seconds_total[$__rate_interval]))",
                    "{{alias}}",
                )
            ],
        ),
        Panel(
            id=11,
            title="The statements that take the most time",
            unit="s",
            text="Seconds of execution per second, the shards of a table taken together.",
            links=[("Which endpoint", "/d/shardmart-api?viewPanel=9")],
            width=24,
            height=10,
            queries=[
                Query(
                    "topk(10, sum by (statement) (rate("
                    f"pg_statements_seconds_total{{{NODE}}}[$__rate_interval])))",
                    "{{statement}}",
                )
            ],
        ),
        Panel(
            id=12,
            title="Routing: where requests went",
            unit="reqps",
            stacked=True,
            queries=[
                Query(
                    "sum by (alias) (rate(sharding_route_choices_total[$__rate_interval]))",
                    "{{alias}}",
                )
            ],
        ),
        Panel(
            id=13,
            title="Routing: could not go straight",
            unit="reqps",
            text="The node's pooler refused, or the shard map could not be read.",
            queries=[
                Query(
                    "sum by (alias) (rate(sharding_route_fallbacks_total[$__rate_interval]))"
                    " or sum(rate(sharding_route_choices_total[$__rate_interval])) * 0",
                    "fell back from {{alias}}",
                ),
                Query(
                    "sum by (instance) (rate("
                    'sharding_map_refreshes_total{outcome="failed"}[$__rate_interval]))'
                    " or sum(rate(sharding_map_refreshes_total[$__rate_interval])) * 0",
                    "map unread by {{instance}}",
                ),
            ],
        ),
        Panel(
            id=14,
            title="Commits and rollbacks",
            unit="ops",
            queries=[
                Query(
                    "sum by (node) (rate(pg_stat_database_xact_commit"
                    f'{{datname="shardmart",{NODE}}}[$__rate_interval]))',
                    "{{node}} commits",
                ),
                Query(
                    "sum by (node) (rate(pg_stat_database_xact_rollback"
                    f'{{datname="shardmart",{NODE}}}[$__rate_interval]))',
                    "{{node}} rollbacks",
                ),
            ],
        ),
        Panel(
            id=15,
            title="Shards per node",
            kind="bargauge",
            queries=[Query(f"max by (node) (sharding_node_shards{{{NODE}}})", "{{node}}")],
        ),
        Panel(
            id=16,
            title="Deadlocks, and locks waited for",
            queries=[
                Query(
                    "sum by (node) (increase(pg_stat_database_deadlocks"
                    f'{{datname="shardmart",{NODE}}}[$__rate_interval]))',
                    "{{node}} deadlocks",
                ),
                Query(
                    "sum by (node) (pg_locks_count"
                    f'{{datname="shardmart",mode="accessexclusivelock",{NODE}}})',
                    "{{node}} exclusive locks",
                ),
            ],
        ),
        Panel(
            id=17,
            title="Write-ahead log on disk",
            unit="bytes",
            queries=[Query(f"max by (node) (pg_wal_bytes{{{NODE}}})", "{{node}}")],
        ),
    ],
)
