"""What would lock a table for as long as it takes to read or write all of its rows.

On a distributed table a statement locks every shard, and keeps the locks until the last one is
done. Locks that are held for a moment are no matter: sharding.django.backend bounds the wait for
them. A table that this release makes is empty, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    CollationOperation,
    CreateExtension,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTable,
    AlterModelTableComment,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    RunPython,
    RunSQL,
)
from django.db.migrations.operations import AlterConstraint
from django.db.migrations.operations.base import Operation

from sharding.django.expand_contract.fields import (
    Field,
    check_of,
    field_of,
    forbids_null,
    is_altered,
    is_computed_per_row,
    is_indexed,
    target_of,
    widens,
)
from sharding.django.expand_contract.history import Change
from sharding.django.expand_contract.objections import Objection
from sharding.django.expand_contract.operations import AddUniqueConcurrently, DropField, DropModel
from sharding.django.operations import CompositeForeignKey, Distribute, Reference

Objections = Iterator[Objection]

LOCKS_NOTHING = (
    AlterConstraint,
    AlterModelManagers,
    AlterModelOptions,
    CollationOperation,
    CreateExtension,
    CreateModel,
)
LOCKS_FOR_A_MOMENT = (
    AddConstraintNotValid,
    AlterModelTable,
    AlterModelTableComment,
    DeleteModel,
    DropField,
    DropModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
)
LETS_WRITES_PASS = (
    AddIndexConcurrently,
    AddUniqueConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)


def objections(change: Change) -> Objections:
    """Yield what in an operation locks a table for long."""
    if change.in_database:
        yield from _judge(change.operation, change)


def held(changes: Iterable[Change]) -> Objections:
    """Yield what runs for long while an operation before it keeps a table locked."""
    locked = ""
    for change in changes:
        if not (change.atomic and change.in_database):
            continue
        if locked and is_slow(change.operation):
            yield Objection(
                code="held-lock",
                message=f"{locked} stays locked meanwhile.",
                operation=change.operation.describe(),
            )
        locked = locked or _locked(change)


def is_slow(operation: Operation) -> bool:
    """Tell whether an operation takes its time: for many rows, or for a table's many shards."""
    if isinstance(operation, RunPython):
        return operation.code is not RunPython.noop
    if isinstance(operation, RunSQL):
        return operation.sql != RunSQL.noop
    return isinstance(operation, ValidateConstraint | Distribute | Reference)


def _locked(change: Change) -> str:
    """Return the model whose table an operation keeps locked until its transaction ends."""
    operation = change.operation
    if isinstance(operation, (*LOCKS_NOTHING, *LETS_WRITES_PASS, RunPython, RunSQL)):
        return ""
    named = ("model_name", "name", "old_name")
    name = next((getattr(operation, each) for each in named if hasattr(operation, each)), "")
    if not change.is_new(name):
        return f"{change.app}.{name}"
    if isinstance(operation, CompositeForeignKey) and not change.is_new_label(operation.to):
        return operation.to  # nobody writes what others may refer to while a reference is made
    return ""


@singledispatch
def _judge(operation: Operation, change: Change) -> Objections:
    if not isinstance(operation, LOCKS_NOTHING + LOCKS_FOR_A_MOMENT + LETS_WRITES_PASS):
        kind = type(operation)
        message = f"{kind.__module__}.{kind.__qualname__} may lock tables for long."
        yield Objection(code="unknown-operation", message=message)


@_judge.register(RunPython)
@_judge.register(RunSQL)
def _(operation: RunPython | RunSQL, change: Change) -> Objections:
    if is_slow(operation):
        kind = type(operation).__name__
        yield Objection(code="unreviewed", message=f"What {kind} does, this check cannot tell.")


@_judge.register(AddIndexConcurrently)
@_judge.register(AddUniqueConcurrently)
@_judge.register(RemoveIndexConcurrently)
def _(operation: AddIndexConcurrently, change: Change) -> Objections:
    if change.atomic:
        message = "PostgreSQL refuses CONCURRENTLY in a transaction."
        yield Objection(code="in-transaction", message=message)


@_judge.register
def _(operation: AddIndex, change: Change) -> Objections:
    yield from _index(change, operation.model_name, operation.index.name)


@_judge.register
def _(operation: AddConstraint, change: Change) -> Objections:
    name, constraint = operation.model_name, operation.constraint
    if isinstance(constraint, models.CheckConstraint):
        yield from _scan(change, name, f"{constraint.name} is checked for every row")
    else:
        yield from _index(change, name, constraint.name)


@_judge.register(AddConstraintNotValid)
def _(operation: AddConstraintNotValid, change: Change) -> Objections:
    yield from ()


@_judge.register
def _(operation: AlterUniqueTogether, change: Change) -> Objections:
    was = set(map(tuple, change.model(operation.name)._meta.unique_together))
    now = set(map(tuple, change.model_after(operation.name)._meta.unique_together))
    for names in sorted(now - was):
        yield from _index(change, operation.name, ", ".join(names))


@_judge.register
def _(operation: AlterOrderWithRespectTo, change: Change) -> Objections:
    if operation.order_with_respect_to:
        yield from _index(change, operation.name, "_order")


@_judge.register
def _(operation: AddField, change: Change) -> Objections:
    name = operation.model_name
    field = field_of(change.model_after(name), operation.name)
    if is_indexed(field):
        yield from _index(change, name, field.column)
    if is_computed_per_row(field):
        yield from _rewrite(change, name, f"{field.column} is computed for every row")
    elif check_of(field) and not (change.is_new(name) and change.is_local(name)):
        message = (
            f"{change.table(name)}: the check that belongs to {field.column}'s type is read for"
            " every row; Citus refuses it altogether, because it has no name."
        )
        yield Objection(code="unnamed-check", message=message)
    elif target_of(field) and (field.has_default() or field.has_db_default()):
        yield from _reference(change, name, field.column)


@_judge.register
def _(operation: AlterField, change: Change) -> Objections:
    name = operation.model_name
    was = field_of(change.model(name), operation.name)
    now = field_of(change.model_after(name), operation.name)
    if (is_indexed(now) and not is_indexed(was)) or (now.unique and not was.unique):
        yield from _index(change, name, now.column)
    if not widens(was, now):
        yield from _rewrite(change, name, f"{now.column} changes its type")
    if check_of(now) not in {None, check_of(was)}:
        yield from _scan(change, name, f"{now.column}'s own check is read for every row")
    if was.null and not now.null:
        yield from _not_null(change, name, was, now)
    if _makes_reference_anew(was, now):
        yield from _reference(change, name, now.column)


def _not_null(change: Change, model: str, was: Field, now: Field) -> Objections:
    checked = any(
        forbids_null(constraint, was)
        and (change.app, model.lower(), constraint.name) not in change.unvalidated
        for constraint in change.model(model)._meta.constraints
    )
    if not checked:
        yield from _scan(change, model, f"{now.column} is looked at in every row")
    elif now.has_default() or now.has_db_default():
        # Django writes the default into the rows without a value before, and looks for them all.
        yield from _scan(change, model, f"Django looks for every {now.column} that is null")


def _makes_reference_anew(was: Field, now: Field) -> bool:
    """Django drops and adds a foreign key again whatever changes about its column."""
    return target_of(now) is not None and (target_of(was) is None or is_altered(was, now))


@_judge.register
def _(operation: CompositeForeignKey, change: Change) -> Objections:
    if not operation.not_valid:
        what = f"({', '.join(operation.columns)})"
        yield from _reference(change, operation.model_name, what)


@_judge.register(Distribute)
@_judge.register(Reference)
def _(operation: Distribute | Reference, change: Change) -> Objections:
    if not change.is_new(operation.model_name):
        message = f"{change.table(operation.model_name)} is copied while writes wait."
        yield Objection(code="placement", message=message)


def _index(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)}: no row can be written while the index ({what}) is built."
        yield Objection(code="create-index", message=message)


def _reference(change: Change, model: str, what: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)}: no row can be written while {what} is looked up for all."
        yield Objection(code="scan", message=message)


def _scan(change: Change, model: str, why: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)} can neither be read nor written meanwhile: {why}."
        yield Objection(code="scan", message=message)


def _rewrite(change: Change, model: str, why: str) -> Objections:
    if not change.is_new(model):
        message = f"{change.table(model)} can neither be read nor written meanwhile: {why}."
        yield Objection(code="rewrite", message=message)
