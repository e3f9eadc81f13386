"""Migrations played one operation after the other, in the models' state and in the tables'.

The two differ between the steps of a removal: a field that has left the models still has its
column. `SeparateDatabaseAndState` moves one of them alone, and so do DropField and DropModel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.core.exceptions import FieldDoesNotExist
from django.db.migrations import (
    CreateModel,
    DeleteModel,
    Migration,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import BaseConstraint

from sharding.django.expand_contract.fields import Field, Model
from sharding.django.expand_contract.operations import DropField, DropModel
from sharding.django.operations import Distribute, Reference

Column = tuple[str, str]  # table and column

# What leaves the models alone is still there; all else that they say is taken to be so.
STAYS_IN_TABLES = (DeleteModel, RemoveConstraint, RemoveField, RemoveIndex)


@dataclass(frozen=True, kw_only=True)
class Running:
    """The release that runs: what its code reads and writes.

    Attributes:
        name: how the operator calls it.
        tables: the tables of its models.
        columns: the fields of its models, by table and column.
        constraints: the constraints of its models, by table and name.
    """

    name: str
    tables: frozenset[str]
    columns: Mapping[Column, Field]
    constraints: Mapping[Column, BaseConstraint]

    @classmethod
    def of(cls, name: str, state: ProjectState) -> Running:
        """Return what the code of these models uses."""
        used = [
            model
            for model in state.apps.get_models(include_auto_created=True)
            if not model._meta.proxy
        ]
        return cls(
            name=name,
            tables=frozenset(model._meta.db_table for model in used),
            columns={
                (model._meta.db_table, column.column): column
                for model in used
                for column in model._meta.local_concrete_fields
                if column.column
            },
            constraints={
                (model._meta.db_table, constraint.name): constraint
                for model in used
                for constraint in model._meta.constraints
            },
        )


@dataclass(frozen=True, kw_only=True)
class Change:
    """One operation of a new migration.

    Attributes:
        app: label of the migration's app.
        operation: what is done.
        before: the tables (of a change in the models alone: the models) before it.
        after: the same after it.
        running: the release whose code serves meanwhile.
        in_database: whether anything happens to the tables.
        atomic: whether it is in the migration's transaction.
        places: where tables are kept, by app and model.
        created: the models whose tables are made in this release, and are in nobody's use.
        unvalidated: the constraints that old rows may not meet yet, by app, model and name.
    """

    app: str
    operation: Operation
    before: ProjectState
    after: ProjectState
    running: Running
    in_database: bool
    atomic: bool
    places: Mapping[tuple[str, str], str]
    created: frozenset[tuple[str, str]]
    unvalidated: frozenset[tuple[str, str, str]]

    def model(self, name: str) -> Model:
        """Return a model of the migration's app as it was before."""
        return self.before.apps.get_model(self.app, name)

    def model_after(self, name: str) -> Model:
        """Return a model of the migration's app as it is afterwards."""
        return self.after.apps.get_model(self.app, name)

    def is_new(self, name: str) -> bool:
        """Tell whether a model's table is made in this release."""
        return (self.app, name.lower()) in self.created

    def is_new_label(self, label: str) -> bool:
        """Tell whether the table of a model is made in this release, of whatever app it is."""
        app, _, name = label.partition(".")
        return (app, name.lower()) in self.created

    def is_local(self, name: str) -> bool:
        """Tell whether a model's table is none of the cluster's, but the coordinator's own."""
        return (self.app, name.lower()) not in self.places

    def table(self, name: str) -> str:
        """Return a model's table and where it is kept, for a sentence."""
        place = self.places.get((self.app, name.lower()), "on the coordinator")
        return f"{self.model(name)._meta.db_table} ({place})"


@dataclass(frozen=True, kw_only=True)
class _Part:
    """An operation, and what it moves."""

    operation: Operation
    models: bool
    tables: bool
    in_database: bool = True


@dataclass(kw_only=True)
class World:
    """What the migrations played so far have made of the models and of the tables."""

    models: ProjectState
    tables: ProjectState
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    created: set[tuple[str, str]] = field(default_factory=set)
    unvalidated: set[tuple[str, str, str]] = field(default_factory=set)

    @classmethod
    def empty(cls, real_apps: set[str]) -> World:
        """Return the world before the first migration."""
        return cls(
            models=ProjectState(real_apps=real_apps), tables=ProjectState(real_apps=real_apps)
        )

    def replay(self, migration: Migration) -> None:
        """Play a migration that the running release has: its tables are in use."""
        for part in _parts(migration):
            self._move(migration.app_label, part)
        self.created.clear()

    def play(self, migration: Migration, running: Running) -> Iterator[Change]:
        """Play a new migration; yield each of its operations once it was played."""
        app = migration.app_label
        for part in _parts(migration):
            state = self.tables if part.in_database else self.models
            before = state.clone()
            places, unvalidated = dict(self.places), frozenset(self.unvalidated)
            self._move(app, part)
            yield Change(
                app=app,
                operation=part.operation,
                before=before,
                after=state.clone(),
                running=running,
                in_database=part.in_database,
                atomic=migration.atomic,
                places=places,
                created=frozenset(self.created),
                unvalidated=unvalidated,
            )

    def _move(self, app: str, part: _Part) -> None:
        if part.models:
            part.operation.state_forwards(app, self.models)
        if part.tables:
            # What two halves of an operation both say is done already.
            with suppress(KeyError, FieldDoesNotExist):
                _on_tables(part.operation).state_forwards(app, self.tables)
        if part.in_database:
            self._note(app, part.operation)

    def _note(self, app: str, operation: Operation) -> None:
        match operation:
            case Distribute():
                self.places[app, operation.model_name.lower()] = "distributed"
            case Reference():
                self.places[app, operation.model_name.lower()] = "a copy on every node"
            case AddConstraintNotValid():
                self.unvalidated.add((app, operation.model_name_lower, operation.constraint.name))
            case ValidateConstraint():
                self.unvalidated.discard((app, operation.model_name.lower(), operation.name))
            case CreateModel():
                self.created.add((app, operation.name_lower))
            case RenameModel() if (app, operation.old_name_lower) in self.created:
                self.created.add((app, operation.new_name_lower))


def _on_tables(operation: Operation) -> Operation:
    if isinstance(operation, DropField):
        return RemoveField(operation.model_name, operation.name)
    if isinstance(operation, DropModel):
        return DeleteModel(operation.name)
    return operation


def _parts(migration: Migration) -> Iterator[_Part]:
    for operation in migration.operations:
        if not isinstance(operation, SeparateDatabaseAndState):
            yield _Part(operation=operation, models=True, tables=True)
            continue
        for part in operation.database_operations:
            yield _Part(operation=part, models=False, tables=True)
        # Raw SQL is taken to do what the migration says of the models.
        opaque = any(isinstance(part, RunSQL | RunPython) for part in operation.database_operations)
        for part in operation.state_operations:
            stays = isinstance(part, STAYS_IN_TABLES) and not opaque
            yield _Part(operation=part, models=True, tables=not stays, in_database=False)
