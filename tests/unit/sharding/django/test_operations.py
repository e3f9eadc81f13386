"""What the operations say of themselves; what they do to a database is tried in integration."""

from typing import Any

import pytest
from django.db.migrations.writer import OperationWriter

from sharding.django.operations import CompositeForeignKey, Distribute, Reference

OPERATIONS = [
    Distribute("Order", by="user_id", colocate_with="accounts.User"),
    Distribute("Stock", by="product_id"),
    Reference("Product"),
    CompositeForeignKey(
        "OrderItem",
        columns=("user_id", "order_id"),
        to="orders.Order",
        to_columns=("user_id", "id"),
        on_delete="CASCADE",
    ),
    CompositeForeignKey(
        "Payment",
        columns=("user_id", "order_id"),
        to="orders.Order",
        to_columns=("user_id", "id"),
        not_valid=True,
    ),
]
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.describe())


@each
def test_an_operation_can_be_made_again_from_its_deconstruction(operation: Any) -> None:
    name, args, kwargs = operation.deconstruct()
    again = type(operation)(*args, **kwargs)
    assert name == type(operation).__name__
    assert again.deconstruct() == operation.deconstruct()
    assert {k: v for k, v in vars(again).items() if k != "_constructor_args"} == {
        k: v for k, v in vars(operation).items() if k != "_constructor_args"
    }


@each
def test_an_operation_can_be_written_into_a_migration(operation: Any) -> None:
    code, imports = OperationWriter(operation, indentation=0).serialize()
    assert type(operation).__name__ in code
    assert "import sharding.django.operations" in imports


@each
def test_an_operation_is_reversible_and_bound_to_its_model(operation: Any) -> None:
    assert operation.reversible
    assert operation.references_model(operation.model_name.upper(), "any")
    assert not operation.references_model("Somethingelse", "any")


def test_operations_describe_themselves_to_the_operator() -> None:
    assert [operation.describe() for operation in OPERATIONS] == [
        "Distribute Order by user_id",
        "Distribute Stock by product_id",
        "Keep a copy of Product on every node",
        "Let OrderItem (user_id, order_id) refer to orders.Order",
        "Let Payment (user_id, order_id) refer to orders.Order",
    ]
