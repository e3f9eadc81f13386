"""The migrations go all the way back and forward again, on a cluster of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from django.db import connection, connections

ROOT = Path(__file__).resolve().parents[2]
NAME = "test_migrations"

Manage = Callable[..., str]


@pytest.fixture
def scratch(db: None) -> Iterator[dict[str, object]]:
    """A database of its own on every node; yields how to connect to its coordinator."""
    apart = connections["default"].copy("scratch")
    apart.settings_dict = {
        **apart.settings_dict,
        "TEST": {**apart.settings_dict["TEST"], "NAME": NAME},
    }
    apart.creation._create_test_db(verbosity=0, autoclobber=True)
    try:
        yield {**connection.get_connection_params(), "dbname": NAME}
    finally:
        apart.creation._destroy_test_db(NAME, verbosity=0)


@pytest.fixture
def manage(scratch: dict[str, object]) -> Manage:
    """Run manage.py against the scratch database, as `make up` runs it."""
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**scratch)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shop.config.settings",
        "DATABASE_DIRECT_URL": url,
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, str(ROOT / "src/manage.py"), *arguments]
        finished = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run


def test_the_migrations_can_be_undone_and_done_again(
    scratch: dict[str, object], manage: Manage
) -> None:
    apps = ("wishlists", "reviews", "payments", "orders", "carts", "inventory", "core")
    manage("migrate", "--noinput")
    placed = _placed(scratch)
    assert len(placed) > 15
    for app in (*apps, "catalog", "accounts"):
        manage("migrate", "--noinput", app, "zero")
    assert _placed(scratch) == []
    manage("migrate", "--noinput")
    assert _placed(scratch) == placed


def _placed(scratch: dict[str, object]) -> list[tuple[str, str]]:
    with psycopg2.connect(**scratch) as fresh, fresh.cursor() as cursor:
        cursor.execute("SELECT table_name::text, citus_table_type FROM citus_tables ORDER BY 1")
        return cursor.fetchall()
