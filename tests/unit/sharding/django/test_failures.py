"""Which errors pass by themselves."""

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, OperationalError
from django.db import ProgrammingError as SyntaxFault
from psycopg2 import errorcodes

from sharding.django.failures import (
    NodeHasLeft,
    has_left,
    is_lost,
    is_lost_at_commit,
    is_passing,
)


def raised(error: type[DatabaseError], code: str | None, message: str = "") -> DatabaseError:
    """An error of Django's, as it stands for one of the server's."""
    cause = Exception(message)
    cause.pgcode = code  # type: ignore[attr-defined]
    made = error(message)
    made.__cause__ = cause
    return made


GONE = 'relation "public.orders_order_102019" does not exist'
LOST = "server closed the connection unexpectedly"
UNPREPARED = "could not commit transaction for shard 102019 on at least one active node"
CLOSED = "could not open relation with OID 7"


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (raised(OperationalError, errorcodes.DEADLOCK_DETECTED), True),
        (raised(OperationalError, errorcodes.SERIALIZATION_FAILURE), True),
        (raised(SyntaxFault, errorcodes.UNDEFINED_TABLE, GONE), True),
        (raised(InternalError, errorcodes.INTERNAL_ERROR, CLOSED), True),
        (raised(SyntaxFault, errorcodes.UNDEFINED_TABLE, 'relation "x" does not exist'), False),
        (raised(InternalError, errorcodes.INTERNAL_ERROR, "something else"), False),
        (raised(IntegrityError, errorcodes.UNIQUE_VIOLATION), False),
        (raised(OperationalError, None), False),
        (NodeHasLeft("relation does not exist"), True),
    ],
)  # fmt: skip
def test_only_what_a_moving_shard_or_a_deadlock_undoes_is_tried_again(
    error: DatabaseError, passing: bool
) -> None:
    assert is_passing(error) is passing


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (raised(OperationalError, None), True),
        (raised(OperationalError, errorcodes.ADMIN_SHUTDOWN), True),
        (raised(OperationalError, errorcodes.QUERY_CANCELED), False),
        (raised(OperationalError, errorcodes.DEADLOCK_DETECTED), False),
        (raised(IntegrityError, errorcodes.UNIQUE_VIOLATION), False),
    ],
)
def test_a_lost_connection_is_told_from_a_failed_statement(
    error: DatabaseError, lost: bool
) -> None:
    assert is_lost(error) is lost


@pytest.mark.parametrize(
    "said",
    [
        "there is a shard placement in node group 2 but there are no nodes in that group",
        "node group 2 does not have a primary node",
    ],
)
def test_a_node_that_knows_no_other_node_has_left(said: str) -> None:
    assert has_left(raised(InternalError, errorcodes.INTERNAL_ERROR, said))


def test_a_node_without_our_tables_is_told_from_a_shard_that_moved() -> None:
    missing = 'relation "orders_order" does not exist'
    assert has_left(raised(SyntaxFault, errorcodes.UNDEFINED_TABLE, missing))
    assert not has_left(raised(SyntaxFault, errorcodes.UNDEFINED_TABLE, GONE))
    assert not has_left(raised(InternalError, errorcodes.INTERNAL_ERROR, CLOSED))


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (raised(InternalError, errorcodes.INTERNAL_ERROR, LOST), True),
        (raised(InternalError, errorcodes.INTERNAL_ERROR, UNPREPARED), True),
        (raised(InternalError, errorcodes.INTERNAL_ERROR, CLOSED), False),
        (raised(IntegrityError, errorcodes.UNIQUE_VIOLATION, LOST), False),
    ],
)
def test_a_node_that_was_lost_at_commit_is_told_from_other_internal_errors(
    error: DatabaseError, lost: bool
) -> None:
    assert is_lost_at_commit(error) is lost
