"""What the running code reads and writes stays as it is."""

from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    AlterOrderWithRespectTo,
    CreateModel,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RenameField,
    RenameModel,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation

from sharding.django.expand_contract.operations import DropField, DropModel
from tests.unit.sharding.django.expand_contract.conftest import Codes

MOTTO = models.TextField(null=True)
TICKET = [("id", models.BigAutoField(primary_key=True))]
KEEPERS = models.ManyToManyField("zoo.Keeper", related_name="+")
BY_NAME = models.Index(fields=["name"], name="animal_by_name")
SET = models.CheckConstraint(condition=models.Q(motto__isnull=False), name="animal_motto_set")


def models_alone(*operations: Operation) -> SeparateDatabaseAndState:
    return SeparateDatabaseAndState(state_operations=list(operations))


def altered(name: str, field: Any) -> AlterField:
    return AlterField("animal", name, field)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (RemoveField("animal", "motto"), "drop-column"),
        (DropField("Animal", "motto", MOTTO), "drop-column"),
        (RenameField("animal", "motto", "saying"), "rename-column"),
        (altered("motto", models.TextField(null=True, db_column="saying")), "rename-column"),
        (DeleteModel("Ticket"), "drop-table"),
        (DropModel("Ticket", TICKET), "drop-table"),
        (RenameModel("Ticket", "Pass"), "rename-table"),
        (AlterModelTable("ticket", "passes"), "rename-table"),
        (AddField("animal", "age", models.IntegerField()), "not-null-column"),
        (AddField("animal", "age", models.IntegerField(default=1)), "not-null-column"),
        (AlterOrderWithRespectTo("animal", "keeper"), "not-null-column"),
        (altered("name", models.CharField(max_length=49)), "changed-type"),
        (altered("name", models.IntegerField()), "changed-type"),
        (altered("name", models.CharField(max_length=50, db_collation="C")), "changed-type"),
        (altered("legs", models.BigIntegerField(db_default=4)), "changed-type"),
        (altered("price", models.DecimalField(max_digits=8, decimal_places=3)), "changed-type"),
        (altered("price", models.DecimalField(max_digits=7, decimal_places=2)), "changed-type"),
        (altered("motto", models.TextField()), "set-not-null"),
        (altered("motto", models.TextField(default="")), "set-not-null"),
        (altered("legs", models.IntegerField(default=4)), "dropped-default"),
        (altered("legs", models.IntegerField(null=True)), "dropped-default"),
        (models_alone(RemoveField("animal", "name")), "retired-column"),
    ],
    ids=lambda value: value.describe() if isinstance(value, Operation) else value,
)
def test_what_the_running_code_uses_is_not_taken_from_it(
    codes: Codes, operation: Operation, code: str
) -> None:
    assert code in codes(operation, atomic=False)


@pytest.mark.parametrize(
    "operation",
    [
        AddField("animal", "age", models.IntegerField(null=True)),
        AddField("animal", "age", models.IntegerField(db_default=1)),
        AddField("animal", "age", models.IntegerField(db_default=1, default=2)),
        AddField("animal", "keepers", KEEPERS),
        altered("name", models.CharField(max_length=51)),
        altered("name", models.TextField()),
        altered("code", models.CharField(max_length=10, null=True, unique=True)),
        altered("price", models.DecimalField(max_digits=9, decimal_places=2)),
        altered("name", models.CharField(max_length=50, choices=[("a", "b")], default="a")),
        altered("name", models.CharField(max_length=50, db_default="")),
        altered("legs", models.IntegerField(db_default=5)),
        altered("name", models.CharField(max_length=50, null=True)),
        RenameField("animal", "motto", "saying"),
        models_alone(RemoveField("animal", "motto")),
        models_alone(RemoveField("animal", "legs")),
        AlterOrderWithRespectTo("animal", None),
        models_alone(DeleteModel("Ticket")),
        models_alone(AddConstraint("animal", SET), AddIndex("animal", BY_NAME)),
        models_alone(RenameModel("Ticket", "Pass"), AlterModelTable("pass", "zoo_ticket")),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_it_does_not_notice_is_allowed(codes: Codes, operation: Operation) -> None:
    kept = [altered("motto", models.TextField(null=True, db_column="motto"))]
    assert codes(operation, after=(kept,)) == []


def test_a_column_goes_in_the_release_behind_the_one_whose_models_lost_it(codes: Codes) -> None:
    lost = [models_alone(RemoveField("animal", "motto"))]
    drop = DropField("Animal", "motto", MOTTO)
    assert codes(drop, first=(lost,)) == ["drop-column"]
    assert codes(drop, after=(lost,)) == []


def test_a_table_goes_in_the_release_behind_the_one_whose_code_lost_it(codes: Codes) -> None:
    lost = [models_alone(DeleteModel("Ticket"))]
    drop = DropModel("Ticket", TICKET)
    assert codes(drop, first=(lost,)) == ["drop-table"]
    assert codes(drop, after=(lost,)) == []


def test_the_table_of_a_many_to_many_relation_is_a_table_like_others(codes: Codes) -> None:
    related = [AddField("animal", "keepers", KEEPERS)]
    assert codes(RemoveField("animal", "keepers"), after=(related,)) == ["drop-table"]
    assert codes(RemoveField("animal", "keepers"), first=(related,)) == []


def test_a_column_that_no_running_code_knows_may_go_again(codes: Codes) -> None:
    added = [AddField("animal", "age", models.IntegerField(null=True))]
    assert codes(RemoveField("animal", "age"), first=(added,)) == []
    assert codes(RenameField("animal", "age", "years"), first=(added,)) == []


def test_a_field_left_to_its_default_may_leave_the_models(codes: Codes) -> None:
    defaulted = altered("name", models.CharField(max_length=50, db_default=""))
    assert codes(defaulted, models_alone(RemoveField("animal", "name"))) == []


def test_null_is_no_way_out_for_a_column_in_which_the_running_code_expects_none(
    codes: Codes,
) -> None:
    nullable = altered("name", models.CharField(max_length=50, null=True))
    lost = models_alone(RemoveField("animal", "name"))
    assert codes(nullable, lost) == ["retired-column"]
    assert codes(lost, after=([nullable],)) == []


def test_null_is_refused_once_a_check_of_the_running_release_refuses_it(codes: Codes) -> None:
    check = [AddConstraintNotValid("animal", SET)]
    valid = [ValidateConstraint("animal", "animal_motto_set")]
    refuse = altered("motto", models.TextField())
    assert codes(refuse, after=(check, valid)) == []
    assert "set-not-null" in codes(refuse, first=(check, valid))


def test_an_index_of_rows_that_are_not_null_is_no_check(codes: Codes) -> None:
    partial = models.UniqueConstraint(
        fields=["user_id"], condition=models.Q(motto__isnull=False), name="animal_motto"
    )
    refuse = altered("motto", models.TextField())
    after = ([AddConstraint("animal", partial)],)
    assert codes(refuse, after=after) == ["set-not-null", "scan"]


def test_a_new_column_may_refuse_null_only_with_a_default(codes: Codes) -> None:
    added = [AddField("animal", "age", models.IntegerField(null=True))]
    strict = AlterField("animal", "age", models.IntegerField())
    defaulted = AlterField("animal", "age", models.IntegerField(db_default=1))
    assert "set-not-null" in codes(strict, first=(added,))
    assert "set-not-null" not in codes(defaulted, first=(added,))


def test_a_table_that_no_running_code_knows_may_be_changed_at_will(codes: Codes) -> None:
    visit = [CreateModel("Visit", [*TICKET, ("note", models.TextField())])]
    changes = [
        AddField("visit", "age", models.IntegerField()),
        AlterField("visit", "age", models.PositiveBigIntegerField(unique=True)),
        AlterField("visit", "age", models.PositiveBigIntegerField(default=1)),
        AddConstraint("visit", models.CheckConstraint(condition=models.Q(age=1), name="one")),
        RemoveConstraint("visit", "one"),
        RenameField("visit", "note", "text"),
        RemoveField("visit", "age"),
        RenameModel("Visit", "Stay"),
        AddField("stay", "age", models.IntegerField()),
        DeleteModel("Stay"),
    ]
    assert codes(*visit, *changes) == []
    assert codes(*changes, first=(visit,)) == []


def test_a_model_that_moves_to_another_app_keeps_its_table(codes: Codes) -> None:
    moved = models_alone(
        CreateModel("Pass", [*TICKET, ("note", models.TextField())], {"db_table": "zoo_ticket"}),
        DeleteModel("Ticket"),
    )
    assert codes(moved) == []
    assert codes(RemoveField("pass", "note"), after=([moved],)) == ["drop-column"]
    assert codes(AddField("pass", "age", models.IntegerField()), first=([moved],)) == [
        "not-null-column"
    ]


def test_both_halves_of_an_operation_may_say_the_same(codes: Codes) -> None:
    rename = RenameField("animal", "age", "years")
    added = [AddField("animal", "age", models.IntegerField(null=True))]
    both = SeparateDatabaseAndState(database_operations=[rename], state_operations=[rename])
    assert codes(both, RemoveField("animal", "years"), first=(added,)) == []


def test_raw_sql_is_taken_to_do_what_is_said_of_the_models(codes: Codes) -> None:
    dropped = SeparateDatabaseAndState(
        database_operations=[RunSQL("ALTER TABLE zoo_animal DROP COLUMN motto")],
        state_operations=[RemoveField("animal", "motto")],
    )
    again = AddField("animal", "motto", models.TextField(null=True))
    assert codes(dropped) == ["unreviewed"]
    assert codes(again, first=([dropped],)) == []


def test_a_proxy_has_no_table_to_lose(codes: Codes) -> None:
    proxy = [CreateModel("Pass", [], {"proxy": True}, bases=("zoo.ticket",))]
    assert codes(DeleteModel("Pass"), after=(proxy,)) == []
