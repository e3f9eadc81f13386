"""A pooler's sessions are the application's: nothing is done through them, and nothing stays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from sharding.cli import commands
from sharding.cli.commands import stop
from sharding.connection import connect
from sharding.moving import lock
from tests.cluster.shardctl.conftest import Shardctl
from tests.cluster.shardctl.pooling import pgbouncer
from tests.throwaway import Throwaway

WORDS = {
    "where": ["1"],
    "move": ["102008", "--to", "127.0.0.1:1"],
    "isolate": ["1"],
    "split": ["102008"],
    "add-node": ["127.0.0.1:1"],
    "drain": ["127.0.0.1:1"],
    "remove-node": ["127.0.0.1:1"],
    "update-node": ["127.0.0.1:1", "--to", "127.0.0.1:2"],
}
# PgBouncer itself sets the application's name anew for each of its clients.
SETTINGS = """
SELECT name, setting FROM pg_settings
 WHERE source = 'session' AND name <> 'application_name' ORDER BY 1
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(scope="module", params=["transaction", "session"])
def pooled(
    citus: Throwaway, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The DSN of a PgBouncer in front of the coordinator, which keeps one session to it."""
    home: Path = tmp_path_factory.mktemp("pooler")
    with pgbouncer(citus.coordinator, home, mode=request.param) as port:
        yield citus.dsn.replace(f":{citus.coordinator.port}/", f":{port}/")


def session_of(dsn: str) -> list[tuple[str, str]]:
    """What the pooler's session is set to, for whoever gets it next."""
    with contextlib.closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(SETTINGS)
        return list(cursor.fetchall())


# They ask no cluster.
ALONE = {"lint", "completion"}


@pytest.mark.parametrize("name", [name for name in commands.names() if name not in ALONE])
def test_no_command_works_through_a_pooler_and_each_says_how_it_was_recognised(
    name: str, shardctl: Shardctl, citus: Throwaway, pooled: str
) -> None:
    before = session_of(pooled)
    answer = shardctl(name, *WORDS.get(name, []), dsn=pooled, format="json")
    assert (answer.code, answer.error["code"]) == (3, "through_a_pooler")
    assert "we were connected to process" in answer.error["message"]
    assert session_of(pooled) == before
    assert citus.value(LOCKS) == 0


def test_the_shop_can_write_after_a_look_through_its_pooler(
    shardctl: Shardctl, citus: Throwaway, pooled: str
) -> None:
    shardctl("status", dsn=pooled)
    with contextlib.closing(psycopg2.connect(pooled)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("UPDATE products SET name = name WHERE id = 1")
        assert cursor.rowcount == 1


def test_a_look_leaves_nothing_in_the_session_that_it_used(citus: Throwaway) -> None:
    with connect(citus.dsn, name="coordinator", read_only=True) as look:
        look.set("citus.override_table_visibility", "off")
        assert look.value("SHOW citus.override_table_visibility") == "off"
        assert look.value("SHOW transaction_read_only") == "on"
        look._connection.cursor().execute("SELECT 1")  # what the next user would see
        cursor = look._connection.cursor()
        cursor.execute(SETTINGS)
        named = {name for name, _ in cursor.fetchall()}
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("off",)
    assert not named & {
        "statement_timeout", "default_transaction_read_only", "citus.override_table_visibility",
    }  # fmt: skip


def test_a_look_changes_nothing_even_where_it_would(citus: Throwaway) -> None:
    with (
        connect(citus.dsn, name="coordinator", read_only=True) as look,
        pytest.raises(Exception, match="read-only transaction"),
    ):
        look.execute("UPDATE products SET name = 'changed' WHERE id = 1")


def test_stop_names_the_session_that_holds_the_lock_and_how_to_end_it(
    shardctl: Shardctl, citus: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop, "NOW_SECONDS", 0.3)
    with contextlib.closing(psycopg2.connect(citus.dsn)) as connection:
        connection.cursor().execute("SELECT pg_advisory_lock(%s)", [lock.KEY])
        pid = connection.info.backend_pid
        answers = [shardctl("stop", *words, "--yes", dsn=citus.dsn) for words in ([], ["--now"])]
        refused = shardctl("drain", citus.worker(1).address, "--yes", dsn=citus.dsn)
    remedy = f"SELECT pg_terminate_backend({pid});"
    assert [answer.code for answer in answers] == [0, 1]
    assert all(remedy in answer.out for answer in answers)
    assert refused.code == 4
    assert remedy in refused.err
