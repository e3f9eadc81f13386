"""Each rule refuses a model that breaks it, and the project's own models break none."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models.functions import Lower
from django.test.utils import isolate_apps

from sharding.django.checks import check_placements
from sharding.django.models import DistributedModel, ShardForeignObject
from sharding.django.placement import Distributed, Local, Reference
from shop.accounts.models import User
from shop.catalog.models import Product
from shop.core.models import UserShardedModel
from shop.inventory.models import Stock
from shop.orders.models import Order

BY_USER = Distributed(by="user_id", colocate_with="accounts.User")
BY_PRODUCT = Distributed(by="product_id", colocate_with="inventory.Stock")


@pytest.fixture(autouse=True)
def registry() -> Iterator[Any]:
    """Models that a test defines live in this registry, and are forgotten after it."""
    with isolate_apps("shop.core", "shop.catalog") as isolated:
        yield isolated


@pytest.fixture
def codes(registry: Any) -> Any:
    """Return the codes of what is wrong with the models defined in the test."""
    return lambda: [error.id for error in check_placements(registry.get_app_configs())]


class _Core:
    app_label = "core"


def test_the_projects_own_models_break_no_rule() -> None:
    assert check_placements() == []
    assert check_placements(apps.get_app_configs()) == []


def test_a_sound_distributed_model_breaks_no_rule(codes: Any) -> None:
    class Note(UserShardedModel):
        order_id = models.UUIDField()
        order = ShardForeignObject(Order, by=("user_id", "order_id"), related_name="+")
        product = models.ForeignKey(Product, models.PROTECT, related_name="+")
        text = models.TextField()

        class Meta(_Core):
            constraints = [
                models.UniqueConstraint("user_id", Lower("text"), name="a"),
                models.UniqueConstraint(fields=["user_id", "text"], name="b"),
                models.UniqueConstraint(fields=["user_id"], condition=models.Q(text="x"), name="c"),
                ExclusionConstraint(name="d", expressions=[("user_id", "="), ("text", "=")]),
            ]

    assert codes() == []


def test_a_model_without_a_placement_is_refused(codes: Any) -> None:
    class Lost(models.Model):
        class Meta(_Core):
            pass

    assert codes() == ["sharding.E001"]


def test_a_model_that_the_settings_call_local_needs_no_placement(codes: Any, settings: Any) -> None:
    class Lost(models.Model):
        class Meta(_Core):
            pass

    settings.SHARDING_LOCAL_MODELS = {"core.Lost": "stays at home"}
    assert codes() == []


def test_unmanaged_and_proxy_models_are_left_alone(codes: Any) -> None:
    class View(models.Model):
        class Meta(_Core):
            managed = False

    class Alias(View):
        class Meta(_Core):
            proxy = True

    assert codes() == []


def test_a_distribution_column_that_is_no_field_is_refused(codes: Any) -> None:
    class Note(DistributedModel):
        placement = Distributed(by="nobody", colocate_with="accounts.User")
        id = models.UUIDField(primary_key=True)

        class Meta(_Core):
            pass

    assert codes() == ["sharding.E002"]


def _note(**attributes: Any) -> type[models.Model]:
    """Define a model on its user's shard, with these attributes besides."""
    meta = type("Meta", (_Core,), attributes.pop("meta", {}))
    names = {"__module__": __name__, "Meta": meta, "text": models.TextField(), **attributes}
    return type("Note", (UserShardedModel,), names)


@pytest.mark.parametrize(
    "attributes",
    [
        {"slug": models.TextField(unique=True)},
        {"meta": {"unique_together": {("text", "id")}}},
        {"meta": {"constraints": [models.UniqueConstraint(fields=["text"], name="a")]}},
        {"meta": {"constraints": [models.UniqueConstraint(Lower("text"), name="a")]}},
        {"meta": {"constraints": [ExclusionConstraint(name="a", expressions=[("text", "=")])]}},
        {
            "meta": {
                "constraints": [
                    ExclusionConstraint(name="a", expressions=[("user_id", "<>"), ("text", "=")])
                ]
            }
        },
        {"pk": models.CompositePrimaryKey("id", "text")},
    ],
    ids=["field", "together", "constraint", "expression", "exclusion", "not equal", "key"],
)
def test_uniqueness_without_the_distribution_column_is_refused(
    codes: Any, attributes: dict[str, Any]
) -> None:
    _note(**attributes)
    assert codes() == ["sharding.E003"]


def test_a_one_to_one_relation_without_the_distribution_column_is_refused(codes: Any) -> None:
    _note(product=models.OneToOneField(Product, models.PROTECT, related_name="+"))
    assert codes() == ["sharding.E003"]


def test_a_distribution_column_that_may_be_null_is_refused(codes: Any) -> None:
    class Note(DistributedModel):
        placement = BY_USER
        user_id = models.UUIDField(null=True)
        id = models.UUIDField()
        pk = models.CompositePrimaryKey("user_id", "id")

        class Meta(_Core):
            pass

    assert "sharding.E004" in codes()


def test_a_distribution_column_of_another_type_than_its_groups_is_refused(codes: Any) -> None:
    class Note(DistributedModel):
        placement = BY_PRODUCT
        pk = models.CompositePrimaryKey("product_id", "id")
        product_id = models.IntegerField()  # the group's is a bigint
        id = models.UUIDField()

        class Meta(_Core):
            pass

    assert codes() == ["sharding.E005"]


def test_an_identity_column_on_a_distributed_table_is_refused(codes: Any) -> None:
    class Note(DistributedModel):
        placement = BY_PRODUCT
        pk = models.CompositePrimaryKey("product_id", "id")
        product_id = models.BigIntegerField()
        id = models.BigAutoField()

        class Meta(_Core):
            pass

    # Django wants an AutoField to be the key; what matters is that ours is refused as well.
    assert "sharding.E006" in codes()


def test_an_automatic_many_to_many_table_is_refused(codes: Any) -> None:
    class Tagged(DistributedModel):
        placement = Distributed(by="id", colocate_with="accounts.User")
        id = models.UUIDField(primary_key=True)
        products = models.ManyToManyField(Product, related_name="+")

        class Meta(_Core):
            pass

    assert "sharding.E007" in codes()


def _refers(
    *, placement: Any, to: type[models.Model], column: str | None = None
) -> type[models.Model]:
    """Define a model that refers to another by an ordinary foreign key."""
    relation = models.ForeignKey(to, models.PROTECT, related_name="+", db_column=column)
    names = {
        "__module__": __name__,
        "Meta": type("Meta", (_Core,), {}),
        "placement": placement,
        "other": relation,
    }
    if isinstance(placement, Distributed):
        kind = models.UUIDField if placement == BY_USER else models.BigIntegerField
        names |= {
            placement.by: kind(),
            "id": models.UUIDField(),
            "pk": models.CompositePrimaryKey(placement.by, "id"),
        }
    return type("Referring", (models.Model,), names)


@pytest.mark.parametrize(
    ("placement", "to"),
    [(Reference(), User), (BY_USER, Stock), (BY_USER, User)],
    ids=["copy to shard", "out of the group", "without the key"],
)
def test_a_foreign_key_that_citus_would_refuse_is_refused(
    codes: Any, placement: Any, to: type[models.Model]
) -> None:
    _refers(placement=placement, to=to)
    assert codes() == ["sharding.E008"]


@pytest.mark.parametrize("placement", [BY_USER, Reference()])
def test_a_foreign_key_to_a_table_of_the_coordinator_is_refused(codes: Any, placement: Any) -> None:
    class Home(models.Model):
        placement = Local("for this test")

        class Meta(_Core):
            pass

    _refers(placement=placement, to=Home)
    assert codes() == ["sharding.E008"]


@pytest.mark.parametrize("placement", [BY_USER, Reference(), Local("for this test")])
def test_a_foreign_key_to_a_reference_table_is_fine(codes: Any, placement: Any) -> None:
    _refers(placement=placement, to=Product)
    assert codes() == []


def test_a_local_table_may_refer_to_whatever_it_likes(codes: Any) -> None:
    _refers(placement=Local("for this test"), to=User)
    assert codes() == []


@pytest.mark.parametrize("on_delete", [models.SET_NULL, models.SET_DEFAULT])
def test_a_foreign_key_that_would_empty_the_shard_key_is_refused(
    codes: Any, on_delete: Any
) -> None:
    class Note(DistributedModel):
        placement = Distributed(by="user", colocate_with="accounts.User")
        pk = models.CompositePrimaryKey("user", "id")
        user = models.ForeignKey(User, on_delete, related_name="+")
        id = models.UUIDField()

        class Meta(_Core):
            pass

    assert codes() == ["sharding.E009"]


@pytest.mark.parametrize("label", ["catalog.Product", "auth.Group", "nowhere.Nothing"])
def test_colocation_with_what_is_not_distributed_is_refused(codes: Any, label: str) -> None:
    _note(placement=Distributed(by="user_id", colocate_with=label))
    assert codes() != []
