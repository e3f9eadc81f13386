"""Migration operations that place tables in the cluster.

Put them in the migration that creates the table, right after CreateModel: Django adds foreign keys
at the end of a migration, when both sides are distributed. On a database without Citus the placing
operations do nothing. All of them may run twice.

Undoing `Distribute` or `Reference` does nothing by itself: undoing the CreateModel before it drops
the table with all its shards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg2 import sql

# Without it, DDL on shards runs in parallel, and a reference table cannot follow in the same
# transaction: "cannot modify table … because there was a parallel operation".
SEQUENTIAL = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"
HAS_CITUS = "SELECT 1 FROM pg_extension WHERE extname = 'citus'"
IS_PLACED = "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass(%s)"
HAS_CONSTRAINT = "SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = to_regclass(%s)"
DISTRIBUTE = "SELECT create_distributed_table(%s::regclass, %s, colocate_with => %s)"
REFERENCE = "SELECT create_reference_table(%s::regclass)"


class _TableOperation(Operation):
    """An operation on the table of one model that leaves the models' state as it is."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Placement is no part of the migration state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            with _cursor(schema_editor) as cursor:
                self._forwards(cursor, app_label, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Leave it to the reverse of CreateModel, which drops the table and its shards."""

    def references_model(self, name: str, app_label: str) -> bool:
        return name.lower() == self.model_name.lower()

    def _forwards(self, cursor: Any, app_label: str, state: ProjectState) -> None:
        raise NotImplementedError

    def _table(self, app_label: str, state: ProjectState, label: str = "") -> str:
        app, _, name = (label or self.model_name).rpartition(".")
        return state.apps.get_model(app or app_label, name)._meta.db_table


class Distribute(_TableOperation):
    """Spread a table over the workers by one column.

    Args:
        model_name: the model created just before.
        by: the distribution column.
        colocate_with: label of the model whose shards the rows join; None starts a group.
    """

    def __init__(self, model_name: str, *, by: str, colocate_with: str | None = None) -> None:
        super().__init__(model_name)
        self.by = by
        self.colocate_with = colocate_with

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {"by": self.by, "colocate_with": self.colocate_with}
        return type(self).__name__, [self.model_name], kwargs

    def describe(self) -> str:
        return f"Distribute {self.model_name} by {self.by}"

    def _forwards(self, cursor: Any, app_label: str, state: ProjectState) -> None:
        root = self.colocate_with
        table = self._table(app_label, state)
        other = self._table(app_label, state, root) if root else "none"
        _place(cursor, table, DISTRIBUTE, [table, self.by, other])


class Reference(_TableOperation):
    """Keep a full copy of a table on every node."""

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name], {}

    def describe(self) -> str:
        return f"Keep a copy of {self.model_name} on every node"

    def _forwards(self, cursor: Any, app_label: str, state: ProjectState) -> None:
        table = self._table(app_label, state)
        _place(cursor, table, REFERENCE, [table])


class CompositeForeignKey(_TableOperation):
    """Add a foreign key inside a colocation group; it holds on plain PostgreSQL as well.

    Args:
        model_name: the model whose rows refer.
        columns: its columns, the distribution column first.
        to: label of the model referred to.
        to_columns: that model's key, the distribution column first.
        on_delete: what the database does with the rows when what they refer to is deleted.
        not_valid: leave the rows that there are to a ValidateConstraint of `name`, in a later
            migration: on a table in use this locks it for a moment only.
    """

    def __init__(
        self,
        model_name: str,
        *,
        columns: tuple[str, ...],
        to: str,
        to_columns: tuple[str, ...],
        on_delete: Literal["CASCADE", "RESTRICT"] = "RESTRICT",
        not_valid: bool = False,
    ) -> None:
        super().__init__(model_name)
        self.columns = columns
        self.to = to
        self.to_columns = to_columns
        self.on_delete = on_delete
        self.not_valid = not_valid

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {
            "columns": self.columns,
            "to": self.to,
            "to_columns": self.to_columns,
            "on_delete": self.on_delete,
        } | ({"not_valid": True} if self.not_valid else {})
        return type(self).__name__, [self.model_name], kwargs

    def describe(self) -> str:
        return f"Let {self.model_name} ({', '.join(self.columns)}) refer to {self.to}"

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = model._meta.db_table
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}")
        with _cursor(schema_editor) as cursor:
            cursor.execute(drop.format(sql.Identifier(table), sql.Identifier(self._name(table))))

    def _forwards(self, cursor: Any, app_label: str, state: ProjectState) -> None:
        table = self._table(app_label, state)
        if _fetch(cursor, HAS_CONSTRAINT, [self._name(table), table]):
            return
        if _fetch(cursor, HAS_CITUS, []):
            cursor.execute(SEQUENTIAL)
        cursor.execute(self._add(table, self._table(app_label, state, self.to)))

    def _name(self, table: str) -> str:
        return f"{table}_{self.columns[-1]}_fk"

    def _add(self, table: str, other: str) -> sql.Composed:
        return sql.SQL(
            "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) "
            "REFERENCES {other} ({to_columns}) ON DELETE {on_delete}{not_valid}"
        ).format(
            table=sql.Identifier(table),
            name=sql.Identifier(self._name(table)),
            columns=sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            other=sql.Identifier(other),
            to_columns=sql.SQL(", ").join(map(sql.Identifier, self.to_columns)),
            on_delete=sql.SQL(self.on_delete),
            not_valid=sql.SQL(" NOT VALID" if self.not_valid else ""),
        )


class _Written:
    """A cursor for `sqlmigrate`: what only asks is asked, what would change anything is noted."""

    def __init__(self, cursor: Any, statements: list[str]) -> None:
        self._cursor = cursor
        self._statements = statements

    def execute(self, query: Any, params: list[str] | None = None) -> None:
        if query in (HAS_CITUS, IS_PLACED, HAS_CONSTRAINT):
            self._cursor.execute(query, params)
        else:
            self._statements.append(f"{self._cursor.mogrify(query, params).decode()};")

    def fetchone(self) -> Any:
        return self._cursor.fetchone()


@contextmanager
def _cursor(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[Any]:
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.collect_sql:
            yield _Written(cursor, schema_editor.collected_sql)
        else:
            yield cursor


def _place(cursor: Any, table: str, call: str, params: list[str]) -> None:
    if not _fetch(cursor, HAS_CITUS, []):
        return
    cursor.execute(SEQUENTIAL)
    if not _fetch(cursor, IS_PLACED, [table]):
        cursor.execute(call, params)


def _fetch(cursor: Any, query: str, params: list[str]) -> Any:
    cursor.execute(query, params)
    return cursor.fetchone()
