"""Where merchants want to be told, and what they were told."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from sharding.django.placement import Placement, Reference
from shop.core.models import UserShardedModel

TOPICS = ("order.placed", "order.paid", "order.cancelled", "order.shipped", "order.refunded")


class WebhookEndpoint(models.Model):
    """An address that hears of orders: on every node, for each event asks for all of them.

    The secret stands here as it is: a signature cannot be made from a digest of it.
    """

    placement: ClassVar[Placement] = Reference()

    url = models.CharField(max_length=500)
    topics: Any = ArrayField(models.CharField(max_length=64))
    description = models.CharField(max_length=200, blank=True)
    secret = models.CharField(max_length=100, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(UserShardedModel):
    """An event on its way to an endpoint, on the shard of the user whose order it is about.

    `due_at` is when it is sent (again), and the lease of whoever has it; empty: it has ended. The
    endpoint's id is no foreign key: the record of what was told outlives the endpoint.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    endpoint_id = models.BigIntegerField()
    event_id = models.UUIDField()
    topic = models.CharField(max_length=64)
    body = models.TextField()  # the bytes that are signed: jsonb would not keep their order
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    due_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)  # since it was recorded or replayed
    attempts: Any = models.JSONField(default=list)  # {at, status, ms, error}, the oldest first

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "event_id", "endpoint_id"], name="webhook_delivery_once"
            )
        ]
        indexes = [
            models.Index(fields=["endpoint_id", "id"], name="webhook_delivery_by_endpoint"),
            models.Index(
                fields=["due_at"],
                name="webhook_delivery_due",
                condition=models.Q(due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} to {self.endpoint_id}"

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        oldest = now - settings.WEBHOOK_DELIVERY_LIFETIME
        return models.Q(due_at__isnull=True, created_at__lte=oldest)
