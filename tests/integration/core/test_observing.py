"""Requests at the real URL map and database: named in SQL, counted, bounded in labels."""

import random
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.core.observing import clerk
from tests.conftest import MakeProduct

COUNT = "shardmart_http_request_duration_seconds_count"


def counted(route: str, method: str, status: int) -> float:
    clerk.catch_up()
    labels = {"route": route, "method": method, "status": str(status)}
    return REGISTRY.get_sample_value(COUNT, labels) or 0.0


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return every series there is: its name and its labels."""
    clerk.catch_up()
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith(("shardmart_", "sharding_"))
    }


@pytest.mark.django_db
def test_every_statement_names_its_request_and_its_route(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    client = as_user(ana)
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/cart/", headers={"X-Request-ID": "mine"})
    assert len(queries) > 0
    for query in queries:
        assert query["sql"].endswith(" /*request_id='mine',route='/api/cart/'*/")


@pytest.mark.django_db
def test_an_id_that_is_sql_reaches_no_statement(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    evil = "x*/; DROP TABLE accounts_user; --"
    with CaptureQueriesContext(connection) as queries:
        answer = as_user(ana).get("/api/cart/", headers={"X-Request-ID": evil})
    assert answer.status_code == 200
    assert not [query for query in queries if "DROP" in query["sql"]]


@pytest.mark.django_db
def test_requests_are_counted_by_route_method_and_status(
    ana: User, as_user: Callable[[User], APIClient], client: APIClient
) -> None:
    kinds = [("/api/orders/{order_id}/", "GET", 404), ("(none)", "GET", 404)]
    before = [counted(*kind) for kind in kinds]
    for _ in range(3):
        as_user(ana).get(f"/api/orders/{uuid4()}/")
        client.get(f"/{secrets.token_hex(4)}/")
    assert [counted(*kind) for kind in kinds] == [count + 3 for count in before]


@pytest.mark.django_db
def test_what_the_database_is_asked_is_counted_by_route(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    labels = {"route": "/api/cart/", "alias": "default"}

    def asked() -> float:
        clerk.catch_up()
        return REGISTRY.get_sample_value("shardmart_db_queries_total", labels) or 0.0

    client, before = as_user(ana), asked()
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/cart/")
    assert asked() - before == len(queries)


@pytest.mark.django_db
def test_crawling_ids_paths_and_methods_makes_no_more_series(
    ana: User, as_user: Callable[[User], APIClient], make_product: MakeProduct, settings: Any
) -> None:
    settings.SLOW_REQUEST = timedelta(hours=1)  # a busy machine would add a series for each route
    client, chance = as_user(ana), random.Random(7)
    make_product()

    def crawl(times: int) -> None:
        for _ in range(times):
            noise = secrets.token_hex(chance.randint(1, 30))
            for method, path in (
                ("GET", f"/api/products/{chance.randint(10**6, 10**9)}/"),
                ("GET", f"/api/products/?search={noise}&{noise}=1"),
                ("GET", f"/api/orders/{uuid4()}/"),
                ("DELETE", f"/api/cart/items/{uuid4()}/"),
                ("GET", f"/api/{noise}/{noise}"),
                ("GET", f"/static/{noise}.js"),
                ("GET", f"/%00{noise}"),
                (noise[:9].upper() + "X", "/api/products/"),
                (f"'{noise[:3]}\"", "/api/cart/"),
            ):
                client.generic(method, path, headers={"X-Request-ID": noise})

    crawl(2)
    before = series()
    crawl(25)
    assert series() - before == set()


@pytest.mark.django_db
def test_no_label_holds_an_id(ana: User, as_user: Callable[[User], APIClient]) -> None:
    client = as_user(ana)
    client.get("/api/users/me/")
    client.get(f"/api/orders/{ana.id}/")
    values = {value for _, labels in series() for _, value in labels}
    assert not [value for value in values if str(ana.id) in value or ana.username in value]


@pytest.mark.django_db
def test_metrics_are_shown_at_the_server_itself(client: APIClient) -> None:
    client.get("/health/live")
    clerk.catch_up()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b'shardmart_http_request_duration_seconds_count{method="GET",route="/health/live"' in (
        answer.content
    )
    assert answer.headers["Cache-Control"].startswith("max-age=0")
