"""What the shop sells, and whether its books agree."""

from monitoring.dashboards.build import Dashboard, Panel, Query

DASHBOARD = Dashboard(
    uid="shardmart-business",
    title="Shardmart: business",
    text="What is ordered, refused and paid, and whether the books agree.",
    panels=[
        Panel(
            id=1,
            title="Orders placed",
            kind="stat",
            width=8,
            height=4,
            text="Within the chosen time.",
            queries=[Query("sum(increase(shardmart_orders_placed_total[$__range]))")],
        ),
        Panel(
            id=2,
            title="Products whose stock is not the sum of its movements",
            kind="stat",
            red=1,
            width=8,
            height=4,
            text="manage.py reconcile names them.",
            queries=[Query("max(shardmart_stock_drift_products)")],
        ),
        Panel(
            id=3,
            title="Refused for lack of stock",
            kind="stat",
            width=8,
            height=4,
            queries=[Query("sum(increase(shardmart_stock_refusals_total[$__range]))")],
        ),
        Panel(
            id=4,
            title="Orders",
            unit="ops",
            queries=[
                Query("sum(rate(shardmart_orders_placed_total[$__rate_interval]))", "placed"),
                Query(
                    "sum(rate(shardmart_stock_refusals_total[$__rate_interval]))",
                    "refused, out of stock",
                ),
                Query(
                    "sum(rate(shardmart_idempotent_replays_total[$__rate_interval]))",
                    "answered again (same key)",
                ),
            ],
        ),
        Panel(
            id=5,
            title="From browsing to paying",
            unit="reqps",
            stacked=False,
            queries=[
                Query(
                    "sum by (route, method) (rate(shardmart_http_request_duration_seconds_count"
                    '{route=~"/api/(products|cart/items|orders|auth/register)/",status=~"2.."}'
                    "[$__rate_interval]))",
                    "{{method}} {{route}}",
                )
            ],
        ),
        Panel(
            id=6,
            title="Charges, refunds, mails",
            unit="ops",
            queries=[
                Query(
                    "sum by (task) (rate(shardmart_task_duration_seconds_count"
                    '{task=~"(checkout|notifications)[.].*",outcome="success"}[$__rate_interval]))',
                    "{{task}}",
                )
            ],
        ),
        Panel(
            id=7,
            title="Turned away by the throttles",
            unit="reqps",
            queries=[
                Query(
                    "sum by (scope) (rate(shardmart_throttled_total[$__rate_interval]))"
                    " or sum(shardmart_http_requests_in_flight) * 0",
                    "{{scope}}",
                )
            ],
        ),
        Panel(
            id=8,
            title="The heaviest user's share of the queries",
            unit="percentunit",
            text="One user on one shard: shardctl skew names them, shardctl isolate moves them.",
            queries=[Query("max(sharding_heaviest_tenant_share)", "heaviest")],
        ),
        Panel(
            id=9,
            title="Refunds due",
            text="Money that has to go back and has not yet. Bank transfers wait for a person: "
            "GET /api/staff/refunds/.",
            queries=[
                Query("max by (payment_method) (shardmart_due_refunds)", "{{payment_method}}")
            ],
        ),
    ],
)
