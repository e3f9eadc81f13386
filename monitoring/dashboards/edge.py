"""HAProxy: what comes in, what it answers by itself, who serves."""

from monitoring.dashboards.build import Dashboard, Panel, Query

PUBLIC = 'proxy=~"public.*"'
APP = 'proxy="app"'
TO_API = ("Which endpoint", "/d/shardmart-api?viewPanel=5")

DASHBOARD = Dashboard(
    uid="shardmart-edge",
    title="Shardmart: HAProxy",
    text="What reaches the public front, what is turned away, and how the app servers share it.",
    panels=[
        Panel(
            id=1,
            title="Answers at the front",
            unit="reqps",
            stacked=True,
            queries=[
                Query(
                    "sum by (code) (rate("
                    f"haproxy_frontend_http_responses_total{{{PUBLIC}}}[$__rate_interval]))",
                    "{{code}}",
                )
            ],
            links=[TO_API],
        ),
        Panel(
            id=2,
            title="Answered by HAProxy itself with 5xx",
            unit="reqps",
            text="A full queue, no server, or a server that did not answer in time.",
            queries=[
                Query(
                    "clamp_min(sum(rate("
                    f'haproxy_frontend_http_responses_total{{{PUBLIC},code="5xx"}}'
                    "[$__rate_interval])) - sum(rate("
                    f'haproxy_server_http_responses_total{{{APP},code="5xx"}}'
                    "[$__rate_interval])), 0)",
                    "5xx",
                )
            ],
        ),
        Panel(
            id=3,
            title="Requests by app server",
            unit="reqps",
            text="Uneven shares: one is slower, or has just come back.",
            queries=[
                Query(
                    "sum by (server) (rate("
                    f"haproxy_server_http_responses_total{{{APP}}}[$__rate_interval]))",
                    "{{server}}",
                )
            ],
        ),
        Panel(
            id=4,
            title="App servers that serve",
            text="1 is up. HAProxy asks /health/ready twice a second.",
            queries=[
                Query(f'max by (server) (haproxy_server_status{{{APP},state="UP"}})', "{{server}}")
            ],
            links=[("Which requests suffer", "/d/shardmart-api?viewPanel=8")],
        ),
        Panel(
            id=5,
            title="Waiting for a free app server",
            text="A queue that does not empty: the servers are too slow, or too few.",
            queries=[
                Query(f"sum(haproxy_backend_current_queue{{{APP}}})", "in the backend"),
                Query(f"sum by (server) (haproxy_server_current_queue{{{APP}}})", "at {{server}}"),
            ],
            links=[TO_API],
        ),
        Panel(
            id=6,
            title="Time in the queue, to connect, to answer",
            unit="s",
            text="Averages over the last 1,024 requests.",
            queries=[
                Query(f"max(haproxy_backend_queue_time_average_seconds{{{APP}}})", "queue"),
                Query(f"max(haproxy_backend_connect_time_average_seconds{{{APP}}})", "connect"),
                Query(f"max(haproxy_backend_response_time_average_seconds{{{APP}}})", "answer"),
            ],
        ),
        Panel(
            id=7,
            title="HAProxy's cache",
            unit="reqps",
            text="Anonymous reads of the catalog that no app server saw.",
            queries=[
                Query(
                    "sum(rate(haproxy_frontend_http_cache_hits_total[$__rate_interval]))"
                    " + sum(rate(haproxy_backend_http_cache_hits_total[$__rate_interval]))",
                    "hits",
                ),
                Query(
                    "sum(rate(haproxy_frontend_http_cache_lookups_total[$__rate_interval]))"
                    " + sum(rate(haproxy_backend_http_cache_lookups_total[$__rate_interval]))",
                    "lookups",
                ),
            ],
        ),
        Panel(
            id=8,
            title="Refused, retried, aborted",
            unit="reqps",
            queries=[
                Query(
                    f"sum(rate(haproxy_frontend_requests_denied_total{{{PUBLIC}}}"
                    "[$__rate_interval]))",
                    "denied",
                ),
                Query(
                    f"sum(rate(haproxy_frontend_request_errors_total{{{PUBLIC}}}"
                    "[$__rate_interval]))",
                    "malformed",
                ),
                Query(
                    f"sum(rate(haproxy_backend_retry_warnings_total{{{APP}}}[$__rate_interval]))",
                    "tried again",
                ),
                Query(
                    f"sum(rate(haproxy_backend_client_aborts_total{{{APP}}}[$__rate_interval]))",
                    "client left",
                ),
            ],
        ),
        Panel(
            id=9,
            title="Connections",
            queries=[
                Query("max(haproxy_process_current_connections)", "open"),
                Query("max(haproxy_process_max_connections)", "limit"),
            ],
        ),
        Panel(
            id=10,
            title="Error budget of 30 days: how many times too fast",
            text="1 uses it up in exactly 30 days. 14.4 wakes somebody.",
            red=14.4,
            queries=[
                Query("edge:http_errors:ratio_rate5m / 0.001", "5 minutes"),
                Query("edge:http_errors:ratio_rate1h / 0.001", "1 hour"),
                Query("edge:http_errors:ratio_rate6h / 0.001", "6 hours"),
            ],
        ),
    ],
)
