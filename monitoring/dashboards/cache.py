"""The cache and Redis."""

from monitoring.dashboards.build import Dashboard, Panel, Query

DASHBOARD = Dashboard(
    uid="shardmart-cache",
    title="Shardmart: cache",
    text="What the cache saves, and how Redis is.",
    panels=[
        Panel(
            id=1,
            title="Hit rate",
            unit="percentunit",
            text="A slightly old answer counts as a hit.",
            queries=[Query("view:cache_hits:ratio_rate5m", "{{view}}")],
        ),
        Panel(
            id=2,
            title="Answers by outcome",
            unit="reqps",
            stacked=True,
            queries=[
                Query(
                    "sum by (view, outcome)"
                    " (rate(shardmart_cache_requests_total[$__rate_interval]))",
                    "{{view}} {{outcome}}",
                )
            ],
            links=[("What it costs the database", "/d/shardmart-cluster?viewPanel=10")],
        ),
        Panel(
            id=3,
            title="Processes that leave Redis alone",
            red=1,
            text="The breaker is open: Redis was slow or gone a moment ago.",
            queries=[Query("sum by (instance) (shardmart_redis_breaker_open)", "{{instance}}")],
        ),
        Panel(
            id=4,
            title="Questions that Redis did not answer",
            unit="reqps",
            queries=[
                Query(
                    "sum by (part) (rate(shardmart_redis_failures_total[$__rate_interval]))"
                    " or sum(shardmart_redis_breaker_open) * 0",
                    "{{part}}",
                )
            ],
        ),
        Panel(
            id=5,
            title="Redis is up",
            queries=[Query("min by (instance) (redis_up)", "{{instance}}")],
        ),
        Panel(
            id=6,
            title="Memory",
            unit="bytes",
            text="At the limit, cached answers give way; tasks, counters and sessions never do.",
            queries=[
                Query("max by (instance) (redis_memory_used_bytes)", "{{instance}} used"),
                Query("max by (instance) (redis_memory_max_bytes)", "{{instance}} limit"),
            ],
        ),
        Panel(
            id=7,
            title="Commands",
            unit="ops",
            queries=[
                Query(
                    "sum by (instance) (rate(redis_commands_processed_total[$__rate_interval]))",
                    "{{instance}}",
                )
            ],
        ),
        Panel(
            id=8,
            title="Keys that gave way, and keys that expired",
            unit="ops",
            queries=[
                Query("sum(rate(redis_evicted_keys_total[$__rate_interval]))", "gave way"),
                Query("sum(rate(redis_expired_keys_total[$__rate_interval]))", "expired"),
            ],
        ),
        Panel(
            id=9,
            title="Clients of Redis",
            queries=[
                Query("max by (instance) (redis_connected_clients)", "{{instance}} connected"),
                Query("max(redis_blocked_clients)", "waiting for a task"),
            ],
        ),
    ],
)
