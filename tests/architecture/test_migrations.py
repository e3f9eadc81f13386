"""What the models say and what the migrations make are the same."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from sharding.django.models import ShardForeignObject
from sharding.django.operations import CompositeForeignKey, Distribute, Reference
from sharding.django.placement import Distributed, Local, column_of, placement_of
from sharding.django.placement import Reference as OnEveryNode

OURS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_config.name.startswith("shop.")  # type: ignore[union-attr]
    and not model._meta.proxy
]


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=3)
    except SystemExit:
        pytest.fail("makemigrations would write a migration; see its output above")


def _placed() -> dict[tuple[str, str], Distribute | Reference]:
    """Return the operation that places each table, by app and model."""
    loader = MigrationLoader(None)
    return {
        (app, operation.model_name.lower()): operation
        for (app, _), migration in loader.disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, Distribute | Reference)
    }


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_the_migrations_place_each_table_where_its_model_says(model: type) -> None:
    operation = _placed().get((model._meta.app_label, model._meta.model_name))  # type: ignore[attr-defined]
    placement = placement_of(model)
    if isinstance(placement, Distributed):
        assert isinstance(operation, Distribute)
        assert operation.by == column_of(model, placement.by)
        assert operation.colocate_with == placement.colocate_with
    elif isinstance(placement, OnEveryNode):
        assert isinstance(operation, Reference)
    else:
        assert operation is None


def _operations() -> list[tuple[str, object]]:
    migrations = MigrationLoader(None).disk_migrations
    return [(app, op) for (app, _), migration in migrations.items() for op in migration.operations]


def test_every_relation_inside_a_group_has_its_constraint() -> None:
    constrained = {
        (app, op.model_name.lower(), op.columns)
        for app, op in _operations()
        if isinstance(op, CompositeForeignKey)
    }
    declared = {
        (model._meta.app_label, str(model._meta.model_name), tuple(field.from_fields))
        for model in OURS
        for field in model._meta.get_fields()
        if isinstance(field, ShardForeignObject)
    }
    assert declared
    assert declared <= constrained


def test_each_models_placement_is_declared() -> None:
    undeclared = [
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and placement_of(model) is None
    ]
    assert undeclared == []


def test_none_of_our_own_tables_stays_on_the_coordinator() -> None:
    assert [m._meta.label for m in OURS if isinstance(placement_of(m), Local)] == []
