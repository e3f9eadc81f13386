"""The running code's rows are not refused from one moment to the next."""

from typing import Any

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AlterField,
    AlterUniqueTogether,
    RemoveConstraint,
)
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan

from sharding.django.expand_contract.operations import AddUniqueConcurrently
from sharding.django.operations import CompositeForeignKey
from tests.unit.sharding.django.expand_contract.conftest import Codes

OF_CONSTRAINTS = {"new-check", "new-unique", "new-foreign-key", "drop-unique"}
AGE = AddField("animal", "age", models.IntegerField(null=True))
LONG = models.CheckConstraint(condition=GreaterThan(Length("motto"), 9), name="animal_long")

AGED = models.IntegerField(null=True, db_default=1)
APART = ExclusionConstraint(
    name="animal_apart", expressions=[("user_id", RangeOperators.EQUAL), ("motto", "=")]
)


def unique(*names: str, **more: Any) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=names, name="animal_unique", **more)


def check(**condition: Any) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(**condition), name="animal_check")


def to_animal(*columns: str) -> CompositeForeignKey:
    return CompositeForeignKey(
        "Animal", columns=columns, to="zoo.Animal", to_columns=("user_id", "id"), not_valid=True
    )


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (AddConstraint("animal", check(legs__lt=9)), "new-check"),
        (AddConstraintNotValid("animal", check(legs__lt=9)), "new-check"),
        (AddConstraintNotValid("animal", check(motto__isnull=False)), "new-check"),
        (AddConstraintNotValid("animal", LONG), "new-check"),
        (AddConstraint("animal", unique("user_id", "motto")), "new-unique"),
        (AddUniqueConcurrently("animal", unique("user_id", "motto")), "new-unique"),
        (AddConstraint("animal", APART), "new-unique"),
        (AlterUniqueTogether("animal", {("user_id", "motto")}), "new-unique"),
        (AlterField("animal", "motto", models.TextField(null=True, unique=True)), "new-unique"),
        (AddField("animal", "age", models.IntegerField(db_default=1, unique=True)), "new-unique"),
        (
            AddField("animal", "age", models.IntegerField(null=True, db_default=1, unique=True)),
            "new-unique",
        ),
        (to_animal("user_id", "motto"), "new-foreign-key"),
        (
            AddField("animal", "boss", models.ForeignKey("Keeper", models.CASCADE, db_default=1)),
            "new-foreign-key",
        ),
        (
            AlterField("animal", "legs", models.ForeignKey("zoo.Ticket", models.CASCADE)),
            "new-foreign-key",
        ),
        (
            AlterField(
                "animal",
                "keeper",
                models.ForeignKey("zoo.Ticket", models.CASCADE, db_index=False, null=True),
            ),
            "new-foreign-key",
        ),
        (RemoveConstraint("animal", "animal_name"), "drop-unique"),
        (AlterField("animal", "code", models.CharField(max_length=9, null=True)), "drop-unique"),
    ],
    ids=lambda value: value.describe() if isinstance(value, Operation) else value,
)
def test_a_constraint_that_the_running_code_does_not_know_is_refused(
    codes: Codes, operation: Operation, code: str
) -> None:
    assert [each for each in codes(operation) if each in OF_CONSTRAINTS] == [code]


def test_a_uniqueness_that_together_were_is_not_dropped_at_once(codes: Codes) -> None:
    together = [AlterUniqueTogether("animal", {("user_id", "motto")})]
    assert codes(AlterUniqueTogether("animal", set()), after=(together,)) == ["drop-unique"]


@pytest.mark.parametrize(
    "operation",
    [
        AddConstraintNotValid("animal", check(age__gte=0)),
        AddConstraint("animal", unique("user_id", "age")),
        AlterField("animal", "age", models.IntegerField(null=True, unique=True)),
        to_animal("user_id", "age"),
        RemoveConstraint("animal", "animal_legs"),
        AddField("animal", "year", models.IntegerField(null=True, unique=True)),
        AddField("animal", "boss", models.ForeignKey("Keeper", models.CASCADE, null=True)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_is_about_a_column_that_it_leaves_null_is_allowed(
    codes: Codes, operation: Operation
) -> None:
    found = codes(operation, first=([AGE],))
    assert not OF_CONSTRAINTS & set(found)


@pytest.mark.parametrize(
    "operation",
    [
        AddConstraintNotValid("animal", check(age__isnull=False)),
        AddConstraintNotValid("animal", check(age__gte=0, legs__gte=0)),
        AddConstraint("animal", unique("user_id", "age", nulls_distinct=False)),
    ],
    ids=["not null", "with a known column", "nulls not distinct"],
)
def test_a_new_column_is_no_excuse_where_its_null_is_refused(
    codes: Codes, operation: Operation
) -> None:
    assert OF_CONSTRAINTS & set(codes(operation, first=([AGE],)))


@pytest.mark.parametrize("field", [models.IntegerField(), AGED], ids=["not null", "default"])
def test_a_new_column_that_is_not_left_null_is_no_excuse_either(codes: Codes, field: Any) -> None:
    age = [AddField("animal", "age", field)]
    assert "new-unique" in codes(AddConstraint("animal", unique("user_id", "age")), first=(age,))
