"""The tables stand where their models say."""

from collections import Counter

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model

from sharding.django.backend.creation import TEST_SHARD_COUNT
from sharding.django.placement import Distributed, Local, Reference, group_of, placement_of

MODELS = list(apps.get_models(include_auto_created=True))


def _citus_row(model: type[Model]) -> tuple[str, str, int, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT citus_table_type, distribution_column, colocation_id, shard_count"
            " FROM citus_tables WHERE table_name = %s::regclass",
            [model._meta.db_table],
        )
        return cursor.fetchone()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@pytest.mark.django_db
def test_a_table_stands_where_its_model_says(model: type[Model]) -> None:
    placement, row = placement_of(model), _citus_row(model)
    match placement:
        case Distributed(by=by):
            assert row is not None
            column = model._meta.get_field(by).column
            assert (row[0], row[1], row[3]) == ("distributed", column, TEST_SHARD_COUNT)
        case Reference():
            assert row is not None
            assert row[0] == "reference"
        case Local():
            assert row is None
        case None:
            pytest.fail(f"{model._meta.label} declares no placement")


@pytest.mark.django_db
def test_models_of_one_group_share_their_shards_and_other_groups_do_not() -> None:
    colocations: dict[str, set[int]] = {}
    for model in MODELS:
        if group := group_of(model):
            row = _citus_row(model)
            assert row is not None
            colocations.setdefault(group, set()).add(row[2])
    assert set(colocations) == {"accounts.User", "accounts.Identity", "inventory.Stock"}
    assert all(len(ids) == 1 for ids in colocations.values())
    assert len(set.union(*colocations.values())) == 3


@pytest.mark.django_db
def test_the_shards_are_spread_evenly_over_the_workers(workers: list[tuple[str, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nodename, nodeport FROM citus_shards WHERE table_name = %s::regclass",
            ["orders_order"],
        )
        held = Counter(cursor.fetchall())
    assert set(held) == set(workers)
    assert max(held.values()) - min(held.values()) <= (TEST_SHARD_COUNT % len(workers) > 0)
