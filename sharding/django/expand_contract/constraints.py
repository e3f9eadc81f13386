"""Constraints that the running code may violate, or counts on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AlterField,
    AlterUniqueTogether,
    RemoveConstraint,
)
from django.db.migrations.operations.base import Operation

from sharding.django.expand_contract.fields import (
    Field,
    Model,
    field_of,
    forbids_null,
    target_of,
)
from sharding.django.expand_contract.history import Change
from sharding.django.expand_contract.objections import Objection
from sharding.django.operations import CompositeForeignKey

Objections = Iterator[Objection]


def objections(change: Change) -> Objections:
    """Yield what the running code's rows may violate, or its statements miss."""
    if change.in_database:
        yield from _judge(change.operation, change)


@singledispatch
def _judge(operation: Operation, change: Change) -> Objections:
    yield from ()


@_judge.register
def _(operation: AddConstraint, change: Change) -> Objections:
    constraint, name = operation.constraint, operation.model_name
    model = change.model(name)
    if isinstance(constraint, models.CheckConstraint):
        if not _is_about_new_columns(change, model, constraint):
            yield from _new_check(change, name, constraint.name)
    elif not _leaves_old_code_out(change, model, constraint):
        yield from _new_unique(change, name, constraint.name)


def _is_about_new_columns(change: Change, model: Model, constraint: models.CheckConstraint) -> bool:
    """Tell whether the running code writes none of the columns that a check is about."""
    condition = constraint.condition
    names = condition.referenced_base_fields if isinstance(condition, models.Q) else set()
    fields = [field_of(model, name) for name in names]
    # The one check that the NULL of a column left out does not pass.
    needs_value = any(forbids_null(constraint, field) for field in fields)
    return bool(fields) and not needs_value and not any(_knows(change, f) for f in fields)


def _leaves_old_code_out(change: Change, model: Model, constraint: Any) -> bool:
    """Tell whether the running code's rows have NULL in the index, of which there may be many."""
    if not isinstance(constraint, models.UniqueConstraint) or constraint.nulls_distinct is False:
        return False
    return any(_is_left_null(change, field_of(model, name)) for name in constraint.fields)


def _knows(change: Change, field: Field) -> bool:
    return (field.model._meta.db_table, field.column) in change.running.columns


def _is_left_null(change: Change, field: Field) -> bool:
    return field.null and not field.has_db_default() and not _knows(change, field)


@_judge.register
def _(operation: AddField, change: Change) -> Objections:
    field = field_of(change.model_after(operation.model_name), operation.name)
    if _is_left_null(change, field):
        return
    if field.unique:
        yield from _new_unique(change, operation.model_name, field.column)
    if target_of(field):
        yield from _new_reference(change, operation.model_name, field.column)


@_judge.register
def _(operation: AlterField, change: Change) -> Objections:
    name = operation.model_name
    was = field_of(change.model(name), operation.name)
    now = field_of(change.model_after(name), operation.name)
    if now.unique and not was.unique and not _is_left_null(change, was):
        yield from _new_unique(change, name, now.column)
    if was.unique and not now.unique:
        yield from _lost_unique(change, name, was.column)
    if target_of(now) not in {None, target_of(was)} and not _is_left_null(change, was):
        yield from _new_reference(change, name, now.column)


@_judge.register
def _(operation: AlterUniqueTogether, change: Change) -> Objections:
    was = set(map(tuple, change.model(operation.name)._meta.unique_together))
    now = set(map(tuple, change.model_after(operation.name)._meta.unique_together))
    for names in sorted(now - was):
        yield from _new_unique(change, operation.name, ", ".join(names))
    for names in sorted(was - now):
        yield from _lost_unique(change, operation.name, ", ".join(names))


@_judge.register
def _(operation: RemoveConstraint, change: Change) -> Objections:
    table = change.model(operation.model_name)._meta.db_table
    used = change.running.constraints.get((table, operation.name))
    if used is not None and not isinstance(used, models.CheckConstraint):
        yield from _lost_unique(change, operation.model_name, operation.name)


@_judge.register
def _(operation: CompositeForeignKey, change: Change) -> Objections:
    fields = {
        field.column: field
        for field in change.model(operation.model_name)._meta.local_concrete_fields
    }
    # A row with NULL in one of the columns refers to nothing, and may.
    if not any(_is_left_null(change, fields[column]) for column in operation.columns):
        yield from _new_reference(change, operation.model_name, ", ".join(operation.columns))


def _new_check(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)}: what {change.running.name} writes may violate {what}."
        yield Objection(code="new-check", message=message)


def _new_unique(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)}: {change.running.name} may write {what} twice."
        yield Objection(code="new-unique", message=message)


def _new_reference(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        yield Objection(
            code="new-foreign-key",
            message=f"{change.table(model)}: what {change.running.name} writes into {what} may"
            " refer to nothing.",
        )


def _lost_unique(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        yield Objection(
            code="drop-unique",
            message=f"{change.table(model)}: {change.running.name} may count on {what} being"
            " unique; an ON CONFLICT that names it fails without the index.",
        )
