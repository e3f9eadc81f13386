"""What the database roles cannot do, whoever gets to speak for them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors

from shop.config.environment import load

pytestmark = pytest.mark.usefixtures("url")


def _worker() -> dict[str, Any]:
    """Where a worker's pooler is, as the application finds it; empty if there is no worker."""
    with psycopg2.connect(load().str("DATABASE_URL")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_dist_node')")
        if cursor.fetchone() == (None,):
            return {}
        cursor.execute("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 LIMIT 1")
        for host, port in cursor.fetchall():
            return {"host": host, "port": port + load().int("DATABASE_POOLER_PORT_OFFSET")}
    return {}


@pytest.fixture(params=["coordinator", "worker"])
def cursor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The application's own way in: to the coordinator, and to a worker if there is one."""
    elsewhere = _worker() if request.param == "worker" else {}
    if request.param == "worker" and not elsewhere:
        pytest.skip("this stack has no workers")
    connection = psycopg2.connect(load().str("DATABASE_URL"), **elsewhere)
    try:
        with connection.cursor() as cursor:
            _require_a_harmless_role(cursor)
            yield cursor
    finally:
        connection.rollback()  # whatever was not refused is undone
        connection.close()


def _require_a_harmless_role(cursor: Any) -> None:
    """Fail before anything is tried: what a superuser tries here, a whole server would feel."""
    cursor.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    if cursor.fetchone() != (False,):
        pytest.fail("the application's role is a superuser or makes roles; nothing was tried")


def test_it_is_no_superuser_and_makes_none(cursor: Any) -> None:
    cursor.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = current_user"
    )
    assert cursor.fetchone() == (False,) * 5


def test_it_may_not_change_the_servers_settings(cursor: Any) -> None:
    """Asked, not tried: ALTER SYSTEM runs in no transaction, and nothing would undo it."""
    cursor.execute(
        "SELECT has_parameter_privilege('log_statement', 'ALTER SYSTEM'),"
        " has_parameter_privilege('log_statement', 'SET')"
    )
    assert cursor.fetchone() == (False, False)


def test_it_belongs_to_no_other_role(cursor: Any) -> None:
    cursor.execute("SELECT 1 FROM pg_auth_members WHERE member = current_user::regrole")
    assert cursor.fetchall() == []


def test_it_owns_nothing(cursor: Any) -> None:
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
        " UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole"
        " UNION ALL SELECT proname FROM pg_proc WHERE proowner = current_user::regrole"
        " UNION ALL SELECT datname FROM pg_database WHERE datdba = current_user::regrole"
    )
    assert cursor.fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE accounts_user",
        "ALTER TABLE accounts_user ADD COLUMN mine int",
        "TRUNCATE accounts_user",
        "CREATE INDEX mine ON accounts_user (email)",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY accounts_user TO PROGRAM 'cat'",
        "CREATE ROLE mine",
    ],
)
def test_it_is_refused(cursor: Any, statement: str) -> None:
    # A worker refuses some DDL before it looks at who asks: "not allowed on this node".
    with pytest.raises((errors.InsufficientPrivilege, errors.InternalError_)):
        cursor.execute(statement)


def test_it_reads_and_writes_rows(cursor: Any) -> None:
    cursor.execute("SELECT count(*) FROM catalog_product")
    assert cursor.fetchone() is not None


@pytest.fixture
def monitor() -> Iterator[Any]:
    """The role that looks at the cluster: for the console and the exporters."""
    with closing(psycopg2.connect(load().required("DATABASE_MONITOR_URL"))) as connection:
        with connection.cursor() as cursor:
            _require_a_harmless_role(cursor)
            yield cursor
        connection.rollback()


def test_the_monitor_reads_statistics(monitor: Any) -> None:
    monitor.execute("SELECT count(*) FROM pg_stat_activity WHERE query IS NOT NULL")
    assert monitor.fetchone()[0] > 0
    monitor.execute("SELECT pg_has_role('pg_monitor', 'member')")
    assert monitor.fetchone() == (True,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM accounts_user",
        "SELECT value FROM accounts_identity",
        "UPDATE catalog_product SET price = 0",
        "SET LOCAL transaction_read_only TO off; DELETE FROM orders_order",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE ROLE mine",
    ],
)
def test_the_monitor_reads_no_row_and_changes_nothing(monitor: Any, statement: str) -> None:
    refusals = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)
    with pytest.raises((*refusals, errors.ActiveSqlTransaction)):
        monitor.execute(statement)
