"""Where a model's table lives in the cluster: every model says so, and the checks ask.

A model declares it as a class attribute::

    class Order(UserShardedModel):
        placement = Distributed(by="user_id", colocate_with="accounts.User")

Models of other packages, which cannot carry the attribute, are listed with their reason in
``settings.SHARDING_LOCAL_MODELS``.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from django.apps import apps
from django.conf import settings
from django.db.models import Field, Model


@dataclass(frozen=True, kw_only=True)
class Distributed:
    """Rows are spread over the workers by the hash of one column.

    Attributes:
        by: name of the field that decides the shard.
        colocate_with: label of the model whose shards these rows join; None starts a new group.
    """

    by: str
    colocate_with: str | None = None


@dataclass(frozen=True)
class Reference:
    """The whole table stands on every node: joins are local everywhere, writes are slow."""


@dataclass(frozen=True)
class Local:
    """The table stands on the coordinator alone, for the reason given."""

    reason: str


Placement: TypeAlias = Distributed | Reference | Local


def column_of(model: type[Model], field: str) -> str:
    """Return the column of one of a model's own fields."""
    return cast("Field[Any, Any]", model._meta.get_field(field)).column or field


def placement_of(model: type[Model]) -> Placement | None:
    """Return what the model declares, or what the settings say of it; None if nobody does."""
    concrete = model._meta.concrete_model or model
    declared: Placement | None = getattr(concrete, "placement", None)
    if declared is not None:
        return declared
    reason = getattr(settings, "SHARDING_LOCAL_MODELS", {}).get(concrete._meta.label)
    return Local(reason) if reason else None


def group_of(model: type[Model]) -> str | None:
    """Return the label of the model that founded this model's colocation group."""
    placement = placement_of(model)
    if not isinstance(placement, Distributed):
        return None
    if placement.colocate_with is None:
        return model._meta.label
    return group_of(apps.get_model(placement.colocate_with))
