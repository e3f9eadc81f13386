"""The warnings of `shardctl lint` that the shop's own models give no reason for."""

from __future__ import annotations

from django.db import models
from django.test.utils import isolate_apps

from sharding.django import lint
from sharding.django.placement import Distributed, Reference


def found(*made: type[models.Model]) -> set[str]:
    return {code for model in made for rule in lint._RULES for code, _, _ in rule(model)}


@isolate_apps("shop.core")
def test_each_kind_of_trouble_has_its_code() -> None:
    class Small(models.Model):
        placement = Distributed(by="number")
        number = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "core"

    class Timed(models.Model):
        placement = Distributed(by="day")
        day = models.DateField(primary_key=True)

        class Meta:
            app_label = "core"

    class Collated(models.Model):
        placement = Distributed(by="name")
        name = models.TextField(primary_key=True, db_collation="und-x-icu")

        class Meta:
            app_label = "core"

    class Reversed(models.Model):
        placement = Distributed(by="user_id")
        pk = models.CompositePrimaryKey("id", "user_id")
        id = models.UUIDField()
        user_id = models.UUIDField()

        class Meta:
            app_label = "core"

    class Numbered(models.Model):
        placement = Reference()
        id = models.AutoField(primary_key=True)

        class Meta:
            app_label = "core"

    class Foreign(models.Model):
        placement = Distributed(by="id")
        id = models.UUIDField(primary_key=True)

        class Meta:
            app_label = "core"
            managed = False

    assert found(Small) == {"W101"}
    assert found(Timed) == {"W102"}
    assert found(Collated) == {"W103"}
    assert found(Reversed) == {"W104"}
    assert found(Numbered) == {"W105"}
    assert found(Foreign) == {"W106"}


@isolate_apps("shop.core")
def test_good_models_give_no_warning() -> None:
    class Good(models.Model):
        placement = Distributed(by="user_id")
        pk = models.CompositePrimaryKey("user_id", "id")
        user_id = models.UUIDField()
        id = models.UUIDField()

        class Meta:
            app_label = "core"

    class Named(models.Model):
        placement = Distributed(by="value")
        value = models.CharField(max_length=100, primary_key=True)

        class Meta:
            app_label = "core"

    class Listed(models.Model):
        placement = Reference()
        id = models.BigAutoField(primary_key=True)

        class Meta:
            app_label = "core"

    assert found(Good, Named, Listed) == set()
