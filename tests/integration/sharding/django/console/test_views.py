"""The console where there is nothing to show: one sentence says why."""

import re
import socket
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from shop.accounts.models import User
from tests.integration.admin.conftest import Open, browser

pytestmark = pytest.mark.django_db

__all__ = ["browser"]
PAGES = ["/shards/", "/shards/picture/", "/shards/102008/"]


@pytest.fixture
def sams(browser: Open, sam: User) -> Client:
    return browser(sam)


def dsn(**changed: object) -> str:
    """A DSN of the tests' own server, in the form of key=value."""
    chosen = connection.settings_dict
    parts = {
        "host": chosen["HOST"],
        "port": chosen["PORT"],
        "user": chosen["USER"],
        "password": chosen["PASSWORD"],
        "dbname": chosen["NAME"],
    }
    return " ".join(f"{name}='{value}'" for name, value in (parts | changed).items())


def sentence(page: bytes) -> str:
    found = re.search(r'class="notice warning">([^<]*)<', page.decode())
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    from sharding.django.console import views

    views._last = None


@pytest.mark.parametrize("path", PAGES)
def test_without_citus_a_sentence_says_so(settings: Any, sams: Client, path: str) -> None:
    settings.SHARD_MONITOR_DSN = dsn(dbname="template1")
    response = sams.get(path)
    assert response.status_code == 200
    assert "without the Citus extension" in sentence(response.content)


@pytest.mark.parametrize("path", PAGES)
def test_a_coordinator_that_is_not_there_is_named(settings: Any, sams: Client, path: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and never listens
        port = nobody.getsockname()[1]
        settings.SHARD_MONITOR_DSN = dsn(host="127.0.0.1", port=port)
        response = sams.get(path)
    assert response.status_code == 503
    assert f"127.0.0.1:{port}" in sentence(response.content)
    assert "password" not in response.content.decode()


def test_a_project_that_names_nobody_to_ask_is_told(settings: Any, sams: Client) -> None:
    settings.SHARD_MONITOR_DSN = ""
    response = sams.get("/shards/")
    assert response.status_code == 503
    assert "SHARD_MONITOR_DSN is not set" in sentence(response.content)
