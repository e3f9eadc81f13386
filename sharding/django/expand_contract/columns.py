"""Tables and columns that the code of the running release reads and writes.

They must stay as they are until no running code knows them any more. That is told from the
running release's models, not from what the migration finds: between the two lies a release.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from django.db.migrations import (
    AddField,
    AlterField,
    AlterModelTable,
    AlterOrderWithRespectTo,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.operations.base import Operation

from sharding.django.expand_contract.fields import (
    Field,
    field_of,
    forbids_null,
    has_column,
    kind_of,
    through_of,
    widens,
)
from sharding.django.expand_contract.history import Change
from sharding.django.expand_contract.objections import Objection
from sharding.django.expand_contract.operations import DropField, DropModel

Objections = Iterator[Objection]


def objections(change: Change) -> Objections:
    """Yield what an operation takes from under the running code."""
    if change.in_database:
        yield from _judge(change.operation, change)
    elif isinstance(change.operation, RemoveField):
        yield from _retired(change.operation, change)


@singledispatch
def _judge(operation: Operation, change: Change) -> Objections:
    yield from ()


@_judge.register
def _(operation: RemoveField, change: Change) -> Objections:
    model = change.model(operation.model_name)
    yield from _lost_column(change, model._meta.db_table, field_of(model, operation.name))


@_judge.register
def _(operation: DropField, change: Change) -> Objections:
    model = operation.before(change.app, change.before).apps.get_model(
        change.app, operation.model_name
    )
    yield from _lost_column(change, model._meta.db_table, field_of(model, operation.name))


def _lost_column(change: Change, table: str, field: Field) -> Objections:
    if through := through_of(field):
        yield from _lost_table(change, through)
    elif (table, field.column) in change.running.columns:
        message = f"{table}.{field.column} is still read and written by {change.running.name}."
        yield Objection(code="drop-column", message=message)


def _retired(operation: RemoveField, change: Change) -> Objections:
    """The field leaves the models alone: can rows be written without it, and read by both?"""
    model = change.model(operation.model_name)
    field = field_of(model, operation.name)
    if change.is_new(operation.model_name) or not has_column(field) or field.has_db_default():
        return
    used = change.running.columns.get((model._meta.db_table, field.column), field)
    if not used.null:
        yield Objection(
            code="retired-column",
            message=f"The new code's INSERTs leave {model._meta.db_table}.{field.column} out. It"
            f" has no default in the database, and {change.running.name} expects no NULL in it.",
        )


@_judge.register
def _(operation: DeleteModel, change: Change) -> Objections:
    model = change.model(operation.name)
    if not model._meta.proxy:
        yield from _lost_table(change, model._meta.db_table)


@_judge.register
def _(operation: DropModel, change: Change) -> Objections:
    model = operation.before(change.app, change.before).apps.get_model(change.app, operation.name)
    yield from _lost_table(change, model._meta.db_table)


def _lost_table(change: Change, table: str) -> Objections:
    if table in change.running.tables:
        message = f"{table} is still read and written by {change.running.name}."
        yield Objection(code="drop-table", message=message)


@_judge.register
def _(operation: RenameModel, change: Change) -> Objections:
    yield from _renamed_table(change, operation.old_name, operation.new_name)


@_judge.register
def _(operation: AlterModelTable, change: Change) -> Objections:
    yield from _renamed_table(change, operation.name, operation.name)


def _renamed_table(change: Change, old: str, new: str) -> Objections:
    was, now = change.model(old)._meta.db_table, change.model_after(new)._meta.db_table
    if was != now and was in change.running.tables:
        message = f"{was} becomes {now}, and {change.running.name} asks for {was}."
        yield Objection(code="rename-table", message=message)


@_judge.register
def _(operation: RenameField, change: Change) -> Objections:
    was = field_of(change.model(operation.model_name), operation.old_name)
    now = field_of(change.model_after(operation.model_name), operation.new_name)
    yield from _renamed_column(change, operation.model_name, was, now)


def _renamed_column(change: Change, model: str, was: Field, now: Field) -> Objections:
    table = change.model(model)._meta.db_table
    if was.column != now.column and (table, was.column) in change.running.columns:
        yield Objection(
            code="rename-column",
            message=f"{table}.{was.column} becomes {now.column}, and {change.running.name} asks"
            f" for {was.column}.",
        )


@_judge.register
def _(operation: AddField, change: Change) -> Objections:
    field = field_of(change.model_after(operation.model_name), operation.name)
    if has_column(field) and not (field.null or field.has_db_default() or field.generated):
        yield from _unwritten(change, operation.model_name, field.column)


@_judge.register
def _(operation: AlterOrderWithRespectTo, change: Change) -> Objections:
    if operation.order_with_respect_to:
        yield from _unwritten(change, operation.name, "_order")


def _unwritten(change: Change, model: str, column: str) -> Objections:
    if not change.is_new(model):
        yield Objection(
            code="not-null-column",
            message=f"{change.table(model)}: the INSERTs of {change.running.name} leave {column}"
            " out, which may not be null and has no default in the database.",
        )


@_judge.register
def _(operation: AlterField, change: Change) -> Objections:
    if change.is_new(operation.model_name):
        return
    was = field_of(change.model(operation.model_name), operation.name)
    now = field_of(change.model_after(operation.model_name), operation.name)
    for rule in (_renamed_column, _type, _null, _default):
        yield from rule(change, operation.model_name, was, now)


def _type(change: Change, model: str, was: Field, now: Field) -> Objections:
    moved = was.primary_key != now.primary_key or through_of(was) != through_of(now)
    if moved or not widens(was, now):
        yield Objection(
            code="changed-type",
            message=f"{change.table(model)}: {now.name} is {kind_of(was)} for"
            f" {change.running.name}, and becomes {kind_of(now)}"
            f"{' in another key or table' if moved else ''}.",
        )


def _null(change: Change, model: str, was: Field, now: Field) -> Objections:
    if not was.null or now.null:
        return
    table = change.model(model)._meta.db_table
    used = change.running.columns.get((table, was.column))
    # What it does not know it leaves out; what it knows as NOT NULL it always writes.
    writes_null = used.null if used is not None else not now.has_db_default()
    refused = any(
        place == table and forbids_null(constraint, was)
        for (place, _), constraint in change.running.constraints.items()
    )
    if writes_null and not refused:
        yield Objection(
            code="set-not-null",
            message=f"{change.table(model)}: {change.running.name} may write NULL into"
            f" {was.column}: no constraint of its models says that it does not.",
        )


def _default(change: Change, model: str, was: Field, now: Field) -> Objections:
    """A column without its default takes NULL instead: harmless only where that is allowed."""
    used = change.running.columns.get((change.model(model)._meta.db_table, was.column))
    counted_on = used is None or used.has_db_default()
    if was.has_db_default() and not now.has_db_default() and counted_on:
        yield Objection(
            code="dropped-default",
            message=f"{change.table(model)}: the INSERTs of {change.running.name} leave"
            f" {was.column} to its default.",
        )
