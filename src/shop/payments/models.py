"""Payments of orders, and what the payment gateway has told of them."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from sharding.django.models import DistributedModel, ShardForeignObject
from sharding.django.placement import Distributed, Placement
from shop.core.models import UserQuerySet, UserShardedModel
from shop.core.states import InvalidTransition, Transitions, advance


class Payment(UserShardedModel):
    """An amount due for an order, and how it stands. One per order is in force at most."""

    class Method(models.TextChoices):
        CARD = "card"
        PAYPAL = "paypal"
        BANK_TRANSFER = "bank_transfer"

    class Status(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REFUND_DUE = "refund_due"  # the money has to go back, and has not yet
        REFUNDED = "refunded"  # the money is back

    transitions: ClassVar[Transitions] = {
        Status.PENDING: frozenset({Status.SUCCEEDED, Status.FAILED}),
        Status.SUCCEEDED: frozenset({Status.REFUND_DUE, Status.REFUNDED}),
        # Money that came after all goes back.
        Status.FAILED: frozenset({Status.REFUND_DUE, Status.REFUNDED}),
        Status.REFUND_DUE: frozenset({Status.REFUNDED}),
        Status.REFUNDED: frozenset(),
    }
    IN_FORCE: ClassVar[list[str]] = [Status.PENDING, Status.SUCCEEDED]

    order_id = models.UUIDField()
    order = ShardForeignObject("orders.Order", by=("user_id", "order_id"), related_name="payments")
    payment_method = models.CharField(max_length=20, choices=Method.choices)
    token = models.CharField(max_length=255, blank=True)  # until the payment is settled
    # What the gateway calls the payment; empty until it has said so.
    provider_ref = models.CharField(max_length=255, blank=True, default="", db_default="")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    updated_at = models.DateTimeField(auto_now=True)
    # When the gateway was last asked to charge it; empty: it never was.
    asked_at = models.DateTimeField(null=True)
    # When a person sent the money back, past the gateway.
    paid_out_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user_id", "order_id"], name="payment_by_order"),
            # For what looks after money that has to go back.
            models.Index(
                fields=["id"],
                name="payment_refund_due",
                condition=models.Q(status="refund_due"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gte=0), name="payment_amount_not_below_0"
            ),
            models.UniqueConstraint(
                fields=["user_id", "order_id"],
                condition=models.Q(status__in=["pending", "succeeded"]),
                name="payment_one_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} by {self.payment_method}"

    def become(self, status: str, **also: object) -> None:
        """Change the payment's status, and forget the token, which nobody needs any more.

        Belongs behind the lock of its order, which keeps order and payment in step.

        Args:
            also: other fields that change with it.

        Raises:
            InvalidTransition: the payment's status of this moment does not allow it.
        """
        advance(self, field="status", to=status, transitions=self.transitions, token="", **also)

    def refuse_unless(self, *statuses: str, to: str) -> None:
        """Raise InvalidTransition if the payment is in none of these; read it behind the lock."""
        if self.status not in statuses:
            raise InvalidTransition("payment", before=self.status, after=to)


class WebhookEvent(DistributedModel):
    """An event of the payment gateway that has had its effect; told again, it has none."""

    placement: ClassVar[Placement] = Distributed(by="user_id", colocate_with="accounts.User")

    pk = models.CompositePrimaryKey("user_id", "event_id")
    user_id = models.UUIDField()
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=64)
    payment_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = UserQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        return models.Q(created_at__lte=now - settings.WEBHOOK_EVENT_LIFETIME)
