"""API response times by endpoint: where an alert about the API begins."""

from monitoring.dashboards.build import Dashboard, Panel, Query, Variable

SECONDS = "shardmart_http_request_duration_seconds"
CHOSEN = 'route=~"$route",method=~"$method"'
TO_NODES = ("Which node", "/d/shardmart-cluster?viewPanel=10")
TO_STATEMENTS = ("Which statement", "/d/shardmart-cluster?viewPanel=11")
TO_POOLERS = ("Waiting for a connection", "/d/shardmart-cluster?viewPanel=4")

DASHBOARD = Dashboard(
    uid="shardmart-api",
    title="Shardmart: API",
    text="How fast and how well each endpoint answers, and where its time goes.",
    variables=[
        Variable(name="route", label="Endpoint", query=f"label_values({SECONDS}_count, route)"),
        Variable(name="method", label="Method", query=f"label_values({SECONDS}_count, method)"),
    ],
    panels=[
        Panel(
            id=1,
            title="Requests",
            kind="stat",
            unit="reqps",
            width=6,
            height=4,
            queries=[Query(f"sum(rate({SECONDS}_count{{{CHOSEN}}}[$__rate_interval]))")],
        ),
        Panel(
            id=2,
            title="99 % are faster than",
            kind="stat",
            unit="s",
            red=1,
            width=6,
            height=4,
            queries=[Query("api:http_request_duration_seconds:p99_5m")],
        ),
        Panel(
            id=3,
            title="Half are faster than",
            kind="stat",
            unit="s",
            width=6,
            height=4,
            queries=[Query("api:http_request_duration_seconds:p50_5m")],
        ),
        Panel(
            id=4,
            title="Failed at the edge",
            kind="stat",
            unit="percentunit",
            red=0.001,
            width=6,
            height=4,
            text="Answers with a 5xx as HAProxy counts them. The objective is below 0.1 %.",
            queries=[Query("edge:http_errors:ratio_rate5m")],
        ),
        Panel(
            id=5,
            title="99th percentile by endpoint",
            unit="s",
            red=1,
            text="A single endpoint: its statements. All of them: a node, the pooler, the CPU.",
            links=[TO_STATEMENTS, TO_NODES, TO_POOLERS],
            queries=[
                Query(
                    f"histogram_quantile(0.99, sum by (route, method, le)"
                    f" (rate({SECONDS}_bucket{{{CHOSEN}}}[$__rate_interval])))",
                    "{{method}} {{route}}",
                )
            ],
        ),
        Panel(
            id=6,
            title="Requests by endpoint",
            unit="reqps",
            stacked=True,
            queries=[
                Query(
                    f"sum by (route, method) (rate({SECONDS}_count{{{CHOSEN}}}[$__rate_interval]))",
                    "{{method}} {{route}}",
                )
            ],
        ),
        Panel(
            id=7,
            title="Answers by status",
            unit="reqps",
            stacked=True,
            text="4xx are the clients' mistakes, or 429 the throttle. 5xx are ours.",
            queries=[
                Query(
                    f"sum by (status) (rate({SECONDS}_count{{{CHOSEN}}}[$__rate_interval]))",
                    "{{status}}",
                )
            ],
        ),
        Panel(
            id=8,
            title="Errors by endpoint",
            unit="reqps",
            text="Answers with a 5xx, and with a conflict or a limit (409, 429).",
            queries=[
                Query(
                    "sum by (route, method, status) (rate("
                    f'{SECONDS}_count{{status=~"5..|409|429",{CHOSEN}}}[$__rate_interval]))'
                    " or sum(rate("
                    f"{SECONDS}_count{{{CHOSEN}}}[$__rate_interval])) * 0",
                    "{{status}} {{method}} {{route}}",
                )
            ],
        ),
        Panel(
            id=9,
            title="Database time by endpoint",
            unit="s",
            text="Seconds of waiting for a database per second; compare with the panel below.",
            links=[TO_STATEMENTS, TO_NODES],
            queries=[
                Query(
                    "sum by (route) (rate("
                    'shardmart_db_query_seconds_total{route=~"$route"}[$__rate_interval]))',
                    "{{route}}",
                )
            ],
        ),
        Panel(
            id=10,
            title="Statements per request",
            text="More than the documented number means that somebody asks in a loop.",
            queries=[
                Query(
                    "sum by (route) (rate("
                    'shardmart_db_queries_total{route=~"/.*"}[$__rate_interval]))'
                    f" / sum by (route) (rate({SECONDS}_count[$__rate_interval]))",
                    "{{route}}",
                )
            ],
        ),
        Panel(
            id=11,
            title="Being answered right now",
            text="More than there are threads: requests wait inside gunicorn.",
            queries=[
                Query("sum by (instance) (shardmart_http_requests_in_flight)", "{{instance}}")
            ],
        ),
        Panel(
            id=12,
            title="Who gives figures",
            text="Down to 0: the alerts that need this target are blind.",
            queries=[Query("min by (job, instance) (up)", "{{job}} {{instance}}")],
        ),
    ],
)
