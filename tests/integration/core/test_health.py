"""The two questions that a load balancer asks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from rest_framework.test import APIClient

from shop.core import health

NOBODY_LISTENS = 1  # a port


def elsewhere(**changes: Any) -> Any:
    """Return a database connection with other settings; nothing is connected yet."""
    other = connection.copy()
    other.settings_dict = {**other.settings_dict, **changes}
    return other


@pytest.fixture(params=["default", "state"])
def no_redis(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    gone = settings.CACHES[request.param] | {"LOCATION": f"redis://127.0.0.1:{NOBODY_LISTENS}/0"}
    settings.CACHES = settings.CACHES | {request.param: gone}
    yield request.param
    del caches[request.param]


def test_the_process_lives_without_any_database(client: APIClient) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers(client: APIClient) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["database"] == "ok"


@pytest.mark.django_db
def test_it_stays_ready_without_redis_and_says_so(client: APIClient, no_redis: str) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200
    states = {"default": ("down", "ok"), "state": ("ok", "down")}[no_redis]
    parts = dict(zip(("cache", "state"), states, strict=True))
    assert response.json() == {"status": "ok", "database": "ok", **parts}


@pytest.mark.django_db
def test_it_is_not_ready_when_the_database_refuses(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "connection", elsewhere(PORT=NOBODY_LISTENS))
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["status"] == response.json()["database"] == "down"


@pytest.mark.django_db
def test_a_connection_that_was_lost_is_no_error_of_ours(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = elsewhere()
    lost.connect()
    lost.connection.close()
    monkeypatch.setattr(health, "connection", lost)
    client.raise_request_exception = False
    assert client.get("/health/ready").status_code in (200, 503)
    assert client.get("/health/ready").status_code == 200
    lost.close()
