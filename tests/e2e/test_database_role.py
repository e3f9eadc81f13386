"""What the application's database role cannot do, whoever gets to speak for it."""

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors

from shop.config.environment import load

pytestmark = pytest.mark.usefixtures("url")


@pytest.fixture(params=["DATABASE_URL", "DATABASE_NODE_URLS"])
def cursor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The application's own way in: to the coordinator, and to a worker if there is one."""
    urls = load().list(request.param, [])
    if not urls:
        pytest.skip("this stack has no workers")
    connection = psycopg2.connect(urls[0])
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
