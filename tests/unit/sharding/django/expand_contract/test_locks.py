"""Nothing locks a table that holds rows for as long as it takes to read them."""

from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    BtreeGinExtension,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    RemoveConstraint,
    RemoveIndex,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Now

from sharding.django.expand_contract.objections import LOCKS
from sharding.django.expand_contract.operations import AddUniqueConcurrently
from sharding.django.operations import CompositeForeignKey, Distribute, Reference
from tests.unit.sharding.django.expand_contract.conftest import Codes

INDEX = models.Index(fields=["name"], name="animal_by_name")
UNIQUE = models.UniqueConstraint(fields=["user_id", "motto"], name="animal_motto")
CHECK = models.CheckConstraint(condition=models.Q(legs__lt=9), name="animal_not_9")
SET = models.CheckConstraint(condition=models.Q(motto__isnull=False), name="animal_motto_set")
VALIDATE = ValidateConstraint("animal", "animal_motto_set")


class Mystery(Operation):
    """An operation of a package that nobody here has heard of."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def describe(self) -> str:
        return "Do something"


def reference(**more: Any) -> models.ForeignKey:
    return models.ForeignKey("zoo.Keeper", models.CASCADE, **({"db_index": False} | more))


def added(field: Any) -> AddField:
    return AddField("animal", "age", field)


def altered(name: str, field: Any) -> AlterField:
    return AlterField("animal", name, field)


def changed(*_: Any) -> None:
    """What a RunPython calls."""


def to_animal(**more: Any) -> CompositeForeignKey:
    columns = ("user_id", "motto")
    to = ("user_id", "id")
    return CompositeForeignKey("Animal", columns=columns, to="zoo.Animal", to_columns=to, **more)


def of_locks(found: list[str]) -> list[str]:
    return [code for code in found if code in LOCKS]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (AddIndex("animal", INDEX), "create-index"),
        (AddConstraint("animal", UNIQUE), "create-index"),
        (AlterUniqueTogether("animal", {("user_id", "motto")}), "create-index"),
        (AlterOrderWithRespectTo("animal", "keeper"), "create-index"),
        (added(models.IntegerField(null=True, db_index=True)), "create-index"),
        (added(models.IntegerField(null=True, unique=True)), "create-index"),
        (added(reference(null=True, db_index=True)), "create-index"),
        (altered("name", models.CharField(max_length=50, db_index=True)), "create-index"),
        (altered("motto", models.TextField(null=True, unique=True)), "create-index"),
        (AddConstraint("animal", CHECK), "scan"),
        (added(models.PositiveIntegerField(null=True)), "unnamed-check"),
        (AddField("ticket", "age", models.PositiveIntegerField(null=True)), "unnamed-check"),
        (added(reference(db_default=1)), "scan"),
        (added(reference(null=True, default=1)), "scan"),
        (altered("legs", models.PositiveIntegerField(db_default=4)), "scan"),
        (altered("motto", models.TextField()), "scan"),
        (altered("keeper", reference()), "scan"),
        (altered("keeper", reference(null=True, default=1)), "scan"),
        (altered("legs", reference(db_default=4)), "scan"),
        (to_animal(), "scan"),
        (altered("name", models.IntegerField()), "rewrite"),
        (altered("legs", models.BigIntegerField(db_default=4)), "rewrite"),
        (added(models.UUIDField(db_default=RandomUUID())), "rewrite"),
        (added(models.BigAutoField()), "rewrite"),
        (
            added(
                models.GeneratedField(
                    expression=models.F("legs") * 2,
                    output_field=models.IntegerField(),
                    db_persist=True,
                )
            ),
            "rewrite",
        ),
        (Distribute("Ticket", by="id"), "placement"),
        (Reference("Ticket"), "placement"),
        (AddIndexConcurrently("animal", INDEX), "in-transaction"),
        (AddUniqueConcurrently("animal", UNIQUE), "in-transaction"),
        (RunPython(changed), "unreviewed"),
        (RunSQL("UPDATE zoo_animal SET legs = 4"), "unreviewed"),
        (SeparateDatabaseAndState(database_operations=[RunSQL("SELECT 1")]), "unreviewed"),
        (Mystery(), "unknown-operation"),
    ],
    ids=lambda value: value.describe() if isinstance(value, Operation) else value,
)
def test_what_takes_as_long_as_the_table_is_large_is_refused(
    codes: Codes, operation: Operation, code: str
) -> None:
    assert code in of_locks(codes(operation))


@pytest.mark.parametrize(
    "operation",
    [
        AddIndexConcurrently("animal", INDEX),
        AddUniqueConcurrently("animal", UNIQUE),
        AddConstraintNotValid("animal", CHECK),
        VALIDATE,
        to_animal(not_valid=True),
        RemoveConstraint("animal", "animal_legs"),
        AlterModelOptions("animal", {"ordering": ["name"]}),
        BtreeGinExtension(),
        RunPython(RunPython.noop),
        RunSQL(RunSQL.noop),
        added(models.IntegerField(null=True)),
        added(models.IntegerField(db_default=1)),
        added(models.DateTimeField(db_default=Now())),
        added(models.DateTimeField(db_default=TransactionNow())),
        added(models.ManyToManyField("zoo.Keeper", related_name="+")),
        added(reference(null=True)),
        altered("name", models.CharField(max_length=99)),
        altered("keeper", reference(null=True, related_name="charges")),
        altered("keeper", reference(null=True, db_constraint=False)),
        AlterOrderWithRespectTo("animal", None),
        altered("code", models.CharField(max_length=9, null=True, db_index=True)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_takes_a_moment_or_lets_writes_pass_is_allowed(
    codes: Codes, operation: Operation
) -> None:
    assert of_locks(codes(operation, atomic=False)) == []


def test_an_index_is_dropped_as_one_likes(codes: Codes) -> None:
    indexed = [AddIndex("animal", INDEX)]
    remove = RemoveIndexConcurrently("animal", "animal_by_name")
    assert codes(RemoveIndex("animal", "animal_by_name"), after=(indexed,)) == []
    assert codes(remove, after=(indexed,), atomic=False) == []
    assert codes(remove, after=(indexed,)) == ["in-transaction"]


def test_a_table_that_this_release_makes_is_empty(codes: Codes) -> None:
    visit = CreateModel("Visit", [("id", models.BigIntegerField(primary_key=True))])
    field = AddField("visit", "age", models.IntegerField(unique=True))
    index = AddIndex("visit", models.Index(fields=["age"], name="visit_by_age"))
    assert codes(visit, Distribute("Visit", by="id"), field, index) == []


def test_citus_refuses_a_check_without_a_name_in_a_new_table_as_well(codes: Codes) -> None:
    visit = CreateModel("Visit", [("id", models.BigIntegerField(primary_key=True))])
    field = AddField("visit", "age", models.PositiveIntegerField())
    assert codes(visit, field) == []
    assert codes(visit, Distribute("Visit", by="id"), field) == ["unnamed-check"]


def test_null_is_refused_without_reading_once_a_check_holds_for_every_row(codes: Codes) -> None:
    check = [AddConstraintNotValid("animal", SET)]
    strict = altered("motto", models.TextField())
    assert codes(strict, after=(check,)) == ["scan"]
    assert codes(strict, after=(check,), first=([VALIDATE],)) == []
    assert codes(strict, after=([AddConstraint("animal", SET)],)) == []


def test_django_reads_every_row_to_fill_in_a_default(codes: Codes) -> None:
    check = [AddConstraint("animal", SET)]
    assert codes(altered("motto", models.TextField(default="")), after=(check,)) == ["scan"]
    assert codes(altered("motto", models.TextField(db_default="")), after=(check,)) == ["scan"]
    in_two = SeparateDatabaseAndState(
        database_operations=[altered("motto", models.TextField())],
        state_operations=[altered("motto", models.TextField(default=""))],
    )
    assert codes(in_two, after=(check,)) == []


@pytest.mark.parametrize(
    "slow",
    [VALIDATE, RunPython(changed), RunSQL("SELECT 1")],
    ids=lambda operation: type(operation).__name__,
)
def test_nothing_slow_follows_a_lock_in_one_transaction(codes: Codes, slow: Operation) -> None:
    lock = AddConstraintNotValid("animal", SET)
    assert "held-lock" in codes(lock, slow)
    assert "held-lock" in codes(lock, AlterModelOptions("animal", {}), slow)
    assert "held-lock" not in codes(lock, slow, atomic=False)
    assert "held-lock" not in codes(SeparateDatabaseAndState(state_operations=[lock]), slow)
    assert "held-lock" not in codes(slow, lock)
    assert "held-lock" not in codes(slow, slow)


def test_shards_are_made_before_others_are_referred_to(codes: Codes) -> None:
    visit = CreateModel("Visit", [("user_id", models.UUIDField(primary_key=True))])
    place = Distribute("Visit", by="user_id", colocate_with="zoo.Animal")
    refer = CompositeForeignKey(
        "Visit", columns=("user_id",), to="zoo.Animal", to_columns=("user_id",)
    )
    itself = CompositeForeignKey(
        "Visit", columns=("user_id",), to="zoo.Visit", to_columns=("user_id",)
    )
    assert codes(visit, place, refer) == []
    assert codes(visit, itself, place) == []
    assert codes(visit, refer, place) == ["held-lock"]


def test_a_unique_index_is_another_than_the_one_that_is_there(codes: Codes) -> None:
    indexed = [altered("motto", models.TextField(null=True, db_index=True))]
    unique = altered("motto", models.TextField(null=True, unique=True))
    assert of_locks(codes(unique, after=(indexed,))) == ["create-index"]
