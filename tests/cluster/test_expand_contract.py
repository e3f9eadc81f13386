"""What check_migrations refuses keeps writers out of a distributed table; what it advises does not.

Locks last as long as their transaction: it is left open here, and a writer comes in between. Each
writer gives up after a moment, so that it either writes at once or is refused, however slow the
machine is.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import IntegrityError, NotSupportedError, OperationalError, connections, models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from sharding.django.backend import schema as schema_editor
from sharding.django.expand_contract.operations import AddUniqueConcurrently, DropField, DropModel
from sharding.django.operations import CompositeForeignKey, Distribute
from sharding.ids import new_id
from tests.monitoring.watching import eventually

KEY = [
    ("pk", models.CompositePrimaryKey("user_id", "id")),
    ("user_id", models.UUIDField()),
    ("id", models.UUIDField()),
]
ANIMAL = [*KEY, ("legs", models.IntegerField(db_default=4)), ("owner_id", models.UUIDField())]
LEGS = models.CheckConstraint(condition=models.Q(legs__lt=9), name="animal_legs")
BY_LEGS = models.Index(fields=["legs"], name="animal_by_legs")
ONE_EACH = models.UniqueConstraint(fields=["user_id", "owner_id"], name="animal_one_each")
EXPRESSION = models.UniqueConstraint("user_id", models.F("owner_id"), name="animal_one_each")
PARTIAL = models.UniqueConstraint(
    fields=["user_id", "owner_id"], condition=models.Q(legs=4), name="animal_one_each"
)
OWNED = CompositeForeignKey(
    "Animal",
    columns=("user_id", "owner_id"),
    to="zoo.Owner",
    to_columns=("user_id", "id"),
    not_valid=True,
)
ANA = UUID(int=1)
INSERT = "INSERT INTO zoo_animal (user_id, id, owner_id, legs) VALUES (%s, %s, %s, %s)"
# Indexes being built on the shards, and whether the build waits for a transaction to end.
WAITING = "SELECT 1 FROM pg_stat_progress_create_index WHERE lockers_total > lockers_done"

Connect = Callable[..., Any]


class Migrator:
    """Applies operations on a connection of its own, outside the test's transaction."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.state = ProjectState()

    def apply(self, *operations: Operation, atomic: bool = True) -> None:
        with self.connection.schema_editor(atomic=atomic) as editor:
            self.run(editor, *operations)

    def run(self, editor: Any, *operations: Operation) -> None:
        for operation in operations:
            before = self.state.clone()
            operation.state_forwards("zoo", self.state)
            operation.database_forwards("zoo", editor, before, self.state)

    def undo(self, operation: Operation, to: ProjectState) -> None:
        with self.connection.schema_editor() as editor:
            operation.database_backwards("zoo", editor, self.state, to)


@pytest.fixture
def migrator(workers: list[tuple[str, int]]) -> Iterator[Migrator]:
    """Two colocated tables that everybody sees, and what changes them."""
    original = connections["default"]
    connections["default"] = original.copy("default")
    made = Migrator(connections["default"])
    made.connection.inc_thread_sharing()
    try:
        _clear(made)  # what a run left that was killed
        made.apply(
            CreateModel("Owner", KEY),
            Distribute("Owner", by="user_id"),
            CreateModel("Animal", ANIMAL),
            Distribute("Animal", by="user_id", colocate_with="zoo.Owner"),
        )
        yield made
    finally:
        _clear(made)
        made.connection.close()
        # The test's transaction ends on the connection that it began on.
        connections["default"] = original


def _clear(migrator: Migrator) -> None:
    with migrator.connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS zoo_animal, zoo_owner CASCADE")


@pytest.fixture
def connect(migrator: Migrator) -> Iterator[Connect]:
    """Open a connection to a node, the coordinator if none is named."""
    opened = []

    def open_one(*node: Any) -> Any:
        where = dict(zip(("host", "port"), node, strict=False))
        opened.append(psycopg2.connect(**(migrator.connection.get_connection_params() | where)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def _write(connection: Any, *, legs: int = 4, user: UUID = ANA) -> None:
    """Insert a row and leave the transaction open; give up where it would have to wait."""
    cursor = connection.cursor()
    cursor.execute("SET LOCAL citus.propagate_set_commands TO 'local'")
    cursor.execute("SET LOCAL lock_timeout TO 100")
    # Who waits for this transaction by mistake goes on then, and its test fails.
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout TO '20s'")
    cursor.execute(INSERT, [str(user), str(new_id()), str(new_id()), legs])


def _can_write(connect: Connect, nodes: list[tuple[str, int]]) -> set[bool]:
    """Tell whether rows can be written, through the coordinator and through each worker."""
    answers = set()
    for node in ((), *nodes):
        with closing(connect(*node)) as connection:
            try:
                _write(connection)
                answers.add(True)
            except psycopg2.errors.LockNotAvailable:
                answers.add(False)
    return answers


@pytest.mark.parametrize(
    "operation",
    [
        AddIndex("Animal", BY_LEGS),
        AddConstraint("Animal", ONE_EACH),
        AddConstraint("Animal", LEGS),
        AlterField("Animal", "legs", models.BigIntegerField(db_default=4)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_is_refused_keeps_writers_out_as_long_as_it_takes(
    migrator: Migrator, connect: Connect, workers: list[tuple[str, int]], operation: Operation
) -> None:
    with migrator.connection.schema_editor() as editor:
        migrator.run(editor, operation)
        # What CreateModel leaves to the end of the migration, other operations do not.
        assert _can_write(connect, workers) == {False}
    assert _can_write(connect, workers) == {True}


@pytest.mark.parametrize(
    "operation", [AddConstraintNotValid("Animal", LEGS), OWNED], ids=["check", "foreign key"]
)
def test_validating_a_constraint_keeps_nobody_out(
    migrator: Migrator, connect: Connect, workers: list[tuple[str, int]], operation: Operation
) -> None:
    migrator.apply(operation)
    name = "animal_legs" if operation is not OWNED else "zoo_animal_owner_id_fk"
    with migrator.connection.schema_editor() as editor:
        migrator.run(editor, ValidateConstraint("Animal", name))
        with closing(connect(*workers[0])) as owner, owner.cursor() as cursor:
            cursor.execute("INSERT INTO zoo_owner VALUES (%s, %s)", [str(ANA), str(ANA)])
            cursor.execute(INSERT, [str(ANA), str(new_id()), str(ANA), 4])


@pytest.mark.parametrize(
    "operation", [AddConstraintNotValid("Animal", LEGS), OWNED], ids=["check", "foreign key"]
)
def test_no_row_is_read_before_the_validation(
    migrator: Migrator, connect: Connect, operation: Operation
) -> None:
    with closing(connect()) as connection:
        _write(connection, legs=100)  # violates both
        connection.commit()
    migrator.apply(operation)
    name = "animal_legs" if operation is not OWNED else "zoo_animal_owner_id_fk"
    with pytest.raises(IntegrityError):
        migrator.apply(ValidateConstraint("Animal", name))


@pytest.mark.parametrize(
    "operation",
    [
        AddIndexConcurrently("Animal", BY_LEGS),
        AddUniqueConcurrently("Animal", ONE_EACH),
        AddUniqueConcurrently("Animal", EXPRESSION),
        AddUniqueConcurrently("Animal", PARTIAL),
    ],
    ids=["index", "constraint", "unique expressions", "unique condition"],
)
def test_an_index_is_built_while_rows_are_written(
    migrator: Migrator, connect: Connect, workers: list[tuple[str, int]], operation: Operation
) -> None:
    with ThreadPoolExecutor(1) as background, closing(connect(*workers[0])) as earlier:
        _write(earlier)  # the build waits for this transaction, and nobody waits for the build
        building = background.submit(migrator.apply, operation, atomic=False)
        eventually(lambda: _is_building(connect, workers), seconds=30, what=lambda: str(building))
        assert _can_write(connect, workers) == {True}
        earlier.commit()
        building.result()
    assert _indexes(connect, workers) == {True}


def _is_building(connect: Connect, workers: list[tuple[str, int]]) -> bool:
    return any(_ask(connect(*node), WAITING) for node in ((), *workers))


def _indexes(connect: Connect, workers: list[tuple[str, int]]) -> set[bool]:
    """Tell which of the new indexes on the shards are valid."""
    query = "SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text ~ 'animal_(by|one)_'"
    return {valid for worker in workers for (valid,) in _ask(connect(*worker), query)}


def _ask(connection: Any, query: str) -> list[Any]:
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_a_unique_constraint_built_beside_is_dropped_like_any_other(
    migrator: Migrator, connect: Connect, workers: list[tuple[str, int]]
) -> None:
    migrator.apply(AddUniqueConcurrently("Animal", ONE_EACH), atomic=False)
    found = "SELECT conrelid::regclass::text FROM pg_constraint WHERE conname ~ 'animal_one_each'"
    assert any(_ask(connect(*worker), found) for worker in workers)
    migrator.apply(RemoveConstraint("Animal", "animal_one_each"))
    assert not any(_ask(connect(*worker), found) for worker in workers)


def test_a_migration_gives_up_rather_than_let_everybody_wait_behind_it(
    migrator: Migrator,
    connect: Connect,
    workers: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema_editor, "LOCK_WAIT", schema_editor.LOCK_WAIT / 50)
    add = AddField("Animal", "age", models.IntegerField(null=True))
    for node in workers:
        with closing(connect(*node)) as writer:
            _write(writer)
            with pytest.raises(OperationalError, match="lock timeout"):
                migrator.apply(add)
            migrator.state.remove_field("zoo", "animal", "age")
            writer.commit()
    migrator.apply(add)


def test_citus_refuses_a_field_whose_type_comes_with_a_check(migrator: Migrator) -> None:
    with pytest.raises(NotSupportedError):
        migrator.apply(AddField("Animal", "age", models.PositiveIntegerField(null=True)))


def test_what_left_the_models_leaves_the_tables_and_comes_back(
    migrator: Migrator, connect: Connect
) -> None:
    columns = "SELECT 1 FROM information_schema.columns WHERE table_name = 'zoo_animal'"
    tables = "SELECT 1 FROM information_schema.tables WHERE table_name = 'zoo_animal'"
    migrator.state.remove_field("zoo", "animal", "legs")
    column = DropField("Animal", "legs", models.IntegerField(db_default=4))
    migrator.apply(column)
    assert len(_ask(connect(), columns)) == 3
    migrator.undo(column, migrator.state)
    assert len(_ask(connect(), columns)) == 4

    DeleteModel("Animal").state_forwards("zoo", migrator.state)
    table = DropModel("Animal", ANIMAL)
    migrator.apply(table)
    assert _ask(connect(), tables) == []
    migrator.undo(table, migrator.state)
    assert len(_ask(connect(), tables)) == 1
