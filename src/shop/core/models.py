"""The bases of sharded rows, and the tables that every room may write to."""

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        return models.Q(created_at__lte=now - settings.IDEMPOTENCY_KEY_LIFETIME)


class OutboxEvent(UserShardedModel):
    """Something that happened, written in its own transaction, to be told to others later.

    `waiting_for` names the tasks that have still to handle it. `due_at` is when the sweep hands it
    over (again), null as soon as nobody waits. `published_at` is when it is first known to have
    reached the broker. `request_id` is the request that caused it, for the log.
    """

    topic = models.CharField(max_length=64)
    payload: Any = models.JSONField()
    published_at = models.DateTimeField(null=True)
    waiting_for: Any = ArrayField(models.CharField(max_length=100), default=list)
    due_at = models.DateTimeField(null=True)
    handovers = models.PositiveSmallIntegerField(default=0, db_default=0)
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                name="outbox_due",
                condition=models.Q(due_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        oldest = now - settings.OUTBOX_EVENT_LIFETIME
        return OutboxEvent.ended() & models.Q(created_at__lte=oldest)

    @staticmethod
    def ended() -> models.Q:
        """Return what finds the events that nobody waits for, nor may be told of once more."""
        letters = DeadLetter.objects.filter(
            user_id=models.OuterRef("user_id"), event_id=models.OuterRef("id")
        )
        return models.Q(due_at__isnull=True) & ~models.Q(models.Exists(letters))


class DeadLetter(UserShardedModel):
    """A task that was given up, for `manage.py dead_letters`.

    It lies on the shard of the user whom it was for, so that it is written in the transaction
    that takes the task off the event's list; tasks for nobody in particular share NOBODY's. What
    the event said stands in the letter too, which can be replayed without it.
    """

    NOBODY: ClassVar[UUID] = UUID(int=0)

    task = models.CharField(max_length=100)
    kwargs: Any = models.JSONField()
    event_id = models.UUIDField(null=True)
    topic = models.CharField(max_length=64, blank=True, default="", db_default="")
    payload: Any = models.JSONField(null=True)
    error = models.CharField(max_length=500)
    tries = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.task}: {self.error}"
