"""A server's own figures, from its counters to the lines of the charts."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from shop.monitoring.own_figures import quantile_of, spread, totals_of


def test_the_sums_leave_out_what_machines_ask() -> None:
    registry = CollectorRegistry()
    requests = Histogram(
        "shardmart_http_request_duration_seconds",
        "x",
        ["route", "method", "status"],
        buckets=(0.1, 1),
        registry=registry,
    )
    cache = Counter("shardmart_cache_requests_total", "x", ["view", "outcome"], registry=registry)
    requests.labels("/api/cart/", "GET", "200").observe(0.05)
    requests.labels("/api/cart/", "GET", "503").observe(0.5)
    requests.labels("/health/ready", "GET", "200").observe(0.5)
    cache.labels("product", "hit").inc(3)
    cache.labels("product", "miss").inc()
    assert totals_of(registry.collect()) == {
        "requests": 2,
        "errors": 1,
        "asked": 4,
        "hits": 3,
        "le 0.1": 1,
        "le 1.0": 2,
        "le +Inf": 2,
    }


def test_lines_show_what_happened_between_two_points() -> None:
    points = [
        (1000.0, {"requests": 10.0, "errors": 0.0, "asked": 0.0, "hits": 0.0, "le +Inf": 10.0}),
        (1030.0, {"requests": 40.0, "errors": 3.0, "asked": 8.0, "hits": 6.0, "le +Inf": 40.0}),
    ]
    lines = spread(points, start=1000.0, step=30.0, count=3)
    assert lines["rate"].values == [None, 1.0, None]
    assert lines["errors"].values == [None, 0.1, None]
    assert lines["hits"].values == [None, 0.75, None]


def test_a_server_that_began_anew_makes_no_line_into_the_depth() -> None:
    points = [
        (1000.0, {"requests": 10.0, "errors": 0.0, "asked": 0.0, "hits": 0.0}),
        (1030.0, {"requests": 1.0, "errors": 0.0, "asked": 0.0, "hits": 0.0}),
    ]
    assert spread(points, start=1000.0, step=30.0, count=3)["rate"].values == [None] * 3


def test_quantiles_are_read_from_the_buckets_as_prometheus_does() -> None:
    grown = {"le 0.1": 50.0, "le 1.0": 100.0, "le +Inf": 100.0}
    assert quantile_of(grown, 0.5) == 0.1
    assert quantile_of(grown, 0.25) == 0.05
    assert quantile_of(grown, 0.75) == 0.55
    assert quantile_of({"le 1.0": 0.0, "le +Inf": 5.0}, 0.99) == 1.0
    assert quantile_of({"le 1.0": 0.0, "le +Inf": 0.0}, 0.5) is None
