"""The base of every distributed model, and the one relation between such models."""

from typing import Any, ClassVar, Self, TypeVar, cast

from django.db import models

from sharding.django.lookups import InOneShard
from sharding.django.placement import Distributed, Placement, placement_of
from sharding.django.transactions import alias_for

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class ShardedQuerySet(models.QuerySet[M_co]):
    """Reads and writes one shard, unless told to ask them all."""

    _shard_key: object = None

    def for_key(self, value: object) -> Self:
        """Keep to the rows of one shard key, and so to one shard.

        When the query is sent, it goes to the transaction that is open then, or else to the node
        that holds the key; `using` overrules both.

        Name the key once: ``for_key(user).get(id=x)``, not ``get(pk=(user, x))`` behind it. A
        repeated predicate costs Citus's fast path.
        """
        placement = cast("Distributed", placement_of(self.model))
        found = self.filter(**{placement.by: value})
        found._shard_key = value
        return found

    @property
    def db(self) -> str:
        """The alias that the query is sent to, chosen anew each time."""
        chosen: str | None = self._db  # type: ignore[attr-defined]
        if chosen is None and self._shard_key is not None:
            return alias_for(self.model, self._shard_key)
        return super().db

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._shard_key = self._shard_key
        return clone

    def create(self, **values: Any) -> M_co:
        """Write a row; it goes where `for_key` would look for it."""
        key = values.get(cast("Distributed", placement_of(self.model)).by)
        routed = self._chain()  # type: ignore[attr-defined]
        if key is not None:
            routed._shard_key = key.pk if isinstance(key, models.Model) else key
        return super(ShardedQuerySet, routed).create(**values)

    def cross_shard(self) -> Self:
        """Allow this query to ask every shard. Say so only where no user waits for it."""
        clone = self.all()
        clone.query.cross_shard = True  # type: ignore[attr-defined]
        return clone


class DistributedModel(models.Model):
    """A model whose rows are spread over the workers; `placement` says by which column."""

    placement: ClassVar[Placement]

    objects = ShardedQuerySet.as_manager()

    class Meta:
        abstract = True


class ShardForeignObject(models.ForeignObject):  # type: ignore[type-arg]
    """A many-to-one relation inside a colocation group, over the shard key and an id.

    ``ShardForeignObject("orders.Order", by=("user_id", "order_id"))`` joins on both columns, so
    that Citus pushes the join down to the shard. It makes no column and no constraint: declare
    the columns as fields, and the constraint with `operations.CompositeForeignKey` in a migration.

    Args:
        to: the related model, whose key is the shard key followed by ``id``.
        by: names of this model's fields, in the order of `to_fields`.
    """

    def __init__(
        self,
        to: Any,
        on_delete: Any = models.DO_NOTHING,
        *,
        by: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        kwargs["from_fields"] = list(by or kwargs["from_fields"])
        kwargs.setdefault("to_fields", [kwargs["from_fields"][0], "id"])
        super().__init__(to, on_delete, **kwargs)


ShardForeignObject.register_lookup(InOneShard)
