"""Queues, workers, outbox."""

from monitoring.dashboards.build import Dashboard, Panel, Query

SECONDS = "shardmart_task_duration_seconds"

DASHBOARD = Dashboard(
    uid="shardmart-queues",
    title="Shardmart: queues",
    text="What waits, what runs, what was given up. The tasks: docs/asynchronous_processing.md.",
    panels=[
        Panel(
            id=1,
            title="Tasks in the queues",
            text="critical charges, default sweeps and tells webhooks, mail mails.",
            queries=[Query("max by (queue) (shardmart_queue_depth)", "{{queue}}")],
            links=[("Which task is slow", "/d/shardmart-queues?viewPanel=6")],
        ),
        Panel(
            id=2,
            title="How long a task waits for a worker (95 %)",
            unit="s",
            queries=[
                Query(
                    "histogram_quantile(0.95, sum by (queue, le)"
                    " (rate(shardmart_task_wait_seconds_bucket[$__rate_interval])))",
                    "{{queue}}",
                )
            ],
        ),
        Panel(
            id=3,
            title="Outbox: the oldest event that waits",
            unit="s",
            red=600,
            queries=[Query("max(shardmart_outbox_oldest_seconds)", "oldest")],
        ),
        Panel(
            id=4,
            title="Outbox: events",
            queries=[
                Query("max(shardmart_outbox_waiting)", "waiting"),
                Query("max(shardmart_outbox_unpublished)", "not known to the broker"),
                Query("max(shardmart_outbox_held_up)", "held up"),
            ],
        ),
        Panel(
            id=5,
            title="Dead letters",
            red=1,
            text="manage.py dead_letters list",
            queries=[Query("max(shardmart_dead_letters)", "dead letters")],
        ),
        Panel(
            id=6,
            title="How long tasks run (95 %)",
            unit="s",
            queries=[
                Query(
                    "histogram_quantile(0.95, sum by (task, le)"
                    f" (rate({SECONDS}_bucket[$__rate_interval])))",
                    "{{task}}",
                )
            ],
        ),
        Panel(
            id=7,
            title="Tasks done",
            unit="ops",
            stacked=True,
            queries=[Query(f"sum by (task) (rate({SECONDS}_count[$__rate_interval]))", "{{task}}")],
        ),
        Panel(
            id=8,
            title="Tasks by outcome",
            unit="ops",
            queries=[
                Query(
                    f"sum by (queue, outcome) (rate({SECONDS}_count[$__rate_interval]))",
                    "{{queue}} {{outcome}}",
                )
            ],
        ),
        Panel(
            id=9,
            title="Since beat has started something",
            unit="s",
            red=120,
            queries=[Query("time() - max(shardmart_beat_last_run_timestamp_seconds)", "beat")],
        ),
        Panel(
            id=10,
            title="From the commit to the broker",
            unit="ops",
            text="What the relay dropped is found by the sweep, some seconds later.",
            queries=[
                Query(
                    "sum by (outcome) (rate(shardmart_relay_notes_total[$__rate_interval]))",
                    "{{outcome}}",
                )
            ],
        ),
    ],
)
