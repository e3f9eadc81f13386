"""The bases of sharded rows, and the two tables that every transaction may write to."""

from typing import Any, ClassVar, Self

from django.db import models

from sharding.django.models import DistributedModel, M_co, ShardedQuerySet
from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id


class UserQuerySet(ShardedQuerySet[M_co]):
    """Rows that live on their user's shard."""

    def for_user(self, user_id: object) -> Self:
        """Keep to one user's rows, and so to one shard."""
        return self.for_key(user_id)


class ProductQuerySet(ShardedQuerySet[M_co]):
    """Rows that live on their product's shard."""

    def for_product(self, product_id: int) -> Self:
        """Keep to one product's rows, and so to one shard."""
        return self.for_key(product_id)


class UserShardedModel(DistributedModel):
    """A row on its user's shard, under the key (user_id, id)."""

    placement: ClassVar[Placement] = Distributed(by="user_id", colocate_with="accounts.User")

    pk = models.CompositePrimaryKey("user_id", "id")
    user_id = models.UUIDField()
    id = models.UUIDField(default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = UserQuerySet.as_manager()

    class Meta:
        abstract = True


class ProductShardedModel(DistributedModel):
    """A row on its product's shard. Relations to users stay plain ids: they live elsewhere."""

    objects: ClassVar[Any] = ProductQuerySet.as_manager()

    class Meta:
        abstract = True


class IdempotencyKey(DistributedModel):
    """The answer that was given to a client's key, kept for its retries."""

    placement: ClassVar[Placement] = Distributed(by="user_id", colocate_with="accounts.User")

    pk = models.CompositePrimaryKey("user_id", "key")
    user_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()  # the JSON text itself: jsonb would not keep its order
    location = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = UserQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key


class OutboxEvent(UserShardedModel):
    """Something that happened, written in its own transaction, to be told to others later."""

    topic = models.CharField(max_length=64)
    payload: Any = models.JSONField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                name="outbox_unpublished",
                condition=models.Q(published_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"
