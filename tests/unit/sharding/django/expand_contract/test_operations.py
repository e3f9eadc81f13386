"""What the operations say of themselves; what they do to a cluster is tried in tests/cluster."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import NotSupportedError, models
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter

from sharding.django.expand_contract.operations import AddUniqueConcurrently, DropField, DropModel

UNIQUE = models.UniqueConstraint(fields=["user_id", "name"], name="animal_name")
LATER = models.UniqueConstraint(
    fields=["user_id", "name"], name="animal_name", deferrable=models.Deferrable.DEFERRED
)
CHECK = models.CheckConstraint(condition=models.Q(legs__gt=0), name="animal_legs")
TICKET: list[tuple[str, Any]] = [("id", models.BigIntegerField(primary_key=True))]
each = pytest.mark.parametrize(
    "operation",
    [
        DropField("Animal", "motto", models.TextField(null=True)),
        DropModel("Ticket", TICKET),
        DropModel("Ticket", TICKET, {"db_table": "tickets"}),
        AddUniqueConcurrently("Animal", UNIQUE),
    ],
    ids=lambda operation: operation.describe(),
)


@each
def test_an_operation_can_be_made_again_and_written_down(operation: Any) -> None:
    name, args, kwargs = operation.deconstruct()
    assert name == type(operation).__name__
    assert type(operation)(*args, **kwargs).deconstruct() == operation.deconstruct()
    code, imports = OperationWriter(operation, indentation=0).serialize()
    assert type(operation).__name__ in code
    assert "import sharding.django.expand_contract.operations" in imports


@each
def test_an_operation_can_be_undone(operation: Any) -> None:
    assert operation.reversible


def test_dropping_leaves_the_models_as_they_are() -> None:
    state = ProjectState()
    DropModel("Ticket", TICKET).state_forwards("zoo", state)
    assert state == ProjectState()


@pytest.mark.parametrize("constraint", [LATER, CHECK], ids=["deferrable", "check"])
def test_only_what_an_index_can_hold_is_built_concurrently(constraint: Any) -> None:
    with pytest.raises(TypeError, match="takes a UniqueConstraint, not a deferrable one"):
        AddUniqueConcurrently("Animal", constraint)


def test_nothing_is_built_concurrently_in_a_transaction() -> None:
    editor: Any = SimpleNamespace(connection=SimpleNamespace(in_atomic_block=True))
    state = ProjectState()
    with pytest.raises(NotSupportedError, match="atomic = False"):
        AddUniqueConcurrently("Animal", UNIQUE).database_forwards("zoo", editor, state, state)
