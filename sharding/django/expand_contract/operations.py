"""Operations for the steps of a change that Django has none for: docs/migrations.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, CreateModel, DeleteModel, RemoveField
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState
from django.db.models import UniqueConstraint

from sharding.django.expand_contract.fields import Field


class _Drop(Operation):
    """Drops from the tables what the models no longer have; undone, it comes back empty."""

    category = OperationCategory.REMOVAL
    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models have lost it in an earlier release."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        before = self.before(app_label, from_state)
        self._removal().database_forwards(app_label, schema_editor, before, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        before = self.before(app_label, to_state)
        self._removal().database_backwards(app_label, schema_editor, from_state, before)

    def before(self, app_label: str, state: ProjectState) -> ProjectState:
        """Return the models as they were when they still had it."""
        raise NotImplementedError

    def _removal(self) -> Operation:
        raise NotImplementedError


class DropField(_Drop):
    """Drop the column of a field that has left the models.

    Args:
        model_name: the model that had it.
        name: the field's name.
        field: the field as it was, with null=True or a database default: undoing this adds it.
    """

    def __init__(self, model_name: str, name: str, field: Field) -> None:
        self.model_name = model_name
        self.name = name
        self.field = field

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name, self.name, self.field], {}

    def describe(self) -> str:
        return f"Drop the column of the former field {self.name} of {self.model_name}"

    def before(self, app_label: str, state: ProjectState) -> ProjectState:
        before = state.clone()
        before.add_field(app_label, self.model_name.lower(), self.name, self.field, True)
        return before

    def _removal(self) -> Operation:
        return RemoveField(self.model_name, self.name)


class DropModel(_Drop):
    """Drop the table of a model that has left the code, with all its shards.

    Args:
        name: the model's name.
        fields: its fields, as they stand in its CreateModel: undoing this makes a plain table.
        options: its options, `db_table` among them if it had one.
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, Field]],
        options: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.fields = list(fields)
        self.options = options or {}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.name, self.fields, self.options], {}

    def describe(self) -> str:
        return f"Drop the table of the former model {self.name}"

    def before(self, app_label: str, state: ProjectState) -> ProjectState:
        before = state.clone()
        CreateModel(self.name, self.fields, self.options).state_forwards(app_label, before)
        return before

    def _removal(self) -> Operation:
        return DeleteModel(self.name)


class AddUniqueConcurrently(NotInTransactionMixin, AddConstraint):
    """Add a unique constraint whose index is built while rows are written.

    That cannot be part of a transaction: the migration needs `atomic = False`. If it fails, for
    rows that are not unique, an invalid index is left: `DROP INDEX CONCURRENTLY`, and try again.
    """

    atomic = False

    def __init__(self, model_name: str, constraint: UniqueConstraint) -> None:
        if not isinstance(constraint, UniqueConstraint) or constraint.deferrable:
            raise TypeError("AddUniqueConcurrently takes a UniqueConstraint, not a deferrable one.")
        super().__init__(model_name, constraint)

    def describe(self) -> str:
        return f"Concurrently create constraint {self.constraint.name} on model {self.model_name}"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        statement = self.constraint.create_sql(model, schema_editor)
        is_constraint = statement.template == schema_editor.sql_create_unique
        index = schema_editor.sql_create_unique_index
        statement.template = index.replace("INDEX", "INDEX CONCURRENTLY", 1)
        schema_editor.execute(str(statement), params=None)
        if is_constraint:
            table = schema_editor.quote_name(model._meta.db_table)
            name = schema_editor.quote_name(self.constraint.name)
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"
            )
