"""These tests need Citus: without it they are skipped, and nothing about sharding is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from tests.conftest import has_citus

REASON = "Citus is not installed for this PostgreSQL: NOTHING ABOUT SHARDING HAS BEEN SHOWN"


@pytest.fixture(autouse=True, scope="session")
def _citus(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        if not has_citus():
            pytest.skip(REASON)


@pytest.fixture
def workers(db: None) -> list[tuple[str, int]]:
    """Host and port of each worker."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY 1, 2"
        )
        return list(cursor.fetchall())


@contextmanager
def through(host: str, port: int) -> Iterator[None]:
    """Ask another node meanwhile. Only what is committed can be seen there."""
    original = connections["default"]
    node = original.copy("default")
    node.settings_dict = {**original.settings_dict, "HOST": host, "PORT": port}
    connections["default"] = node
    try:
        yield
    finally:
        # A transaction ends on the connection that it began on.
        connections["default"] = original
        node.close()
